//! What the calls take besides the bodies of the API: where something is, and which part of a list.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tsify::Tsify;

/// Which organisation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Tsify)]
pub struct OrgPath {
    /// The organisation's slug; the client's own when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    pub org: Option<String>,
}

/// Which repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Tsify)]
pub struct RepoPath {
    /// The repository's name or id.
    pub repo: String,
    /// The organisation's slug; the client's own when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    pub org: Option<String>,
}

/// Which sync.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Tsify)]
pub struct SyncPath {
    /// The repository's name or id.
    pub repo: String,
    /// The sync's id.
    pub sync_id: String,
    /// The organisation's slug; the client's own when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    pub org: Option<String>,
}

/// Which of an organisation's repositories.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Tsify)]
pub struct ListReposRequest {
    /// The organisation's slug; the client's own when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    pub org: Option<String>,
    /// A `next_cursor` of an earlier page; the newest repositories when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    pub cursor: Option<String>,
    /// How many repositories, 1 to 100; 50 when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    pub limit: Option<u32>,
}

/// Which of a repository's syncs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Tsify)]
pub struct ListSyncsRequest {
    /// The repository's name or id.
    pub repo: String,
    /// The organisation's slug; the client's own when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    pub org: Option<String>,
    /// A `next_cursor` of an earlier page; the newest syncs when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    pub cursor: Option<String>,
    /// How many syncs, 1 to 100; 50 when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    pub limit: Option<u32>,
}

/// Which webhook target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Tsify)]
pub struct WebhookTargetPath {
    /// The target's id.
    pub target_id: String,
    /// The organisation's slug; the client's own when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    pub org: Option<String>,
}

/// Which of an organisation's webhook targets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Tsify)]
pub struct ListWebhookTargetsRequest {
    /// The organisation's slug; the client's own when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    pub org: Option<String>,
    /// A `next_cursor` of an earlier page; the newest targets when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    pub cursor: Option<String>,
    /// How many targets, 1 to 100; 50 when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    pub limit: Option<u32>,
}

/// How a sync is waited for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WaitOptions {
    /// The repository's name or id; the run's `repo_id` when left out.
    pub repo: Option<String>,
    /// The organisation's slug; the client's own when left out.
    pub org: Option<String>,
    /// How long to wait at most; for ever when left out.
    pub timeout: Option<Duration>,
}
