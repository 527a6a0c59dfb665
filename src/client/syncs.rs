//! Sync runs: read, listed and waited for.

use std::time::Duration;

use futures_util::{
    future::{Either, select},
    pin_mut,
};

use super::{
    Client, Error, ListSyncsRequest, SyncPath, WaitOptions,
    call::{Seconds, decode},
    json::Json,
    operate::arguments,
    operations::{GET_SYNC, LIST_SYNCS, SYNC_RUN},
    shape::Origin,
};
use crate::model::{SyncRun, SyncRunPage};

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
        Ok(self.client.operate(&GET_SYNC, arguments(path)).await?.decode())
    }

    /// One page of a repository's runs, newest first.
    ///
    /// # Errors
    ///
    /// Also [`Error::NotFound`].
    pub async fn list(&self, request: &ListSyncsRequest) -> Result<SyncRunPage, Error> {
        Ok(self.client.operate(&LIST_SYNCS, arguments(request)).await?.decode())
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
        mut on_update: impl FnMut(&SyncRun) -> Result<(), E>,
    ) -> Result<SyncRun, E> {
        let ended = self.client.wait(arguments(run), options, |run| on_update(&decode(run)));
        ended.await.map(|run| decode(&run))
    }
}

impl Client {
    /// [`Syncs::wait`] on the trees of the runs.
    pub(crate) async fn wait<E: From<Error>>(
        &self,
        run: Json,
        options: &WaitOptions,
        on_update: impl FnMut(&Json) -> Result<(), E>,
    ) -> Result<Json, E> {
        const OPERATION: &str = "wait for sync";
        let mut run = run;
        SYNC_RUN.settle(&mut run, Origin::Service).map_err(|mismatch| Error::argument(OPERATION, "run", mismatch))?;
        let id = run.text("id").unwrap_or_default().to_owned();
        let ended = self.poll(run, options, on_update);
        let Some(timeout) = options.timeout else { return ended.await };
        let deadline = self.timer.sleep(timeout);
        pin_mut!(ended);
        match select(ended, deadline).await {
            Either::Left((ended, _)) => ended,
            Either::Right(_) => Err(E::from(Error::Timeout {
                operation: format!("{OPERATION} {id}"),
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
        mut run: Json,
        options: &WaitOptions,
        mut on_update: impl FnMut(&Json) -> Result<(), E>,
    ) -> Result<Json, E> {
        let mut pause = FIRST_POLL;
        while matches!(run.text("status"), Some("queued" | "in_progress")) {
            self.timer.sleep(pause).await;
            pause = (pause * 2).min(LONGEST_POLL);
            let repo = options.repo.as_deref().or_else(|| run.text("repo_id"));
            let fields = [("repo", repo), ("sync_id", run.text("id")), ("org", options.org.as_deref())];
            let given = fields.into_iter().filter_map(|(key, value)| Some((key.to_owned(), Json::Text(value?.into()))));
            let now = self.operate(&GET_SYNC, Json::Object(given.collect())).await?.json;
            if !now.same(&run) {
                on_update(&now)?;
                run = now;
            }
        }
        Ok(run)
    }
}
