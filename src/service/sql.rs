//! The statements of the folder `sql`, and the migrations, without their comments and line ends: those are for who reads the
//! files, and everybody who loads the service would load them.

/// A file of SQL as it is sent.
macro_rules! sql {
    ($path:literal) => {{
        const WRITTEN: &str = include_str!($path);
        const LENGTH: usize = $crate::service::sql::packed::<{ WRITTEN.len() }>(WRITTEN).1;
        const PACKED: &[u8] = &$crate::service::sql::packed::<LENGTH>(WRITTEN).0;
        const {
            match std::str::from_utf8(PACKED) {
                Ok(sql) => sql,
                Err(_) => panic!("it is cut at ASCII characters only"),
            }
        }
    }};
}

/// `sql` without comments, with one space for each run of white space outside quotes; and how long that is.
pub(super) const fn packed<const N: usize>(sql: &str) -> ([u8; N], usize) {
    let bytes = sql.as_bytes();
    let mut out = [0; N];
    let (mut length, mut at, mut is_quoted) = (0, 0, false);
    while at < bytes.len() {
        if !is_quoted && bytes[at] == b'-' && at + 1 < bytes.len() && bytes[at + 1] == b'-' {
            while at < bytes.len() && bytes[at] != b'\n' {
                at += 1;
            }
            continue;
        }
        let byte = bytes[at];
        at += 1;
        if byte == b'\'' {
            is_quoted = !is_quoted;
        }
        if is_quoted || !byte.is_ascii_whitespace() {
            out[length] = byte;
            length += 1;
        } else if length > 0 && out[length - 1] != b' ' && at < bytes.len() {
            out[length] = b' ';
            length += 1;
        }
    }
    (out, length)
}
