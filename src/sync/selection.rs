//! Which refs take part in a sync.

use gix_object::bstr::{BStr, BString, ByteSlice};
use serde::Serialize;

use crate::{api::RefGlobs, git::Ref, glob::Glob, globs::Globs};

/// Which refs take part: globs of branch names and of tag names, without `refs/heads/` and `refs/tags/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    /// A branch takes part if one of these matches.
    pub branches: Globs,
    /// A tag takes part if one of these matches.
    pub tags: Globs,
}

/// The globs that match no ref of the source, as they were written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Unmatched {
    /// The globs that match no branch.
    pub branches: Vec<String>,
    /// The globs that match no tag.
    pub tags: Vec<String>,
}

impl Selection {
    /// Ref prefixes for everything that the globs can match, and for the source's `HEAD`; none if the globs cannot match
    /// anything.
    pub fn prefixes(&self) -> Vec<BString> {
        let below = |namespace: &'static [u8], globs: &Globs| {
            let prefixes = globs.literal_prefixes().into_iter();
            prefixes.map(move |prefix| BString::from([namespace, prefix.as_bytes()].concat())).collect::<Vec<_>>()
        };
        let mut prefixes = [below(HEADS, &self.branches), below(TAGS, &self.tags)].concat();
        if !prefixes.is_empty() {
            prefixes.push(HEAD.into());
        }
        prefixes
    }

    /// Whether the ref's short name matches a glob of its kind. A name that is not UTF-8 is compared with its bad bytes replaced.
    pub(super) fn matches(&self, name: &BStr) -> bool {
        match (name.strip_prefix(HEADS), name.strip_prefix(TAGS)) {
            (Some(branch), _) => self.branches.matches(&branch.to_str_lossy()),
            (_, Some(tag)) => self.tags.matches(&tag.to_str_lossy()),
            _ => false,
        }
    }

    /// The globs that match none of these refs.
    pub(super) fn unmatched(&self, refs: &[Ref]) -> Unmatched {
        let of = |namespace: &[u8], globs: &Globs| {
            let names = refs.iter().filter_map(|r| r.name.strip_prefix(namespace)).map(|name| name.to_str_lossy());
            globs.unmatched(names)
        };
        Unmatched { branches: of(HEADS, &self.branches), tags: of(TAGS, &self.tags) }
    }
}

/// All branches and tags.
impl Default for Selection {
    fn default() -> Self {
        Self { branches: Glob::all().into(), tags: Glob::all().into() }
    }
}

impl From<&RefGlobs> for Selection {
    fn from(RefGlobs { branches, tags }: &RefGlobs) -> Self {
        Self { branches: branches.clone().into(), tags: tags.clone().into() }
    }
}

/// The full name of the branch that the source's `HEAD` names; `None` if the source does not tell it.
///
/// `HEAD` may be only a commit: it is detached, or the server is too old to say more. Then the branch at this commit is
/// used. If there are several, `main` comes first, then `master`, then the first by name, as in Git.
pub(super) fn head_branch(source: &[Ref]) -> Option<BString> {
    let head = source.iter().find(|r| r.name == HEAD)?;
    if let Some(branch) = head.symref_target.as_ref().filter(|target| target.starts_with(HEADS)) {
        return Some(branch.clone());
    }
    fn rank(r: &Ref) -> (bool, bool, &BStr) {
        (r.name != "refs/heads/main", r.name != "refs/heads/master", r.name.as_bstr())
    }
    let at_head = source.iter().filter(|r| r.id == head.id && r.name.starts_with(HEADS));
    at_head.min_by(|a, b| rank(a).cmp(&rank(b))).map(|r| r.name.clone())
}

pub(super) const HEADS: &[u8] = b"refs/heads/";
pub(super) const TAGS: &[u8] = b"refs/tags/";
const HEAD: &str = "HEAD";
