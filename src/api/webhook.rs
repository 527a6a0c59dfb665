//! Webhook targets: where events are sent.

use refsync_derive::Shape;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use tsify::Tsify;

/// Where an organisation's events are sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
#[tsify(missing_as_null)]
pub struct WebhookTarget {
    /// The target's id.
    pub id: String,
    /// A name for people.
    pub name: Option<String>,
    /// Where deliveries are posted.
    pub url: String,
    /// The events that are sent, such as `sync.completed`.
    pub events: Vec<String>,
    /// Only events of these repositories are sent; null for the whole organisation.
    pub repo_ids: Option<Vec<String>>,
    /// When it was made, RFC 3339 in UTC.
    pub created_at: String,
    /// When it was last changed, RFC 3339 in UTC.
    pub updated_at: String,
}

/// A webhook target with its secret, which only the answers that make one carry.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
pub struct WebhookTargetSecret {
    /// The target.
    #[serde(flatten)]
    pub target: WebhookTarget,
    /// What signs deliveries: `x-mesa-signature: t=<unix seconds>,sha256=<hex HMAC-SHA256 of "<t>.<raw body>">`.
    pub secret: String,
}

/// One page of an organisation's webhook targets, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
#[tsify(missing_as_null)]
pub struct WebhookTargetPage {
    /// Where the next page starts; null on the last one.
    pub next_cursor: Option<String>,
    /// Whether there is a next page.
    pub has_more: bool,
    /// The targets.
    pub webhook_targets: Vec<WebhookTarget>,
}

/// A request for a new webhook target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
pub struct CreateWebhookTargetRequest {
    /// Where deliveries are posted, `http` or `https`.
    pub url: String,
    /// A name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    pub name: Option<String>,
    /// The events that are sent; `push` when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    pub events: Option<Vec<String>>,
    /// Only events of these repositories are sent; those of the whole organisation when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional, type = "string[] | null")]
    pub repo_ids: Option<Vec<String>>,
}

/// A request for a change of a webhook target; what is left out stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
pub struct UpdateWebhookTargetRequest {
    /// Where deliveries shall be posted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    pub url: Option<String>,
    /// The new name; null removes it.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[tsify(optional, type = "string | null")]
    pub name: Option<Option<String>>,
    /// The events that shall be sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    pub events: Option<Vec<String>>,
    /// The repositories whose events shall be sent; null for the whole organisation.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[tsify(optional, type = "string[] | null")]
    pub repo_ids: Option<Option<Vec<String>>>,
}

/// Tells a null that is there (`Some(None)`) from a key that is not (`None`).
fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}
