//! One fetch, and one push that sends the fetched pack as it comes.

use std::{collections::HashSet, rc::Rc};

use bytes::Bytes;
use futures_util::{Stream, StreamExt, TryStreamExt, stream::LocalBoxStream};
use gix_hash::ObjectId;

use super::{
    gate::Gate,
    relay::{Cut, relay},
};
use crate::{
    git::{self, Command, FetchRequest, Report, UploadPack, empty_pack},
    sync::{error::Error, options::Options, sides::Sides, update::Update},
};

/// How a transfer ended.
pub(super) enum Transfer {
    /// The destination reported on every command. `is_whole`: it was sent the whole pack, so all claims are proved.
    Reported { report: Report, is_whole: bool },
    /// The pack did not prove the claims; nothing was changed.
    Unproved,
}

/// Why a transfer did not end with a report.
pub(in crate::sync) struct TransferError {
    /// What happened.
    pub(in crate::sync) error: Error,
    /// What the destination may have done despite the failure.
    pub(in crate::sync) doubt: Doubt,
    /// How many bytes of the pack were sent.
    pub(in crate::sync) bytes_sent: u64,
}

/// How much of a failed push a destination may have done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sync) enum Doubt {
    /// Nothing.
    None,
    /// A part of it.
    Partly,
    /// It has the whole pack, and may still be working on it.
    AtWork,
}

/// Fetches the missing objects and pushes them as they come. The end of the pack is sent only if it proves all `claims`.
///
/// The push starts when the pack's first bytes have come, because a destination gives up if it has to wait for them.
pub(super) async fn transfer(
    commands: &[Command],
    claims: Vec<Update>,
    sides: &Sides,
    options: &Options,
) -> Result<Transfer, TransferError> {
    let Sides { upload: source, receive: destination, .. } = sides;
    let mut pack = pack(commands, sides).await;
    let first = match pack.next().await.transpose() {
        Ok(first) => first,
        Err(error) => return Err(TransferError { error: Error::Source(error), doubt: Doubt::None, bytes_sent: 0 }),
    };
    let pack = futures_util::stream::iter(first.map(Ok)).chain(pack);
    let gate = Gate::new(claims, destination.object_format, source.limits());
    let unreadable = source.clone();
    let (body, ending) = relay(pack, gate, move |kind| unreadable.fetch_error(kind), options.observer.clone());

    let report = destination.push(commands, &options.push_options(), body).await;
    let (is_whole, bytes_sent) = (ending.is_whole(), ending.bytes());
    match (ending.take(), report) {
        (Some(Cut::Source(error)), _) => {
            Err(TransferError { error: Error::Source(error), doubt: Doubt::None, bytes_sent })
        }
        // If a destination answers early, its answer is used. A second push would not succeed either.
        (_, Err(error)) => {
            let doubt = if is_whole && leaves_doubt(&error.kind) { Doubt::AtWork } else { Doubt::None };
            Err(TransferError { error: Error::Destination(error), doubt, bytes_sent })
        }
        (Some(Cut::Unproved), Ok(_)) => Ok(Transfer::Unproved),
        (None, Ok(report)) => Ok(Transfer::Reported { report, is_whole }),
    }
}

/// The pack that goes with the commands.
async fn pack(commands: &[Command], sides: &Sides) -> LocalBoxStream<'static, Result<Bytes, git::Error>> {
    let there = sides.there();
    let mut asked = HashSet::new();
    let is_missing = |id: &ObjectId| !id.is_null() && !there.contains(id) && asked.insert(*id);
    let wants: Vec<ObjectId> = commands.iter().map(|command| command.new).filter(is_missing).collect();
    if commands.iter().all(|command| command.new.is_null()) {
        // A push of deletions alone carries no pack.
        futures_util::stream::empty().boxed_local()
    } else if wants.is_empty() {
        // The destination has all objects, but still expects a pack.
        futures_util::stream::iter([Ok(empty_pack(sides.receive.object_format))]).boxed_local()
    } else {
        let haves = haves(commands, &sides.source_ids, there);
        let thin = sides.receive.takes_thin_packs();
        fetch(sides.upload.clone(), FetchRequest { wants, haves, thin, ..FetchRequest::default() }).boxed_local()
    }
}

/// Whether a push with this failure may have succeeded: its answer was lost, or a proxy gave up waiting.
fn leaves_doubt(kind: &git::ErrorKind) -> bool {
    match kind {
        git::ErrorKind::Http(_) | git::ErrorKind::Protocol(_) | git::ErrorKind::Exceeded(_) => true,
        git::ErrorKind::Status { status, .. } => matches!(status, 408 | 500..),
        _ => false,
    }
}

/// The pack of one fetch.
fn fetch(source: Rc<UploadPack>, request: FetchRequest) -> impl Stream<Item = Result<Bytes, git::Error>> {
    let pack = async move {
        let answer = source.fetch(&request).await?;
        let no_pack = || source.fetch_error(git::ErrorKind::Protocol("there is no pack in the answer".into()));
        let pack = answer.pack.ok_or_else(no_pack)?;
        Ok(pack.map_err(move |kind| source.fetch_error(kind)))
    };
    futures_util::stream::once(pack).try_flatten()
}

/// Objects that need not be sent: the old tips of changed refs, and a bounded number of ids that both sides have. More
/// would not help, and the source has to look up each one.
pub(super) fn haves(commands: &[Command], source_ids: &[ObjectId], there: &HashSet<ObjectId>) -> Vec<ObjectId> {
    let mut seen = HashSet::new();
    let old_tips = commands.iter().filter_map(|command| command.old);
    let most =
        if commands.iter().any(|command| command.old.is_none()) { SHARED_HAVES } else { SHARED_HAVES_OF_UPDATES };
    let shared = source_ids.iter().copied().filter(|id| there.contains(id)).take(most);
    old_tips.chain(shared).filter(|id| seen.insert(*id)).collect()
}

/// How many common ids are sent to the source. The starting point of a new ref is probably among them.
const SHARED_HAVES: usize = 256;
/// The same if refs only move: their old tips are enough, except for merges from elsewhere. 256 ids take Git 4 ms.
const SHARED_HAVES_OF_UPDATES: usize = 64;
