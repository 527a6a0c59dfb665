//! The wait for a commit: the service pulls until the repository has it.

use std::time::Duration;

use crate::api::{Direction, EnsureRequest, RefGlobs, SyncRequest, Verbatim};
use crate::glob::Glob;
use crate::http::Response;
use crate::service::{
    error::{self, Error},
    handlers::{
        policy::{check_object_id, check_ref_name},
        syncs,
        waits::{COMPLETED, Wait},
    },
    host::Host,
    hosting::repository,
    http::{body, call::Incoming},
    queue,
};

/// Waits until the repository has a commit, and pulls it.
pub(crate) async fn ensure(host: &Host, mut call: Incoming<'_>) -> Result<Response, Error> {
    let repo = repository::find(host, &call.caller, &call.params.repo).await?;
    let request: Verbatim<EnsureRequest> = body::read(std::mem::take(&mut call.body)).await?;
    let (sha, name) = (request.0["sha"].as_str().unwrap_or_default(), request.0["ref"].as_str());
    check_object_id("sha", sha)?;
    name.map_or(Ok(()), check_ref_name)?;
    // The shape of the request has its bounds.
    let seconds = request.0["timeout_seconds"].as_u64().and_then(|seconds| u32::try_from(seconds).ok());
    let _place = call.shares.streams.take(&call.caller.org.id)?;
    let wait = Wait::new(host, &call, seconds.unwrap_or(DEFAULT));
    let is_there = || repo.has_commit(host, sha, name);
    if is_there().await? {
        return Ok(answer(true, "null"));
    }
    let pull = SyncRequest { direction: Direction::Pull, ref_globs: wanted_globs(&repo, name), policy: None };
    let mut pause = FIRST_PAUSE;
    loop {
        let run = queue::enqueue(host.database(), &repo.id, &pull).await?;
        let run = run.ok_or_else(|| Error::UpstreamNotConfigured(repo.name.clone()))?;
        host.options.runtime.queued();
        let status = wait.ended(&run.id).await?;
        let reachable = is_there().await?;
        // The upstream may get the commit a little later.
        if reachable || status != COMPLETED || !wait.sleep(pause).await {
            return Ok(answer(reachable, &syncs::text(host, &repo, &run.id).await?));
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// The globs of the pull: the ref that the caller named, or those of the schedule.
fn wanted_globs(repo: &repository::RepoRow, name: Option<&str>) -> RefGlobs {
    let schedule = repo.upstream.as_ref().and_then(|upstream| upstream.schedule.as_ref());
    let standing = schedule.filter(|schedule| schedule.direction == Direction::Pull).map(|s| s.ref_globs.clone());
    // A ref's name has no character that is special in a glob.
    let glob = |kind: &str| name?.strip_prefix(kind)?.parse().ok();
    match (glob("refs/heads/"), glob("refs/tags/")) {
        (None, None) => standing.unwrap_or_default(),
        (branches, tags) => {
            RefGlobs { branches: branches.unwrap_or_else(Glob::none), tags: tags.unwrap_or_else(Glob::none) }
        }
    }
}

fn answer(reachable: bool, sync: &str) -> Response {
    let status = if reachable { 200 } else { 202 };
    error::json_text(status, format!(r#"{{"reachable":{reachable},"sync":{sync}}}"#))
}

/// The default wait for a commit, in seconds.
const DEFAULT: u32 = 30;
/// The time between the first two pulls. It doubles each time.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// The longest time between two pulls.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);
