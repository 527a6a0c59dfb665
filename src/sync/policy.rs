//! What a sync may do besides fast-forwards. Everything is off by default.

use gix_hash::ObjectId;
use gix_object::bstr::{BStr, BString};

use crate::glob::Glob;

/// What a sync may do besides fast-forwards.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// Move diverged refs too, with the destination's id as lease. The old commit is kept first, under
    /// `refs/refsync/backup/<old id>/`; if it cannot be kept, the ref is not moved.
    pub force: bool,
    /// Delete the destination's refs that match the globs and that the source does not have, at most this many. If there
    /// are more, nothing is done at all.
    pub prune: Option<u32>,
    /// Keep the old commits of deleted refs too, as `force` keeps those of moved refs.
    pub keep_deleted: bool,
    /// Diverged refs and refs to delete wait, except for these moves; `None` if nothing waits. Wins over `force`.
    pub hold: Option<Vec<Move>>,
    /// All refs move or none: a ref that is rejected, here or at the destination, holds back all others.
    pub atomic: bool,
    /// Globs of full ref names. These refs are left out even if other globs match them.
    pub exclude: Vec<Glob>,
}

/// A move of one ref at the destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    /// The full name of the ref.
    pub name: BString,
    /// The id that the destination has.
    pub from: ObjectId,
    /// The id that the source has; the null id if the source does not have the ref.
    pub to: ObjectId,
}

impl Policy {
    /// Whether this move waits for an approval.
    pub(super) fn holds(&self, name: &BStr, from: Option<ObjectId>, to: ObjectId) -> bool {
        let is_approved = |approved: &Move| approved.name == name && Some(approved.from) == from && approved.to == to;
        self.hold.as_ref().is_some_and(|approved| !approved.iter().any(is_approved))
    }

    /// Whether this ref is left out.
    pub fn excludes(&self, name: &str) -> bool {
        self.exclude.iter().any(|glob| glob.matches(name))
    }
}

/// The ref that keeps the old commit of a ref that is forced or deleted: `refs/refsync/backup/<old id>/<name>`, without the
/// `refs/` of the name. A name of more than two parts is in a folder for its number of slashes, such as `2/heads/a/b`: a
/// backup of `heads/a` is a file, which cannot be the folder of a backup of `heads/a/b`.
pub(super) fn backup_name(name: &BStr, old: ObjectId) -> BString {
    let short = name.strip_prefix(b"refs/").unwrap_or(name);
    let mut kept = format!("{BACKUPS}{old}/").into_bytes();
    let slashes = short.iter().filter(|byte| **byte == b'/').count();
    if slashes > 1 {
        kept.extend_from_slice(format!("{slashes}/").as_bytes());
    }
    kept.extend_from_slice(short);
    kept.into()
}

/// The folder of the refs that keep old commits.
pub(super) const BACKUPS: &str = "refs/refsync/backup/";
