//! A worker's turn: it claims one run, does it, and renews its lease meanwhile.

pub(crate) mod clock;

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};

use futures_util::{
    FutureExt,
    future::{Either, select},
    pin_mut,
};

use serde_json::json;

use crate::api::{Direction, Outcome, SyncRun, SyncRunStats, SyncStatus};
use crate::service::{
    engine::Synced,
    error::Error,
    host::Host,
    hosting::{damage, default_branch, head, policy, push},
    queue::{self, Claim, Heartbeat, NotCompleted, notes, schedule},
    record::{Record, new_trace},
    remotes::{self, RemoteSync, origin},
    secrets::Unreadable,
    stop::Stop,
    store,
};

/// Why a run failed, in the words of `SyncRun.error`.
struct Failure {
    message: String,
    transient: bool,
    /// Whether the upstream refused the credential, or there is no readable credential.
    refused: bool,
}

/// Why a run is stopped before its end.
enum Interruption {
    /// It was cancelled.
    Cancelled,
    /// Another worker has it now, or it was deleted.
    Lost,
    /// Another worker may take it soon, because the lease could not be renewed.
    Fenced,
    /// It reached its time limit.
    TookTooLong,
    /// The service stops.
    Stop,
}

/// Does runs, one at a time.
pub struct Worker {
    host: Rc<Host>,
    stop: Rc<Stop>,
    /// When the clock, the schedules and the freshness of upstreams are checked next.
    looks_at: Cell<Option<Duration>>,
    /// When runs that lost too many workers were last looked for.
    gave_up_at: Cell<Duration>,
}

impl Worker {
    pub(crate) fn new(host: Rc<Host>, stop: Rc<Stop>) -> Self {
        Self { host, stop, looks_at: Cell::default(), gave_up_at: Cell::default() }
    }

    /// Claims one run, reports the claim, and does the run; false if no run was ready. `is_last_lane`: takes no run if its
    /// upstream's host or, if there are several organisations, its organisation has a run in progress.
    ///
    /// # Errors
    ///
    /// If the database fails. A failed run is not an error. If the end of a run could not be stored, the run is claimed
    /// again when its lease expires.
    pub async fn tick(&self, on_claimed: impl FnOnce(), is_last_lane: bool) -> Result<bool, Error> {
        if self.stop.is_stopping() {
            return Ok(false);
        }
        // A busy worker must also look for lost runs.
        if self.host.now().saturating_sub(self.gave_up_at.get()) > GIVE_UP_EVERY {
            self.give_up().await?;
        }
        self.look().await;
        let (claim, asked_at) = loop {
            // The lease begins after this moment, even if the database answers late.
            let asked_at = self.host.now();
            let claim = queue::claim(self.host.database(), self.host.options.limits, is_last_lane).await?;
            if claim.is_some() || !self.give_up().await? {
                break (claim, asked_at);
            }
        };
        let Some(claim) = claim else { return Ok(false) };
        on_claimed();
        let started = self.host.now();
        let latest = Latest::default();
        let work = self.work(&claim, &latest).boxed_local();
        let interrupted = self.until_interrupted(&claim, asked_at, &latest).boxed_local();
        let result = match select(work, interrupted).await {
            Either::Left((result, _)) => result,
            Either::Right((interruption, work)) => {
                // This aborts the run's requests. It happens in the next turn, before anyone learns that the run is free.
                drop(work);
                self.host.options.runtime.sleep(Duration::ZERO).await;
                match interruption {
                    Interruption::Cancelled => Err(Failure::last(queue::CANCELLED)),
                    Interruption::TookTooLong => Err(Failure::last(&format!(
                        "the sync took longer than the {} s that it may take; what arrived stays, and another sync goes on from there",
                        self.host.options.run_timeout.as_secs_f64()
                    ))),
                    Interruption::Lost => {
                        let id = &claim.run.id;
                        self.host.log(&format!("sync {id} was taken over or deleted while it ran here; stopped"));
                        self.tell_run(&claim, started, "lost", None, None);
                        return Ok(true);
                    }
                    Interruption::Fenced => {
                        let id = &claim.run.id;
                        self.host.log(&format!("sync {id} was stopped: the database did not hear of it for too long"));
                        self.tell_run(&claim, started, "lost", None, None);
                        return Ok(true);
                    }
                    Interruption::Stop => {
                        queue::hand_back(self.host.database(), &claim).await?;
                        self.host.log(&format!("sync {} was handed back: this worker stops", claim.run.id));
                        self.tell_run(&claim, started, "handed_back", None, None);
                        return Ok(true);
                    }
                }
            }
        };
        match result {
            Ok(synced) => match self.complete(&claim, synced).await {
                Ok((ended, stats)) => {
                    self.tell_run(&claim, started, status_word(ended.as_ref()), Some(&stats), None);
                }
                Err(NotCompleted::Database(error)) => return Err(error.into()),
                // Another attempt would do the same work and fail here again.
                Err(error) => self.failed(&claim, started, Failure::last(&error.to_string())).await?,
            },
            Err(failure) => self.failed(&claim, started, failure).await?,
        }
        Ok(true)
    }

