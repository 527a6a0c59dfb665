//! What a sync may do besides fast-forwards. Everything is off by default.

use crate::glob::Glob;

/// What a sync may do besides fast-forwards.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// Move diverged refs too, with the destination's id as lease. The old commit is kept first, under
    /// `refs/refsync/backup/<old id>/<name>`; if it cannot be kept, the ref is not moved.
    pub force: bool,
    /// Delete the destination's refs that match the globs and that the source does not have, at most this many. If there
    /// are more, nothing is done at all.
    pub prune: Option<u32>,
    /// All refs move or none: a ref that is rejected, here or at the destination, holds back all others.
    pub atomic: bool,
    /// Globs of full ref names. These refs are left out even if other globs match them.
    pub exclude: Vec<Glob>,
}

impl Policy {
    /// Whether this ref is left out.
    pub fn excludes(&self, name: &str) -> bool {
        self.exclude.iter().any(|glob| glob.matches(name))
    }
}

/// Whether a glob in [`Policy::exclude`] can match a branch or a tag at all: a short name such as `wip/*` cannot.
pub fn can_exclude(glob: &Glob) -> bool {
    let prefix = glob.literal_prefix();
    let fits = |namespace: &str| namespace.starts_with(&prefix) || prefix.starts_with(namespace);
    glob.is_none() || fits("refs/heads/") || fits("refs/tags/")
}
