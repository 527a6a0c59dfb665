//! A sync between two Git remotes, with no clone and no disk: [`run`].
//!
//! It follows the picture in [`crate::git`] from top to bottom. [`Plan`] decides, without IO. `gate` and `proof` prove
//! fast-forwards: from the pack as it flows, or with separate requests. `alias` leaves symbolic refs at the destination
//! alone. `push` sends the commands, in the requests that `narrow` chooses; `transfer` and `relay` carry the pack of one
//! request. `verdict` interprets refusals, and `settle` writes the result of each ref into the plan.

mod alias;
mod error;
mod gate;
mod narrow;
mod plan;
mod policy;
mod progress;
mod proof;
mod push;
mod relay;
mod selection;
mod settle;
mod transfer;
mod verdict;

use std::{cell::OnceCell, collections::HashSet, rc::Rc};

use futures_util::try_join;
use gix_hash::ObjectId;
use gix_object::bstr::BString;

pub use error::Error;
pub use plan::{Decision, Entry, Plan};
pub use policy::{Policy, can_exclude};
pub use progress::{Observer, Phase, Progress};
pub use selection::{Request, Selection, Unmatched};

use self::{
    alias::spare_aliases,
    gate::Claim,
    push::{Ended, Pushed, Verdict, push},
    settle::{settle, settle_failure},
};
use crate::{
    api::Direction,
    git::{Command, PushOptions, ReceivePack, Ref, Remote, UploadPack},
};

/// Options of a sync that are not part of the request.
#[derive(Clone, Default)]
pub struct Options {
    /// The observer of the progress.
    pub observer: Observer,
    /// What it may do besides fast-forwards.
    pub policy: Policy,
    /// Push options for the destination's hooks (`git push --push-option`), each without a line break.
    pub push_options: Vec<String>,
}

impl Options {
    fn push_options(&self) -> PushOptions {
        PushOptions { atomic: self.policy.atomic, push_options: self.push_options.clone() }
    }
}

