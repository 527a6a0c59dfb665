//! A sync between two Git remotes, with no clone and no disk: [`run`].
//!
//! It follows the picture in [`crate::git`] from top to bottom. [`Plan`] decides, without IO. `push::gate` and `proof` prove
//! fast-forwards: from the pack as it flows, or with separate requests. `alias` leaves symbolic refs at the destination
//! alone. `push` sends the commands: `push::narrow` chooses the requests, `push::transfer` and `push::relay` carry the
//! pack of one request. `verdict` interprets refusals, and `conclude` writes the result of each ref into the plan.

mod alias;
mod backup;
mod conclude;
mod divergence;
mod error;
mod move_refs;
mod options;
mod plan;
mod policy;
mod progress;
mod proof;
mod push;
mod selection;
mod sides;
mod update;
mod verdict;

pub use error::Error;
pub use move_refs::move_refs;
pub use options::Options;
pub use plan::{Decision, Entry, Plan};
pub use policy::{Move, Policy};
pub use progress::{Observer, Phase, Progress};
pub use selection::{Selection, Unmatched};

use self::{
    alias::spare_aliases,
    backup::keep_old,
    conclude::{conclude, conclude_failure},
    divergence::measure,
    push::{Ended, Pushed, narrow::MAX_COMMANDS, push},
    sides::Sides,
    update::Update,
};
use crate::git::{Command, Remote};

/// Syncs the refs that `selection` names from the source to the destination. Returns the plan with the result of each ref.
///
/// # Errors
///
/// If the sync failed as a whole. A refused ref is not an error but an outcome.
pub async fn run(
    selection: &Selection,
    source: &Remote,
    destination: &Remote,
    options: &Options,
) -> Result<Plan, Error> {
    let (mut sides, mut plan) = prepare(selection, source, destination, options).await?;
    carry_out(&mut plan, &mut sides, selection, source, destination, options).await?;
    measure(&mut plan, &sides.upload, destination).await;
    Ok(plan)
}

/// Proves and pushes, and writes the result of each ref into the plan.
async fn carry_out(
    plan: &mut Plan,
    sides: &mut Sides,
    selection: &Selection,
    source: &Remote,
    destination: &Remote,
    options: &Options,
) -> Result<(), Error> {
    let mut claims = claims(plan, sides, &options.policy);
    let mut is_proved = !claims.is_empty();
    let mut refused: Option<Vec<Command>> = None;
    loop {
        if !is_proved {
            prove(plan, sides, selection, source, destination, options).await?;
        }
        plan.apply(&options.policy);
        keep_old(plan, sides, options).await?;
        plan.apply(&options.policy);
        let commands = plan.commands();
        if commands.is_empty() {
            return Ok(());
        }
        let is_refused = refused.take().is_some_and(|refused| refused == commands);
        let mut pushed = Pushed::default();
        let ended = push(commands.clone(), std::mem::take(&mut claims), is_refused, sides, options, &mut pushed).await;
        if let Ended::All | Ended::Failed(_) = ended {
            plan.accept_candidates();
        }
        conclude(plan, pushed, destination).await;
        match ended {
            Ended::All => return Ok(()),
            Ended::Failed(failure) => {
                conclude_failure(plan, failure, destination).await?;
                return Ok(());
            }
            // The pack on its way did not prove everything: ask the source, and push again.
            Ended::Unproved { is_refused } => refused = is_refused.then_some(commands),
            Ended::Stale => relist(plan, sides, selection, source, options).await?,
        }
        is_proved = false;
    }
}

/// The result that [`run`] would have now if nothing moves meanwhile and nothing is refused. Changes nothing.
///
/// # Errors
///
/// As [`run`].
pub async fn plan(
    selection: &Selection,
    source: &Remote,
    destination: &Remote,
    options: &Options,
) -> Result<Plan, Error> {
    let (mut sides, mut plan) = prepare(selection, source, destination, options).await?;
    prove(&mut plan, &mut sides, selection, source, destination, options).await?;
    plan.apply(&options.policy);
    measure(&mut plan, &sides.upload, destination).await;
    Ok(plan)
}

/// Proves the candidates. If the source was rewritten since it was listed, it is listed again, once.
async fn prove(
    plan: &mut Plan,
    sides: &mut Sides,
    selection: &Selection,
    source: &Remote,
    destination: &Remote,
    options: &Options,
) -> Result<(), Error> {
    match proof::prove(plan, &sides.upload, destination, &options.observer, sides.is_relisted).await {
        Err(Error::Source(error)) if verdict::is_stale(&error) && !sides.is_relisted => {
            relist(plan, sides, selection, source, options).await?;
            proof::prove(plan, &sides.upload, destination, &options.observer, sides.is_relisted).await
        }
        result => result,
    }
}

/// Lists the source's refs again.
async fn relist(
    plan: &mut Plan,
    sides: &mut Sides,
    selection: &Selection,
    source: &Remote,
    options: &Options,
) -> Result<(), Error> {
    let refs = sides.relist(selection, source).await?;
    plan.relist(&refs, &sides.receive.refs, &options.policy);
    Ok(())
}

/// Lists the refs of both sides at once, and makes the plan. The destination's symbolic refs are left alone.
async fn prepare(
    selection: &Selection,
    source: &Remote,
    destination: &Remote,
    options: &Options,
) -> Result<(Sides, Plan), Error> {
    options.observer.report(Phase::Listing, 0, None);
    let (sides, source_refs) = Sides::connect(selection, source, destination).await?;
    let there = &sides.receive.refs;
    let mut plan = Plan::new(source_refs, there, selection, &options.policy, sides.receive.object_format);
    spare_aliases(&mut plan, there, destination).await;
    check_deletions(&plan, &options.policy)?;
    Ok((sides, plan))
}

fn check_deletions(plan: &Plan, policy: &Policy) -> Result<(), Error> {
    match (plan.deletions(), policy.prune) {
        (count, Some(limit)) if count > limit as usize => Err(Error::TooManyDeletions { count, limit }),
        _ => Ok(()),
    }
}

/// The claims that the pack itself can prove while it flows; `None` if a separate proof is better.
///
/// A separate proof is better in four cases. There are many updates: a single diverged one spoils the push of all. An
/// update's commit will not be in the pack. An update is a tag: the destination does not tell its commit. Or a rejected ref
/// already holds back all others.
fn claims(plan: &Plan, sides: &Sides, policy: &Policy) -> Vec<Update> {
    if policy.atomic && plan.entries.iter().any(Entry::is_rejected) {
        return Vec::new();
    }
    let candidates: Vec<&Entry> = plan.entries.iter().filter(|e| e.decision == Decision::Candidate).collect();
    let commands = plan.entries.iter().filter(|entry| entry.is_open()).count();
    if candidates.is_empty() || candidates.len() > MAX_CLAIMS || commands > MAX_COMMANDS {
        return Vec::new();
    }
    if candidates.iter().any(|e| e.is_tag() || sides.there().contains(&e.source)) {
        return Vec::new();
    }
    candidates
        .into_iter()
        .filter_map(|e| Some(Update { base: e.destination?, want: e.source, tip: e.source }))
        .collect()
}

/// The most updates that are proved from the flowing pack.
const MAX_CLAIMS: usize = 4;
