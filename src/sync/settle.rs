//! What became of a push, written into the plan: from the destination's report, or from what it has afterwards.

use std::collections::HashMap;

use gix_hash::ObjectId;
use gix_object::bstr::BString;

use super::{Decision, Entry, Error, Plan, refusal};
use crate::{
    git::{self, Command, Remote, Report},
    model::Reason,
};

/// Writes the report's refusals into the plan.
pub(super) async fn settle(
    plan: &mut Plan,
    commands: &[Command],
    report: Report,
    destination: &Remote,
) -> Result<(), Error> {
    if let Some(why) = report.unpack_error {
        let said = if report.messages.is_empty() { String::new() } else { format!(" ({})", report.messages) };
        let kind = git::ErrorKind::Remote(format!("the pack could not be stored: {why}{said}"));
        return Err(Error::Destination(destination.push_error(kind)));
    }
    let mut refusals: HashMap<BString, String> = HashMap::new();
    for command in commands {
        match report.refs.get(&command.name) {
            Some(None) => {}
            Some(Some(why)) => drop(refusals.insert(command.name.clone(), why.clone())),
            None => drop(refusals.insert(command.name.clone(), "the destination reported nothing on it".to_owned())),
        }
    }
    if refusals.is_empty() {
        return Ok(());
    }
    let now = current_refs(destination).await?;
    for entry in &mut plan.entries {
        let Some(why) = refusals.remove(&entry.name) else { continue };
        let current = now.get(&entry.name).copied();
        let reason = match refusal::reason(&why) {
            Reason::RemoteRefused if current != entry.destination => Reason::LeaseLost,
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

/// Tells what is true at a destination that gave no report: what it has now is done.
pub(super) async fn settle_without_report(plan: &mut Plan, error: Error, destination: &Remote) -> Result<(), Error> {
    // Only a push whose answer was lost leaves a doubt.
    let is_in_doubt = matches!(&error, Error::Destination(e) if matches!(e.kind, git::ErrorKind::Http(_) | git::ErrorKind::Protocol(_)));
    let Some(now) = (if is_in_doubt { current_refs(destination).await.ok() } else { None }) else { return Err(error) };
    // A deleted ref has no id at the destination, and the null id in the plan.
    let is_done =
        |entry: &Entry| now.get(&entry.name).copied().unwrap_or_else(|| entry.source.kind().null()) == entry.source;
    if !plan.entries.iter().any(|entry| entry.is_pending() && is_done(entry)) {
        return Err(error);
    }
    for entry in plan.entries.iter_mut().filter(|entry| entry.is_pending()) {
        if !is_done(entry) {
            entry.destination = now.get(&entry.name).copied();
            entry.decision = Decision::Rejected(Reason::RemoteRefused, Some(format!("no report came: {error}")));
        }
    }
    Ok(())
}

async fn current_refs(destination: &Remote) -> Result<HashMap<BString, ObjectId>, Error> {
    let receive = destination.receive_pack().await.map_err(Error::Destination)?;
    Ok(receive.refs.into_iter().map(|r| (r.name, r.id)).collect())
}