    /// Completes a run. Returns the run, unless the lease was lost, and its stats.
    async fn complete(
        &self,
        claim: &Claim,
        mut synced: Synced,
    ) -> Result<(Option<SyncRun>, SyncRunStats), NotCompleted> {
        let SyncRun { repo_id, direction, ref_globs, .. } = &claim.run;
        let origin_head = match &claim.origin {
            Some(origin) => origin::note_head(&self.host, repo_id, origin).await,
            None => None,
        };
        let (default_branch, said) =
            default_branch::follow_upstream(&self.host, claim, &synced, origin_head.as_ref()).await;
        let unmatched = notes::unmatched(*direction, ref_globs, &synced.stats);
        synced.stats.messages.extend(unmatched.into_iter().chain(said.map(notes::note)));
        let stats = synced.stats;
        // An earlier attempt may have moved refs too.
        let may_have_moved = claim.run.attempt > 1 || default_branch.is_some() || stats.count(Outcome::Updated) > 0;
        if may_have_moved {
            self.note_head_after_pull(claim).await;
            // Before the completion, so that a crash does not lose it.
            if *direction == Direction::Pull {
                push::follow_pull(&self.host, repo_id).await;
            }
        }
        // No other run of the repository begins before the completion. It could rely on a backup that is being deleted.
        policy::after_sync(&self.host, claim, &stats).await;
        let ended = queue::complete(self.host.database(), claim, &stats, default_branch.as_ref()).await?;
        if let (Some(pointed_at), Some(ended), None) = (&default_branch, &ended, &claim.origin) {
            default_branch::correct_head(&self.host, repo_id, &pointed_at.name, &ended.default_branch).await;
            if pointed_at.name != ended.default_branch {
                self.note_head_after_pull(claim).await;
            }
        }
        Ok((ended.map(|ended| ended.run), stats))
    }

    /// Ends a failed attempt.
    async fn failed(&self, claim: &Claim, started: Duration, failure: Failure) -> Result<(), Error> {
        let Failure { message, transient, refused } = failure;
        self.host.log(&format!("sync {} attempt {}: {message}", claim.run.id, claim.run.attempt));
        if refused {
            self.count_refusal(claim).await?;
        }
        // Some refs may have moved anyway.
        self.note_head_after_pull(claim).await;
        let ended = queue::fail(self.host.database(), claim, &message, transient).await?;
        self.tell_run(claim, started, status_word(ended.as_ref()), None, Some(message));
        Ok(())
    }

    /// Notes the head of a hosted repository that was pulled into.
    async fn note_head_after_pull(&self, claim: &Claim) {
        if claim.origin.is_none() && claim.run.direction == Direction::Pull {
            head::look(&self.host, &claim.run.repo_id).await;
        }
    }

