//! The input of calls that is not in the API's bodies: the place of the object, and the page of a list.
//!
//! The template of each [`Call`](super::Call) has the parameters of its path. These types are for TypeScript, and for
//! queries.

use std::collections::BTreeMap;

use refsync_derive::Shape;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tsify::Tsify;

use super::SyncRequest;

/// Names an organisation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
pub struct OrgPath {
    /// The organisation's slug. The default is the client's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    pub org: Option<String>,
}

/// Names a repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
pub struct RepoPath {
    /// The repository's name or id.
    pub repo: String,
    /// The organisation.
    #[serde(flatten)]
    pub org: OrgPath,
}

/// Names a sync.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
pub struct SyncPath {
    /// The repository.
    #[serde(flatten)]
    pub repo: RepoPath,
    /// The sync's id.
    pub sync_id: String,
}

/// Names a webhook target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
pub struct WebhookTargetPath {
    /// The target's id.
    pub target_id: String,
    /// The organisation.
    #[serde(flatten)]
    pub org: OrgPath,
}

/// Selects a page of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
pub struct PageRequest {
    /// The `next_cursor` of the page before. If left out, the page starts with the newest items.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    pub cursor: Option<String>,
    /// How many items, 1 to 100. The default is 50.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100))]
    #[tsify(optional)]
    pub limit: Option<u32>,
}

/// Selects repositories of an organisation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
pub struct ListReposRequest {
    /// The organisation.
    #[serde(flatten)]
    pub org: OrgPath,
    /// The page of the list.
    #[serde(flatten)]
    pub page: PageRequest,
    /// Only repositories that have all of these labels. The default is all repositories.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional, type = "Record<string, string>")]
    pub tags: Option<BTreeMap<String, String>>,
}

/// Selects syncs of a repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
pub struct ListSyncsRequest {
    /// The repository.
    #[serde(flatten)]
    pub repo: RepoPath,
    /// The page of the list.
    #[serde(flatten)]
    pub page: PageRequest,
}

/// Selects webhook targets of an organisation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
pub struct ListWebhookTargetsRequest {
    /// The organisation.
    #[serde(flatten)]
    pub org: OrgPath,
    /// The page of the list.
    #[serde(flatten)]
    pub page: PageRequest,
}

/// The input of `repos.syncUpstream` and `repos.planUpstreamSync`: the repository and the sync.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Tsify)]
pub struct SyncUpstreamRequest {
    /// The repository.
    #[serde(flatten)]
    pub repo: RepoPath,
    /// The direction and the refs.
    #[serde(flatten)]
    pub sync: SyncRequest,
}
