//! The triggers of syncs: the hook that the upstream's host calls, and the wait for a commit.

use refsync_derive::Shape;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tsify::Tsify;

use super::{RepoPath, SyncRun};

/// The address that the upstream's host calls after a push. Its secret is not shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
pub struct UpstreamHook {
    /// The address. Enter it as the URL of a webhook at the host.
    pub url: String,
}

/// The hook of an upstream with its secret. No other answer contains the secret.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
pub struct UpstreamHookSecret {
    /// The hook.
    #[serde(flatten)]
    pub hook: UpstreamHook,
    /// The secret. Enter it as the secret or the secret token of the webhook at the host.
    pub secret: String,
}

/// Waits for a commit. Other fields are refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
#[serde(deny_unknown_fields)]
pub struct EnsureRequest {
    /// The commit's id: 40 or 64 hexadecimal digits in lower case.
    pub sha: String,
    /// The full name of a branch or a tag, such as `refs/heads/main`, from which the commit must be reachable. The default
    /// is any branch or tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    pub r#ref: Option<String>,
    /// How many seconds the call may wait, 0 to 300. The default is 30.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 300))]
    #[tsify(optional)]
    pub timeout_seconds: Option<u32>,
}

/// Whether a commit is there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
#[tsify(missing_as_null)]
pub struct Ensured {
    /// Whether the repository has the commit, reachable from the ref. If not, the status of the answer is 202.
    pub reachable: bool,
    /// The last pull that this call has queued or joined; null if the commit was there at once.
    pub sync: Option<SyncRun>,
}

/// The input of `repos.ensure`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Tsify)]
pub struct EnsureCommitRequest {
    /// The repository.
    #[serde(flatten)]
    pub repo: RepoPath,
    /// The commit.
    #[serde(flatten)]
    pub commit: EnsureRequest,
}
