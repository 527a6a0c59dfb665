//! Reads the commits out of a pack while it comes (`gitformat-pack` "pack-*.pack files").
//!
//! Objects of other kinds are inflated and forgotten. A commit's content is kept, for others may be deltas to it.

use std::collections::HashMap;

use gix_hash::{Kind, ObjectId};
use gix_object::CommitRefIter;
use gix_pack::data::{Entry, entry::Header};
use gix_zlib::{Decompress, FlushDecompress, Status};

use super::{CommitGraph, ErrorKind, delta};

/// Takes a pack's bytes, in pieces of any size, and collects its commits.
pub struct CommitScanner {
    object_format: Kind,
    state: State,
    /// Bytes of a header that is not complete yet.
    pending: Vec<u8>,
    /// Where in the pack the next byte stands.
    offset: u64,
    objects_left: u32,
    inflate: Decompress,
    scratch: Box<[u8]>,
    graph: CommitGraph,
    is_past_commits: bool,
    /// The commits' contents, by where their entries start, and where each id's entry starts.
    contents: HashMap<u64, Vec<u8>>,
    offsets: HashMap<ObjectId, u64>,
}

enum State {
    PackHeader,
    EntryHeader,
    Data(Object),
    Trailer,
}

/// The object that is being inflated.
struct Object {
    start: u64,
    size: u64,
    inflated: u64,
    keep: Keep,
    content: Vec<u8>,
}

/// What to do with an object's content.
#[derive(Clone, Copy)]
enum Keep {
    Commit,
    DeltaToCommitAt(u64),
    Nothing,
}

impl CommitScanner {
    /// A scanner for a pack with ids of this format.
    pub fn new(object_format: Kind) -> Self {
        Self {
            object_format,
            state: State::PackHeader,
            pending: Vec::new(),
            offset: 0,
            objects_left: 0,
            inflate: Decompress::new(),
            scratch: vec![0; 16 * 1024].into_boxed_slice(),
            graph: CommitGraph::default(),
            is_past_commits: false,
            contents: HashMap::new(),
            offsets: HashMap::new(),
        }
    }

    /// The commits seen so far.
    pub fn graph(&self) -> &CommitGraph {
        &self.graph
    }

    /// Whether a tree or a blob has come. Git writes them behind all commits.
    pub fn is_past_commits(&self) -> bool {
        self.is_past_commits
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    ///
    /// Where this is not a pack.
    pub fn push(&mut self, mut bytes: &[u8]) -> Result<(), ErrorKind> {
        while !bytes.is_empty() {
            bytes = match &mut self.state {
                State::PackHeader => self.pack_header(bytes)?,
                State::EntryHeader => self.entry_header(bytes)?,
                State::Data(_) => self.data(bytes)?,
                State::Trailer => return Ok(()),
            };
        }
        Ok(())
    }

    /// The commits, once the pack has come whole.
    ///
    /// # Errors
    ///
    /// Where it has not.
    pub fn finish(self) -> Result<CommitGraph, ErrorKind> {
        match self.state {
            State::Trailer => Ok(self.graph),
            _ => Err(ErrorKind::Protocol("the pack ends early".into())),
        }
    }

    fn pack_header<'a>(&mut self, bytes: &'a [u8]) -> Result<&'a [u8], ErrorKind> {
        let (head, rest) = bytes.split_at(bytes.len().min(12 - self.pending.len()));
        self.pending.extend_from_slice(head);
        if let Some(header) = self.pending.first_chunk::<12>() {
            let (_version, objects) =
                gix_pack::data::header::decode(header).map_err(|e| ErrorKind::Protocol(e.to_string()))?;
            self.objects_left = objects;
            self.offset = 12;
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
        let entry = match Entry::from_bytes(&self.pending, self.offset, self.object_format) {
            Ok(entry) => entry,
            Err(error) if self.pending.len() == MAX_ENTRY_HEADER => return Err(ErrorKind::Protocol(error.to_string())),
            Err(_) => return Ok(&bytes[head.len()..]), // Cut off so far.
        };
        let length = entry.header_size();
        let keep = match entry.header {
            Header::Commit => Keep::Commit,
            Header::OfsDelta { base_distance } => self
                .offset
                .checked_sub(base_distance)
                .filter(|base| self.contents.contains_key(base))
                .map_or(Keep::Nothing, Keep::DeltaToCommitAt),
            Header::RefDelta { base_id } => {
                self.offsets.get(&base_id).map_or(Keep::Nothing, |base| Keep::DeltaToCommitAt(*base))
            }
            Header::Tree | Header::Blob | Header::Tag => Keep::Nothing,
        };
        self.is_past_commits |= matches!(entry.header, Header::Tree | Header::Blob);
        if !matches!(keep, Keep::Nothing) && entry.decompressed_size > MAX_COMMIT {
            return Err(ErrorKind::Unsupported(format!("a commit of {} bytes", entry.decompressed_size)));
        }
        self.state = State::Data(Object {
            start: self.offset,
            size: entry.decompressed_size,
            inflated: 0,
            keep,
            content: Vec::new(),
        });
        self.inflate = Decompress::new();
        self.offset += length as u64;
        self.pending.clear();
        Ok(&bytes[length - had..])
    }

