//! A push that the destination finds too large, or that takes it too long, in smaller ones.
//!
//! Servers and the proxies before them answer such a push with 413, 408 or 504; a source may answer 413 too. Then half of its refs go first; and where
//! one ref alone is too much, a commit in the middle of its history. The ref stands at that commit for a while: one that the
//! source's branch has had too, and from which another sync would go on, should this one break off.

use std::collections::HashSet;

use gix_hash::ObjectId;

use super::{
    Error, Options, Sides,
    gate::Claim,
    proof,
    settle::unpack_error,
    transfer::{Doubt, Failure, Transfer, haves, transfer},
};
use crate::git::{self, Ancestry, Command, FetchRequest, Report};

/// What became of a push.
pub(super) enum Pushed {
    /// The destination reported on every command.
    Reported {
        /// All that it reported, of a ref's several pushes the last.
        report: Report,
        /// Commits that refs were moved to on their way.
        middles: HashSet<ObjectId>,
    },
    /// The pack did not prove the claims; nothing was changed.
    Unproved,
}

/// Pushes the commands, in one piece or in as many as the destination wants. A ref that is too much alone is refused, and
/// others go on; where all are, that is the failure.
pub(super) async fn push(
    commands: &[Command],
    mut claims: Vec<Claim>,
    sides: &mut Sides,
    options: &Options,
) -> Result<Pushed, Failure> {
    let mut left = vec![commands.to_vec()];
    let (mut all, mut middles) = (Report::default(), HashSet::new());
    let (mut is_first, mut too_large) = (true, None);
    while let Some(batch) = left.pop() {
        let transferred = transfer(&batch, claims.clone(), sides, options).await;
        if let Err(Failure { error: Error::Destination(refusal), .. }) = &transferred
            && sides.receive.gains_credentials(refusal).await
        {
            left.push(batch);
            continue;
        }
        let has_claims = !std::mem::take(&mut claims).is_empty();
        match transferred {
            Ok(Transfer::Unproved) => return Ok(Pushed::Unproved),
            Ok(Transfer::Reported(report)) => {
                if let Some(error) = unpack_error(&report, |kind| sides.push_error(kind)).filter(|_| !is_first) {
                    return Err(Failure { error, doubt: Doubt::Partly });
                }
                is_first = false;
                sides.have_arrived(done(&batch, &report));
                // The rest of a ref's history has no place to go where its start was refused.
                drop_refs(&mut left, |command| matches!(report.refs.get(&command.name), Some(Some(_))));
                merge(&mut all, report);
            }
            Err(failure) if is_too_large(&failure.error) && !options.policy.atomic => {
                // Nothing is proved by a pack that was cut short, and the parts would prove less.
                if has_claims {
                    return Ok(Pushed::Unproved);
                }
                match (split(&batch, sides).await, batch.as_slice()) {
                    (Some((first, second)), _) => {
                        middles.extend(second.iter().filter(|_| batch.len() == 1).filter_map(|command| command.old));
                        left.extend([second, first]);
                    }
                    (None, refused) => {
                        drop_refs(&mut left, |command| refused.iter().any(|other| other.name == command.name));
                        let why = refused.iter().map(|r| (r.name.clone(), Some(failure.error.to_string())));
                        all.refs.extend(why);
                        too_large = Some(failure);
                    }
                }
            }
            Err(failure) => return Err(failure_after(is_first, failure)),
        }
    }
    match too_large {
        Some(failure) if is_first => Err(failure),
        _ => Ok(Pushed::Reported { report: all, middles }),
    }
}

/// Takes these refs out of what is left.
fn drop_refs(left: &mut Vec<Vec<Command>>, is_dropped: impl Fn(&Command) -> bool) {
    left.iter_mut().for_each(|batch| batch.retain(|command| !is_dropped(command)));
    left.retain(|batch| !batch.is_empty());
}

fn failure_after(is_first: bool, failure: Failure) -> Failure {
    match failure.doubt {
        Doubt::None if !is_first => Failure { doubt: Doubt::Partly, ..failure },
        _ => failure,
    }
}

fn is_too_large(error: &Error) -> bool {
    match error {
        Error::Destination(error) => matches!(error.kind, git::ErrorKind::Status { status: 408 | 413 | 504, .. }),
        // Then it is the question that is too large: it names every object that is wanted.
        Error::Source(error) => matches!(error.kind, git::ErrorKind::Status { status: 413, .. }),
        _ => false,
    }
}

/// What the destination has now that it may not have had before.
fn done(batch: &[Command], report: &Report) -> impl Iterator<Item = ObjectId> {
    let is_done = |command: &&Command| matches!(report.refs.get(&command.name), Some(None)) && !command.new.is_null();
    batch.iter().filter(is_done).map(|command| command.new).collect::<Vec<_>>().into_iter()
}

fn merge(all: &mut Report, report: Report) {
    all.is_silent |= report.is_silent;
    all.unpack_error = report.unpack_error;
    all.refs.extend(report.refs);
    all.done_otherwise.extend(report.done_otherwise);
    if !report.messages.is_empty() {
        all.messages = report.messages;
    }
}

/// Two pushes that do the same as one; none where it cannot be made smaller.
async fn split(batch: &[Command], sides: &Sides) -> Option<(Vec<Command>, Vec<Command>)> {
    if let [command] = batch {
        let middle = middle(command, sides).await?;
        let first = Command { new: middle, ..command.clone() };
        let second = Command { old: Some(middle), ..command.clone() };
        return Some((vec![first], vec![second]));
    }
    let (first, second) = batch.split_at(batch.len() / 2);
    Some((first.to_vec(), second.to_vec()))
}

/// A commit half-way on a branch's way from what the destination has.
async fn middle(command: &Command, sides: &Sides) -> Option<ObjectId> {
    // A tag must not be seen on another commit.
    if !command.name.starts_with(b"refs/heads/") || command.new.is_null() || !sides.upload.can_filter().await.ok()? {
        return None;
    }
    let haves = haves(std::slice::from_ref(command), &sides.source_ids, sides.there());
    let request = FetchRequest { wants: vec![command.new], haves, commits_only: true, ..FetchRequest::default() };
    let pack = sides.upload.fetch(&request, |_| ()).await.ok()?.pack?;
    let graph = proof::commits(&sides.upload, pack).await.ok()?;
    let line = graph.first_parents(command.new);
    let is_forward = |commit: ObjectId| match command.old {
        Some(old) => graph.ancestry(old, commit) == Ancestry::Ancestor,
        None => true,
    };
    // Nearer and nearer to the tip, until the way goes forward all along.
    let nearer = std::iter::successors(Some(line.len() / 2), |at| Some(at / 2)).take_while(|at| *at > 0);
    nearer.map(|at| line[at]).find(|commit| is_forward(*commit))
}
