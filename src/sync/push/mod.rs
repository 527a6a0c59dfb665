//! Pushes commands in as few requests as the destination accepts, and returns the result of each ref.
//!
//! If a request is refused as a whole, `narrow` finds the bad ref. If it is too large, it is halved. If a
//! single ref is too large, it first moves to a commit in the middle of its history. The ref stays at that commit for a
//! while. The source's branch was there once too, and if this sync breaks off, the next one continues from it.

mod gate;
pub(super) mod narrow;
mod relay;
pub(super) mod transfer;

use std::collections::{HashMap, HashSet};

use gix_hash::ObjectId;
use gix_object::bstr::BString;

use self::{
    narrow::{Batch, GiveUp, Queue},
    transfer::{Doubt, Transfer, TransferError, haves, transfer},
};
use super::{
    error::Error,
    options::Options,
    proof,
    sides::Sides,
    update::Update,
    verdict::{self, Cause, RefusedRef, Verdict},
};
use crate::{
    api::MessageSide,
    git::{self, Ancestry, Command, FetchRequest, Report},
};

/// The results of the commands.
#[derive(Default)]
pub(super) struct Pushed {
    /// The result of each ref. A ref of a failed request is not in it.
    pub(super) verdicts: HashMap<BString, Verdict>,
    /// Commits that refs were moved to on their way.
    pub(super) middles: HashSet<ObjectId>,
}

/// How pushing ended.
pub(super) enum Ended {
    /// Every ref has its verdict.
    All,
    /// The flowing pack did not prove the claims, so they must be proved first; nothing was changed. `is_refused`: the
    /// request was also refused as a whole.
    Unproved { is_refused: bool },
    /// The source has been rewritten since its refs were listed.
    Stale,
    /// It broke off.
    Failed(TransferError),
}

/// Pushes all commands. `is_refused`: a request with all of them was refused as a whole already.
pub(super) async fn push(
    commands: Vec<Command>,
    mut claims: Vec<Update>,
    is_refused: bool,
    sides: &mut Sides,
    options: &Options,
    pushed: &mut Pushed,
) -> Ended {
    let is_atomic = options.policy.atomic;
    let mut queue = Queue::new(commands, is_atomic, is_refused);
    let (mut first_failure, mut names_a_culprit) = (None, false);
    while let Some(batch) = queue.next() {
        let transferred = transfer(&batch.commands, claims.clone(), sides, options).await;
        if let Err(TransferError { error: Error::Destination(refusal), .. }) = &transferred
            && sides.receive.can_push_again(refusal).await
        {
            queue.repeat(batch);
            continue;
        }
        let has_claims = !std::mem::take(&mut claims).is_empty();
        let (cause, refusal, failure) = match transferred {
            Ok(Transfer::Unproved) => return Ended::Unproved { is_refused: false },
            Ok(Transfer::Reported { report, is_whole }) => {
                let cause = verdict::of_report(&report, &batch.commands);
                if has_claims && !is_whole {
                    return Ended::Unproved { is_refused: cause.is_some() && !is_atomic };
                }
                match cause {
                    Some(cause) if !is_atomic && cause != Cause::Machine => {
                        (cause, RefusedRef::of_report(&report, &batch.commands[0]), None)
                    }
                    _ if report.unpack_error.is_some() => return failed(unpack_failure(&report, sides), &queue),
                    _ => {
                        take_report(&batch, &report, &mut queue, pushed);
                        sides.have_arrived(pushed.accepted(&batch.commands));
                        continue;
                    }
                }
            }
            Err(failure) => match verdict::of_error(&failure.error, failure.bytes_sent) {
                _ if is_stale(&failure.error) && !sides.is_relisted => return Ended::Stale,
                Some(cause) if !is_atomic && cause != Cause::Machine => {
                    if has_claims {
                        return Ended::Unproved { is_refused: true };
                    }
                    (cause, RefusedRef::of_error(&failure.error, cause), Some(failure))
                }
                _ => return failed(failure, &queue),
            },
        };
        if batch.commands.len() > 1 {
            first_failure = first_failure.or(failure);
            match cause {
                Cause::Size => queue.halve(batch),
                _ => queue.refused(batch, &refusal.said()),
            }
            continue;
        }
        if cause == Cause::Size
            && let Some((middle, parts)) = halve_history(&batch.commands[0], sides).await
        {
            pushed.middles.insert(middle);
            queue.put_small(parts);
            continue;
        }
        // Both a report and an error about its objects name the ref.
        names_a_culprit |= failure.is_none() || cause == Cause::Refs;
        first_failure = first_failure.or(failure);
        let gives_up = queue.refused_alone(cause, &refusal.said());
        refuse(&batch.commands, &refusal, &mut queue, pushed);
        if let Some(why) = gives_up {
            refuse_rest(queue, why, &refusal, pushed);
            break;
        }
    }
    let has_accepted = pushed.verdicts.values().any(|verdict| matches!(verdict, Verdict::Accepted));
    match first_failure {
        Some(failure) if !has_accepted && !names_a_culprit => Ended::Failed(failure),
        _ => Ended::All,
    }
}

