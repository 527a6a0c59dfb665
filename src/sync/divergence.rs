//! How far held branches have diverged: counts of commits, for the person who decides.

use gix_hash::ObjectId;

use super::{
    plan::{Entry, Plan},
    proof::scan,
};
use crate::git::{self, CommitScanner, ErrorKind, FetchRequest, Remote, UploadPack};

/// Counts the commits that only one side has, for the first held branches. A failure only leaves the counts out.
pub(super) async fn measure(plan: &mut Plan, source: &UploadPack, destination: &Remote) {
    let null = plan.object_format.null();
    let is_measured = |entry: &&mut Entry| entry.is_held() && !entry.is_tag() && entry.source != null;
    let held: Vec<&mut Entry> = plan.entries.iter_mut().filter(is_measured).take(MOST_REFS).collect();
    let names: Vec<_> = held.iter().map(|entry| entry.name.clone()).collect();
    if names.is_empty() {
        return;
    }
    let Ok((upload, _)) = destination.list_refs(&names).await else { return };
    for entry in held {
        let Some(from) = entry.destination else { continue };
        entry.divergence = divergence(source, &upload, from, entry.source).await.unwrap_or_default();
    }
}

/// How many commits only `to` at the source has, and how many only `from` at the destination has; `None` if a side would
/// send whole files with the commits.
async fn divergence(
    source: &UploadPack,
    destination: &UploadPack,
    from: ObjectId,
    to: ObjectId,
) -> Result<Option<(u32, u32)>, git::Error> {
    if !source.can_filter().await? || !destination.can_filter().await? {
        return Ok(None);
    }
    let mut scanner = CommitScanner::new(source.object_format(), source.limits());
    read(source, &mut scanner, to, vec![from]).await?;
    // The destination sends what it has beyond these. If they leave out some common commits, these come too, and are
    // recognised.
    let line = scanner.graph().first_parents(to);
    let mut haves = vec![to];
    haves.extend(scanner.graph().frontier().take(MOST_HAVES));
    haves.extend(line.iter().step_by(line.len() / MOST_HAVES + 1));
    scanner.next_pack();
    read(destination, &mut scanner, from, haves).await?;
    Ok(Some(scanner.graph().divergence(to, from)))
}

/// Reads the commits of `want` that are not in the history of `haves`.
async fn read(
    remote: &UploadPack,
    scanner: &mut CommitScanner,
    want: ObjectId,
    haves: Vec<ObjectId>,
) -> Result<(), git::Error> {
    let request = FetchRequest { wants: vec![want], haves, commits_only: true, ..FetchRequest::default() };
    if let Some(pack) = remote.fetch(&request).await?.pack {
        scan(remote, scanner, pack).await?;
    }
    match scanner.lost() {
        Some(lost) => Err(remote.fetch_error(ErrorKind::Exceeded(lost.into()))),
        None => Ok(()),
    }
}

/// How many refs are measured: each takes two requests.
const MOST_REFS: usize = 20;
/// The most haves of each kind in a request.
const MOST_HAVES: usize = 500;
