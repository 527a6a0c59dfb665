//! Reads the commits out of a pack while it comes (`gitformat-pack` "pack-*.pack files").
//!
//! Objects of other kinds are inflated and forgotten. The id and the parents of a commit are kept. Its content is kept only
//! for a while, because later objects may be deltas to it: see [`Bases`]. A delta cannot be read if its base was dropped.
//! Then the scan of this pack ends, and the caller asks for the commits that are still missing.

mod bases;
mod commit;
pub mod delta;
mod entry;

use gix_hash::{Hasher, Kind};
use gix_zlib::{Decompress, FlushDecompress, Status};

use self::{
    bases::Bases,
    commit::parents,
    entry::{Entry, EntryKind},
};
use crate::git::{
    commit_graph::CommitGraph,
    error::ErrorKind,
    limits::{COMMIT_BYTES, Exceeded, Limits, UNPACKED_FREELY, UNPACKED_RATIO},
};

/// Takes a pack's bytes, in chunks of any size, and collects its commits.
pub struct CommitScanner {
    object_format: Kind,
    state: State,
    /// Bytes of a header that is not complete yet.
    pending: Vec<u8>,
    /// The position of the next byte, counted over this pack and all packs before it.
    offset: u64,
    objects_left: u32,
    inflate: Decompress,
    scratch: Box<[u8]>,
    /// The kept part of the object that is being inflated.
    content: Vec<u8>,
    /// The unpacked size of all commits so far.
    unpacked: u64,
    graph: CommitGraph,
    is_past_commits: bool,
    bases: Bases,
    kinds: Kinds,
}

enum State {
    PackHeader,
    EntryHeader,
    Data(Object),
    Trailer,
    /// A delta could not be read.
    Lost(Lost),
}

/// Why a delta cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lost {
    /// Its base is not kept any more.
    BaseIsGone,
    /// The delta or its result is too large.
    TooLarge,
}

impl From<Lost> for Exceeded {
    fn from(lost: Lost) -> Self {
        match lost {
            Lost::BaseIsGone => Self::Bases,
            Lost::TooLarge => Self::CommitDelta,
        }
    }
}

/// The object that is being inflated.
struct Object {
    start: u64,
    size: u64,
    inflated: u64,
    keep: Keep,
}

/// What to do with an object's content.
enum Keep {
    /// A commit, with its hash so far.
    Commit(Hasher),
    DeltaToCommitAt(u64),
    Nothing,
}

/// Which entries are commits, stored as the positions where runs of commits and runs of other objects begin. Packs have few
/// such runs.
#[derive(Default)]
struct Kinds {
    /// The start of a run of commits, the start of the next run of other objects, and so on.
    rows: Vec<u64>,
}

impl CommitScanner {
    /// A scanner for packs with ids of this format.
    pub fn new(object_format: Kind, limits: &Limits) -> Self {
        Self {
            object_format,
            state: State::PackHeader,
            pending: Vec::new(),
            offset: 0,
            objects_left: 0,
            inflate: Decompress::new(),
            scratch: vec![0; 16 * 1024].into_boxed_slice(),
            content: Vec::new(),
            unpacked: 0,
            graph: CommitGraph::new(limits.commits),
            is_past_commits: false,
            bases: Bases::new(limits.bases),
            kinds: Kinds::default(),
        }
    }

    /// The commits seen so far.
    pub fn graph(&self) -> &CommitGraph {
        &self.graph
    }

    /// Whether a tree or a blob has come. Git writes them after all commits.
    pub fn is_past_commits(&self) -> bool {
        self.is_past_commits
    }

    /// Why the rest of this pack cannot be read, if so. The following bytes are ignored.
    pub fn lost(&self) -> Option<Lost> {
        match self.state {
            State::Lost(lost) => Some(lost),
            _ => None,
        }
    }

    /// Whether the whole pack has come.
    pub fn is_whole(&self) -> bool {
        matches!(self.state, State::Trailer)
    }

