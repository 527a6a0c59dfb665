//! A sync between two Git remotes, with no clone and no disk: [`run`].
//!
//! It reads from top to bottom as the picture in [`crate::git`] does. [`Plan`] decides, without IO; `gate` and `proof` find
//! out what is a fast-forward, from the pack as it flows or by a question of its own; `transfer` and `relay` carry the
//! pack, in `batches` where the destination takes only small ones; `settle` and `refusal` know what became of it.

mod batches;
mod error;
mod gate;
mod plan;
mod policy;
mod progress;
mod proof;
mod refusal;
mod relay;
mod settle;
mod transfer;

use std::{cell::OnceCell, collections::HashSet, rc::Rc};

use futures_util::try_join;
use gix_hash::ObjectId;
use gix_object::bstr::BString;

pub use error::Error;
pub use plan::{Decision, Entry, Plan};
pub use policy::Policy;
pub use progress::{Observer, Phase, Progress};

use self::{
    batches::Pushed,
    gate::Claim,
    settle::{settle, settle_without_report},
};
use crate::{
    git::{self, PushOptions, ReceivePack, Ref, Remote, UploadPack},
    model::{Direction, Reason, SyncRequest},
};

/// How a sync is done, beyond what the request says.
#[derive(Clone, Default)]
pub struct Options {
    /// Who wants to know how far it is.
    pub observer: Observer,
    /// What it may do beyond going forward.
    pub policy: Policy,
    /// Words for the destination's hooks (`git push --push-option`), each without a line's end.
    pub push_options: Vec<String>,
}

impl Options {
    fn push_options(&self) -> PushOptions {
        PushOptions { atomic: self.policy.atomic, push_options: self.push_options.clone() }
    }
}

/// Syncs the refs that `request` names between `local` and `upstream`, and gives the plan as it was carried out.
///
/// # Errors
///
/// Where the work could not be done as a whole. A ref that is refused is not an error, but an outcome.
pub async fn run(request: &SyncRequest, local: &Remote, upstream: &Remote, options: &Options) -> Result<Plan, Error> {
    let observer = &options.observer;
    let (source, destination) = orient(request, local, upstream);
    let (mut sides, mut plan) = prepare(request, source, destination, options).await?;
    let mut claims = claims(&plan, &sides, &options.policy);
    if claims.is_empty() {
        proof::prove(&mut plan, &sides.upload, destination, observer).await?;
    }
    loop {
        plan.apply(&options.policy);
        keep_forced(&mut plan, &sides.receive, options).await?;
        plan.apply(&options.policy);
        let commands = plan.commands();
        if commands.is_empty() {
            return Ok(plan);
        }
        match batches::push(&commands, std::mem::take(&mut claims), &mut sides, options).await {
            Ok(Pushed::Reported { report, middles }) => {
                plan.accept_candidates();
                settle(&mut plan, &commands, report, &middles, destination).await?;
                return Ok(plan);
            }
            // The pack that flowed by left a doubt: ask, and push again what is proved.
            Ok(Pushed::Unproved) => proof::prove(&mut plan, &sides.upload, destination, observer).await?,
            Err(failure) => {
                plan.accept_candidates();
                settle_without_report(&mut plan, failure, destination).await?;
                return Ok(plan);
            }
        }
    }
}

/// What [`run`] would give now, where nothing moves and nothing is refused meanwhile; changes nothing.
///
/// # Errors
///
/// As [`run`].
pub async fn plan(request: &SyncRequest, local: &Remote, upstream: &Remote, options: &Options) -> Result<Plan, Error> {
    let (source, destination) = orient(request, local, upstream);
    let (sides, mut plan) = prepare(request, source, destination, options).await?;
    proof::prove(&mut plan, &sides.upload, destination, &options.observer).await?;
    plan.apply(&options.policy);
    Ok(plan)
}

/// The source and the destination: the only line that knows pull from push.
fn orient<'a>(request: &SyncRequest, local: &'a Remote, upstream: &'a Remote) -> (&'a Remote, &'a Remote) {
    match request.direction {
        Direction::Pull => (upstream, local),
        Direction::Push => (local, upstream),
    }
}

