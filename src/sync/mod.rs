//! A sync between two Git remotes, with no clone and no disk: [`run`].
//!
//! It reads from top to bottom as the picture in [`crate::git`] does. [`Plan`] decides, without IO; `proof` finds out what is
//! a fast-forward; `relay` carries the pack; `refusal` knows what destinations say when they refuse.

mod error;
mod plan;
mod progress;
mod proof;
mod refusal;
mod relay;

use std::collections::{HashMap, HashSet};

use futures_util::{StreamExt, try_join};
use gix_hash::ObjectId;
use gix_object::bstr::BString;

pub use error::Error;
pub use plan::{Decision, Entry, Plan};
pub use progress::{Observer, Phase, Progress};

use crate::{
    git::{self, Command, FetchRequest, ReceivePack, Ref, Remote, Report, UploadPack, empty_pack},
    model::{Direction, Reason, SyncRequest, SyncRunStats},
};

/// How a sync is done, beyond what the request says.
#[derive(Clone, Default)]
pub struct Options {
    /// Who wants to know how far it is.
    pub observer: Observer,
}

/// Syncs the refs that `request` names between `local` and `upstream`.
///
/// # Errors
///
/// Where the work could not be done as a whole. A ref that is refused is not an error, but an outcome in the stats.
pub async fn run(
    request: &SyncRequest,
    local: &Remote,
    upstream: &Remote,
    options: &Options,
) -> Result<SyncRunStats, Error> {
    let (source, destination) = match request.direction {
        Direction::Pull => (upstream, local),
        Direction::Push => (local, upstream),
    };
    let observer = &options.observer;

    observer.report(Phase::Listing, 0, None);
    let ((upload, source_refs), receive) = try_join!(list(source, request), connect(destination))?;
    if upload.object_format() != receive.object_format {
        return Err(Error::ObjectFormat {
            source_format: upload.object_format(),
            destination_format: receive.object_format,
        });
    }

    let mut plan = Plan::new(&source_refs, &receive.refs, &request.ref_globs, receive.object_format);
    proof::prove(&mut plan, &upload, destination, observer).await?;

    let commands = plan.commands();
    if !commands.is_empty() {
        match transfer(&commands, &upload, &source_refs, &receive, observer).await {
            Ok(report) => settle(&mut plan, &commands, report, destination).await?,
            Err(error) => settle_without_report(&mut plan, error, destination).await?,
        }
    }
    Ok(plan.into_stats())
}

/// What [`run`] would do now, without changing anything: the stats, where nothing moves and nothing is refused meanwhile.
///
/// # Errors
///
/// As [`run`].
pub async fn plan(
    request: &SyncRequest,
    local: &Remote,
    upstream: &Remote,
    options: &Options,
) -> Result<SyncRunStats, Error> {
    let (source, destination) = match request.direction {
        Direction::Pull => (upstream, local),
        Direction::Push => (local, upstream),
    };
    let ((upload, source_refs), receive) = try_join!(list(source, request), connect(destination))?;
    if upload.object_format() != receive.object_format {
        return Err(Error::ObjectFormat {
            source_format: upload.object_format(),
            destination_format: receive.object_format,
        });
    }
    let mut plan = Plan::new(&source_refs, &receive.refs, &request.ref_globs, receive.object_format);
    proof::prove(&mut plan, &upload, destination, &options.observer).await?;
    Ok(plan.into_stats())
}

async fn list(source: &Remote, request: &SyncRequest) -> Result<(UploadPack, Vec<Ref>), Error> {
    let upload = source.upload_pack().await.map_err(Error::Source)?;
    let prefixes = Plan::prefixes(&request.ref_globs);
    // Without a prefix a server would list everything.
    let refs = if prefixes.is_empty() { Vec::new() } else { upload.ls_refs(&prefixes).await.map_err(Error::Source)? };
    Ok((upload, refs))
}

