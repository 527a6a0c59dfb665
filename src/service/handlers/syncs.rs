//! Syncs of a repository with its upstream.

use std::time::Duration;

use futures_util::{
    future::{Either, select},
    pin_mut,
};
use serde::Deserialize;
use serde_json::json;

use crate::service::{
    error::{self, Error},
    handlers::{
        list_size::{self, MAX_BYTES},
        waits::{self, Wait},
    },
    host::Host,
    hosting::{
        policy,
        repository::{self, RepoRow},
    },
    http::{
        body,
        call::Incoming,
        page::{Page, Row},
    },
    queue::{self, notes},
    remotes::{self, Reached, RemoteSync},
    secrets::Unreadable,
    store,
};
use crate::{
    api::{SyncRequest, SyncRun, SyncRunPage, SyncRunStats},
    http::{Body, Response},
};

pub(crate) async fn create(host: &Host, mut call: Incoming<'_>) -> Result<Response, Error> {
    let repo = repository::find(host, &call.caller, &call.params.repo).await?;
    let request = read(std::mem::take(&mut call.body)).await?;
    let run = queue::enqueue(host.database(), &repo.id, &request).await?;
    let run = run.ok_or_else(|| Error::UpstreamNotConfigured(repo.name.clone()))?;
    host.options.runtime.queued();
    // A preference is only a wish: without a free place, the caller does not wait.
    let wanted = waits::preferred(call.headers).zip(call.shares.streams.take(&call.caller.org.id).ok());
    let Some((seconds, _place)) = wanted else { return Ok(error::json(201, &run)) };
    Wait::new(host, &call, seconds).ended(&run.id).await?;
    let mut answer = error::json_text(201, text(host, &repo, &run.id).await?);
    answer.headers.set("preference-applied", format!("wait={seconds}"));
    Ok(answer)
}

/// A plan: what a sync would do now.
pub(crate) async fn plan(host: &Host, call: Incoming<'_>) -> Result<SyncRunStats, Error> {
    let repo = repository::find(host, &call.caller, &call.params.repo).await?;
    let _place = call.shares.plans.take(&call.caller.org.id)?;
    let request = read(call.body).await?;
    let (upstream, policy) = upstream(host, &repo, &request).await?;
    let repository = policy::repository(host, &repo.id).await?;
    let plan = RemoteSync {
        direction: request.direction,
        ref_globs: &request.ref_globs,
        policy: &policy.engine,
        plan_only: true,
        repository,
        upstream,
        repo_id: &repo.id,
        repo_name: &format!("{}/{}", call.caller.org.slug, repo.name),
    };
    let planned = remotes::sync(host, &plan, |_| ());
    let timeout = host.options.runtime.sleep(PLAN_TIMEOUT);
    pin_mut!(planned, timeout);
    let Either::Left((planned, _)) = select(planned, timeout).await else {
        let message = format!("the plan took more than {} s; start a sync instead", PLAN_TIMEOUT.as_secs());
        return Err(Error::Upstream { message, transient: true });
    };
    let planned =
        planned.map_err(|error| Error::Upstream { message: error.message, transient: error.transient })?.stats;
    let unmatched = notes::unmatched(request.direction, &request.ref_globs, &planned);
    Ok(SyncRunStats { messages: [planned.messages, unmatched].concat(), ..planned })
}

/// The upstream of a repository, and the policy of a sync with it.
pub(crate) async fn upstream(
    host: &Host,
    repo: &RepoRow,
    request: &SyncRequest,
) -> Result<(Reached, queue::Policy), Error> {
    #[derive(Deserialize)]
    struct UpstreamRow {
        url: String,
        auth: Option<String>,
        policy: queue::Policy,
    }
    let params = json!({"repo_id": repo.id, "direction": request.direction, "policy": request.policy});
    let stored = store::row(host.database(), sql!("sql/repo_upstream.sql"), params).await?;
    let UpstreamRow { url, auth, policy } = stored.ok_or_else(|| Error::UpstreamNotConfigured(repo.name.clone()))?;
    let unreadable = |error: Unreadable| Error::Upstream { message: error.to_string(), transient: false };
    let upstream = remotes::remote(host, &url, auth.as_deref(), &repo.id).await.map_err(unreadable)?;
    Ok((upstream, policy))
}

