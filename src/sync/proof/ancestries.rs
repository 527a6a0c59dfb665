//! How the bases of updates stand to their tips, asked in few questions.
//!
//! The first question covers all: the source's ids as wants, the destination's as haves, commits only. It tells which haves the
//! source knows at all, and nearly always all the rest.

use std::collections::HashSet;

use gix_hash::ObjectId;

use super::{Update, history::History};
use crate::git::{self, Ancestry, FetchRequest, PackStream, UploadPack};

/// How each base stands to its tip. One question covers all. It leaves some open: the server hides what lies below any of the
/// bases, and that may be a base's way to its tip.
///
/// The open ones are asked for together again, with one base in the middle as the only have. All bases that are not below it get
/// their answer, which is at least half of them if they are in a row. The last few are asked for one by one. If there are many, and
/// a have in the middle does not help, one question without a have brings the whole history.
pub(super) async fn ancestries(source: &UploadPack, updates: &[Update]) -> Result<Vec<Ancestry>, git::Error> {
    let mut ancestries = together(source, updates).await?;
    let mut open: Vec<usize> = (0..updates.len()).filter(|at| ancestries[*at] == Ancestry::Unknown).collect();
    if updates.len() == 1 {
        // There was no other base that could have hidden its way.
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
        // A base that came is not below the have, so nothing above it was hidden.
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

/// How each base stands to its tip, as far as one question tells.
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
    let first = source.fetch(&question(updates)).await?;
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
        acknowledged = source.fetch(&question(&left_out)).await?.acknowledged;
    }
    Ok((HashSet::new(), first.pack))
}

/// The question which of the bases the source has.
fn question(updates: &[Update]) -> FetchRequest {
    FetchRequest {
        wants: updates.iter().map(|update| update.want).collect(),
        haves: updates.iter().map(|update| update.base).collect(),
        commits_only: true,
        negotiate: true,
        ..FetchRequest::default()
    }
}

/// So many are asked for one by one at once.
const FEW: usize = 4;
/// From this number on, updates are not asked for one by one.
const MANY: usize = 17;
/// How often the open ones are asked for with one have. It halves the number of those in a row, so this suffices for a million.
const MOST_PIVOTS: usize = 16;
/// How many of these questions may answer less than an eighth of what is open.
const MOST_IDLE_PIVOTS: usize = 3;
/// How often a source is asked again about the bases that it left out: more often than a row of a billion commits needs.
const MOST_ROUNDS: usize = 32;
