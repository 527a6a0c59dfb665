//! How much memory and time a remote may cost us, and the errors for remotes that want more.
//!
//! No remote can exceed these limits. The caller can raise a limit that a large repository may reach. The other limits are
//! many times more than Git needs.

use std::time::Duration;

/// The limits that a caller may raise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most refs that a remote may list.
    pub refs: usize,
    /// The most commits that are read to prove that branches move forward.
    pub commits: usize,
    /// How many bytes of the latest commits are kept, because later objects may be deltas to them. With fewer bytes, the
    /// source is asked more often. 8 MiB hold about 20,000 commits.
    pub bases: usize,
    /// How slow a remote may be.
    pub min_rate: MinRate,
}

/// The slowest rate that a list or a pack may have. Zero bytes allow any rate.
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

/// The limit that was exceeded.
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
        "its list of capabilities has more than {CAPABILITY_BYTES} bytes; no Git server needs that many, so this limit is fixed"
    )]
    Capabilities,
    /// The bytes before a pack.
    #[error("it sent more than {0} bytes before its pack; no Git server needs that many, so this limit is fixed")]
    Preamble(u64),
    /// The bytes of a server's messages.
    #[error("it sent more than {WORD_BYTES} bytes of messages; no Git server says that much, so this limit is fixed")]
    Words,
    /// The commits of a proof.
    #[error(
        "it sent more than {0} commits, and each is kept until the move of a branch is proved; if its history is that long, raise maxCommits (--max-commits)"
    )]
    Commits(usize),
    /// The unpacked size of a pack's commits.
    #[error(
        "the commits of its pack unpack to more than {UNPACKED_RATIO} times the pack's size; more would only cost time, so this limit is fixed"
    )]
    Unpacked,
    /// A commit's header.
    #[error(
        "a commit has more than {COMMIT_BYTES} bytes before its message; no commit needs that many, so this limit is fixed"
    )]
    CommitHeader,
    /// The commits that others are deltas to.
    #[error(
        "its commits are stored as deltas to others that came too long before, and only some of those are held in memory; this limit cannot be raised, but `git repack -adf` at the source may store them otherwise"
    )]
    Bases,
    /// A commit that comes as a delta.
    #[error(
        "a commit of more than {COMMIT_BYTES} bytes comes as a delta, and is not held in memory, so this limit is fixed; `git repack -adf` at the source may store it whole"
    )]
    CommitDelta,
}

impl Exceeded {
    /// Whether the objects of some refs are the cause, so that other refs may still arrive.
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

/// The most bytes of a list with this many refs.
pub(super) fn bytes_of_refs(refs: usize) -> u64 {
    refs as u64 * BYTES_PER_REF
}

/// Room for an id, a name of more than fifty letters, and sometimes the target of a tag.
const BYTES_PER_REF: u64 = 128;
/// The bytes of a v2 server's capabilities.
pub(super) const CAPABILITY_BYTES: u64 = 1 << 20;
/// The bytes of messages in the side-band, beside a pack or a report.
pub(super) const WORD_BYTES: u64 = 16 << 20;
/// The largest commit that is kept whole for deltas to it. Also the largest header of a commit.
pub(super) const COMMIT_BYTES: u64 = 4 << 20;
/// How many times larger than the pack its unpacked commits may be. Text shrinks to a third, and a delta of a few dozen
/// bytes mostly makes a commit of a few hundred.
pub(super) const UNPACKED_RATIO: u64 = 200;
/// This many bytes are always allowed, because a small pack may hold one commit that compresses very well.
pub(super) const UNPACKED_FREELY: u64 = 64 << 20;