async fn connect(destination: &Remote) -> Result<ReceivePack, Error> {
    destination.receive_pack().await.map_err(Error::Destination)
}

/// Fetches what is missing and pushes it as it comes.
async fn transfer(
    commands: &[Command],
    source: &UploadPack,
    source_refs: &[Ref],
    destination: &ReceivePack,
    observer: &Observer,
) -> Result<Report, Error> {
    let there: HashSet<ObjectId> =
        destination.refs.iter().map(|r| r.id).chain(destination.haves.iter().copied()).collect();
    let mut asked = HashSet::new();
    let wants: Vec<ObjectId> =
        commands.iter().map(|command| command.new).filter(|id| !there.contains(id) && asked.insert(*id)).collect();

    let (pack, breakage) = if wants.is_empty() {
        // The destination has all the objects, and still expects a pack.
        let empty = futures_util::stream::iter([Ok(empty_pack(destination.object_format))]);
        relay::relay(empty.boxed_local(), observer.clone())
    } else {
        let request = FetchRequest {
            wants,
            haves: haves(commands, source_refs, &there),
            thin: destination.takes_thin_packs(),
            ..FetchRequest::default()
        };
        let answer = source.fetch(&request, |_| ()).await.map_err(Error::Source)?;
        let no_pack = || git::ErrorKind::Protocol("there is no pack in the answer".into());
        let pack = answer.pack.ok_or_else(|| Error::Source(source.fetch_error(no_pack())))?;
        relay::relay(pack, observer.clone())
    };

    let report = destination.push(commands, pack).await;
    match breakage.take() {
        Some(kind) => Err(Error::Source(source.fetch_error(kind))),
        None => report.map_err(Error::Destination),
    }
}

/// What need not be sent: the old tips of what changes, and a bounded number of ids that both sides have. More would cost
/// without helping, for the source looks each one up.
fn haves(commands: &[Command], source_refs: &[Ref], there: &HashSet<ObjectId>) -> Vec<ObjectId> {
    let mut seen = HashSet::new();
    let old_tips = commands.iter().filter_map(|command| command.old);
    let shared = source_refs.iter().map(|r| r.id).filter(|id| there.contains(id)).take(MAX_SHARED_HAVES);
    old_tips.chain(shared).filter(|id| seen.insert(*id)).collect()
}

/// Writes the report's refusals into the plan.
async fn settle(plan: &mut Plan, commands: &[Command], report: Report, destination: &Remote) -> Result<(), Error> {
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
async fn settle_without_report(plan: &mut Plan, error: Error, destination: &Remote) -> Result<(), Error> {
    // Only a push whose answer was lost leaves a doubt.
    let is_in_doubt = matches!(&error, Error::Destination(e) if matches!(e.kind, git::ErrorKind::Http(_) | git::ErrorKind::Protocol(_)));
    let Some(now) = (if is_in_doubt { current_refs(destination).await.ok() } else { None }) else { return Err(error) };
    let is_done = |entry: &Entry| now.get(&entry.name) == Some(&entry.source);
    let is_pending = |entry: &Entry| matches!(entry.decision, Decision::Create | Decision::FastForward);
    if !plan.entries.iter().any(|entry| is_pending(entry) && is_done(entry)) {
        return Err(error);
    }
    for entry in plan.entries.iter_mut().filter(|entry| is_pending(entry)) {
        if now.get(&entry.name) != Some(&entry.source) {
            entry.destination = now.get(&entry.name).copied();
            entry.decision = Decision::Rejected(Reason::RemoteRefused, Some(format!("no report came: {error}")));
        }
    }
    Ok(())
}

async fn current_refs(destination: &Remote) -> Result<HashMap<BString, ObjectId>, Error> {
    Ok(connect(destination).await?.refs.into_iter().map(|r| (r.name, r.id)).collect())
}

/// How many ids that both sides have are told to the source.
const MAX_SHARED_HAVES: usize = 256;
