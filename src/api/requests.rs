//! What a caller passes besides the bodies of the API: the object's place, and which part of a list.
//!
//! The names of a path stand in the template of each [`Call`](super::Call); these types are for TypeScript, and for queries.

use std::collections::BTreeMap;

use refsync_derive::Shape;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tsify::Tsify;

use super::SyncRequest;

/// Which organisation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
pub struct OrgPath {
    /// The organisation's slug; the client's own when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    pub org: Option<String>,
}

/// Which repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
pub struct RepoPath {
    /// The repository's name or id.
    pub repo: String,
    /// The organisation.
    #[serde(flatten)]
    pub org: OrgPath,
}

/// Which sync.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
pub struct SyncPath {
    /// The repository.
    #[serde(flatten)]
    pub repo: RepoPath,
    /// The sync's id.
    pub sync_id: String,
}

/// Which webhook target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
pub struct WebhookTargetPath {
    /// The target's id.
    pub target_id: String,
    /// The organisation.
    #[serde(flatten)]
    pub org: OrgPath,
}

/// Which part of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
pub struct PageRequest {
    /// A `next_cursor` of an earlier page; the newest items when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    pub cursor: Option<String>,
    /// How many items, 1 to 100; 50 when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100))]
    #[tsify(optional)]
    pub limit: Option<u32>,
}

/// Which of an organisation's repositories.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
pub struct ListReposRequest {
    /// The organisation.
    #[serde(flatten)]
    pub org: OrgPath,
    /// Which part of the list.
    #[serde(flatten)]
    pub page: PageRequest,
    /// Only repositories that have all of these labels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional, type = "Record<string, string>")]
    pub tags: Option<BTreeMap<String, String>>,
}

/// Which of a repository's syncs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
pub struct ListSyncsRequest {
    /// The repository.
    #[serde(flatten)]
    pub repo: RepoPath,
    /// Which part of the list.
    #[serde(flatten)]
    pub page: PageRequest,
}

/// Which of an organisation's webhook targets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
pub struct ListWebhookTargetsRequest {
    /// The organisation.
    #[serde(flatten)]
    pub org: OrgPath,
    /// Which part of the list.
    #[serde(flatten)]
    pub page: PageRequest,
}

/// What `repos.syncUpstream` and `repos.planUpstreamSync` take: the repository and what to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Tsify)]
pub struct SyncUpstreamRequest {
    /// The repository.
    #[serde(flatten)]
    pub repo: RepoPath,
    /// Which way, and which refs.
    #[serde(flatten)]
    pub sync: SyncRequest,
}
