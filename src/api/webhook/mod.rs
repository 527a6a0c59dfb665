//! Webhook targets: the receivers of events. The events themselves are in `event`.

#[cfg(feature = "service")]
mod event;

use refsync_derive::Shape;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tsify::Tsify;

use super::Verbatim;

#[cfg(feature = "service")]
pub use event::{
    DivergedEvent, EVENT_NAMES, EVENTS, Event, EventKind, EventRepo, EventRepoState, EventRepository, HeldEvent,
    PausedEvent, PushEvent, PushReconciliation, PushUpdate, RepoChangeEvent, RepoEvent, SyncEvent,
};

/// Whom deliveries are written for. Each is a sentence for people, in the form that the service expects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
#[serde(rename_all = "snake_case")]
pub enum WebhookFormat {
    /// An incoming webhook of Slack, or of a service that takes the same, such as Mattermost.
    Slack,
    /// A webhook of Discord.
    Discord,
    /// A topic of ntfy: the body is the sentence itself.
    Ntfy,
}

/// A receiver of an organisation's events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
#[tsify(missing_as_null)]
pub struct WebhookTarget {
    /// The target's id.
    pub id: String,
    /// A name for people.
    pub name: Option<String>,
    /// The URL that deliveries are posted to.
    pub url: String,
    /// The events that are sent, such as `sync.completed`.
    pub events: Vec<String>,
    /// The ids of the repositories whose events are sent; null for the whole organisation.
    pub repo_ids: Option<Vec<String>>,
    /// Whom deliveries are written for: they are sentences for people. Left out if they are events for programs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    pub format: Option<WebhookFormat>,
    /// When the target was made, RFC 3339 in UTC.
    pub created_at: String,
    /// When the target was last changed, RFC 3339 in UTC.
    pub updated_at: String,
}

/// A webhook target with its secret. Only the answers that make a secret contain it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
pub struct WebhookTargetSecret {
    /// The target.
    #[serde(flatten)]
    pub target: WebhookTarget,
    /// The secret that signs deliveries. The header is `x-mesa-signature: t=<unix seconds>,sha256=<hex HMAC-SHA256 of
    /// "<t>.<raw body>">`.
    pub secret: String,
}

/// One page of an organisation's webhook targets, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
#[tsify(missing_as_null)]
pub struct WebhookTargetPage {
    /// The cursor of the next page; null on the last page.
    pub next_cursor: Option<String>,
    /// Whether there is a next page.
    pub has_more: bool,
    /// The targets.
    pub webhook_targets: Vec<WebhookTarget>,
}

/// A request for a new webhook target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
pub struct CreateWebhookTargetRequest {
    /// The URL that deliveries are posted to, `http` or `https`.
    pub url: String,
    /// A name for people, 1 to 100 characters. The default is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    pub name: Option<String>,
    /// The events that are sent, such as `sync.completed`. The default is `push`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    pub events: Option<Vec<String>>,
    /// The ids of the repositories whose events are sent, at most 250. If left out, the events of the whole organisation are sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional, type = "string[] | null")]
    pub repo_ids: Option<Vec<String>>,
    /// Whom deliveries are written for. If left out or null, they are events for programs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional, type = "WebhookFormat | null")]
    pub format: Option<Verbatim<WebhookFormat>>,
}

/// A request that changes a webhook target. Fields that are left out stay unchanged.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
pub struct UpdateWebhookTargetRequest {
    /// The new URL that deliveries are posted to. If left out, it stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    pub url: Option<String>,
    /// The new name; null removes it. If left out, it stays.
    #[serde(default, deserialize_with = "crate::api::shape::present", skip_serializing_if = "Option::is_none")]
    #[tsify(optional, type = "string | null")]
    pub name: Option<Option<String>>,
    /// The new list of events. If left out, it stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    pub events: Option<Vec<String>>,
    /// The ids of the repositories whose events are sent from now on; null for the whole organisation. If left out, they stay.
    #[serde(default, deserialize_with = "crate::api::shape::present", skip_serializing_if = "Option::is_none")]
    #[tsify(optional, type = "string[] | null")]
    pub repo_ids: Option<Option<Vec<String>>>,
    /// Whom deliveries are written for from now on; null for programs. If left out, it stays.
    #[serde(default, deserialize_with = "crate::api::shape::present", skip_serializing_if = "Option::is_none")]
    #[tsify(optional, type = "WebhookFormat | null")]
    pub format: Option<Option<Verbatim<WebhookFormat>>>,
}
