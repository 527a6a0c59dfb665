//! API keys, and the public keys whose private keys sign access tokens.

use refsync_derive::Shape;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tsify::Tsify;

/// An API key, without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
#[tsify(missing_as_null)]
pub struct ApiKey {
    /// The key's id.
    pub id: String,
    /// A name for people.
    pub name: Option<String>,
    /// What the key allows: `read`, `write` or `admin`; each includes those before it.
    pub scope: String,
    /// The names of the only repositories that the key is good for; null for the whole organisation.
    pub repos: Option<Vec<String>>,
    /// When it was made, RFC 3339 in UTC.
    pub created_at: String,
    /// From when on it is refused, RFC 3339 in UTC; null if it does not expire.
    pub expires_at: Option<String>,
    /// When it was last used, RFC 3339 in UTC, to within a minute; null if it was not used yet.
    pub last_used_at: Option<String>,
}

/// A new API key with its secret, which only this answer carries.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
pub struct ApiKeySecret {
    /// The key.
    #[serde(flatten)]
    pub key: ApiKey,
    /// The secret, which calls send as `Authorization: Bearer …`.
    pub api_key: String,
}

/// One page of an organisation's API keys, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
#[tsify(missing_as_null)]
pub struct ApiKeyPage {
    /// Where the next page starts; null on the last one.
    pub next_cursor: Option<String>,
    /// Whether there is a next page.
    pub has_more: bool,
    /// The keys.
    pub api_keys: Vec<ApiKey>,
}

/// A request for a new API key. Other fields are refused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
#[serde(deny_unknown_fields)]
pub struct CreateApiKeyRequest {
    /// What the key shall allow: `read`, `write` or `admin`; each includes those before it.
    #[schemars(extend("enum" = ["read", "write", "admin"]))]
    pub scope: String,
    /// A name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    pub name: Option<String>,
    /// The names or ids of the only repositories that the key shall be good for; the whole organisation when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional, type = "string[] | null")]
    pub repos: Option<Vec<String>>,
    /// After how many seconds the key is refused; never when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional, type = "number | null")]
    pub expires_in_seconds: Option<f64>,
}

/// A public key, whose private key signs access tokens for the organisation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
#[tsify(missing_as_null)]
pub struct PublicKey {
    /// The key's id.
    pub id: String,
    /// A name for people.
    pub name: Option<String>,
    /// The Ed25519 public key, as a JWK's `x`.
    pub x: String,
    /// The most that a token of this key may do: `read`, `write` or `admin`.
    pub scope: String,
    /// The names of the only repositories that tokens of this key are good for; null for the whole organisation.
    pub repos: Option<Vec<String>>,
    /// When it was registered, RFC 3339 in UTC.
    pub created_at: String,
    /// From when on its tokens are refused, RFC 3339 in UTC; null if it does not expire.
    pub expires_at: Option<String>,
    /// When a token of it was last used, RFC 3339 in UTC, to within a minute; null if none was used yet.
    pub last_used_at: Option<String>,
}

/// A new public key, with the private key if it was made here.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
#[tsify(missing_as_null)]
pub struct PublicKeySecret {
    /// The public key.
    #[serde(flatten)]
    pub key: PublicKey,
    /// The private key, which only this answer carries and which is stored nowhere; null if the request had its public key.
    pub private_key: Option<String>,
}

/// One page of an organisation's public keys, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
#[tsify(missing_as_null)]
pub struct PublicKeyPage {
    /// Where the next page starts; null on the last one.
    pub next_cursor: Option<String>,
    /// Whether there is a next page.
    pub has_more: bool,
    /// The keys.
    pub public_keys: Vec<PublicKey>,
}

/// A request to register a public key, or to make a private key. Other fields are refused.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
#[serde(deny_unknown_fields)]
pub struct CreatePublicKeyRequest {
    /// The Ed25519 public key, as a JWK's `x`. When left out a private key is made, and the answer has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    pub x: Option<String>,
    /// A name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    pub name: Option<String>,
    /// The most that a token of this key shall be allowed: `read`, `write` or `admin`, which is the default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    #[schemars(extend("enum" = ["read", "write", "admin", null]))]
    pub scope: Option<String>,
    /// The names or ids of the only repositories that its tokens shall be good for; the whole organisation when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional, type = "string[] | null")]
    pub repos: Option<Vec<String>>,
    /// After how many seconds its tokens are refused; never when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional, type = "number | null")]
    pub expires_in_seconds: Option<f64>,
}
