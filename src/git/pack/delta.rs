//! A delta: how to make one object from another (`gitformat-pack` "Deltified representation").

use crate::git::error::ErrorKind;

/// The size of the delta's result, as the delta states it.
///
/// # Errors
///
/// If the delta ends before its sizes.
pub fn result_size(mut delta: &[u8]) -> Result<u64, ErrorKind> {
    size(&mut delta)?;
    size(&mut delta)
}

/// Applies `delta` to `base`.
///
/// # Errors
///
/// If the delta is malformed, is for another base, or its result has more than `limit` bytes.
pub fn apply(base: &[u8], delta: &[u8], limit: u64) -> Result<Vec<u8>, ErrorKind> {
    let mut rest = delta;
    let base_size = size(&mut rest)?;
    let result_size = size(&mut rest)?;
    if base_size != base.len() as u64 {
        return Err(malformed("it is for a base of another size"));
    }
    if result_size > limit {
        return Err(malformed("its result is too large"));
    }
    let mut result = Vec::with_capacity(usize::try_from(result_size).unwrap_or_default());
    while let Some(instruction) = byte(&mut rest) {
        let piece = match instruction {
            0 => return Err(malformed("instruction 0 is reserved")),
            copy @ 0x80.. => {
                let offset = little_endian(&mut rest, copy, 4)?;
                let size = match little_endian(&mut rest, copy >> 4, 3)? {
                    0 => 0x10000,
                    size => size,
                };
                base.get(offset..)
                    .and_then(|from| from.get(..size))
                    .ok_or_else(|| malformed("it copies past its base"))?
            }
            insert => {
                let (data, behind) = rest
                    .split_at_checked(usize::from(insert))
                    .ok_or_else(|| malformed("it ends within an insertion"))?;
                rest = behind;
                data
            }
        };
        if (result.len() + piece.len()) as u64 > result_size {
            return Err(malformed("its result is larger than it says"));
        }
        result.extend_from_slice(piece);
    }
    if result.len() as u64 == result_size { Ok(result) } else { Err(malformed("its result is smaller than it says")) }
}

/// A size: seven bits a byte, least significant first. The high bit says that another byte follows.
fn size(rest: &mut &[u8]) -> Result<u64, ErrorKind> {
    let mut size = 0;
    for shift in (0..63).step_by(7) {
        let next = byte(rest).ok_or_else(|| malformed("it ends within a size"))?;
        size |= u64::from(next & 0x7f) << shift;
        if next & 0x80 == 0 {
            return Ok(size);
        }
    }
    Err(malformed("a size has too many bytes"))
}

/// A number of up to `count` bytes. A byte is present if its bit is set in `bits`.
fn little_endian(rest: &mut &[u8], bits: u8, count: u32) -> Result<usize, ErrorKind> {
    let mut number = 0usize;
    for i in 0..count {
        if bits & (1 << i) != 0 {
            let next = byte(rest).ok_or_else(|| malformed("it ends within a copy"))?;
            number |= usize::from(next) << (8 * i);
        }
    }
    Ok(number)
}

fn byte(rest: &mut &[u8]) -> Option<u8> {
    let (first, behind) = rest.split_first()?;
    *rest = behind;
    Some(*first)
}

fn malformed(what: &str) -> ErrorKind {
    ErrorKind::Protocol(format!("a delta of the pack is broken: {what}"))
}
