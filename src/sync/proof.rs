//! Proves which updates are fast-forwards, from the source's commits.
//!
//! One question covers all candidates: the source's ids as wants, the destination's as haves, commits only. It tells which
//! haves the source knows at all, and nearly always the commits with it. Where the walk from a tip stops at another have
//! the answer is still open; that pair is asked for alone, and then the answer is complete.

use std::collections::{BTreeMap, HashMap, HashSet};

use futures_util::{StreamExt, TryStreamExt, stream};
use gix_hash::ObjectId;
use gix_object::bstr::BString;

use super::{
    Decision, Error, Observer, Phase, Plan,
    verdict::{self, Cause},
};
use crate::{
    git::{
        self, Ancestry, CommitGraph, CommitScanner, ErrorKind, Exceeded, FetchRequest, Lost, PackStream, Remote,
        UploadPack,
    },
    model::{MessageSide, Reason},
};

/// An update to be judged.
#[derive(Clone, Copy)]
struct Update {
    /// The destination's commit.
    base: ObjectId,
    /// What to ask the source for: a commit or a tag.
    want: ObjectId,
    /// The commit that it comes down to.
    tip: ObjectId,
}

/// Decides every candidate of the plan. A candidate that the source cannot be asked about, because its objects are damaged or
/// gone, is rejected. `is_relisted`: the source's list is as new as can be.
///
/// # Errors
///
/// Where the source cannot be asked.
pub(super) async fn prove(
    plan: &mut Plan,
    source: &UploadPack,
    destination: &Remote,
    observer: &Observer,
    is_relisted: bool,
) -> Result<(), Error> {
    let updates = updates(plan, destination).await;
    if updates.is_empty() {
        return Ok(());
    }
    observer.report(Phase::Proving, 0, None);
    let (indexes, all): (Vec<usize>, Vec<Update>) = updates.into_iter().unzip();
    let answers = answers(source, &all, is_relisted).await.map_err(Error::Source)?;
    for ((index, update), answer) in indexes.into_iter().zip(all).zip(answers) {
        match answer {
            // A tag that stays on its commit moves nothing forward: another tag object would take its place.
            Ok(Ancestry::Ancestor) if update.base != update.tip => plan.entries[index].decision = Decision::FastForward,
            Ok(_) => plan.entries[index].reject_move(),
            Err(error) => {
                let (why, words) = error.kind.in_short();
                let message_index = plan.say(MessageSide::Source, &words);
                let entry = &mut plan.entries[index];
                entry.decision = Decision::Rejected(Reason::MissingObjects, Some(why));
                entry.message_index = message_index;
            }
        }
    }
    Ok(())
}

/// The answer to each update. If a question fails because of some of the objects in it, its halves are asked.
///
/// # Errors
///
/// A failure that lies in no object. And one object that is gone, unless the source was listed again already.
async fn answers(
    source: &UploadPack,
    updates: &[Update],
    is_relisted: bool,
) -> Result<Vec<Result<Ancestry, git::Error>>, git::Error> {
    let mut answers: Vec<Option<Result<Ancestry, git::Error>>> = updates.iter().map(|_| None).collect();
    let mut open = Vec::from([(0, updates.len())]);
    let mut failures = 0;
    while let Some((start, end)) = open.pop() {
        match ancestries(source, &updates[start..end]).await {
            Ok(found) => (start..end).zip(found).for_each(|(at, ancestry)| answers[at] = Some(Ok(ancestry))),
            Err(error) if verdict::is_stale(&error) && !is_relisted => return Err(error),
            Err(error) if verdict::of_source_error(&error) != Some(Cause::Refs) => return Err(error),
            Err(error) if failures >= MAX_FAILURES => return Err(error),
            Err(error) if end - start == 1 => {
                answers[start] = Some(Err(error));
                failures += 1;
            }
            Err(_) => {
                failures += 1;
                let middle = start.midpoint(end);
                open.extend([(middle, end), (start, middle)]);
            }
        }
    }
    Ok(answers.into_iter().map(|answer| answer.expect("each range is answered or halved")).collect())
}

