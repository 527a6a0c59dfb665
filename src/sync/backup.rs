//! The old commits of refs that are forced.

use std::collections::HashSet;

use gix_hash::ObjectId;
use gix_object::bstr::BString;

use super::{
    error::Error,
    options::Options,
    plan::{Decision, Plan},
    policy::Policy,
    push::{Ended, Pushed, push},
    sides::Sides,
    verdict::Verdict,
};
use crate::git::{Command, Ref};

/// Keeps the old commits of refs that will be forced, each under its own name. If an old commit cannot be kept, its ref is
/// not moved.
pub(super) async fn keep_forced(plan: &mut Plan, sides: &mut Sides, options: &Options) -> Result<(), Error> {
    let forced = plan.entries.iter().filter(|entry| entry.is_open() && entry.decision == Decision::Force);
    let backups = forced.filter_map(|entry| Some((entry.name.clone(), backup(&entry.name, entry.destination?))));
    // The name contains the id. If the name exists, this commit is kept already.
    let there: HashSet<&BString> = sides.receive.refs.iter().map(|r| &r.name).collect();
    let backups: Vec<(BString, Ref)> = backups.filter(|(_, backup)| !there.contains(&backup.name)).collect();
    if backups.is_empty() {
        return Ok(());
    }
    let command = |(_, backup): &(BString, Ref)| Command { name: backup.name.clone(), old: None, new: backup.id };
    let commands = backups.iter().map(command).collect();
    let mut pushed = Pushed::default();
    // Each backup succeeds or fails on its own.
    let options = Options { policy: Policy { atomic: false, ..options.policy.clone() }, ..options.clone() };
    if let Ended::Failed(failure) = push(commands, Vec::new(), false, sides, &options, &mut pushed).await {
        return Err(failure.error);
    }
    for (name, backup) in backups {
        match pushed.verdicts.remove(&backup.name) {
            Some(Verdict::Accepted) => sides.receive.refs.push(backup),
            Some(Verdict::Refused(refusal)) => plan.reject_unkept(&name, &refusal),
            None => {}
        }
    }
    Ok(())
}

/// The ref that keeps the old commit of a forced ref.
fn backup(name: &BString, old: ObjectId) -> Ref {
    let short = name.strip_prefix(b"refs/").unwrap_or(name);
    let mut kept = format!("{BACKUPS}{old}/").into_bytes();
    kept.extend_from_slice(short);
    Ref { name: kept.into(), id: old, peeled: None, symref_target: None }
}

const BACKUPS: &str = "refs/refsync/backup/";