    /// Begins another pack, and keeps the commits of the packs before.
    pub fn next_pack(&mut self) {
        self.state = State::PackHeader;
        self.pending.clear();
        self.is_past_commits = false;
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    ///
    /// If this is not a pack, or if it exceeds a limit.
    pub fn push(&mut self, mut bytes: &[u8]) -> Result<(), ErrorKind> {
        while !bytes.is_empty() {
            bytes = match &mut self.state {
                State::PackHeader => self.pack_header(bytes)?,
                State::EntryHeader => self.entry_header(bytes)?,
                State::Data(_) => self.data(bytes)?,
                State::Trailer | State::Lost(_) => return Ok(()),
            };
        }
        Ok(())
    }

    /// The commits, once the whole pack has come.
    ///
    /// # Errors
    ///
    /// If the pack is not complete.
    pub fn finish(self) -> Result<CommitGraph, ErrorKind> {
        if self.is_whole() { Ok(self.graph) } else { Err(ErrorKind::Protocol("the pack ends early".into())) }
    }

    fn pack_header<'a>(&mut self, bytes: &'a [u8]) -> Result<&'a [u8], ErrorKind> {
        let (head, rest) = bytes.split_at(bytes.len().min(12 - self.pending.len()));
        self.pending.extend_from_slice(head);
        if let Some(header) = self.pending.first_chunk::<12>() {
            let [start @ .., a, b, c, d] = header;
            if !matches!(start, b"PACK\0\0\0\x02" | b"PACK\0\0\0\x03") {
                return Err(ErrorKind::Protocol("the pack is not of version 2 or 3".into()));
            }
            self.objects_left = u32::from_be_bytes([*a, *b, *c, *d]);
            self.offset += 12;
            self.pending.clear();
            self.next_entry();
        }
        Ok(rest)
    }

    fn next_entry(&mut self) {
        self.state = if self.objects_left == 0 { State::Trailer } else { State::EntryHeader };
    }

    fn entry_header<'a>(&mut self, bytes: &'a [u8]) -> Result<&'a [u8], ErrorKind> {
        let had = self.pending.len();
        let (head, _) = bytes.split_at(bytes.len().min(MAX_ENTRY_HEADER - had));
        self.pending.extend_from_slice(head);
        let Some(Entry { kind, size, length }) = Entry::decode(&self.pending, self.object_format)? else {
            return Ok(&bytes[head.len()..]);
        };
        let keep = match &kind {
            EntryKind::Commit => Ok(Keep::Commit(self.hasher(size))),
            // A distance that points before the pack's start is not one to a commit.
            EntryKind::OffsetDelta(distance) => match self.offset.checked_sub(*distance) {
                Some(base) if self.kinds.is_commit(base) => self.delta(base, size),
                _ => Ok(Keep::Nothing),
            },
            EntryKind::RefDelta(base) => {
                self.graph.place(base).map_or(Ok(Keep::Nothing), |base| self.delta(base, size))
            }
            EntryKind::Tree | EntryKind::Blob | EntryKind::Tag => Ok(Keep::Nothing),
        };
        self.is_past_commits |= matches!(kind, EntryKind::Tree | EntryKind::Blob);
        self.state = match keep {
            Ok(keep) => {
                self.kinds.add(self.offset, !matches!(keep, Keep::Nothing));
                State::Data(Object { start: self.offset, size, inflated: 0, keep })
            }
            Err(lost) => State::Lost(lost),
        };
        self.inflate.reset();
        self.content.clear();
        self.offset += length as u64;
        self.pending.clear();
        Ok(&bytes[length - had..])
    }

    /// A new hash for a commit of this size.
    fn hasher(&self, size: u64) -> Hasher {
        let mut hasher = gix_hash::hasher(self.object_format);
        hasher.update(format!("commit {size}\0").as_bytes());
        hasher
    }

    /// What to do with a delta of this size to the commit at `base`.
    fn delta(&self, base: u64, size: u64) -> Result<Keep, Lost> {
        match self.bases.at(base) {
            None => Err(Lost::BaseIsGone),
            Some(_) if size > COMMIT_BYTES => Err(Lost::TooLarge),
            Some(_) => Ok(Keep::DeltaToCommitAt(base)),
        }
    }

    fn data<'a>(&mut self, bytes: &'a [u8]) -> Result<&'a [u8], ErrorKind> {
        let State::Data(object) = &mut self.state else { unreachable!("called in this state only") };
        let (before_in, before_out) = (self.inflate.total_in(), self.inflate.total_out());
        // `zlib`'s own words. Those of the error would bring the printing of nested errors, which is 5 KB gzipped.
        let Ok(status) = self.inflate.decompress(bytes, &mut self.scratch, FlushDecompress::None) else {
            let words = self.inflate.error_message().unwrap_or("invalid data");
            return Err(ErrorKind::Protocol(format!("an object of the pack does not inflate: {words}")));
        };
        let consumed = usize::try_from(self.inflate.total_in() - before_in).expect("at most what was given");
        let produced = usize::try_from(self.inflate.total_out() - before_out).expect("at most the scratch buffer");
        let produced = &self.scratch[..produced];
        self.offset += consumed as u64;
        object.inflated += produced.len() as u64;
        if object.inflated > object.size {
            return Err(ErrorKind::Protocol("an object of the pack is larger than it says".into()));
        }
        if let Keep::Commit(hasher) = &mut object.keep {
            hasher.update(produced);
        }
        if !matches!(object.keep, Keep::Nothing) {
            // Only the header of a larger commit is kept.
            let room = (COMMIT_BYTES as usize).saturating_sub(self.content.len());
            self.content.extend_from_slice(&produced[..produced.len().min(room)]);
        }
        let is_stuck = consumed == 0 && produced.is_empty();
        if !matches!(object.keep, Keep::Nothing) {
            let produced = produced.len() as u64;
            self.count(produced)?;
        }
        match status {
            Status::StreamEnd => self.end_object()?,
            _ if is_stuck => return Err(ErrorKind::Protocol("an object of the pack does not inflate".into())),
            _ => {}
        }
        Ok(&bytes[consumed..])
    }

    /// Counts the unpacked bytes of commits before memory is taken for them. Other objects are not kept.
    fn count(&mut self, unpacked: u64) -> Result<(), Exceeded> {
        self.unpacked = self.unpacked.saturating_add(unpacked);
        let most = UNPACKED_FREELY.saturating_add(self.offset.saturating_mul(UNPACKED_RATIO));
        if self.unpacked > most { Err(Exceeded::Unpacked) } else { Ok(()) }
    }

    fn end_object(&mut self) -> Result<(), ErrorKind> {
        let State::Data(object) = std::mem::replace(&mut self.state, State::Trailer) else {
            unreachable!("called in this state only")
        };
        if object.inflated != object.size {
            return Err(ErrorKind::Protocol("an object of the pack is smaller than it says".into()));
        }
        self.objects_left -= 1;
        match object.keep {
            Keep::Commit(hasher) => self.add_commit(object.start, hasher, object.size)?,
            Keep::DeltaToCommitAt(base) => {
                let size = delta::result_size(&self.content)?;
                if size > COMMIT_BYTES {
                    self.state = State::Lost(Lost::TooLarge);
                    return Ok(());
                }
                self.count(size)?;
                let base = self
                    .bases
                    .at(base)
                    .expect("the base was found when the entry began, and nothing has been added since");
                self.content = delta::apply(base, &self.content, size)?;
                let mut hasher = self.hasher(size);
                hasher.update(&self.content);
                self.add_commit(object.start, hasher, size)?;
            }
            Keep::Nothing => {}
        }
        self.next_entry();
        Ok(())
    }

    /// Adds the commit whose content was collected.
    fn add_commit(&mut self, start: u64, hasher: Hasher, size: u64) -> Result<(), ErrorKind> {
        let broken = |what: String| ErrorKind::Protocol(format!("a commit of the pack is broken: {what}"));
        let id = hasher.try_finalize().map_err(|_| broken("it is made for a known attack on SHA-1".into()))?;
        let parents = parents(&self.content, self.object_format)
            .ok_or_else(|| broken("the id of its tree or of a parent is not valid".into()))?;
        let is_whole = self.content.len() as u64 == size;
        if !is_whole && !parents.are_all {
            return Err(Exceeded::CommitHeader.into());
        }
        self.graph.insert(&id, start, parents.ids.into_iter())?;
        if is_whole {
            self.bases.keep(start, &self.content);
        }
        Ok(())
    }
}

impl Kinds {
    /// Notes an entry that starts after all others.
    fn add(&mut self, start: u64, is_commit: bool) {
        if is_commit != (self.rows.len() % 2 == 1) {
            self.rows.push(start);
        }
    }

    /// Whether the entry at this position is a commit.
    fn is_commit(&self, start: u64) -> bool {
        self.rows.partition_point(|first| *first <= start) % 2 == 1
    }
}

/// A header has at most ten bytes for the size, and then an id of up to 32 bytes or an offset of up to ten bytes.
const MAX_ENTRY_HEADER: usize = 42;
