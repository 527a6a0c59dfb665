//! A worker's turn: claim one run, work it to its end, and keep its lease meanwhile.

use std::{cell::RefCell, rc::Rc, time::Duration};

use futures_util::{
    FutureExt,
    future::{Either, select},
    pin_mut,
};

use super::{
    Error, Service,
    queue::{self, Claim, Heartbeat},
    secrets::Unreadable,
};
use crate::{
    git::Remote,
    model::{SyncRequest, SyncRunStats, UpstreamAuth},
    sync,
};

/// Why a run did not do its work, as `SyncRun.error` says it.
struct Failure {
    message: String,
    transient: bool,
}

/// Why a run is stopped before its end.
enum Interruption {
    /// It was cancelled.
    Cancelled,
    /// It is another worker's by now, or was deleted.
    Lost,
    /// It may be another worker's soon: the lease could not be kept.
    Fenced,
    /// The service stops.
    Stop,
}

impl Service {
    /// Claims one run, says so, and works it to its end; false where nothing was ready.
    ///
    /// # Errors
    ///
    /// Where the database failed. A run that fails is no error, but a failed run; a run whose end could not be stored
    /// is taken up again when its lease expires.
    pub async fn tick(&self, on_claimed: impl FnOnce()) -> Result<bool, Error> {
        if self.stop.is_stopping() {
            return Ok(false);
        }
        // Where there is always something to do, lost runs must not wait for a pause.
        if self.options.runtime.now().saturating_sub(self.gave_up_at.get()) > GIVE_UP_EVERY {
            self.give_up().await?;
        }
        let Some(claim) = queue::claim(self.database(), self.options.limits).await? else {
            self.give_up().await?;
            return Ok(false);
        };
        on_claimed();
        let latest = Latest::default();
        let work = self.work(&claim, &latest).boxed_local();
        let interrupted = self.until_interrupted(&claim, &latest).boxed_local();
        let result = match select(work, interrupted).await {
            Either::Left((result, _)) => result,
            Either::Right((interruption, work)) => {
                // This aborts its requests, before anyone hears that the run is free.
                drop(work);
                match interruption {
                    Interruption::Cancelled => Err(Failure { message: queue::CANCELLED.to_owned(), transient: false }),
                    Interruption::Lost => {
                        let id = &claim.run.id;
                        self.log(&format!("sync {id} was taken over or deleted while it ran here; stopped"));
                        return Ok(true);
                    }
                    Interruption::Fenced => {
                        let id = &claim.run.id;
                        self.log(&format!("sync {id} was stopped: the database did not hear of it for too long"));
                        return Ok(true);
                    }
                    Interruption::Stop => {
                        queue::hand_back(self.database(), &claim).await?;
                        self.log(&format!("sync {} was handed back: this worker stops", claim.run.id));
                        return Ok(true);
                    }
                }
            }
        };
        match result {
            Ok(stats) => {
                if let Some(origin) = &claim.origin {
                    self.note_head(&claim.run.repo_id, origin).await;
                }
                queue::complete(self.database(), &claim, &stats).await?
            }
            Err(Failure { message, transient }) => {
                self.log(&format!("sync {} attempt {}: {message}", claim.run.id, claim.run.attempt));
                queue::fail(self.database(), &claim, &message, transient).await?
            }
        };
        Ok(true)
    }

    /// Fails the runs that lost too many workers.
    async fn give_up(&self) -> Result<(), Error> {
        self.gave_up_at.set(self.options.runtime.now());
        for lost in queue::give_up(self.database()).await? {
            self.log(&format!("sync {} gave up: it lost its worker {} times", lost.id, lost.attempt));
        }
        Ok(())
    }

    async fn work(&self, claim: &Claim, latest: &Latest) -> Result<SyncRunStats, Failure> {
        let last = |message: &str| Failure { message: message.to_owned(), transient: false };
        let run = &claim.run;
        let url = claim.upstream_url.as_deref().ok_or_else(|| last("the upstream was removed before the sync ran"))?;
        let auth = claim.upstream_auth.as_deref();
        let upstream = self.upstream_remote(&run.repo_id, url, auth).map_err(|error| last(&error.to_string()))?;
        let local = self.repository(&run.repo_id, claim.origin.as_ref()).map_err(|_| last(ORIGIN_UNREADABLE))?;
        let request = SyncRequest { direction: run.direction, ref_globs: run.ref_globs.clone() };
        let latest = latest.clone();
        let observer = sync::Observer::new(move |progress| *latest.borrow_mut() = Some(progress));
        let options = sync::Options { observer, ..sync::Options::default() };
        let result = sync::run(&request, &local, &upstream, &options).await;
        result.map_err(|error| Failure {
            message: self.tell(&error, &run.repo_id, &format!("{}/{}", claim.org, claim.repo_name)),
            transient: error.is_transient(),
        })
    }

    /// A repository's upstream, with the credential that was sealed for it.
    pub(super) fn upstream_remote(&self, repo_id: &str, url: &str, sealed: Option<&str>) -> Result<Remote, Unreadable> {
        let upstream = Remote::new(url, self.options.upstream_http.clone());
        let Some(sealed) = sealed else { return Ok(upstream) };
        let auth: UpstreamAuth = self.secrets.open(sealed, repo_id)?;
        let (username, password) = auth.basic();
        Ok(upstream.with_basic_auth(username, password))
    }

    /// The error of a sync for people: nobody knows the repository by the address that it has in here.
    pub(super) fn tell(&self, error: &sync::Error, repo_id: &str, repo_name: &str) -> String {
        let message = error.to_string().replace(&super::git::local_url(repo_id), repo_name);
        message.chars().filter(|c| *c != '\0').take(MAX_MESSAGE).collect()
    }

    /// Ends only when the run shall be stopped here.
    async fn until_interrupted(&self, claim: &Claim, latest: &Latest) -> Interruption {
        let runtime = &self.options.runtime;
        let mut kept_at = runtime.now();
        loop {
            let sleep = runtime.sleep(queue::HEARTBEAT);
            let stopped = self.stop.stopped();
            pin_mut!(stopped);
            if let Either::Right(_) = select(sleep, stopped).await {
                return Interruption::Stop;
            }
            let progress = latest.borrow_mut().take();
            let asked_at = runtime.now();
            let left = queue::FENCE.saturating_sub(asked_at.saturating_sub(kept_at));
            let heartbeat = queue::heartbeat(self.database(), claim, progress.as_ref());
            pin_mut!(heartbeat);
            match select(heartbeat, runtime.sleep(left)).await {
                Either::Left((Ok(Heartbeat::Kept), _)) => kept_at = asked_at,
                Either::Left((Ok(Heartbeat::Cancelled), _)) => return Interruption::Cancelled,
                Either::Left((Ok(Heartbeat::Lost), _)) => return Interruption::Lost,
                // The lease outlasts missed heartbeats, but not many.
                Either::Left((Err(error), _)) => self.log(&format!("sync {}: heartbeat: {error}", claim.run.id)),
                Either::Right(_) => return Interruption::Fenced,
            }
        }
    }
}

/// How far the run is, where that was not told yet.
type Latest = Rc<RefCell<Option<sync::Progress>>>;

const ORIGIN_UNREADABLE: &str =
    "the stored origin credential cannot be read with this service's secret key; set origin.auth again";
/// The most characters of a run's error.
const MAX_MESSAGE: usize = 4_000;
/// How often a worker that is never idle looks for runs that lost too many workers.
const GIVE_UP_EVERY: Duration = Duration::from_secs(5);
