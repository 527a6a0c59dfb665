//! One fetch whose pack flows into one push; and the push before it that keeps what is going to be forced.

use std::{collections::HashSet, rc::Rc};

use bytes::Bytes;
use futures_util::{Stream, StreamExt, TryStreamExt};
use gix_hash::ObjectId;
use gix_object::bstr::{BStr, BString, ByteSlice};

use super::{
    Error, Observer,
    gate::{Claim, Gate},
    policy::backup_name,
    relay::{Cut, relay},
};
use crate::git::{self, Command, FetchRequest, ReceivePack, Ref, Report, UploadPack, empty_pack};

/// How a transfer ended.
pub(super) enum Transfer {
    /// The destination reported on every command.
    Reported(Report),
    /// The pack did not prove the claims; nothing was changed.
    Unproved,
}

/// Fetches what is missing and pushes it as it comes, to its end only if it proves all `claims`.
pub(super) async fn transfer(
    commands: &[Command],
    atomic: bool,
    claims: Vec<Claim>,
    source: &Rc<UploadPack>,
    source_refs: &[Ref],
    destination: &ReceivePack,
    observer: &Observer,
) -> Result<Transfer, Error> {
    let there = ids(destination);
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
        let haves = haves(commands, source_refs, &there);
        let thin = destination.takes_thin_packs();
        fetch(source.clone(), FetchRequest { wants, haves, thin, ..FetchRequest::default() }).boxed_local()
    };
    let gate = Gate::new(claims, destination.object_format);
    let unreadable = source.clone();
    let (body, ending) = relay(pack, gate, move |kind| unreadable.fetch_error(kind), observer.clone());

    let report = destination.push(commands, atomic, body).await;
    match (ending.take(), report) {
        (Some(Cut::Source(error)), _) => Err(Error::Source(error)),
        // A destination that answers early has its reasons: they count, and no second push would fare better.
        (_, Err(error)) => Err(Error::Destination(error)),
        (Some(Cut::Unproved), Ok(_)) => Ok(Transfer::Unproved),
        (None, Ok(report)) => Ok(Transfer::Reported(report)),
    }
}

/// All that the destination is known to have.
pub(super) fn ids(destination: &ReceivePack) -> HashSet<ObjectId> {
    destination.refs.iter().map(|r| r.id).chain(destination.haves.iter().copied()).collect()
}

/// The pack, asked for when the push is ready to take it: so both requests are under way at once.
fn fetch(source: Rc<UploadPack>, request: FetchRequest) -> impl Stream<Item = Result<Bytes, git::Error>> {
    let pack = async move {
        let answer = source.fetch(&request, |_| ()).await?;
        let no_pack = || source.fetch_error(git::ErrorKind::Protocol("there is no pack in the answer".into()));
        let pack = answer.pack.ok_or_else(no_pack)?;
        Ok(pack.map_err(move |kind| source.fetch_error(kind)))
    };
    futures_util::stream::once(pack).try_flatten()
}

/// What need not be sent: the old tips of what changes, and a bounded number of ids that both sides have. More would cost
/// without helping, for the source looks each one up.
fn haves(commands: &[Command], source_refs: &[Ref], there: &HashSet<ObjectId>) -> Vec<ObjectId> {
    let mut seen = HashSet::new();
    let old_tips = commands.iter().filter_map(|command| command.old);
    let shared = source_refs.iter().map(|r| r.id).filter(|id| there.contains(id)).take(MAX_SHARED_HAVES);
    old_tips.chain(shared).filter(|id| seen.insert(*id)).collect()
}

/// How many ids that both sides have are told to the source.
const MAX_SHARED_HAVES: usize = 256;

/// Keeps the old commits of the refs that are to be forced, each under a name of its own. Gives those that could not be
/// kept, and why.
pub(super) async fn back_up(forced: &[Ref], destination: &ReceivePack) -> Result<Vec<(Ref, String)>, Error> {
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
    let pack = futures_util::stream::iter([Ok(empty_pack(destination.object_format))]).boxed_local();
    let report = destination.push(&commands, false, pack).await.map_err(Error::Destination)?;
    let refusal = |name: &BString| match (&report.unpack_error, report.refs.get(name)) {
        (Some(why), _) | (None, Some(Some(why))) => Some(why.clone()),
        (None, None) => Some("the destination reported nothing on it".to_owned()),
        (None, Some(None)) => None,
    };
    Ok(missing.into_iter().filter_map(|(r, name)| Some((r.clone(), refusal(&name)?))).collect())
}