/// Both sides, and what is known of them.
struct Sides {
    upload: Rc<UploadPack>,
    source_ids: Vec<ObjectId>,
    receive: ReceivePack,
    ids: OnceCell<HashSet<ObjectId>>,
}

impl Sides {
    /// All that the destination is known to have; gathered at the first call, for a sync with nothing to do needs none.
    fn there(&self) -> &HashSet<ObjectId> {
        let gather = || self.receive.refs.iter().map(|r| r.id).chain(self.receive.haves.iter().copied()).collect();
        self.ids.get_or_init(gather)
    }

    /// What went wrong while pushing.
    fn push_error(&self, kind: git::ErrorKind) -> git::Error {
        self.receive.push_error(kind)
    }

    /// Adds what was pushed to what the destination has.
    fn have_arrived(&mut self, pushed: impl Iterator<Item = ObjectId>) {
        self.there();
        self.ids.get_mut().expect("they are gathered above").extend(pushed);
    }
}

/// Lists the refs of both sides at once, and plans.
async fn prepare(
    request: &SyncRequest,
    source: &Remote,
    destination: &Remote,
    options: &Options,
) -> Result<(Sides, Plan), Error> {
    options.observer.report(Phase::Listing, 0, None);
    // In this order: a list to write by is the longer one.
    let (receive, (upload, source_refs)) = try_join!(connect(destination), list(source, request))?;
    if upload.object_format() != receive.object_format {
        return Err(Error::ObjectFormat {
            source_format: upload.object_format(),
            destination_format: receive.object_format,
        });
    }
    let source_ids = source_refs.iter().map(|r| r.id).collect();
    let plan = Plan::new(source_refs, &receive.refs, &request.ref_globs, &options.policy, receive.object_format);
    check_deletions(&plan, &options.policy)?;
    Ok((Sides { upload, source_ids, receive, ids: OnceCell::new() }, plan))
}

async fn list(source: &Remote, request: &SyncRequest) -> Result<(Rc<UploadPack>, Vec<Ref>), Error> {
    let (upload, refs) = source.list_refs(&Plan::prefixes(&request.ref_globs)).await.map_err(Error::Source)?;
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

/// Keeps the old commits of what is going to be forced; a ref whose old commit cannot be kept stays.
async fn keep_forced(plan: &mut Plan, destination: &ReceivePack, options: &Options) -> Result<(), Error> {
    let names: HashSet<&BString> =
        plan.entries.iter().filter(|e| e.decision == Decision::Force).map(|e| &e.name).collect();
    if names.is_empty() {
        return Ok(());
    }
    let forced: Vec<Ref> = destination.refs.iter().filter(|r| names.contains(&r.name)).cloned().collect();
    for (r, why) in transfer::back_up(&forced, destination, options).await? {
        let message = format!("its old commit could not be kept: {why}");
        for entry in plan.entries.iter_mut().filter(|entry| entry.name == r.name) {
            entry.decision = Decision::Rejected(Reason::RemoteRefused, Some(message.clone()));
        }
    }
    Ok(())
}

/// What the pack itself can prove while it flows; nothing where a question of its own is the better way.
///
/// That is so where many updates are to be proved (one that has diverged spoils the push of all), where an update's
/// commit is not going to be in the pack, for tags, of which the destination does not tell the commits, and where a ref that
/// is rejected already holds back all others.
fn claims(plan: &Plan, sides: &Sides, policy: &Policy) -> Vec<Claim> {
    if policy.atomic && plan.entries.iter().any(Entry::is_rejected) {
        return Vec::new();
    }
    let candidates: Vec<&Entry> = plan.entries.iter().filter(|e| e.decision == Decision::Candidate).collect();
    if candidates.is_empty() || candidates.len() > MAX_CLAIMS {
        return Vec::new();
    }
    if candidates.iter().any(|e| e.is_tag() || sides.there().contains(&e.source)) {
        return Vec::new();
    }
    candidates.into_iter().filter_map(|e| Some(Claim { base: e.destination?, tip: e.source })).collect()
}

/// How many updates are proved from the flowing pack.
const MAX_CLAIMS: usize = 4;
