//! Sync runs: read, listed and waited for.

use futures_util::{
    future::{Either, select},
    pin_mut,
};

use super::{
    Client, Error, ListSyncsRequest, SyncPath, WaitOptions,
    call::{Seconds, decode},
    json::Json,
    operate::arguments,
    operations::{CANCEL_SYNC, GET_SYNC, LIST_SYNCS, SYNC_RUN},
    shape::Origin,
};
use crate::api::{SyncRun, SyncRunPage};

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

    /// Cancels a run: a queued one fails at once with the error `cancelled`, one in progress as soon as its worker stops.
    ///
    /// # Errors
    ///
    /// Also [`Error::NotFound`], and [`Error::Conflict`] for a run that has ended.
    pub async fn cancel(&self, path: &SyncPath) -> Result<SyncRun, Error> {
        Ok(self.client.operate(&CANCEL_SYNC, arguments(path)).await?.decode())
    }

    /// The run once it has ended, completed or failed; one that has ended already costs no request.
    ///
    /// It is followed by the service's events where it has them, else polled: first after [`FIRST_POLL`], then ever slower
    /// up to [`LONGEST_POLL`]. `on_update` sees every run that differs from the one before, the ended one too; its error
    /// ends the wait. Dropping the future ends the wait as well; the sync itself goes on.
    ///
    /// [`FIRST_POLL`]: super::FIRST_POLL
    /// [`LONGEST_POLL`]: super::LONGEST_POLL
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
        let ended = self.follow(run, options, on_update);
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
}
