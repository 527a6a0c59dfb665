//! The header of a pack's entry (`gitformat-pack` "pack-*.pack files"): what kind of object follows, and how large it is.

use gix_hash::{Kind, ObjectId};

use crate::git::error::ErrorKind;

/// A header.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) kind: EntryKind,
    /// How many bytes the object, or the delta, unpacks to.
    pub(super) size: u64,
    /// How many bytes the header has.
    pub(super) length: usize,
}

/// The kind of object that follows.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum EntryKind {
    Commit,
    Tree,
    Blob,
    Tag,
    /// A delta to the entry that starts this many bytes before this one.
    OffsetDelta(u64),
    /// A delta to the object with this id.
    RefDelta(ObjectId),
}

impl Entry {
    /// The header at the start of `bytes`; `None` if it needs more bytes.
    ///
    /// # Errors
    ///
    /// If the kind does not exist, or a number is too large.
    pub(super) fn decode(bytes: &[u8], object_format: Kind) -> Result<Option<Self>, ErrorKind> {
        let mut rest = bytes;
        let Some(first) = next(&mut rest) else { return Ok(None) };
        let (mut size, mut shift, mut byte) = (u64::from(first & 15), 4, first);
        while byte & 0x80 != 0 {
            let Some(more) = next(&mut rest) else { return Ok(None) };
            if shift > 57 {
                return Err(broken("its size is too large"));
            }
            size |= u64::from(more & 0x7f) << shift;
            (shift, byte) = (shift + 7, more);
        }
        let kind = match first >> 4 & 7 {
            1 => EntryKind::Commit,
            2 => EntryKind::Tree,
            3 => EntryKind::Blob,
            4 => EntryKind::Tag,
            6 => match distance(&mut rest)? {
                Some(distance) => EntryKind::OffsetDelta(distance),
                None => return Ok(None),
            },
            7 => match rest.split_at_checked(object_format.len_in_bytes()) {
                Some((id, behind)) => {
                    rest = behind;
                    EntryKind::RefDelta(ObjectId::from_bytes_or_panic(id))
                }
                None => return Ok(None),
            },
            _ => return Err(broken("its kind is unknown")),
        };
        Ok(Some(Self { kind, size, length: bytes.len() - rest.len() }))
    }
}

/// How far back a base is: seven bits a byte, most significant first. A number of two bytes begins after the largest number
/// of one byte, and so on. `None` if it needs more bytes.
fn distance(rest: &mut &[u8]) -> Result<Option<u64>, ErrorKind> {
    let mut distance = 0u64;
    loop {
        let Some(byte) = next(rest) else { return Ok(None) };
        distance |= u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Ok(Some(distance));
        }
        if distance >= 1 << 56 {
            return Err(broken("its base is too far away"));
        }
        distance = (distance + 1) << 7;
    }
}

fn next(rest: &mut &[u8]) -> Option<u8> {
    let (first, behind) = rest.split_first()?;
    *rest = behind;
    Some(*first)
}

fn broken(what: &str) -> ErrorKind {
    ErrorKind::Protocol(format!("the header of an object of the pack is broken: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_as_git_writes_them() {
        let id = ObjectId::from_hex(b"89e6c98d92887913cadf06b2adb97f26cde4849b").expect("an id");
        // `gitformat-pack`: four bits of size and then seven in each byte; a distance of two bytes begins at 128.
        let table: [(&[u8], EntryKind, u64); 5] = [
            (&[0x1f], EntryKind::Commit, 15),
            (&[0xaf, 0x01], EntryKind::Tree, 31),
            (&[0xb0, 0x80, 0x01], EntryKind::Blob, 2048),
            (&[0x40], EntryKind::Tag, 0),
            (&[0x61, 0x80, 0x00], EntryKind::OffsetDelta(128), 1),
        ];
        for (bytes, kind, size) in &table {
            let entry = Entry::decode(bytes, Kind::Sha1).expect("it is sound").expect("it is whole");
            assert_eq!((&entry.kind, entry.size, entry.length), (kind, *size, bytes.len()), "{bytes:?}");
        }
        let delta = [&[0xff, 0x01][..], id.as_slice()].concat();
        let entry = Entry::decode(&delta, Kind::Sha1).expect("it is sound").expect("it is whole");
        assert_eq!((entry.kind, entry.size, entry.length), (EntryKind::RefDelta(id), 31, 22));
        for end in 0..delta.len() {
            assert_eq!(Entry::decode(&delta[..end], Kind::Sha1).expect("it is sound so far"), None, "cut at {end}");
        }
    }

    #[test]
    fn kinds_that_there_are_not_and_numbers_without_end_are_errors() {
        for bytes in [&[0x00][..], &[0x50], &[0xff; 30], &[&[0x60][..], &[0xff; 30]].concat()] {
            assert!(Entry::decode(bytes, Kind::Sha1).is_err(), "{bytes:?}");
        }
    }
}
