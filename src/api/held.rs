//! The moves that a policy holds, and the backups of refs that it has forced or deleted.

use refsync_derive::Shape;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tsify::Tsify;

use super::{Direction, RepoPath};

/// A move that waits for an approval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
pub struct HeldRef {
    /// The full ref name.
    pub name: String,
    /// The object id that the destination has.
    pub from: String,
    /// The object id that the source has; all zeros if the source has deleted the ref.
    pub to: String,
    /// How many commits the source's branch has and the destination's has not; null if they were not counted: for tags, for
    /// deleted refs, for more than 20 branches, or if a side cannot list commits alone.
    pub ahead: Option<u32>,
    /// The reverse: how many commits of the destination the move would leave to the backup; null like `ahead`.
    pub behind: Option<u32>,
    /// The direction of the syncs that found it.
    pub direction: Direction,
    /// Since when this move is held, RFC 3339 in UTC.
    pub since: String,
    /// Whether it is approved. It happens at the next sync.
    pub approved: bool,
}

/// The moves of a repository that wait for an approval, by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
pub struct HeldRefs {
    /// The moves.
    pub held: Vec<HeldRef>,
}

/// A move to approve. It is approved only if it is held with exactly these ids.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
#[serde(deny_unknown_fields)]
pub struct HeldMove {
    /// The full ref name.
    pub name: String,
    /// The object id that the destination has.
    pub from: String,
    /// The object id that the source has; all zeros if the source has deleted the ref.
    pub to: String,
}

/// The moves to approve: all or none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
#[serde(deny_unknown_fields)]
pub struct ApproveRequest {
    /// The moves, at most 1,000.
    pub refs: Vec<HeldMove>,
}

/// A ref that keeps the old object of a ref that was forced or deleted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
#[tsify(missing_as_null)]
pub struct Backup {
    /// The full name of the ref that was forced or deleted.
    pub r#ref: String,
    /// Its old object id.
    pub oid: String,
    /// The ref that keeps the object: `refs/refsync/backup/<oid>/<name>`, or `refs/refsync/backup/<oid>/2/<name>` if the name
    /// has two slashes, and so on.
    pub backup: String,
    /// When it was made, RFC 3339 in UTC; null if this service does not know it.
    pub created_at: Option<String>,
}

/// The backups of a repository, or of its upstream, by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
pub struct Backups {
    /// The backups.
    pub backups: Vec<Backup>,
}

/// Restores a ref from its backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
#[serde(deny_unknown_fields)]
pub struct RestoreRequest {
    /// The full name of the ref, such as `refs/heads/main`.
    pub r#ref: String,
    /// The object id of the backup.
    pub oid: String,
    /// Where the backup is: `pull` stands for the repository, `push` for the upstream. Default: `pull`.
    #[serde(default)]
    #[tsify(optional)]
    pub direction: Option<Direction>,
}

/// Selects backups.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
pub struct ListBackupsRequest {
    /// The repository.
    #[serde(flatten)]
    pub repo: RepoPath,
    /// The syncs that made them: pulls keep backups in the repository, pushes at the upstream. Default: `pull`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    pub direction: Option<Direction>,
}

/// A restored ref.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
#[tsify(missing_as_null)]
pub struct Restored {
    /// The full name of the ref.
    pub r#ref: String,
    /// Its object id before; null if it did not exist. A backup keeps it.
    pub before: Option<String>,
    /// Its object id now.
    pub after: String,
}

/// The input of `repos.approveHeldRefs`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Tsify)]
pub struct ApproveHeldRequest {
    /// The repository.
    #[serde(flatten)]
    pub repo: RepoPath,
    /// The moves.
    #[serde(flatten)]
    pub moves: ApproveRequest,
}

/// The input of `repos.restoreRef`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Tsify)]
pub struct RestoreRefRequest {
    /// The repository.
    #[serde(flatten)]
    pub repo: RepoPath,
    /// The ref and its backup.
    #[serde(flatten)]
    pub backup: RestoreRequest,
}
