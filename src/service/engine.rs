//! The interface to the engine, which does the syncs.
//!
//! The engine is not in the service's WebAssembly. It is a separate build, which the first sync or the first read of a
//! repository loads. So the service does not know Git's protocol, and a program that uses both loads the engine only once.

use futures_util::future::LocalBoxFuture;
use serde::{Deserialize, Serialize};

use crate::api::{Direction, RefGlobs, SyncRunStats};

/// Reads and moves refs.
pub trait Engine {
    /// Carries out a task, and tells how far it is, as the JSON text of a [`Progress`](crate::api::Progress). Dropping the
    /// future ends it.
    fn sync<'a>(
        &'a self,
        task: &'a Task,
        report: Box<dyn Fn(String)>,
    ) -> LocalBoxFuture<'a, Result<Synced, EngineError>>;

    /// A ref such as `HEAD`; none if the remote has no such ref, as an empty repository has no `HEAD`.
    fn find_ref<'a>(
        &'a self,
        remote: &'a RemoteSettings,
        ref_name: &'a str,
    ) -> LocalBoxFuture<'a, Result<Option<RemoteRef>, EngineError>>;
}

/// The result of a task.
#[derive(Deserialize)]
pub struct Synced {
    /// The results of the refs.
    pub stats: SyncRunStats,
    /// The branch that the source's `HEAD` names, by its full name; none if the source does not tell.
    pub head: Option<String>,
}

/// A ref of a remote.
#[derive(Deserialize)]
pub struct RemoteRef {
    /// The commit, or the annotated tag, that it comes down to.
    pub id: String,
    /// The ref that it names, if it is symbolic and the remote tells.
    pub symref_target: Option<String>,
}

/// What to sync.
#[derive(Serialize)]
pub struct Task {
    source: RemoteSettings,
    destination: RemoteSettings,
    ref_globs: RefGlobs,
    plan_only: bool,
}

/// A Git repository, and how the engine reaches it.
#[derive(Clone, Serialize)]
pub struct RemoteSettings {
    /// Its URL, without a credential.
    pub url: String,
    /// The user name that goes with the password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The password or token; none where the repository wants none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// Whether the service's own [`GitHost`](super::GitHost) has it, in process.
    pub is_hosted: bool,
}

/// An error of the engine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct EngineError {
    /// In words, with the side and its URL.
    pub message: String,
    /// A stable word, as `SyncError.code` has it.
    pub code: String,
    /// Whether the same may succeed later.
    pub transient: bool,
    /// The side that failed, where it was one.
    pub side: Option<Side>,
}

/// A side of a sync.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Where refs come from.
    Source,
    /// Where refs go to.
    Destination,
}

impl Task {
    /// A sync between a repository and its upstream; with `plan_only`, only a plan of it.
    pub fn sync(
        direction: Direction,
        ref_globs: &RefGlobs,
        local: RemoteSettings,
        upstream: RemoteSettings,
        plan_only: bool,
    ) -> Self {
        let (source, destination) = match direction {
            Direction::Pull => (upstream, local),
            Direction::Push => (local, upstream),
        };
        Self { source, destination, ref_globs: ref_globs.clone(), plan_only }
    }
}

impl EngineError {
    /// Whether it was the upstream that refused, and because of the credential.
    pub fn is_refusal(&self, direction: Direction) -> bool {
        let upstream = match direction {
            Direction::Pull => Side::Source,
            Direction::Push => Side::Destination,
        };
        self.side == Some(upstream) && matches!(self.code.as_str(), "unauthorized" | "forbidden")
    }
}

/// The most bytes that the stats of a run may have as JSON: some 300,000 refs. PostgreSQL's `jsonb` holds four times as much; but
/// the embedded database, whoever reads the stats, and this process hold several copies of them.
pub const MAX_STATS_BYTES: usize = 64_000_000;
