//! The change id of a commit without one, derived as in Jujutsu. Take the last 16 of the commit id's first 20 bytes in
//! reverse order, reverse the bits of each, and write them in hex digits from `z` (0) to `k` (15).

/// The change id of the commit with this id in hex. An empty repository has no commit; its change id is all `z`.
pub fn derive(commit_id: Option<&str>) -> String {
    let bytes = commit_id.and_then(leading_bytes).unwrap_or_default();
    let reversed = bytes[4..].iter().rev().map(|byte| byte.reverse_bits());
    reversed.flat_map(|byte| [byte >> 4, byte & 15]).map(|digit| char::from(b'z' - digit)).collect()
}

fn leading_bytes(hex: &str) -> Option<[u8; 20]> {
    let mut bytes = [0; 20];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(hex.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(bytes)
}
