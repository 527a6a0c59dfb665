//! A sync between two Git remotes.

use crate::{
    git::Remote,
    model::{SyncRequest, SyncRunStats},
};

/// How a sync is done, beyond what the request says.
#[derive(Default)]
pub struct Options {}

/// Why a sync ended without its work done.
#[derive(Debug, thiserror::Error)]
pub enum Error {}

impl Error {
    /// A stable word for a program to act on.
    pub fn code(&self) -> &'static str {
        match *self {}
    }

    /// Whether the same sync may succeed later.
    pub fn is_transient(&self) -> bool {
        match *self {}
    }
}

/// Syncs the refs that `request` names between `local` and `upstream`.
///
/// # Errors
///
/// Where the work could not be done as a whole. A ref that is refused is not an error, but an outcome in the stats.
pub async fn run(
    _request: &SyncRequest,
    _local: &Remote,
    _upstream: &Remote,
    _options: &Options,
) -> Result<SyncRunStats, Error> {
    Ok(SyncRunStats::default())
}
