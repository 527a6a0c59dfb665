//! The old commits of refs that are forced or deleted.

use std::collections::HashSet;

use gix_object::bstr::BString;

use super::{
    error::Error,
    options::Options,
    plan::Plan,
    policy::Policy,
    push::{Ended, Pushed, push},
    sides::Sides,
    verdict::Verdict,
};
use crate::git::{Command, Ref};

/// Keeps the old commits of refs that will be forced, and of those that will be deleted if the policy says so, each under
/// its own name. If an old commit cannot be kept, its ref is not moved.
pub(super) async fn keep_old(plan: &mut Plan, sides: &mut Sides, options: &Options) -> Result<(), Error> {
    // The name contains the id. If the name exists, this commit is kept already.
    let there: HashSet<&BString> = sides.receive.refs.iter().map(|r| &r.name).collect();
    let backups: Vec<(BString, Ref)> = plan.backups().filter(|(_, backup)| !there.contains(&backup.name)).collect();
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