    /// Looks for runs without a worker, and for runs whose next attempt is due. Fails those that lost too many workers, and
    /// returns whether others can be claimed now.
    async fn give_up(&self) -> Result<bool, Error> {
        self.gave_up_at.set(self.host.now());
        let (others, lines): (Vec<_>, Vec<_>) =
            queue::give_up(self.host.database()).await?.into_iter().partition(String::is_empty);
        for line in lines {
            self.host.log(&line);
        }
        Ok(!others.is_empty())
    }

    /// Checks the clock, queues due schedules, and announces upstreams that have become stale, once a second. If many schedules
    /// are due, looks again after a short pause. If that fails, queued runs are still done.
    pub(crate) async fn look(&self) {
        let now = self.host.now();
        if self.looks_at.get().is_some_and(|at| now < at) {
            return;
        }
        // No other lane looks meanwhile.
        self.looks_at.set(Some(now + LOOKS));
        if let Err(error) = clock::look(&self.host).await {
            self.host.log(&format!("the database's clock: {error}"));
        }
        match schedule::enqueue_due(&self.host).await {
            Ok(true) => {
                let ended = self.host.now();
                self.looks_at.set(Some(ended + ended.saturating_sub(now) / 4));
            }
            Ok(false) => {}
            Err(error) => self.host.log(&format!("schedules: {error}")),
        }
        if let Err(error) = self.watch().await {
            self.host.log(&format!("the freshness of upstreams: {error}"));
        }
    }

    /// Announces upstreams that have become stale or fresh.
    async fn watch(&self) -> Result<(), store::Error> {
        let (sql, params) = (sql!("sql/freshness_watch.sql"), json!({"limit": WATCHED_AT_ONCE}));
        while store::text(self.host.database(), sql, &params).await?.is_some() {}
        Ok(())
    }

    /// Pauses the schedule of an upstream that refuses its credential again and again.
    async fn count_refusal(&self, claim: &Claim) -> Result<(), Error> {
        let reason = format!(
            "the upstream refused the stored credential {REFUSALS} times in a row; set another one; or, when it is valid again, start a sync yourself"
        );
        let params = json!({
            "sync_id": claim.run.id,
            "lease": claim.lease,
            "max_refusals": REFUSALS,
            "reason": reason,
        });
        let paused: Option<bool> = store::row(self.host.database(), sql!("sql/upstream_refused.sql"), params).await?;
        if paused == Some(true) {
            self.host.log(&format!("the schedule of {}/{} is paused: {reason}", claim.org, claim.repo_name));
        }
        Ok(())
    }

    fn tell_run(
        &self,
        claim: &Claim,
        started: Duration,
        status: &'static str,
        stats: Option<&SyncRunStats>,
        error: Option<String>,
    ) {
        let SyncRun { id, repo_id, direction, attempt, .. } = &claim.run;
        self.host.record(Record::Sync {
            trace_id: new_trace(),
            sync_id: id.clone(),
            repo_id: repo_id.clone(),
            org: claim.org.clone(),
            repo: claim.repo_name.clone(),
            direction: *direction,
            attempt: *attempt,
            status,
            duration_ms: self.host.milliseconds_since(started),
            refs: stats.map(Into::into),
            error,
        });
    }

    async fn work(&self, claim: &Claim, latest: &Latest) -> Result<Synced, Failure> {
        let run = &claim.run;
        let url = claim
            .upstream_url
            .as_deref()
            .ok_or_else(|| Failure::last("the upstream was removed before the sync ran"))?;
        let auth = claim.upstream_auth.as_deref();
        let unreadable = |error: Unreadable| Failure { refused: true, ..Failure::last(&error.to_string()) };
        let upstream = remotes::remote(&self.host, url, auth, &run.repo_id).await.map_err(unreadable)?;
        let repository =
            origin::repository(&self.host, &run.repo_id, claim.origin.as_ref()).await.map_err(Failure::last)?;
        let task = RemoteSync {
            direction: run.direction,
            ref_globs: &run.ref_globs,
            policy: &claim.policy.engine,
            plan_only: false,
            repository,
            upstream,
            repo_id: &run.repo_id,
            repo_name: &format!("{}/{}", claim.org, claim.repo_name),
        };
        let sync = || {
            let latest = latest.clone();
            remotes::sync(&self.host, &task, move |progress| *latest.borrow_mut() = Some(progress))
        };
        let is_noted = claim.is_damaged && run.direction == Direction::Pull && claim.origin.is_none();
        let mut was_repaired = is_noted && damage::was_damaged(&self.host, claim).await;
        let mut result = sync().await;
        if !was_repaired && damage::is_suspicious(claim, &result) && damage::was_damaged(&self.host, claim).await {
            was_repaired = true;
            result = sync().await;
        }
        damage::note_after_run(&self.host, claim, &result, is_noted || was_repaired).await;
        result.map_err(|error| Failure {
            // A run that crashed its thread twice would crash others too.
            transient: error.transient && !(error.code == ENGINE_STOPPED && run.attempt >= MAX_STOPS),
            refused: error.is_refusal(run.direction),
            message: error.message,
        })
    }

