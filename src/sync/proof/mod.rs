//! Proves which updates are fast-forwards, from the source's commits.
//!
//! `ancestries` asks the source, in a bounded number of requests. `history` reads the commits in the answers.

mod ancestries;
mod history;

use std::collections::HashMap;

use gix_hash::ObjectId;
use gix_object::bstr::BString;

use self::ancestries::ancestries;
pub(super) use self::history::{commits, scan};
use super::{
    error::Error,
    plan::{Decision, Plan},
    progress::Observer,
    update::Update,
    verdict::{self, Cause},
};
use crate::{
    api::{MessageSide, Phase, Reason},
    git::{self, Ancestry, ErrorKind, Remote, UploadPack},
};

/// Decides every candidate of the plan. A candidate is rejected if the source cannot answer for it: its objects are
/// damaged, gone, or more than a proof may read. `is_relisted`: the source was listed a second time.
///
/// # Errors
///
/// If the source cannot be asked, or if each candidate needs more than a proof may read and there is nothing else to do.
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
    let mut answers = answers(source, &all, is_relisted).await.map_err(Error::Source)?;
    let has_more_to_do = plan.entries.iter().any(|entry| entry.is_pending() && entry.decision != Decision::Candidate);
    if !has_more_to_do && answers.iter().all(|answer| answer.as_ref().is_err_and(is_too_much)) {
        let first = answers.swap_remove(0);
        return first.map(|_| ()).map_err(Error::Source);
    }
    for ((index, update), answer) in indexes.into_iter().zip(all).zip(answers) {
        match answer {
            // A tag that stays on its commit is not a fast-forward: another tag object would replace it.
            Ok(Ancestry::Ancestor) if update.base != update.tip => plan.entries[index].decision = Decision::FastForward,
            Ok(_) => plan.entries[index].reject_move(),
            Err(error) if is_too_much(&error) => {
                let entry = &mut plan.entries[index];
                entry.reject_move();
                if let Decision::Rejected(_, message) = &mut entry.decision {
                    *message = Some(format!("it could not be proved: {}", error.kind));
                }
            }
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
/// If the failure is not about objects, or if an object is gone and the source was not listed again yet.
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
                failures += weight(&error);
                answers[start] = Some(Err(error));
            }
            Err(error) => {
                failures += weight(&error);
                let middle = start.midpoint(end);
                open.extend([(middle, end), (start, middle)]);
            }
        }
    }
    Ok(answers.into_iter().map(|answer| answer.expect("each range is answered or halved")).collect())
}

/// Whether the limits do not allow this proof to read as much as it needs.
fn is_too_much(error: &git::Error) -> bool {
    matches!(error.kind, ErrorKind::Exceeded(exceeded) if exceeded.is_about_objects())
}

/// A request that fails because too much comes costs seconds; other failures cost a moment.
fn weight(error: &git::Error) -> usize {
    if is_too_much(error) { MAX_FAILURES / 10 } else { 1 }
}

/// The candidates, by their place in the plan.
async fn updates(plan: &Plan, destination: &Remote) -> Vec<(usize, Update)> {
    let candidates = plan.entries.iter().enumerate().filter(|(_, entry)| entry.decision == Decision::Candidate);
    let candidates: Vec<_> = candidates.collect();
    let tags: Vec<BString> = candidates.iter().filter(|(_, e)| e.is_tag()).map(|(_, e)| e.name.clone()).collect();
    let peeled = peeled_tags(destination, tags).await;
    candidates
        .into_iter()
        .filter_map(|(index, entry)| {
            let base = peeled.get(&entry.name).copied().or(entry.destination)?;
            Some((
                index,
                Update {
                    base,
                    want: entry.source,
                    tip: entry.source_peeled.as_deref().copied().unwrap_or(entry.source),
                },
            ))
        })
        .collect()
}

/// The commits of the destination's annotated tags with these names. (Its `receive-pack` does not tell them.)
async fn peeled_tags(destination: &Remote, names: Vec<BString>) -> HashMap<BString, ObjectId> {
    if names.is_empty() {
        return HashMap::new();
    }
    // If the destination may be written but not read, its tags count as moved, and nothing is proved about them.
    let refs = destination.list_refs(&names).await.map_or_else(|_| Vec::new(), |(_, refs)| refs);
    refs.into_iter().filter_map(|r| Some((r.name, *r.peeled?))).collect()
}

/// How many requests may fail because of the objects in them.
const MAX_FAILURES: usize = 200;
