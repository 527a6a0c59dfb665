//! Histories: the commits that a proof needs, read in as many parts as necessary.

use std::collections::HashSet;

use futures_util::StreamExt;
use gix_hash::ObjectId;

use crate::{
    git::{self, Ancestry, CommitGraph, CommitScanner, ErrorKind, FetchRequest, Lost, PackStream, UploadPack},
    sync::update::Update,
};

/// The commits that are reachable from the tips of some updates and not from these haves.
pub(super) struct History<'a> {
    source: &'a UploadPack,
    scanner: CommitScanner,
    updates: &'a [Update],
    haves: Vec<ObjectId>,
}

impl<'a> History<'a> {
    pub(super) fn new(source: &'a UploadPack, updates: &'a [Update], haves: Vec<ObjectId>) -> Self {
        Self { source, scanner: CommitScanner::new(source.object_format(), source.limits()), updates, haves }
    }

    /// Whether the base of each update is an ancestor of its tip, as far as the commits so far show.
    pub(super) fn ancestries(&self) -> Vec<Ancestry> {
        let pairs: Vec<_> = self.updates.iter().map(|update| (update.base, update.tip)).collect();
        self.scanner.graph().ancestries(&pairs)
    }

    /// Whether this commit has come.
    pub(super) fn has(&self, commit: &ObjectId) -> bool {
        self.scanner.graph().contains(commit)
    }

    /// Asks for all of them.
    pub(super) async fn ask(&mut self) -> Result<(), git::Error> {
        let wants = self.updates.iter().map(|update| update.want).collect();
        match self.source.fetch(&self.request(wants)).await?.pack {
            Some(pack) => self.read(pack).await,
            None => Ok(()),
        }
    }

    /// Reads a pack with them. A delta cannot be read if its base commit is no longer in memory. Then it asks for the
    /// commits that are still missing, and continues from there. All answers together are hardly larger than one whole
    /// answer.
    pub(super) async fn read(&mut self, mut pack: PackStream) -> Result<(), git::Error> {
        for _ in 0..MOST_PARTS {
            let before = self.scanner.graph().len();
            scan(self.source, &mut self.scanner, pack).await?;
            let Some(lost) = self.scanner.lost() else { return Ok(()) };
            let wants = self.missing();
            if wants.is_empty() {
                return Ok(());
            }
            if self.scanner.graph().len() == before {
                return Err(self.source.fetch_error(ErrorKind::Exceeded(lost.into())));
            }
            self.scanner.next_pack();
            match self.source.fetch(&self.request(wants)).await?.pack {
                Some(next) => pack = next,
                None => return Ok(()),
            }
        }
        Err(self.source.fetch_error(ErrorKind::Exceeded(Lost::BaseIsGone.into())))
    }

    /// The commits that are not known yet: tips, and parents of known commits.
    fn missing(&self) -> Vec<ObjectId> {
        let graph = self.scanner.graph();
        let haves: HashSet<ObjectId> = self.haves.iter().copied().collect();
        let tips = self.updates.iter().map(|update| update.tip).filter(|tip| !graph.contains(tip));
        let missing: HashSet<ObjectId> = graph.frontier().chain(tips).filter(|id| !haves.contains(id)).collect();
        missing.into_iter().collect()
    }

    fn request(&self, wants: Vec<ObjectId>) -> FetchRequest {
        FetchRequest { wants, haves: self.haves.clone(), commits_only: true, ..FetchRequest::default() }
    }
}

/// The commits of a pack of this source.
pub(in crate::sync) async fn commits(source: &UploadPack, pack: PackStream) -> Result<CommitGraph, git::Error> {
    let mut scanner = CommitScanner::new(source.object_format(), source.limits());
    scan(source, &mut scanner, pack).await?;
    scanner.finish().map_err(|kind| source.fetch_error(kind))
}

/// Reads a pack to its end, or until it cannot be read any further.
pub(in crate::sync) async fn scan(
    source: &UploadPack,
    scanner: &mut CommitScanner,
    mut pack: PackStream,
) -> Result<(), git::Error> {
    while let Some(chunk) = pack.next().await {
        chunk.and_then(|chunk| scanner.push(&chunk)).map_err(|kind| source.fetch_error(kind))?;
        if scanner.lost().is_some() {
            return Ok(());
        }
    }
    match scanner.is_whole() {
        true => Ok(()),
        false => Err(source.fetch_error(ErrorKind::Protocol("the pack ends early".into()))),
    }
}

/// The most parts of a history that cannot be read in one. A part mostly has 20,000 commits or more.
const MOST_PARTS: usize = 256;
