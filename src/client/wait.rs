//! Waits for a run.

use std::time::Duration;

use futures_util::{
    future::{Either, select},
    pin_mut,
};

use super::{Client, Error, exchange::Seconds};
use crate::api::{
    SyncRun,
    json_tree::Json,
    shape::{Others, Shaped},
};

/// Options for waiting for a sync.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WaitOptions {
    /// The repository's name or id. The default is the run's `repo_id`.
    pub repo: Option<String>,
    /// The organisation's slug. The default is the client's own.
    pub org: Option<String>,
    /// The longest time to wait. If left out, there is no limit.
    pub timeout: Option<Duration>,
}

impl Client {
    /// Waits until the run has ended, and returns it, completed or failed. If it has ended already, this sends no request,
    /// unless a list left out its `stats`.
    ///
    /// The client follows the service's events. If there are none, it polls: first after [`FIRST_POLL`], then after growing
    /// waits of up to [`LONGEST_POLL`]. `on_update` gets each new state of the run, including the last one. If `on_update`
    /// fails, the wait ends with its error. Dropping the future ends the wait as well. The sync itself goes on.
    ///
    /// [`FIRST_POLL`]: super::FIRST_POLL [`LONGEST_POLL`]: super::LONGEST_POLL
    ///
    /// # Errors
    ///
    /// [`Error::Timeout`] after the deadline, and the error of a poll whose retries failed.
    pub async fn wait<E: From<Error>>(
        &self,
        mut run: Json,
        options: &WaitOptions,
        on_update: impl FnMut(&Json) -> Result<(), E>,
    ) -> Result<Json, E> {
        const OPERATION: &str = "wait for sync";
        SyncRun::SHAPE.check(&mut run, Others::Keep).map_err(|mismatch| Error::argument(OPERATION, "run", mismatch))?;
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
                    "it has not ended within {}; it continues, and you can wait for it again",
                    Seconds(timeout)
                ),
                status: None,
            })),
        }
    }
}
