//! One fetch whose pack flows into one push; and the push before it that keeps what is going to be forced.

use std::{collections::HashSet, rc::Rc};

use bytes::Bytes;
use futures_util::{Stream, StreamExt, TryStreamExt, future::maybe_done, poll};
use gix_hash::ObjectId;
use gix_object::bstr::{BStr, BString, ByteSlice};

use super::{
    Error, Options, Sides,
    gate::{Claim, Gate},
    policy::backup_name,
    relay::{Cut, relay},
};
use crate::git::{self, Command, FetchRequest, PushOptions, ReceivePack, Ref, Report, UploadPack, empty_pack};

/// How a transfer ended.
pub(super) enum Transfer {
    /// The destination reported on every command.
    Reported(Report),
    /// The pack did not prove the claims; nothing was changed.
    Unproved,
}

/// Why a transfer did not end with a report.
pub(super) struct Failure {
    /// What happened.
    pub(super) error: Error,
    /// What the destination may have done all the same.
    pub(super) doubt: Doubt,
}

/// What a destination may have done of a push that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Doubt {
    /// Nothing.
    None,
    /// A part of it is done.
    Partly,
    /// It has the whole pack, and may still be at work on it.
    AtWork,
}

/// Fetches what is missing and pushes it as it comes, to its end only if it proves all `claims`.
pub(super) async fn transfer(
    commands: &[Command],
    claims: Vec<Claim>,
    sides: &Sides,
    options: &Options,
) -> Result<Transfer, Failure> {
    let Sides { upload: source, receive: destination, .. } = sides;
    let there = sides.there();
    let mut asked = HashSet::new();
    let is_missing = |id: &ObjectId| !id.is_null() && !there.contains(id) && asked.insert(*id);
    let wants: Vec<ObjectId> = commands.iter().map(|command| command.new).filter(is_missing).collect();
    let pack = if commands.iter().all(|command| command.new.is_null()) {
        // A push of deletions alone carries no pack.
        futures_util::stream::empty().boxed_local()
    } else if wants.is_empty() {
        // The destination has all the objects, and still expects a pack.
        futures_util::stream::iter([Ok(empty_pack(destination.object_format))]).boxed_local()
    } else {
        let haves = haves(commands, &sides.source_ids, there);
        let thin = destination.takes_thin_packs();
        fetch(source.clone(), FetchRequest { wants, haves, thin, ..FetchRequest::default() }).await.boxed_local()
    };
    let gate = Gate::new(claims, destination.object_format);
    let unreadable = source.clone();
    let (body, ending) = relay(pack, gate, move |kind| unreadable.fetch_error(kind), options.observer.clone());

    let report = destination.push(commands, &options.push_options(), body).await;
    let is_whole = ending.is_whole();
    match (ending.take(), report) {
        (Some(Cut::Source(error)), _) => Err(Failure { error: Error::Source(error), doubt: Doubt::None }),
        // A destination that answers early has its reasons: they count, and no second push would fare better.
        (_, Err(error)) => {
            let doubt = if is_whole && leaves_doubt(&error.kind) { Doubt::AtWork } else { Doubt::None };
            Err(Failure { error: Error::Destination(error), doubt })
        }
        (Some(Cut::Unproved), Ok(_)) => Ok(Transfer::Unproved),
        (None, Ok(report)) => Ok(Transfer::Reported(report)),
    }
}

/// Whether a push that failed so may be done all the same: its answer was lost, or something between us and the
/// destination gave up waiting.
fn leaves_doubt(kind: &git::ErrorKind) -> bool {
    match kind {
        git::ErrorKind::Http(_) | git::ErrorKind::Protocol(_) => true,
        git::ErrorKind::Status { status, .. } => matches!(status, 408 | 500..),
        _ => false,
    }
}

/// The pack, asked for at once: the source is at work on it while the destination starts its own.
async fn fetch(source: Rc<UploadPack>, request: FetchRequest) -> impl Stream<Item = Result<Bytes, git::Error>> {
    let pack = async move {
        let answer = source.fetch(&request, |_| ()).await?;
        let no_pack = || source.fetch_error(git::ErrorKind::Protocol("there is no pack in the answer".into()));
        let pack = answer.pack.ok_or_else(no_pack)?;
        Ok(pack.map_err(move |kind| source.fetch_error(kind)))
    };
    let mut pack = Box::pin(maybe_done(pack));
    // The first poll is what sends the request.
    let _ = poll!(pack.as_mut());
    let answer = async move {
        pack.as_mut().await;
        pack.as_mut().take_output().expect("it is taken once, when it is there")
    };
    futures_util::stream::once(answer).try_flatten()
}

/// What need not be sent: the old tips of what changes, and a bounded number of ids that both sides have. More would cost
/// without helping, for the source looks each one up.
pub(super) fn haves(commands: &[Command], source_ids: &[ObjectId], there: &HashSet<ObjectId>) -> Vec<ObjectId> {
    let mut seen = HashSet::new();
    let old_tips = commands.iter().filter_map(|command| command.old);
    let most =
        if commands.iter().any(|command| command.old.is_none()) { SHARED_HAVES } else { SHARED_HAVES_OF_UPDATES };
    let shared = source_ids.iter().copied().filter(|id| there.contains(id)).take(most);
    old_tips.chain(shared).filter(|id| seen.insert(*id)).collect()
}

/// How many ids that both sides have are told to the source: what a new ref grew from is somewhere among them.
const SHARED_HAVES: usize = 256;
/// The same where refs only move: their old tips say nearly all, save what was merged from elsewhere. 256 take Git 4 ms.
const SHARED_HAVES_OF_UPDATES: usize = 64;

/// Keeps the old commits of the refs that are to be forced, each under a name of its own. Gives those that could not be
/// kept, and why.
pub(super) async fn back_up(
    forced: &[Ref],
    destination: &ReceivePack,
    options: &Options,
) -> Result<Vec<(Ref, String)>, Error> {
    let there: HashSet<&BStr> = destination.refs.iter().map(|r| r.name.as_bstr()).collect();
    let missing: Vec<(&Ref, BString)> = forced
        .iter()
        .map(|r| (r, BString::from(backup_name(r))))
        // The name has the id in it: where it is there, this very commit is kept already.
        .filter(|(_, name)| !there.contains(name.as_bstr()))
        .collect();
    if missing.is_empty() {
        return Ok(Vec::new());
    }
    let commands: Vec<Command> =
        missing.iter().map(|(r, name)| Command { name: name.clone(), old: None, new: r.id }).collect();
    let pack = || futures_util::stream::iter([Ok(empty_pack(destination.object_format))]).boxed_local();
    let push_options = PushOptions { atomic: false, ..options.push_options() };
    let mut report = destination.push(&commands, &push_options, pack()).await;
    if let Err(refusal) = &report
        && destination.gains_credentials(refusal).await
    {
        report = destination.push(&commands, &push_options, pack()).await;
    }
    let report = report.map_err(Error::Destination)?;
    let refusal = |name: &BString| match (&report.unpack_error, report.refs.get(name)) {
        (Some(why), _) | (None, Some(Some(why))) => Some(why.clone()),
        (None, None) => Some("the destination reported nothing on it".to_owned()),
        (None, Some(None)) => None,
    };
    Ok(missing.into_iter().filter_map(|(r, name)| Some((r.clone(), refusal(&name)?))).collect())
}