fn is_stale(error: &Error) -> bool {
    matches!(error, Error::Source(error) if verdict::is_stale(error))
}

/// The failure that ends the push. Earlier requests may have succeeded.
fn failed(failure: TransferError, queue: &Queue) -> Ended {
    let doubt = match failure.doubt {
        Doubt::None if queue.has_accepted() => Doubt::Partly,
        doubt => doubt,
    };
    Ended::Failed(TransferError { doubt, ..failure })
}

/// The failure of a push whose pack could not be stored.
fn unpack_failure(report: &Report, sides: &Sides) -> TransferError {
    let why = report.unpack_error.as_deref().unwrap_or_default();
    let said = if report.words.is_empty() { String::new() } else { format!(" ({})", report.words) };
    let kind = git::ErrorKind::Remote(format!("the pack could not be stored: {why}{said}"));
    TransferError { error: Error::Destination(sides.receive.push_error(kind)), doubt: Doubt::None, bytes_sent: 0 }
}

/// Takes over a report's result of each ref.
fn take_report(batch: &Batch, report: &Report, queue: &mut Queue, pushed: &mut Pushed) {
    for command in &batch.commands {
        let why = match report.refs.get(&command.name) {
            _ if report.is_silent => "the destination sends no report, and the ref has not moved there",
            Some(None) if report.done_otherwise.contains(&command.name) => {
                "the destination accepted it, but stored it in another way than asked"
            }
            Some(None) => {
                pushed.verdicts.insert(command.name.clone(), Verdict::Accepted);
                continue;
            }
            Some(Some(why)) => why,
            None => "the destination reported nothing on it",
        };
        let refusal = RefusedRef { why: why.to_owned(), ..RefusedRef::of_report(report, command) };
        refuse(std::slice::from_ref(command), &refusal, queue, pushed);
    }
    if pushed.accepted(&batch.commands).next().is_some() || report.is_silent {
        queue.accepted(batch);
    }
}

/// Notes the refusal. If the start of a ref's history was refused, the rest cannot follow.
fn refuse(commands: &[Command], refusal: &RefusedRef, queue: &mut Queue, pushed: &mut Pushed) {
    for command in commands {
        queue.drop_refs(|other| other.name == command.name);
        pushed.verdicts.insert(command.name.clone(), Verdict::Refused(refusal.clone()));
    }
}

/// Refuses the refs that are not tried any more.
fn refuse_rest(queue: Queue, why: GiveUp, refusal: &RefusedRef, pushed: &mut Pushed) {
    let rest = match why {
        GiveUp::SameAnswer => {
            let why =
                format!("{} (not tried alone, because many refs got this answer and none was accepted)", refusal.why);
            RefusedRef { why, ..refusal.clone() }
        }
        GiveUp::TooMany => {
            let why = "not tried: this sync has sent too many requests already; the next one goes on from here";
            RefusedRef { why: why.into(), words: String::new(), side: MessageSide::Refsync, reason: None }
        }
    };
    for command in queue.into_rest() {
        pushed.verdicts.entry(command.name).or_insert_with(|| Verdict::Refused(rest.clone()));
    }
}

/// Splits the move of a branch into two, and returns the commit between them: half-way between the destination's commit and
/// the new one. `None` if the move cannot be split.
async fn halve_history(command: &Command, sides: &Sides) -> Option<(ObjectId, [Vec<Command>; 2])> {
    let middle = middle(command, sides).await?;
    let first = Command { new: middle, ..command.clone() };
    let second = Command { old: Some(middle), ..command.clone() };
    Some((middle, [vec![first], vec![second]]))
}

async fn middle(command: &Command, sides: &Sides) -> Option<ObjectId> {
    // Nobody must see a tag on another commit, so tags are not split.
    if !command.name.starts_with(b"refs/heads/") || command.new.is_null() || !sides.upload.can_filter().await.ok()? {
        return None;
    }
    let haves = haves(std::slice::from_ref(command), &sides.source_ids, sides.there());
    let request = FetchRequest { wants: vec![command.new], haves, commits_only: true, ..FetchRequest::default() };
    let pack = sides.upload.fetch(&request).await.ok()?.pack?;
    let graph = proof::commits(&sides.upload, pack).await.ok()?;
    let line = graph.first_parents(command.new);
    let is_forward = |commit: ObjectId| match command.old {
        Some(old) => graph.ancestry(old, commit) == Ancestry::Ancestor,
        None => true,
    };
    // Tries commits closer and closer to the tip until one is a fast-forward.
    let nearer = std::iter::successors(Some(line.len() / 2), |at| Some(at / 2)).take_while(|at| *at > 0);
    nearer.map(|at| line[at]).find(|commit| is_forward(*commit))
}

impl Pushed {
    /// The new ids of those commands that the destination accepted.
    fn accepted<'a>(&'a self, commands: &'a [Command]) -> impl Iterator<Item = ObjectId> + 'a {
        let is_accepted = |command: &&Command| matches!(self.verdicts.get(&command.name), Some(Verdict::Accepted));
        commands.iter().filter(is_accepted).map(|command| command.new).filter(|id| !id.is_null())
    }
}
