//! The durable queue. Each verb is one SQL statement, so a crash never leaves it half done.
//!
//! ```text
//!  enqueue ──▶ queued ──claim──▶ in_progress ──complete──▶ completed
//!                ▲                │  ▲  │ └──────fail─────▶ failed
//!                └─fail, transient┘  └──┘
//!                   (backoff)     heartbeat, or claim by another once the lease expired (next attempt)
//! ```
//!
//! `cancel` ends a queued run at once. For a running one it sets a flag. The worker's next heartbeat reads the flag, and
//! the worker `fail`s the run.

pub mod notes;
pub mod schedule;

use std::{borrow::Cow, time::Duration};

use serde::Deserialize;
use serde_json::json;

use crate::api::{Reason, SyncRequest, SyncRun, SyncRunCounts, SyncRunStats};
use crate::backoff::Backoff;
use crate::service::{
    engine::MAX_STATS_BYTES,
    host::Limits,
    random::{hex, random},
    remotes::origin,
    store::{Database, Error, row, row_with_json, storable},
};

/// How long a lease lasts without a heartbeat.
pub(crate) const LEASE: Duration = Duration::from_secs(30);

/// How long a worker waits between two heartbeats. They also store the progress and read a cancellation.
pub(crate) const HEARTBEAT: Duration = Duration::from_secs(2);

/// The error of a run that was cancelled.
pub(crate) const CANCELLED: &str = "cancelled";

/// How many attempts a run has.
pub(crate) const MAX_ATTEMPTS: u32 = 3;

/// How many workers a run may lose. More than [`MAX_ATTEMPTS`], because the run is rarely the cause.
pub(crate) const MAX_LOST_ATTEMPTS: u32 = 10;

/// How long a run waits for its next attempt, before jitter.
pub(crate) const BACKOFF: Backoff =
    Backoff { first: Duration::from_secs(2), factor: 4, longest: Duration::from_secs(8) };

/// The longest wait for an attempt, with jitter.
pub(crate) const LONGEST_BACKOFF: Duration = Duration::from_secs(BACKOFF.longest.as_secs() * 3 / 2);

/// When a worker that cannot renew its lease stops: before another worker may take the run.
pub(crate) const FENCE: Duration = Duration::from_secs(25);

/// A claimed run, with its data.
#[derive(Deserialize)]
pub(crate) struct Claim {
    pub(crate) run: SyncRun,
    pub(crate) org: String,
    pub(crate) repo_name: String,
    /// `None` if it was removed after the run was queued.
    pub(crate) upstream_url: Option<String>,
    pub(crate) upstream_auth: Option<String>,
    /// `None` if the service hosts the repository.
    pub(crate) origin: Option<origin::OriginRow>,
    pub(crate) default_branch: DefaultBranch,
    /// The upstream's policy, with the keys that the request brought.
    pub(crate) policy: Policy,
    /// Whether damage was noted in the hosted repository.
    #[serde(default)]
    pub(crate) is_damaged: bool,
    /// The token that proves that this worker still has the run.
    #[serde(default)]
    pub(crate) lease: String,
}

/// The policy of a run.
#[derive(Deserialize)]
pub(crate) struct Policy {
    /// The engine's policy, as JSON.
    pub(crate) engine: String,
    /// Whether moves are held, or were held by an earlier run.
    pub(crate) holds: bool,
    /// How many minutes backups are kept; `None` for ever.
    pub(crate) keep_minutes: Option<u32>,
}

/// The stored default branch.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct DefaultBranch {
    /// Its short name.
    pub name: String,
    /// Whether a request has named it; `None` if that is not known.
    pub asked_for: Option<bool>,
}

/// Adds a run, or returns an identical one that is still queued; `None` if the repository has no upstream.
pub(crate) async fn enqueue(
    database: &dyn Database,
    repo_id: &str,
    request: &SyncRequest,
) -> Result<Option<SyncRun>, Error> {
    let params = json!({
        "repo_id": repo_id,
        "direction": request.direction,
        "branches": request.ref_globs.branches.as_str(),
        "tags": request.ref_globs.tags.as_str(),
        "policy": request.policy,
    });
    row(database, sql!("sql/queue_enqueue.sql"), params).await
}

/// Claims the next run that may start, or a run whose worker was lost; `None` if there is neither.
pub(crate) async fn claim(database: &dyn Database, limits: Limits, is_last_lane: bool) -> Result<Option<Claim>, Error> {
    let lease = hex(&random::<16>());
    let params = json!({
        "lease": lease,
        "lease_seconds": LEASE.as_secs_f64(),
        "max_runs": limits.runs,
        "max_runs_of_org": limits.runs_per_organization,
        "only_origins": limits.only_origins,
        "max_attempts": MAX_LOST_ATTEMPTS,
        "is_last_lane": is_last_lane,
    });
    let mut contended = 0;
    loop {
        match row::<Claim>(database, sql!("sql/queue_claim.sql"), &params).await {
            Ok(claim) => return Ok(claim.map(|claim| Claim { lease, ..claim })),
            // Between this statement's look and its lock, another worker started a run of the same repository, or took the
            // same place.
            Err(error) if error.is_unique_violation() && contended < 20 => contended += 1,
            Err(error) => return Err(error),
        }
    }
}

/// The answer to a heartbeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Heartbeat {
    /// The run goes on.
    Kept,
    /// The run must be stopped.
    Cancelled,
    /// This worker no longer has the run.
    Lost,
}