/// The body of a sync or a plan.
async fn read(body: Body) -> Result<SyncRequest, Error> {
    let request: SyncRequest = body::read(body).await?;
    for (field, glob) in
        [("ref_globs.branches", &request.ref_globs.branches), ("ref_globs.tags", &request.ref_globs.tags)]
    {
        if glob.as_str().contains('\0') {
            return Err(Error::field(field, "must not contain a NUL character"));
        }
    }
    if let Some(policy) = &request.policy {
        if let Some((field, message)) = policy.refusal() {
            return Err(Error::field(format!("policy.{field}"), message));
        }
        if policy.0.get("keep_backups").is_some() {
            let message = "belongs to the upstream's policy, not to one sync; set it with PATCH";
            return Err(Error::field("policy.keep_backups", message));
        }
    }
    Ok(request)
}

pub(crate) async fn list(host: &Host, call: &Incoming<'_>) -> Result<SyncRunPage, Error> {
    let repo = repository::find(host, &call.caller, &call.params.repo).await?;
    let page = Page::parse(call.query, LIST)?;
    let params = json!({"repo_id": repo.id, "after": page.after, "limit": page.rows()});
    let rows: Vec<Row<SyncRun>> = store::rows(host.database(), sql!("sql/sync_list.sql"), params).await?;
    let (mut rows, next_cursor) = page.cut_rows(rows, LIST);
    let taken: usize = rows.iter().map(|row| row.bytes).sum();
    let runs = rows.iter_mut().filter_map(|row| row.stats_bytes.map(|bytes| (bytes, &mut row.item)));
    list_size::put_stats(host, runs.collect(), MAX_BYTES.saturating_sub(taken)).await?;
    let syncs = rows.into_iter().map(|row| row.item).collect();
    Ok(SyncRunPage { has_more: next_cursor.is_some(), next_cursor, syncs })
}

pub(crate) async fn show(host: &Host, call: &Incoming<'_>) -> Result<SyncRun, Error> {
    let repo = repository::find(host, &call.caller, &call.params.repo).await?;
    find(host, &repo, &call.params.sync_id).await
}

pub(crate) async fn cancel(host: &Host, call: &Incoming<'_>) -> Result<SyncRun, Error> {
    let repo = repository::find(host, &call.caller, &call.params.repo).await?;
    let sync_id = &call.params.sync_id;
    match queue::cancel(host.database(), &repo.id, sync_id).await? {
        Some(run) => Ok(run),
        None => {
            let ended = find(host, &repo, sync_id).await?;
            Err(Error::Conflict(format!("the sync {sync_id} has {} already", ended.status)))
        }
    }
}

/// The run with this id as JSON, if it belongs to the repository.
pub(crate) async fn text(host: &Host, repo: &RepoRow, sync_id: &str) -> Result<String, Error> {
    let params = json!({"repo_id": repo.id, "sync_id": sync_id});
    let row = store::text(host.database(), sql!("sql/sync_show.sql"), params).await?;
    row.ok_or_else(|| no_such_sync(repo, sync_id))
}

/// The run with this id, if it belongs to the repository.
pub(crate) async fn find(host: &Host, repo: &RepoRow, sync_id: &str) -> Result<SyncRun, Error> {
    let params = json!({"repo_id": repo.id, "sync_id": sync_id});
    let row = store::row(host.database(), sql!("sql/sync_show.sql"), params).await?;
    row.ok_or_else(|| no_such_sync(repo, sync_id))
}

fn no_such_sync(repo: &RepoRow, sync_id: &str) -> Error {
    Error::NotFound(format!("the repository {} has no sync {}", repo.name, sync_id.escape_default()))
}

const LIST: &str = "syncs";
/// Short, because the caller waits for a plan.
const PLAN_TIMEOUT: Duration = Duration::from_secs(60);