/// Syncs the refs that `request` names between `local` and `upstream`. Returns the plan with the result of each ref.
///
/// # Errors
///
/// If the sync failed as a whole. A refused ref is not an error but an outcome.
pub async fn run(
    request: impl Into<Request>,
    local: &Remote,
    upstream: &Remote,
    options: &Options,
) -> Result<Plan, Error> {
    let Request { direction, selection } = request.into();
    let (source, destination) = orient(direction, local, upstream);
    let (mut sides, mut plan) = prepare(&selection, source, destination, options).await?;
    let mut claims = claims(&plan, &sides, &options.policy);
    let mut is_proved = !claims.is_empty();
    let mut refused: Option<Vec<Command>> = None;
    loop {
        if !is_proved {
            prove(&mut plan, &mut sides, &selection, source, destination, options).await?;
        }
        plan.apply(&options.policy);
        keep_forced(&mut plan, &mut sides, options).await?;
        plan.apply(&options.policy);
        let commands = plan.commands();
        if commands.is_empty() {
            return Ok(plan);
        }
        let is_refused = refused.take().is_some_and(|refused| refused == commands);
        let mut pushed = Pushed::default();
        let ended =
            push(commands.clone(), std::mem::take(&mut claims), is_refused, &mut sides, options, &mut pushed).await;
        if let Ended::All | Ended::Failed(_) = ended {
            plan.accept_candidates();
        }
        settle(&mut plan, pushed, destination).await;
        match ended {
            Ended::All => return Ok(plan),
            Ended::Failed(failure) => {
                settle_failure(&mut plan, failure, destination).await?;
                return Ok(plan);
            }
            // The pack on its way did not prove everything: ask the source, and push again.
            Ended::Unproved { is_refused } => refused = is_refused.then_some(commands),
            Ended::Stale => relist(&mut plan, &mut sides, &selection, source, options).await?,
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
    request: impl Into<Request>,
    local: &Remote,
    upstream: &Remote,
    options: &Options,
) -> Result<Plan, Error> {
    let Request { direction, selection } = request.into();
    let (source, destination) = orient(direction, local, upstream);
    let (mut sides, mut plan) = prepare(&selection, source, destination, options).await?;
    prove(&mut plan, &mut sides, &selection, source, destination, options).await?;
    plan.apply(&options.policy);
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
    let (upload, refs) = list(source, selection).await?;
    plan.relist(&refs, &sides.receive.refs, &options.policy);
    sides.upload = upload;
    sides.source_ids = refs.iter().map(|r| r.id).collect();
    sides.is_relisted = true;
    Ok(())
}

/// The source and the destination. Only this line distinguishes pull from push.
fn orient<'a>(direction: Direction, local: &'a Remote, upstream: &'a Remote) -> (&'a Remote, &'a Remote) {
    match direction {
        Direction::Pull => (upstream, local),
        Direction::Push => (local, upstream),
    }
}

/// Both sides, and what is known about them.
struct Sides {
    upload: Rc<UploadPack>,
    source_ids: Vec<ObjectId>,
    receive: ReceivePack,
    ids: OnceCell<HashSet<ObjectId>>,
    /// Whether the source was listed again, because it had been rewritten.
    is_relisted: bool,
}

impl Sides {
    /// All ids that the destination is known to have. Collected at the first call, because a sync with nothing to do does
    /// not need them.
    fn there(&self) -> &HashSet<ObjectId> {
        let gather = || self.receive.refs.iter().map(|r| r.id).chain(self.receive.haves.iter().copied()).collect();
        self.ids.get_or_init(gather)
    }

    /// Adds the pushed ids to the ids that the destination has.
    fn have_arrived(&mut self, pushed: impl Iterator<Item = ObjectId>) {
        self.there();
        self.ids.get_mut().expect("they are gathered above").extend(pushed);
    }
}

/// Lists the refs of both sides at once, and makes the plan. The destination's symbolic refs are left alone.
async fn prepare(
    selection: &Selection,
    source: &Remote,
    destination: &Remote,
    options: &Options,
) -> Result<(Sides, Plan), Error> {
    options.observer.report(Phase::Listing, 0, None);
    // Destination first: its ref list is usually the longer one.
    let (receive, (upload, source_refs)) = try_join!(connect(destination), list(source, selection))?;
    if upload.object_format() != receive.object_format {
        return Err(Error::ObjectFormat {
            source_format: upload.object_format(),
            destination_format: receive.object_format,
        });
    }
    let source_ids = source_refs.iter().map(|r| r.id).collect();
    let mut plan = Plan::new(source_refs, &receive.refs, selection, &options.policy, receive.object_format);
    spare_aliases(&mut plan, &receive.refs, destination).await;
    check_deletions(&plan, &options.policy)?;
    Ok((Sides { upload, source_ids, receive, ids: OnceCell::new(), is_relisted: false }, plan))
}

async fn list(source: &Remote, selection: &Selection) -> Result<(Rc<UploadPack>, Vec<Ref>), Error> {
    let (upload, refs) = source.list_refs(&selection.prefixes()).await.map_err(Error::Source)?;
    Ok((Rc::new(upload), refs))
}

async fn connect(destination: &Remote) -> Result<ReceivePack, Error> {
    destination.receive_pack().await.map_err(Error::Destination)
}

fn check_deletions(plan: &Plan, policy: &Policy) -> Result<(), Error> {
    match (plan.deletions(), policy.prune) {
        (count, Some(limit)) if count > limit as usize => Err(Error::TooManyDeletions { count, limit }),
        _ => Ok(()),
    }
}

/// Keeps the old commits of refs that will be forced, each under its own name. If an old commit cannot be kept, its ref is
/// not moved.
async fn keep_forced(plan: &mut Plan, sides: &mut Sides, options: &Options) -> Result<(), Error> {
    let forced = plan.entries.iter().filter(|entry| entry.is_open() && entry.decision == Decision::Force);
    let backups =
        forced.filter_map(|entry| Some((entry.name.clone(), policy::backup(&entry.name, entry.destination?))));
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

/// The claims that the pack itself can prove while it flows; `None` if a separate proof is better.
///
/// A separate proof is better in four cases. There are many updates: a single diverged one spoils the push of all. An
/// update's commit will not be in the pack. An update is a tag: the destination does not tell its commit. Or a rejected ref
/// already holds back all others.
fn claims(plan: &Plan, sides: &Sides, policy: &Policy) -> Vec<Claim> {
    if policy.atomic && plan.entries.iter().any(Entry::is_rejected) {
        return Vec::new();
    }
    let candidates: Vec<&Entry> = plan.entries.iter().filter(|e| e.decision == Decision::Candidate).collect();
    let commands = plan.entries.iter().filter(|entry| entry.is_open()).count();
    if candidates.is_empty() || candidates.len() > MAX_CLAIMS || commands > narrow::MAX_COMMANDS {
        return Vec::new();
    }
    if candidates.iter().any(|e| e.is_tag() || sides.there().contains(&e.source)) {
        return Vec::new();
    }
    candidates.into_iter().filter_map(|e| Some(Claim { base: e.destination?, tip: e.source })).collect()
}

/// The most updates that are proved from the flowing pack.
const MAX_CLAIMS: usize = 4;
