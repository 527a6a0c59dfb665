//! What a sync may do beyond going forward. Everything is off unless it is asked for.

use crate::{git::Ref, glob::Glob};

/// What a sync may do beyond going forward.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// Move refs that have diverged too, with the destination's id as lease. The old commit is kept first, under
    /// `refs/refsync/backup/<old id>/<name>`; where it cannot be kept, the ref is not moved.
    pub force: bool,
    /// Delete the destination's refs that match the globs and that the source lacks, at most this many: where there are
    /// more, nothing is done at all.
    pub prune: Option<u32>,
    /// All refs move, or none does: one that is rejected, here or at the destination, holds back all others.
    pub atomic: bool,
    /// Refs that are left out whatever the globs say, by their full names.
    pub exclude: Vec<Glob>,
}

impl Policy {
    /// Whether this ref is left out.
    pub fn excludes(&self, name: &str) -> bool {
        self.exclude.iter().any(|glob| glob.matches(name))
    }
}

/// The name under which a forced ref's old commit is kept.
pub(super) fn backup_name(r: &Ref) -> String {
    let short = r.name.to_string();
    format!("{BACKUPS}{}/{}", r.id, short.strip_prefix("refs/").unwrap_or(&short))
}

const BACKUPS: &str = "refs/refsync/backup/";
