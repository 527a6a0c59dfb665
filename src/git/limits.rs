//! How much a remote may make us keep, and what is said when it is more.
//!
//! All of these hold whatever a remote sends, so that memory and time are ours to decide. A limit that a large repository may
//! reach can be raised by the caller. The others are many times what Git needs.

use std::time::Duration;

/// What a caller may raise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most refs that a remote may list.
    pub refs: usize,
    /// The most commits of one proof that branches move forward.
    pub commits: usize,
    /// How many bytes of the commits that came last are kept because others may be deltas to them. With fewer a source is asked more
    /// often. 8 MiB are some 20,000 commits.
    pub bases: usize,
    /// How slow a remote may be.
    pub min_rate: MinRate,
}

/// The least that has to come while a list or a pack is on its way; zero bytes are any rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MinRate {
    /// So many bytes
    pub bytes: u64,
    /// in so much time of waiting.
    pub time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        let min_rate = MinRate { bytes: 1000, time: Duration::from_secs(60) };
        Self { refs: 1_000_000, commits: 4_000_000, bases: 8 << 20, min_rate }
    }
}

/// What is more than it may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Exceeded {
    /// The refs of a list.
    #[error("it lists more than {0} refs; if you want them all, raise maxRefs (--max-refs)")]
    Refs(usize),
    /// The bytes of a list of refs.
    #[error(
        "its list of refs has more than {bytes} bytes, which is {BYTES_PER_REF} for each of the refs that it may list; if you want them all, raise maxRefs (--max-refs)",
        bytes = bytes_of_refs(*.0)
    )]
    RefBytes(usize),
    /// The bytes of a list of capabilities.
    #[error(
        "its list of capabilities has more than {CAPABILITY_BYTES} bytes; no Git server needs that many, so this limit cannot be raised"
    )]
    Capabilities,
    /// The bytes of all that precedes a pack.
    #[error(
        "it sent more than {0} bytes before its pack; no Git server needs that many, so this limit cannot be raised"
    )]
    Preamble(u64),
    /// The words about a server's progress.
    #[error(
        "it sent more than {WORD_BYTES} bytes of messages; no Git server says that much, so this limit cannot be raised"
    )]
    Words,
    /// The commits of a proof.
    #[error(
        "it sent more than {0} commits, and each is kept until the move of a branch is proved; if its history is that long, raise maxCommits (--max-commits)"
    )]
    Commits(usize),
    /// What the commits of a pack unpack to.
    #[error(
        "the commits of its pack unpack to more than {UNPACKED_RATIO} times the pack's size; a remote could keep us at work for nothing, so this limit cannot be raised"
    )]
    Unpacked,
    /// A commit's header.
    #[error(
        "a commit has more than {COMMIT_BYTES} bytes before its message; no commit needs that many, so this limit cannot be raised"
    )]
    CommitHeader,
    /// The commits that others are deltas to.
    #[error(
        "its commits are stored as deltas to others that came too long before, and only some of those are held in memory; this limit cannot be raised, but `git repack -adf` at the source may store them otherwise"
    )]
    Bases,
    /// A commit that comes as a delta.
    #[error(
        "a commit of more than {COMMIT_BYTES} bytes comes as a delta, and is not held in memory, so this limit cannot be raised; `git repack -adf` at the source may store it whole"
    )]
    CommitDelta,
}

impl Exceeded {
    /// Whether it lies in the objects of some refs, so that others may be in order.
    pub fn is_about_objects(self) -> bool {
        matches!(self, Self::Commits(_) | Self::Unpacked | Self::Bases | Self::CommitHeader | Self::CommitDelta)
    }

    /// A stable word for a program to act on.
    pub fn code(self) -> &'static str {
        match self {
            Self::Refs(_) | Self::RefBytes(_) => "too_many_refs",
            Self::Commits(_) => "too_many_commits",
            Self::Capabilities | Self::Preamble(_) | Self::Words => "too_many_messages",
            Self::Unpacked | Self::CommitHeader | Self::CommitDelta | Self::Bases => "pack_too_large",
        }
    }
}

/// The most bytes that a list of so many refs may have.
pub(super) fn bytes_of_refs(refs: usize) -> u64 {
    refs as u64 * BYTES_PER_REF
}

/// Room for an id, a name of more than fifty letters, and now and then what a tag points to.
const BYTES_PER_REF: u64 = 128;
/// What a v2 server tells of what it can do.
pub(super) const CAPABILITY_BYTES: u64 = 1 << 20;
/// What a server may say in the side-band beside a pack or a report.
pub(super) const WORD_BYTES: u64 = 16 << 20;
/// What a commit may have that is kept whole, as others may be deltas to it; also what its header may have.
pub(super) const COMMIT_BYTES: u64 = 4 << 20;
/// How many times the size of a pack its commits may unpack to, all in all. Text shrinks to a third, and a commit that is a delta
/// of a few dozen bytes is mostly one of a few hundred.
pub(super) const UNPACKED_RATIO: u64 = 200;
/// What they may unpack to besides: a small pack may hold a commit that shrinks to nothing.
pub(super) const UNPACKED_FREELY: u64 = 64 << 20;
