//! Whether the bases of updates are ancestors of their tips, asked in few requests.
//!
//! The first request covers all updates: the source's ids as wants, the destination's ids as haves, commits only. Its
//! answer says which haves the source knows, and nearly always decides everything.

use std::collections::HashSet;

use gix_hash::ObjectId;

use super::history::History;
use crate::{
    git::{self, Ancestry, FetchRequest, PackStream, UploadPack},
    sync::update::Update,
};

/// Whether each base is an ancestor of its tip. One request covers all. It may leave some open: the server does not send
/// the ancestors of any base, and the path from a base to its tip may go through them.
///
/// The open ones are asked for together again, with one base in the middle as the only have. This decides all bases that
/// are not ancestors of it: at least half of them if they are in a row. The last few are asked for one by one. If there are
/// many, and a have in the middle does not help, one request without a have fetches the whole history.
pub(super) async fn ancestries(source: &UploadPack, updates: &[Update]) -> Result<Vec<Ancestry>, git::Error> {
    let mut ancestries = together(source, updates).await?;
    let mut open: Vec<usize> = (0..updates.len()).filter(|at| ancestries[*at] == Ancestry::Unknown).collect();
    if updates.len() == 1 {
        // There was no other base that could have hidden the path.
        return Ok(ancestries);
    }
    let (mut pivots, mut idle_pivots) = (0, 0);
    while let Some(last) = open.last().copied() {
        let open_before = open.len();
        let is_pivot = open_before > FEW && pivots < MOST_PIVOTS && idle_pivots < MOST_IDLE_PIVOTS;
        let (asked, have) = match open_before {
            _ if is_pivot => (open.clone(), Some(updates[open[open_before / 2]].base)),
            MANY.. => (open.clone(), None),
            _ => (vec![last], Some(updates[last].base)),
        };
        let asked_updates: Vec<Update> = asked.iter().map(|at| updates[*at]).collect();
        let mut history = History::new(source, &asked_updates, have.into_iter().collect());
        history.ask().await?;
        for (at, ancestry) in asked.iter().zip(history.ancestries()) {
            ancestries[*at] = ancestry;
        }
        // A base that came is not an ancestor of the have, so no descendant of it was hidden.
        let is_answered = |at: usize| {
            let base = updates[at].base;
            ancestries[at] != Ancestry::Unknown || have.is_none_or(|have| have == base) || history.has(&base)
        };
        open.retain(|at| asked.binary_search(at).is_err() || !is_answered(*at));
        if is_pivot {
            pivots += 1;
            idle_pivots += usize::from(open_before - open.len() < open_before / 8);
        }
    }
    Ok(ancestries)
}

/// Whether each base is an ancestor of its tip, as far as one request can tell.
async fn together(source: &UploadPack, updates: &[Update]) -> Result<Vec<Ancestry>, git::Error> {
    let (strangers, pack) = negotiate(source, updates).await?;
    let is_stranger = |update: &Update| strangers.contains(&update.base);
    let open: Vec<Update> = updates.iter().copied().filter(|update| !is_stranger(update)).collect();
    let mut ancestries = vec![Ancestry::NotAncestor; updates.len()];
    if open.is_empty() {
        return Ok(ancestries);
    }
    let haves = open.iter().map(|update| update.base).collect();
    let mut history = History::new(source, &open, haves);
    match pack {
        Some(pack) => history.read(pack).await?,
        None => history.ask().await?,
    }
    let known = (0..updates.len()).filter(|at| !is_stranger(&updates[*at]));
    for (at, ancestry) in known.zip(history.ancestries()) {
        ancestries[at] = ancestry;
    }
    Ok(ancestries)
}

/// The bases that the source does not have: they are in no history there. And the pack, if the source sends it without
/// further negotiation.
///
/// A server acknowledges the haves that it knows, but it may leave out a have that is a parent of another one. So it is
/// asked again about the missing ones, as long as it acknowledges more of them. Each request decides half of a row of
/// commits, so a few are enough. If bases are still undecided then, none of them counts as missing.
async fn negotiate(
    source: &UploadPack,
    updates: &[Update],
) -> Result<(HashSet<ObjectId>, Option<PackStream>), git::Error> {
    if !source.can_negotiate() {
        return Ok((HashSet::new(), None));
    }
    let first = source.fetch(&question(updates)).await?;
    let mut acknowledged = first.acknowledged;
    let mut left_out: Vec<Update> = updates.to_vec();
    for _ in 0..MOST_ROUNDS {
        let before = left_out.len();
        left_out.retain(|update| !acknowledged.contains(&update.base));
        if left_out.is_empty() || left_out.len() == before {
            return Ok((left_out.into_iter().map(|update| update.base).collect(), first.pack));
        }
        // In reverse order, because each commit of a row may have left out the one before it.
        left_out.reverse();
        acknowledged = source.fetch(&question(&left_out)).await?.acknowledged;
    }
    Ok((HashSet::new(), first.pack))
}

/// The request that asks which of the bases the source has.
fn question(updates: &[Update]) -> FetchRequest {
    FetchRequest {
        wants: updates.iter().map(|update| update.want).collect(),
        haves: updates.iter().map(|update| update.base).collect(),
        commits_only: true,
        negotiate: true,
        ..FetchRequest::default()
    }
}

/// Up to this many are asked for one by one, at the same time.
const FEW: usize = 4;
/// From this number on, updates are not asked for one by one.
const MANY: usize = 17;
/// How often the open ones are asked for with one have. Each request halves a row, so this is enough for a million.
const MOST_PIVOTS: usize = 16;
/// How many of these requests may decide less than an eighth of the open ones.
const MOST_IDLE_PIVOTS: usize = 3;
/// How often a source is asked again about the bases that it left out: more often than a row of a billion commits needs.
const MOST_ROUNDS: usize = 32;
