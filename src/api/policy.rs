//! What a sync may do with refs that cannot move forward, and the refs that wait for an approval.

use refsync_derive::Shape;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tsify::Tsify;

use super::{Direction, RepoPath, Verbatim, schedule::minutes};
use crate::glob::Glob;

/// What happens to a ref that cannot move forward: a branch that diverged, a tag that moved, or a ref that the source has
/// deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
#[serde(rename_all = "snake_case")]
pub enum OnDiverged {
    /// It is rejected, and stays as it is. This is the default.
    #[default]
    Reject,
    /// It moves. The old commit is kept first, under `refs/refsync/backup/`.
    BackupAndForce,
    /// It waits until this very move is approved, and then moves with a backup.
    Hold,
}

/// The standing policy of an upstream. A sync may bring keys of its own, which win.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
#[tsify(missing_as_null)]
pub struct UpstreamPolicy {
    /// What happens to a ref that cannot move forward. The default is `reject`.
    pub on_diverged: OnDiverged,
    /// How many refs of the destination a sync may delete because the source does not have them. If there are more, the
    /// sync fails and changes nothing. Deleted refs have a backup. The default is null: none is deleted.
    pub prune_max: Option<u32>,
    /// Globs of full ref names, such as `refs/heads/wip/*`. These refs are filtered. The default is none.
    pub exclude: Vec<String>,
    /// Whether all refs move or none. The default is false.
    pub atomic: bool,
    /// How long backups are kept, such as `90d`. The default is null: for ever.
    pub keep_backups: Option<String>,
}

/// A policy in a request. Other fields are refused.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
#[serde(deny_unknown_fields)]
pub struct PolicyRequest {
    /// What happens to a ref that cannot move forward. The default is `reject`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    pub on_diverged: Option<OnDiverged>,
    /// How many refs a sync may delete; null for none, which is the default.
    #[serde(default, deserialize_with = "super::repo::present", skip_serializing_if = "Option::is_none")]
    #[tsify(optional, type = "number | null")]
    pub prune_max: Option<Option<u32>>,
    /// Globs of full ref names, at most 100. The default is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    pub exclude: Option<Vec<String>>,
    /// Whether all refs move or none. The default is false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    pub atomic: Option<bool>,
    /// How long backups are kept: a whole number and `m`, `h` or `d`, from `1m` to `3650d`; null, the default, for
    /// ever. Only in the policy of an upstream.
    #[serde(default, deserialize_with = "super::repo::present", skip_serializing_if = "Option::is_none")]
    #[tsify(optional, type = "string | null")]
    pub keep_backups: Option<Option<String>>,
}

impl Verbatim<PolicyRequest> {
    /// Why it is refused although it has the right shape: a field below `policy`, and the reason.
    pub fn refusal(&self) -> Option<(String, String)> {
        let none = Vec::new();
        let exclude = self.0["exclude"].as_array().unwrap_or(&none);
        if exclude.len() > MAX_EXCLUDES {
            return Some(("exclude".into(), format!("has more than {MAX_EXCLUDES} globs")));
        }
        for (at, text) in exclude.iter().filter_map(Value::as_str).enumerate() {
            let message = match text.parse::<Glob>() {
                Err(error) => error.to_string(),
                Ok(_) if text.contains('\0') => "must not contain a NUL character".into(),
                Ok(glob) if !glob.fits_full_names() => {
                    format!("matches no full ref name; write refs/heads/{text} for branches, refs/tags/{text} for tags")
                }
                Ok(_) => continue,
            };
            return Some((format!("exclude[{at}]"), message));
        }
        let is_bad = self.0["keep_backups"].as_str().is_some_and(|time| minutes(time, LONGEST).is_none());
        is_bad.then(|| {
            let message =
                "must be a whole number and m, h or d, from 1m to 3650d, such as 90d; null keeps backups for ever";
            ("keep_backups".into(), message.into())
        })
    }
}

/// A move that waits for an approval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
pub struct HeldRef {
    /// The full ref name.
    pub name: String,
    /// The object id that the destination has.
    pub from: String,
    /// The object id that the source has; all zeros if the source has deleted the ref.
    pub to: String,
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
    /// The ref that keeps the object, `refs/refsync/backup/<oid>/<name>`.
    pub backup: String,
    /// When it was made, RFC 3339 in UTC; null if this service does not know it.
    pub created_at: Option<String>,
}

/// The backups of a hosted repository, by name.
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

const MAX_EXCLUDES: usize = 100;
/// Ten years.
const LONGEST: u32 = 3650;
