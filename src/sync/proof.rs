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
    git::{self, Ancestry, CommitGraph, CommitScanner, FetchRequest, PackStream, Remote, UploadPack},
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
        let answer = |at| async move { Ok::<_, git::Error>((at, alone(source, updates[at]).await?)) };
        let answers = stream::iter(open).map(answer).buffer_unordered(AT_ONCE);
        for (at, ancestry) in answers.try_collect::<Vec<_>>().await? {
            ancestries[at] = ancestry;
        }
    }
    Ok(ancestries)
}

/// How each base stands to its tip, as far as one question tells.
async fn together(source: &UploadPack, updates: &[Update]) -> Result<Vec<Ancestry>, git::Error> {
    let (strangers, pack) = negotiate(source, updates).await?;
    let is_stranger = |update: &Update| strangers.contains(&update.base);
    let open: Vec<Update> = updates.iter().copied().filter(|update| !is_stranger(update)).collect();
    let graph = match pack {
        Some(pack) => commits(source, pack).await?,
        None if open.is_empty() => CommitGraph::default(),
        None => history(source, &open).await?,
    };
    let judge = |update: &Update| match is_stranger(update) {
        true => Ancestry::NotAncestor,
        false => graph.ancestry(update.base, update.tip),
    };
    Ok(updates.iter().map(judge).collect())
}

/// How the base stands to its tip, where the source knows the base.
async fn alone(source: &UploadPack, update: Update) -> Result<Ancestry, git::Error> {
    Ok(history(source, &[update]).await?.ancestry(update.base, update.tip))
}

/// The commits that the tips have and the bases have not.
async fn history(source: &UploadPack, updates: &[Update]) -> Result<CommitGraph, git::Error> {
    match source.fetch(&request(updates, false)).await?.pack {
        Some(pack) => commits(source, pack).await,
        None => Ok(CommitGraph::default()),
    }
}

/// Which bases the source does not have: such a commit is in nothing's history there. And the pack, where the source is
/// so sure of the common ground that it sends it at once.
///
/// A server acknowledges what it knows, but not a have that is a parent of another one. So it is asked again about those
/// that it left out, until it knows none of them.
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
    loop {
        left_out.retain(|update| !acknowledged.contains(&update.base));
        if left_out.is_empty() || acknowledged.is_empty() {
            break;
        }
        // The other way round, for each of a row of commits may have left out the one before it.
        left_out.reverse();
        acknowledged = source.fetch(&request(&left_out, true)).await?.acknowledged;
    }
    Ok((left_out.into_iter().map(|update| update.base).collect(), first.pack))
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
pub(super) async fn commits(source: &UploadPack, mut pack: PackStream) -> Result<CommitGraph, git::Error> {
    let mut scanner = CommitScanner::new(source.object_format());
    while let Some(chunk) = pack.next().await {
        chunk.and_then(|chunk| scanner.push(&chunk)).map_err(|kind| source.fetch_error(kind))?;
    }
    scanner.finish().map_err(|kind| source.fetch_error(kind))
}

/// How many questions about one update alone are under way at the same time: as many connections as a browser opens.
const AT_ONCE: usize = 6;
/// How many questions may fail because of the objects in them.
const MAX_FAILURES: usize = 200;
