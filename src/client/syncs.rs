//! Sync runs: read, listed and waited for.

use std::time::Duration;

use futures_util::{
    future::{Either, select},
    pin_mut,
};

use super::{
    Client, Error, ListSyncsRequest, RepoPath, SyncPath, WaitOptions, call::Seconds, requests::page_query, url,
};
use crate::{
    http::Method,
    model::{SyncRun, SyncRunPage},
};

/// The wait before the first poll; each further one is twice as long.
pub const FIRST_POLL: Duration = Duration::from_millis(250);

/// The longest wait between two polls.
pub const LONGEST_POLL: Duration = Duration::from_secs(2);

/// The calls below `/{org}/{repo}/upstream/syncs`.
pub struct Syncs<'c> {
    pub(super) client: &'c Client,
}

impl Syncs<'_> {
    /// One run.
    ///
    /// # Errors
    ///
    /// Also [`Error::NotFound`].
    pub async fn get(&self, path: &SyncPath) -> Result<SyncRun, Error> {
        let verb = "get sync of repository";
        url::check_segment(&path.sync_id).map_err(|e| Error::invalid_field(verb, "sync_id", e))?;
        let repo = RepoPath { repo: path.repo.clone(), org: path.org.clone() };
        let rest = ["upstream", "syncs", &path.sync_id];
        let call = self.client.repo_call(Method::Get, verb, &repo, &rest, &[]).await?;
        self.client.repeatable(&call).await?.decode("a SyncRun")
    }

    /// One page of a repository's runs, newest first.
    ///
    /// # Errors
    ///
    /// Also [`Error::NotFound`].
    pub async fn list(&self, request: &ListSyncsRequest) -> Result<SyncRunPage, Error> {
        let verb = "list syncs of repository";
        let query = page_query(verb, request.cursor.as_ref(), request.limit)?;
        let path = RepoPath { repo: request.repo.clone(), org: request.org.clone() };
        let call = self.client.repo_call(Method::Get, verb, &path, &["upstream", "syncs"], &query).await?;
        self.client.repeatable(&call).await?.decode("a SyncRunPage")
    }

    /// The run once it has ended, completed or failed; one that has ended already costs no request.
    ///
    /// It is polled, first after [`FIRST_POLL`], then ever slower up to [`LONGEST_POLL`]. `on_update` sees every run that
    /// differs from the one before, the ended one too; its error ends the wait. Dropping the future ends the wait as
    /// well; the sync itself goes on.
    ///
    /// # Errors
    ///
    /// [`Error::Timeout`] past the deadline, and whatever [`get`](Self::get) fails with after its retries.
    pub async fn wait<E: From<Error>>(
        &self,
        run: &SyncRun,
        options: &WaitOptions,
        on_update: impl FnMut(&SyncRun) -> Result<(), E>,
    ) -> Result<SyncRun, E> {
        let ended = self.poll(run, options, on_update);
        let Some(timeout) = options.timeout else { return ended.await };
        let deadline = self.client.timer.sleep(timeout);
        pin_mut!(ended);
        match select(ended, deadline).await {
            Either::Left((ended, _)) => ended,
            Either::Right(_) => Err(E::from(Error::Timeout {
                operation: format!("wait for sync {}", run.id),
                message: format!(
                    "it has not ended within {}; it goes on and can be waited for again",
                    Seconds(timeout)
                ),
                status: None,
            })),
        }
    }

    async fn poll<E: From<Error>>(
        &self,
        run: &SyncRun,
        options: &WaitOptions,
        mut on_update: impl FnMut(&SyncRun) -> Result<(), E>,
    ) -> Result<SyncRun, E> {
        let path = SyncPath {
            repo: options.repo.as_ref().unwrap_or(&run.repo_id).clone(),
            sync_id: run.id.clone(),
            org: options.org.clone(),
        };
        let mut run = run.clone();
        let mut pause = FIRST_POLL;
        while !run.status.is_terminal() {
            self.client.timer.sleep(pause).await;
            pause = (pause * 2).min(LONGEST_POLL);
            let now = self.get(&path).await?;
            if now != run {
                on_update(&now)?;
                run = now;
            }
        }
        Ok(run)
    }
}
