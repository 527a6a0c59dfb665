//! A move of a ref that is still to be proved.

use gix_hash::ObjectId;

/// An update to be judged: whether the destination's commit is in the history of the source's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Update {
    /// The destination's commit.
    pub(super) base: ObjectId,
    /// What to ask the source for: a commit or a tag.
    pub(super) want: ObjectId,
    /// The commit that it comes down to.
    pub(super) tip: ObjectId,
}