    fn data<'a>(&mut self, bytes: &'a [u8]) -> Result<&'a [u8], ErrorKind> {
        let State::Data(object) = &mut self.state else { unreachable!("called in this state only") };
        let (before_in, before_out) = (self.inflate.total_in(), self.inflate.total_out());
        let status = self
            .inflate
            .decompress(bytes, &mut self.scratch, FlushDecompress::None)
            .map_err(|e| ErrorKind::Protocol(format!("an object of the pack does not inflate: {e}")))?;
        let consumed = usize::try_from(self.inflate.total_in() - before_in).expect("at most what was given");
        let produced = usize::try_from(self.inflate.total_out() - before_out).expect("at most the scratch buffer");
        self.offset += consumed as u64;
        object.inflated += produced as u64;
        if object.inflated > object.size {
            return Err(ErrorKind::Protocol("an object of the pack is larger than it says".into()));
        }
        if !matches!(object.keep, Keep::Nothing) {
            object.content.extend_from_slice(&self.scratch[..produced]);
        }
        match status {
            Status::StreamEnd => self.end_object()?,
            _ if consumed == 0 && produced == 0 => {
                return Err(ErrorKind::Protocol("an object of the pack does not inflate".into()));
            }
            _ => {}
        }
        Ok(&bytes[consumed..])
    }

    fn end_object(&mut self) -> Result<(), ErrorKind> {
        let State::Data(object) = std::mem::replace(&mut self.state, State::Trailer) else {
            unreachable!("called in this state only")
        };
        if object.inflated != object.size {
            return Err(ErrorKind::Protocol("an object of the pack is smaller than it says".into()));
        }
        match object.keep {
            Keep::Commit => self.add_commit(object.start, object.content)?,
            Keep::DeltaToCommitAt(base) => {
                let base = self.contents.get(&base).expect("looked up when the entry began");
                let content = delta::apply(base, &object.content, MAX_COMMIT)?;
                self.add_commit(object.start, content)?;
            }
            Keep::Nothing => {}
        }
        self.objects_left -= 1;
        self.next_entry();
        Ok(())
    }

    fn add_commit(&mut self, start: u64, content: Vec<u8>) -> Result<(), ErrorKind> {
        let broken =
            |what: &dyn std::fmt::Display| ErrorKind::Protocol(format!("a commit of the pack is broken: {what}"));
        let id = gix_object::compute_hash(self.object_format, gix_object::Kind::Commit, &content)
            .map_err(|error| broken(&error))?;
        let mut commit = CommitRefIter::from_bytes(&content, self.object_format);
        commit.tree_id().map_err(|error| broken(&error))?;
        let parents = CommitRefIter::from_bytes(&content, self.object_format).parent_ids().collect();
        self.graph.insert(id, parents);
        self.offsets.insert(id, start);
        self.contents.insert(start, content);
        Ok(())
    }
}

/// A header has at most ten bytes of size, and then an id of up to 32 bytes or an offset of up to ten.
const MAX_ENTRY_HEADER: usize = 42;
/// Larger commits are not believed.
const MAX_COMMIT: u64 = 64 * 1024 * 1024;
