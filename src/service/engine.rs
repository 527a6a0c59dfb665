//! The interface to the engine, which does the syncs.
//!
//! The engine is not in the service's WebAssembly. It is a separate build, which the first sync or the first read of a
//! repository loads. So the service does not know Git's protocol, and a program that uses both loads the engine only once.

use futures_util::future::LocalBoxFuture;
use serde::{Deserialize, Serialize};

use crate::api::{Direction, RefGlobs, SyncRunStats};

/// What the engine answers when it has done something.
pub type Answered<'a, T> = LocalBoxFuture<'a, Result<T, EngineError>>;

/// Reads and moves refs.
pub trait Engine {
    /// Does a task, and reports its progress, as the JSON text of a [`Progress`](crate::api::Progress). Dropping the future
    /// stops it.
    fn sync<'a>(&'a self, task: &'a Task, report: Box<dyn Fn(String)>) -> Answered<'a, Synced>;

    /// A ref such as `HEAD`; `None` if the remote has no such ref. An empty repository has no `HEAD`, for example.
    fn find_ref<'a>(&'a self, remote: &'a RemoteSettings, ref_name: &'a str) -> Answered<'a, Option<RemoteRef>>;

    /// Lists, restores or removes the backups of a repository. The request and the answer are JSON texts; see `BackupRequest`
    /// of the package's `service/backups.ts`.
    fn backups<'a>(&'a self, remote: &'a RemoteSettings, request: &'a str) -> Answered<'a, String>;
}

/// The result of a task.
#[derive(Deserialize)]
pub struct Synced {
    /// The results of the refs.
    pub stats: SyncRunStats,
    /// The full name of the branch that the source's `HEAD` names; `None` if the source does not report it.
    pub head: Option<String>,
}

/// A ref of a remote.
#[derive(Deserialize)]
pub struct RemoteRef {
    /// The commit or annotated tag that the ref names.
    pub id: String,
    /// The target ref, if this ref is symbolic and the remote reports it.
    pub symref_target: Option<String>,
}

/// The task of a sync.
#[derive(Serialize)]
pub struct Task {
    /// Where refs come from.
    pub source: RemoteSettings,
    /// Where refs go to.
    pub destination: RemoteSettings,
    /// Which refs.
    pub ref_globs: RefGlobs,
    /// What it may do besides fast-forwards, as the JSON text that the engine reads.
    pub policy: String,
    /// Whether only a plan is made.
    pub plan_only: bool,
}

/// A Git repository, and how the engine reaches it.
#[derive(Clone, Serialize)]
pub struct RemoteSettings {
    /// Its URL, without a credential.
    pub url: String,
    /// The user name that goes with the password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The password or token; `None` if the repository needs none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// Whether the service's own [`GitHost`](super::GitHost) stores it, in process.
    pub is_hosted: bool,
}

/// An error of the engine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct EngineError {
    /// The message, with the side and its URL.
    pub message: String,
    /// A stable word, as in `SyncError.code`.
    pub code: String,
    /// Whether the same may succeed later.
    pub transient: bool,
    /// The side that failed, if one side did.
    pub side: Option<Side>,
}

/// A side of a sync.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The side that refs come from.
    Source,
    /// The side that refs go to.
    Destination,
}

impl EngineError {
    /// Whether the upstream refused the credential.
    pub fn is_refusal(&self, direction: Direction) -> bool {
        let upstream = match direction {
            Direction::Pull => Side::Source,
            Direction::Push => Side::Destination,
        };
        self.side == Some(upstream) && matches!(self.code.as_str(), "unauthorized" | "forbidden")
    }
}

/// The most bytes that the stats of a run may have as JSON: some 300,000 refs. PostgreSQL's `jsonb` could hold four times
/// as much. But the embedded database, the readers of the stats, and this process each hold several copies.
pub const MAX_STATS_BYTES: usize = 64_000_000;