/// The candidates, by their place in the plan.
async fn updates(plan: &Plan, destination: &Remote) -> BTreeMap<usize, Update> {
    let candidates = plan.entries.iter().enumerate().filter(|(_, entry)| entry.decision == Decision::Candidate);
    let candidates: Vec<_> = candidates.collect();
    let tags: Vec<BString> = candidates.iter().filter(|(_, e)| e.is_tag()).map(|(_, e)| e.name.clone()).collect();
    let peeled = peeled_tags(destination, tags).await;
    candidates
        .into_iter()
        .filter_map(|(index, entry)| {
            let base = peeled.get(&entry.name).copied().or(entry.destination)?;
            Some((index, Update { base, want: entry.source, tip: entry.source_peeled.unwrap_or(entry.source) }))
        })
        .collect()
}

/// What the destination's annotated tags of these names point to, which its receive-pack does not tell.
async fn peeled_tags(destination: &Remote, names: Vec<BString>) -> HashMap<BString, ObjectId> {
    if names.is_empty() {
        return HashMap::new();
    }
    // Where it may be written but not read, its tags count as moved: nothing is proved of them.
    let refs = destination.list_refs(&names).await.map_or_else(|_| Vec::new(), |(_, refs)| refs);
    refs.into_iter().filter_map(|r| Some((r.name, r.peeled?))).collect()
}

/// How each base stands to its tip. What is "unknown" among others is asked for alone; "unknown" there means no: nothing else
/// could have stopped the walk.
async fn ancestries(source: &UploadPack, updates: &[Update]) -> Result<Vec<Ancestry>, git::Error> {
    let mut ancestries = together(source, updates).await?;
    if updates.len() > 1 {
        let open = (0..updates.len()).filter(|at| ancestries[*at] == Ancestry::Unknown).collect::<Vec<_>>();
        let answer = |at| async move { Ok::<_, git::Error>((at, alone(source, updates[at], true).await?)) };
        let answers = stream::iter(open).map(answer).buffer_unordered(AT_ONCE).try_collect::<Vec<_>>().await?;
        for (at, ancestry) in answers {
            ancestries[at] = match ancestry {
                Some(ancestry) => ancestry,
                None => alone(source, updates[at], false).await?.unwrap_or(Ancestry::Unknown),
            };
        }
    }
    Ok(ancestries)
}

/// How each base stands to its tip, as far as one question tells.
async fn together(source: &UploadPack, updates: &[Update]) -> Result<Vec<Ancestry>, git::Error> {
    let (strangers, pack) = negotiate(source, updates).await?;
    let is_stranger = |update: &Update| strangers.contains(&update.base);
    let open: Vec<Update> = updates.iter().copied().filter(|update| !is_stranger(update)).collect();
    let mut ancestries = vec![Ancestry::NotAncestor; updates.len()];
    if open.is_empty() {
        return Ok(ancestries);
    }
    let mut history = History::new(source, scanner(source));
    match pack {
        Some(pack) => history.read(pack, updates).await?,
        None => history.ask(&open).await?,
    }
    let pairs: Vec<_> = open.iter().map(|update| (update.base, update.tip)).collect();
    let known = (0..updates.len()).filter(|at| !is_stranger(&updates[*at]));
    for (at, ancestry) in known.zip(history.scanner.graph().ancestries(&pairs)) {
        ancestries[at] = ancestry;
    }
    Ok(ancestries)
}

/// How the base stands to its tip, if the source knows the base. Of several at the same time each may take only little memory;
/// one that would take more is not answered.
async fn alone(source: &UploadPack, update: Update, is_one_of_several: bool) -> Result<Option<Ancestry>, git::Error> {
    let mut limits = *source.limits();
    if is_one_of_several {
        limits.commits /= PARTS_OF_SEVERAL;
        limits.bases /= PARTS_OF_SEVERAL;
    }
    let mut history = History::new(source, CommitScanner::new(source.object_format(), &limits));
    match history.ask(&[update]).await {
        Err(git::Error { kind: ErrorKind::Exceeded(Exceeded::Commits(_)), .. }) if is_one_of_several => Ok(None),
        answer => answer.map(|()| Some(history.scanner.graph().ancestry(update.base, update.tip))),
    }
}

/// The commits that tips have and bases have not.
struct History<'a> {
    source: &'a UploadPack,
    scanner: CommitScanner,
}

impl<'a> History<'a> {
    fn new(source: &'a UploadPack, scanner: CommitScanner) -> Self {
        Self { source, scanner }
    }

    /// Asks for all of them.
    async fn ask(&mut self, updates: &[Update]) -> Result<(), git::Error> {
        match self.source.fetch(&request(updates, false)).await?.pack {
            Some(pack) => self.read(pack, updates).await,
            None => Ok(()),
        }
    }

