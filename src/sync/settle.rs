//! What became of a push, written into the plan: from the destination's report, or from what it has afterwards.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use gix_hash::ObjectId;
use gix_object::bstr::BString;

use super::{
    Decision, Entry, Error, Plan, refusal,
    transfer::{Doubt, Failure},
};
use crate::{
    git::{self, Command, Remote, Report},
    model::Reason,
};

/// Writes the report's refusals into the plan. A ref that stands at one of `middles` was brought there by ourselves.
pub(super) async fn settle(
    plan: &mut Plan,
    commands: &[Command],
    report: Report,
    middles: &HashSet<ObjectId>,
    destination: &Remote,
) -> Result<(), Error> {
    if let Some(error) = unpack_error(&report, |kind| destination.push_error(kind)) {
        return Err(error);
    }
    let mut refusals: HashMap<BString, String> = HashMap::new();
    for command in commands {
        let why = match report.refs.get(&command.name) {
            _ if report.is_silent => "the destination gives no report, and does not have it",
            Some(None) if report.done_otherwise.contains(&command.name) => "the destination did otherwise than asked",
            Some(None) => continue,
            Some(Some(why)) => why,
            None => "the destination reported nothing on it",
        };
        refusals.insert(command.name.clone(), why.to_owned());
    }
    if refusals.is_empty() {
        return Ok(());
    }
    let is_middle = |id: Option<ObjectId>| id.is_some_and(|id| middles.contains(&id));
    let now = current_refs(destination).await?;
    for entry in &mut plan.entries {
        let Some(why) = refusals.remove(&entry.name) else { continue };
        // Whatever was said of it: it is done.
        if is_done(entry, &now) {
            continue;
        }
        let current = now.get(&entry.name).copied();
        let reason = match refusal::reason(&why) {
            Reason::RemoteRefused | Reason::AtomicPushFailed if current != entry.destination && !is_middle(current) => {
                Reason::LeaseLost
            }
            reason => reason,
        };
        let said = if reason == Reason::HookDeclined && !report.messages.is_empty() {
            format!("{why}: {}", report.messages)
        } else {
            why
        };
        entry.destination = current;
        entry.decision = Decision::Rejected(reason, Some(said));
    }
    Ok(())
}

/// Why the pack could not be stored, where it could not.
pub(super) fn unpack_error(report: &Report, push_error: impl Fn(git::ErrorKind) -> git::Error) -> Option<Error> {
    let why = report.unpack_error.as_ref()?;
    let said = if report.messages.is_empty() { String::new() } else { format!(" ({})", report.messages) };
    let kind = git::ErrorKind::Remote(format!("the pack could not be stored: {why}{said}"));
    Some(Error::Destination(push_error(kind)))
}

/// Tells what is true at a destination that gave no report: what it has now is done.
pub(super) async fn settle_without_report(
    plan: &mut Plan,
    failure: Failure,
    destination: &Remote,
) -> Result<(), Error> {
    let Failure { error, doubt } = failure;
    let Some(now) = (match doubt {
        Doubt::None => None,
        Doubt::Partly => current_refs(destination).await.ok(),
        Doubt::AtWork => once_settled(plan, destination).await,
    }) else {
        return Err(error);
    };
    if !plan.entries.iter().any(|entry| entry.is_pending() && is_moved(entry, &now)) {
        return Err(error);
    }
    for entry in plan.entries.iter_mut().filter(|entry| entry.is_pending()) {
        if !is_done(entry, &now) {
            entry.destination = now.get(&entry.name).copied();
            entry.decision = Decision::Rejected(Reason::RemoteRefused, Some(format!("the push failed: {error}")));
        }
    }
    Ok(())
}

/// The destination's refs, looked at until all is done that was asked for, or for some seconds: a destination that has the
/// whole pack goes on working when the connection is lost.
async fn once_settled(plan: &Plan, destination: &Remote) -> Option<Refs> {
    let mut now = current_refs(destination).await.ok();
    for wait in WAITS {
        let is_over = |now: &Refs| plan.entries.iter().filter(|e| e.is_pending()).all(|e| is_done(e, now));
        if now.as_ref().is_some_and(is_over) {
            break;
        }
        destination.sleep(Duration::from_millis(wait)).await;
        now = current_refs(destination).await.ok().or(now);
    }
    now
}

/// Whether the destination has what it should.
fn is_done(entry: &Entry, now: &Refs) -> bool {
    // A deleted ref has no id there, and the null id in the plan.
    now.get(&entry.name).copied().unwrap_or_else(|| entry.source.kind().null()) == entry.source
}

/// Whether the destination has something else than it had.
fn is_moved(entry: &Entry, now: &Refs) -> bool {
    now.get(&entry.name).copied() != entry.destination
}

type Refs = HashMap<BString, ObjectId>;

async fn current_refs(destination: &Remote) -> Result<Refs, Error> {
    let receive = destination.receive_pack().await.map_err(Error::Destination)?;
    Ok(receive.refs.into_iter().map(|r| (r.name, r.id)).collect())
}

/// How long to wait between two looks, in milliseconds; eight seconds together.
const WAITS: [u64; 5] = [250, 750, 1000, 2000, 4000];