/// Renews the lease, and stores the run's progress.
pub(crate) async fn heartbeat(
    database: &dyn Database,
    claim: &Claim,
    progress: Option<String>,
) -> Result<Heartbeat, Error> {
    let progress = progress.map_or_else(|| "null".to_owned(), |progress| storable::json(&progress).into_owned());
    let params = json!({"sync_id": claim.run.id, "lease": claim.lease, "lease_seconds": LEASE.as_secs_f64()});
    let cancelled: Option<bool> = row_with_json(database, sql!("sql/queue_heartbeat.sql"), params, progress).await?;
    Ok(match cancelled {
        Some(false) => Heartbeat::Kept,
        Some(true) => Heartbeat::Cancelled,
        None => Heartbeat::Lost,
    })
}

/// Ends a queued run, or tells the worker of a running one to stop it; `None` if there is no such run, or if it has ended.
pub(crate) async fn cancel(database: &dyn Database, repo_id: &str, sync_id: &str) -> Result<Option<SyncRun>, Error> {
    let params = json!({"repo_id": repo_id, "sync_id": sync_id});
    row(database, sql!("sql/queue_cancel.sql"), params).await
}

/// The new default branch of a run's repository.
pub(crate) struct NewDefaultBranch {
    /// Its short name.
    pub(crate) name: String,
    /// The change id of its commit.
    pub(crate) head_change_id: String,
}

/// A completed run.
#[derive(Deserialize)]
pub(crate) struct Completed {
    pub(crate) run: SyncRun,
    /// The short name of the repository's default branch.
    pub(crate) default_branch: String,
}

/// Why the end of a run was not stored.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotCompleted {
    /// Its stats are too large.
    #[error(
        "the refs were synced, but their outcomes cannot be stored: {refs} refs take {bytes} bytes, and {MAX_STATS_BYTES} bytes \
         are the most; narrow ref_globs, so that a run has fewer refs"
    )]
    TooLarge {
        /// How many refs there are.
        refs: usize,
        /// How many bytes they take.
        bytes: usize,
    },
    /// The database can never store them.
    #[error("the refs were synced, but their outcomes cannot be stored: {0}")]
    Unstorable(Error),
    /// The database failed. This may be temporary.
    #[error(transparent)]
    Database(Error),
}

/// Ends a run, and returns it without its stats; `None` if the lease was lost.
pub(crate) async fn complete(
    database: &dyn Database,
    claim: &Claim,
    stats: &SyncRunStats,
    default_branch: Option<&NewDefaultBranch>,
) -> Result<Option<Completed>, NotCompleted> {
    let text = serde_json::to_string(stats).expect("stats have string keys");
    let text = match storable::json(&text) {
        Cow::Borrowed(_) => text,
        Cow::Owned(cleaned) => cleaned,
    };
    if text.len() > MAX_STATS_BYTES {
        return Err(NotCompleted::TooLarge { refs: stats.refs.len(), bytes: text.len() });
    }
    let has_diverged = |reason: &Option<Reason>| matches!(reason, Some(Reason::NonFastForward | Reason::TagMoved));
    let diverged: Vec<&String> = stats.refs.iter().filter(|r| has_diverged(&r.reason)).map(|r| &r.name).collect();
    let params = json!({
        "sync_id": claim.run.id,
        "lease": claim.lease,
        "diverged": diverged,
        "upstream_url": claim.upstream_url,
        "default_branch": default_branch.map(|branch| &branch.name),
        "head_change_id": default_branch.map(|branch| &branch.head_change_id),
        "old_default_branch": claim.default_branch.name,
        "counts": SyncRunCounts::from(stats),
        "stats_bytes": text.len(),
    });
    let completed = row_with_json(database, sql!("sql/queue_complete.sql"), params, text).await;
    completed.map_err(|error| match error.is_unstorable() {
        true => NotCompleted::Unstorable(error),
        false => NotCompleted::Database(error),
    })
}

/// Fails a run, or queues its next attempt if a retry may help; `None` if the lease was lost.
pub(crate) async fn fail(
    database: &dyn Database,
    claim: &Claim,
    error: &str,
    transient: bool,
) -> Result<Option<SyncRun>, Error> {
    let params = json!({
        "sync_id": claim.run.id,
        "lease": claim.lease,
        "error": storable::text(error),
        "is_transient": transient,
        "max_attempts": MAX_ATTEMPTS,
        "backoff_seconds": BACKOFF.after(claim.run.attempt).as_secs_f64(),
    });
    row(database, sql!("sql/queue_fail.sql"), params).await
}

/// Returns a run to the queue, so that another worker can take it at once; `None` if the lease was lost.
pub(crate) async fn hand_back(database: &dyn Database, claim: &Claim) -> Result<Option<SyncRun>, Error> {
    let params = json!({"sync_id": claim.run.id, "lease": claim.lease});
    row(database, sql!("sql/queue_hand_back.sql"), params).await
}

/// Takes over everything that dead workers had claimed, without waiting for their leases to end. Call this only if no other
/// process works on this database.
///
/// # Errors
///
/// If the database fails.
pub async fn adopt(database: &dyn Database) -> Result<(), Error> {
    row::<()>(database, sql!("sql/queue_adopt.sql"), ()).await?;
    Ok(())
}

/// Looks for runs without a worker, and for runs whose next attempt is due. Fails those that have lost too many workers; a claim
/// can find the others. Returns a line for the log for each failed run, and an empty text for each other one.
pub(crate) async fn give_up(database: &dyn Database) -> Result<Vec<String>, Error> {
    let params = json!({"max_attempts": MAX_LOST_ATTEMPTS});
    database.query(sql!("sql/queue_give_up.sql"), vec![params.to_string()]).await
}
