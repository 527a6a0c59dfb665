//! Packs and deltas.

use std::io::Write;

use gix_hash::Kind;
use gix_zlib::{Compression, stream::deflate};
use refsync::git::{CommitScanner, Limits, delta as delta_of};

/// The first byte chooses the object format, and whether the rest is a pack or says what to make one of: mutations would
/// hardly ever get past zlib's checksums.
pub(crate) fn pack(data: &[u8]) {
    let Some((choice, data)) = data.split_first() else { return };
    let format = if choice & 1 == 0 { Kind::Sha1 } else { Kind::Sha256 };
    let pack = if choice & 2 == 0 { data.to_vec() } else { made_of(data, format) };
    let [whole, split] = [usize::MAX, 1].map(|piece| scan(&pack, piece, format));
    // Of what is wrong with it in several ways, one or the other is found first.
    assert_eq!(whole.ok(), split.ok(), "in one piece, and byte by byte");
}

/// How many commits there are, or what is wrong.
fn scan(pack: &[u8], piece: usize, format: Kind) -> Result<usize, String> {
    let mut scanner = CommitScanner::new(format, &Limits::default());
    let mut pieces = pack.chunks(piece);
    let graph = pieces.try_for_each(|piece| scanner.push(piece)).and_then(|()| scanner.finish());
    graph.map(|graph| graph.len()).map_err(|error| error.to_string())
}

/// A pack of objects, each a byte of kind, two of length, and that many bytes of content.
fn made_of(mut data: &[u8], format: Kind) -> Vec<u8> {
    let (mut entries, mut starts) = (Vec::new(), Vec::new());
    while let Some((&[kind, low, high], rest)) = data.split_first_chunk::<3>() {
        let (content, rest) = rest.split_at(rest.len().min(usize::from(u16::from_le_bytes([low, high]))));
        data = rest;
        starts.push(entries.len());
        // Three bits of kind, and the size: four bits, then seven a byte (`gitformat-pack`).
        let (kind, mut size) = (kind & 7, content.len() >> 4);
        entries.push(if size > 0 { 0x80 } else { 0 } | kind << 4 | (content.len() & 15) as u8);
        while size > 0 {
            entries.push(if size > 0x7f { 0x80 } else { 0 } | (size & 0x7f) as u8);
            size >>= 7;
        }
        match kind {
            // An offset of up to two bytes, to the entry before.
            6 => {
                let back = starts.iter().rev().nth(1).map_or(1, |start| starts[starts.len() - 1] - start);
                if back > 0x7f {
                    entries.push(0x80 | ((back >> 7) - 1) as u8);
                }
                entries.push((back & 0x7f) as u8);
            }
            7 => entries.extend_from_slice(format.null_ref().as_bytes()),
            _ => {}
        }
        let mut deflate = deflate::Write::new(Vec::new(), Compression::NONE);
        deflate.write_all(content).and_then(|()| deflate.flush()).expect("a vector takes all");
        entries.extend_from_slice(&deflate.into_inner());
    }
    let count = u32::try_from(starts.len()).expect("inputs are small");
    [&b"PACK\0\0\0\x02"[..], &count.to_be_bytes(), &entries, format.null_ref().as_bytes()].concat()
}

/// The first byte is the length of the base, which comes next; the delta is the rest.
pub(crate) fn delta(data: &[u8]) {
    const LIMIT: u64 = 1 << 16;
    let Some((length, data)) = data.split_first() else { return };
    let (base, delta) = data.split_at(data.len().min(usize::from(*length)));
    if let Ok(result) = delta_of::apply(base, delta, LIMIT) {
        assert!(result.len() as u64 <= LIMIT, "the limit holds");
    }
}