    /// Ends only if the run must be stopped here. `kept_at` is when the lease was last known to be ours.
    async fn until_interrupted(&self, claim: &Claim, mut kept_at: Duration, latest: &Latest) -> Interruption {
        let runtime = &self.host.options.runtime;
        let started = runtime.now();
        let left_of_run = || self.host.options.run_timeout.saturating_sub(runtime.now().saturating_sub(started));
        let left = |kept_at| queue::FENCE.saturating_sub(runtime.now().saturating_sub(kept_at));
        loop {
            let sleep = runtime.sleep(queue::HEARTBEAT.min(left(kept_at)).min(left_of_run()));
            let stopped = self.stop.stopped();
            pin_mut!(stopped);
            if let Either::Right(_) = select(sleep, stopped).await {
                return Interruption::Stop;
            }
            if left_of_run().is_zero() {
                return Interruption::TookTooLong;
            }
            let left = left(kept_at);
            if left.is_zero() {
                return Interruption::Fenced;
            }
            let progress = latest.borrow_mut().take();
            let asked_at = runtime.now();
            let heartbeat = queue::heartbeat(self.host.database(), claim, progress);
            pin_mut!(heartbeat);
            match select(heartbeat, runtime.sleep(left)).await {
                Either::Left((Ok(Heartbeat::Kept), _)) => kept_at = asked_at,
                Either::Left((Ok(Heartbeat::Cancelled), _)) => return Interruption::Cancelled,
                Either::Left((Ok(Heartbeat::Lost), _)) => return Interruption::Lost,
                // The lease survives a few missed heartbeats, but not many.
                Either::Left((Err(error), _)) => self.host.log(&format!("sync {}: heartbeat: {error}", claim.run.id)),
                Either::Right(_) => return Interruption::Fenced,
            }
        }
    }
}

impl Failure {
    /// An error that would happen again in another attempt.
    fn last(message: &str) -> Self {
        Self { message: message.to_owned(), transient: false, refused: false }
    }
}

/// The result of a run, for its record.
fn status_word(run: Option<&SyncRun>) -> &'static str {
    match run.map(|run| run.status) {
        Some(SyncStatus::Queued) => "queued",
        Some(SyncStatus::InProgress) => "in_progress",
        Some(SyncStatus::Completed) => "completed",
        Some(SyncStatus::Failed) => "failed",
        None => "lost",
    }
}

/// The run's progress as JSON text, if it was not stored yet.
type Latest = Rc<RefCell<Option<String>>>;

/// The time between two checks of the clock, the schedules and the freshness of upstreams.
const LOOKS: Duration = Duration::from_secs(1);
/// How many upstreams a statement checks.
const WATCHED_AT_ONCE: u32 = 500;
/// How many runs in a row an upstream may refuse before its schedule is paused.
const REFUSALS: u32 = 5;
/// The code of an engine whose thread ended.
const ENGINE_STOPPED: &str = "engine_stopped";
/// How many attempts may end this way.
const MAX_STOPS: u32 = 2;
/// How often a busy worker looks for runs without a worker, and for runs whose next attempt is due.
const GIVE_UP_EVERY: Duration = Duration::from_secs(2);
