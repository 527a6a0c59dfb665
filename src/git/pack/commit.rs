//! The parents of a commit (`gitformat-commit`, and `git cat-file -p`): `tree <id>`, then a line `parent <id>` for each
//! parent.

use gix_hash::{Kind, ObjectId};

/// A commit's parents.
pub(super) struct Parents {
    /// Their ids, in the commit's order.
    pub(super) ids: Vec<ObjectId>,
    /// Whether another line follows the parents. If not, the text was cut off.
    pub(super) are_all: bool,
}

/// The parents in the text of a commit; `None` if it does not start like a commit.
pub(super) fn parents(text: &[u8], object_format: Kind) -> Option<Parents> {
    let (_, mut rest) = line(text.strip_prefix(b"tree ")?, object_format)?;
    let mut ids = Vec::new();
    while let Some(parent) = rest.strip_prefix(PARENT) {
        match line(parent, object_format) {
            Some((id, behind)) => {
                ids.push(id);
                rest = behind;
            }
            None if parent.len() > object_format.len_in_hex() => return None,
            None => return Some(Parents { ids, are_all: false }),
        }
    }
    Some(Parents { ids, are_all: !PARENT.starts_with(rest) })
}

/// The id in the rest of a line, and the text after that line.
fn line(text: &[u8], object_format: Kind) -> Option<(ObjectId, &[u8])> {
    let (hex, rest) = text.split_at_checked(object_format.len_in_hex())?;
    Some((ObjectId::from_hex(hex).ok()?, rest.strip_prefix(b"\n")?))
}

const PARENT: &[u8] = b"parent ";