    /// Reads a pack that has them. A delta to a commit that is no longer in memory cannot be read; then it asks for what is still
    /// missing, which goes on from there. All questions together bring hardly more than one answer would.
    async fn read(&mut self, mut pack: PackStream, updates: &[Update]) -> Result<(), git::Error> {
        for _ in 0..MOST_PARTS {
            let before = self.scanner.graph().len();
            scan(self.source, &mut self.scanner, pack).await?;
            let Some(lost) = self.scanner.lost() else { return Ok(()) };
            let request = self.rest(updates);
            if request.wants.is_empty() {
                return Ok(());
            }
            if self.scanner.graph().len() == before {
                return Err(self.source.fetch_error(ErrorKind::Exceeded(lost.into())));
            }
            self.scanner.next_pack();
            match self.source.fetch(&request).await?.pack {
                Some(next) => pack = next,
                None => return Ok(()),
            }
        }
        Err(self.source.fetch_error(ErrorKind::Exceeded(Lost::BaseIsGone.into())))
    }

    /// The question for the commits that are not known yet: tips, and parents of those that are.
    fn rest(&self, updates: &[Update]) -> FetchRequest {
        let graph = self.scanner.graph();
        let bases: HashSet<ObjectId> = updates.iter().map(|update| update.base).collect();
        let tips = updates.iter().map(|update| update.tip).filter(|tip| !graph.contains(tip));
        let wants: HashSet<ObjectId> = graph.frontier().chain(tips).filter(|id| !bases.contains(id)).collect();
        FetchRequest { wants: wants.into_iter().collect(), ..request(updates, false) }
    }
}

fn scanner(source: &UploadPack) -> CommitScanner {
    CommitScanner::new(source.object_format(), source.limits())
}

/// Which bases the source does not have: such a commit is in nothing's history there. And the pack, if the source is so sure of
/// the common ground that it sends it at once.
///
/// A server acknowledges what it knows, but not a have that is a parent of another one. So it is asked again about those that it
/// left out, as long as it then knows more of them. Half of a row of commits is told at each question, so a few are enough. After
/// that nothing is said about any base.
async fn negotiate(
    source: &UploadPack,
    updates: &[Update],
) -> Result<(HashSet<ObjectId>, Option<PackStream>), git::Error> {
    if !source.can_negotiate() {
        return Ok((HashSet::new(), None));
    }
    let first = source.fetch(&request(updates, true)).await?;
    let mut acknowledged = first.acknowledged;
    let mut left_out: Vec<Update> = updates.to_vec();
    for _ in 0..MOST_ROUNDS {
        let before = left_out.len();
        left_out.retain(|update| !acknowledged.contains(&update.base));
        if left_out.is_empty() || left_out.len() == before {
            return Ok((left_out.into_iter().map(|update| update.base).collect(), first.pack));
        }
        // The other way round, for each of a row of commits may have left out the one before it.
        left_out.reverse();
        acknowledged = source.fetch(&request(&left_out, true)).await?.acknowledged;
    }
    Ok((HashSet::new(), first.pack))
}

fn request(updates: &[Update], negotiate: bool) -> FetchRequest {
    FetchRequest {
        wants: updates.iter().map(|update| update.want).collect(),
        haves: updates.iter().map(|update| update.base).collect(),
        commits_only: true,
        negotiate,
        ..FetchRequest::default()
    }
}

/// The commits of a pack of this source.
pub(super) async fn commits(source: &UploadPack, pack: PackStream) -> Result<CommitGraph, git::Error> {
    let mut scanner = scanner(source);
    scan(source, &mut scanner, pack).await?;
    scanner.finish().map_err(|kind| source.fetch_error(kind))
}

/// Reads a pack to its end, or to where it cannot be read on.
async fn scan(source: &UploadPack, scanner: &mut CommitScanner, mut pack: PackStream) -> Result<(), git::Error> {
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

/// How many questions about one update alone are under way at the same time: as many connections as a browser opens.
const AT_ONCE: usize = 6;
/// How many questions may fail because of the objects in them.
const MAX_FAILURES: usize = 200;
/// What part of the memory for a proof each of them may take.
const PARTS_OF_SEVERAL: usize = 16;
/// How often a source is asked again about the bases that it left out: more often than a row of a billion commits needs.
const MOST_ROUNDS: usize = 32;
/// In how many parts a history may come that is not readable in one: 40,000 commits or more are in a part.
const MOST_PARTS: usize = 128;
