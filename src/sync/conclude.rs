//! Writes the results of a push into the plan: from the destination's reports, or from its refs afterwards.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use gix_hash::ObjectId;
use gix_object::bstr::BString;

use super::{
    error::Error,
    plan::{Decision, Entry, Plan},
    push::{
        Pushed,
        transfer::{Doubt, TransferError},
    },
    verdict::{self, RefusedRef, Verdict},
};
use crate::{api::Reason, backoff::Backoff, git::Remote};

/// Writes the verdicts into the plan. They are corrected by the destination's refs, if these can be listed.
pub(super) async fn conclude(plan: &mut Plan, pushed: Pushed, destination: &Remote) {
    let Pushed { mut verdicts, middles } = pushed;
    let has_refusals = verdicts.values().any(|verdict| matches!(verdict, Verdict::Refused(_)));
    // The report is used even if this listing fails.
    let now = if has_refusals || plan.may_move_others { current_refs(destination).await.ok() } else { None };
    let mut refused: Vec<(usize, RefusedRef)> = Vec::new();
    for (at, entry) in plan.entries.iter_mut().enumerate() {
        match verdicts.remove(&entry.name) {
            Some(Verdict::Accepted) => {
                entry.is_done = true;
                entry.accept_candidate();
            }
            // The ref has the new id, so it is done, even if the destination reported a failure.
            Some(Verdict::Refused(_)) if now.as_ref().is_some_and(|now| is_done(entry, now)) => entry.is_done = true,
            Some(Verdict::Refused(refusal)) => refused.push((at, refusal)),
            None => {}
        }
    }
    for (at, refusal) in refused {
        let index = plan.say(refusal.side, &refusal.words);
        let entry = &mut plan.entries[at];
        entry.message_index = index;
        reject(entry, refusal, now.as_ref(), &middles);
    }
    if let Some(now) = now.filter(|_| plan.may_move_others) {
        agree(plan, &now);
    }
    follow_targets(plan);
}

fn reject(entry: &mut Entry, refusal: RefusedRef, now: Option<&Refs>, middles: &HashSet<ObjectId>) {
    let mut reason = refusal.reason.unwrap_or_else(|| verdict::reason(&refusal.why));
    if let Some(now) = now {
        let current = now.get(&entry.name).copied();
        // If a ref is at one of `middles`, this sync moved it there.
        let is_ours = current == entry.destination || current.is_some_and(|id| middles.contains(&id));
        if !is_ours && matches!(reason, Reason::RemoteRefused | Reason::AtomicPushFailed) {
            reason = Reason::LeaseLost;
        }
        entry.destination = current;
    }
    entry.decision = Decision::Rejected(reason, Some(refusal.why));
}

/// Writes the destination's current id of each ref, because a change may have moved another ref too.
fn agree(plan: &mut Plan, now: &Refs) {
    for entry in &mut plan.entries {
        let current = now.get(&entry.name).copied();
        if entry.is_done && !is_done(entry, now) {
            let message = "another ref of this push moved it: one is a symbolic ref to the other";
            entry.decision = Decision::Rejected(Reason::LeaseLost, Some(message.into()));
        }
        if !entry.is_done || entry.is_rejected() {
            entry.destination = current;
        }
    }
}

/// A symbolic ref has the id of its target.
fn follow_targets(plan: &mut Plan) {
    let is_alias = |entry: &Entry| matches!(entry.decision, Decision::Alias(_));
    if !plan.entries.iter().any(is_alias) {
        return;
    }
    let moved: HashMap<BString, ObjectId> =
        plan.entries.iter().filter(|entry| entry.is_done).map(|entry| (entry.name.clone(), entry.source)).collect();
    for entry in &mut plan.entries {
        if let Decision::Alias(target) = &entry.decision
            && let Some(id) = moved.get(target)
        {
            entry.destination = Some(*id);
        }
    }
}

/// The results at a destination that sent no report: a ref that has the new id is done.
///
/// # Errors
///
/// The failure, if nothing was done at all.
pub(super) async fn conclude_failure(
    plan: &mut Plan,
    failure: TransferError,
    destination: &Remote,
) -> Result<(), Error> {
    let TransferError { error, doubt, .. } = failure;
    let has_done = plan.entries.iter().any(|entry| entry.is_done);
    let now = match doubt {
        Doubt::None => None,
        Doubt::Partly => current_refs(destination).await.ok(),
        Doubt::AtWork => once_at_rest(plan, destination).await,
    };
    let is_moved = |now: &Refs| plan.entries.iter().any(|entry| entry.is_open() && is_moved(entry, now));
    if !has_done && !now.as_ref().is_some_and(is_moved) {
        return Err(error);
    }
    for entry in plan.entries.iter_mut().filter(|entry| entry.is_open()) {
        if now.as_ref().is_some_and(|now| is_done(entry, now)) {
            entry.is_done = true;
            continue;
        }
        if let Some(now) = &now {
            entry.destination = now.get(&entry.name).copied();
        }
        entry.decision = Decision::Rejected(Reason::RemoteRefused, Some(format!("the push failed: {error}")));
    }
    Ok(())
}

/// The destination's refs. They are listed again and again, for some seconds, until everything is done: a destination that
/// has the whole pack continues its work after the connection is lost.
async fn once_at_rest(plan: &Plan, destination: &Remote) -> Option<Refs> {
    let mut now = current_refs(destination).await.ok();
    for look in 1..=LOOKS {
        let is_over = |now: &Refs| plan.entries.iter().filter(|e| e.is_open()).all(|e| is_done(e, now));
        if now.as_ref().is_some_and(is_over) {
            break;
        }
        destination.sleep(WAITS.after(look)).await;
        now = current_refs(destination).await.ok().or(now);
    }
    now
}

/// Whether the destination has the wanted id.
fn is_done(entry: &Entry, now: &Refs) -> bool {
    // A deleted ref has no id at the destination, and the null id in the plan.
    now.get(&entry.name).copied().unwrap_or_else(|| entry.source.kind().null()) == entry.source
}

/// Whether the destination's id has changed.
fn is_moved(entry: &Entry, now: &Refs) -> bool {
    now.get(&entry.name).copied() != entry.destination
}

type Refs = HashMap<BString, ObjectId>;

async fn current_refs(destination: &Remote) -> Result<Refs, Error> {
    let receive = destination.receive_pack().await.map_err(Error::Destination)?;
    Ok(receive.refs.into_iter().map(|r| (r.name, r.id)).collect())
}

/// How often the refs are listed again.
const LOOKS: u32 = 5;
/// How long to wait before each listing; eight seconds in total.
const WAITS: Backoff = Backoff::doubling(Duration::from_millis(250), Duration::from_secs(4));
