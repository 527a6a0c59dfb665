//! API keys, and the public keys whose private keys sign access tokens.

use refsync_derive::Shape;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tsify::Tsify;

/// An API key without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
#[tsify(missing_as_null)]
pub struct ApiKey {
    /// The key's id.
    pub id: String,
    /// A name for people.
    pub name: Option<String>,
    /// The scope of the key: `read`, `write` or `admin`; each includes those before it.
    pub scope: String,
    /// The names of the repositories that the key is limited to; null for the whole organisation.
    pub repos: Option<Vec<String>>,
    /// When the key was made, RFC 3339 in UTC.
    pub created_at: String,
    /// When the key expires, RFC 3339 in UTC; null if it does not expire.
    pub expires_at: Option<String>,
    /// When the key was last used, RFC 3339 in UTC, accurate to a minute; null if it was never used.
    pub last_used_at: Option<String>,
}

/// A new API key with its secret. No other answer contains the secret.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
pub struct ApiKeySecret {
    /// The key.
    #[serde(flatten)]
    pub key: ApiKey,
    /// The secret. Send it as `Authorization: Bearer …`.
    pub api_key: String,
}

/// One page of an organisation's API keys, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
#[tsify(missing_as_null)]
pub struct ApiKeyPage {
    /// The cursor of the next page; null on the last page.
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
    /// The scope of the key: `read`, `write` or `admin`; each includes those before it.
    #[schemars(extend("enum" = ["read", "write", "admin"]))]
    pub scope: String,
    /// A name for people, 1 to 100 characters. The default is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    pub name: Option<String>,
    /// The names or ids of the repositories that the key is limited to. If left out, the key is valid for the whole
    /// organisation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional, type = "string[] | null")]
    pub repos: Option<Vec<String>>,
    /// The key's lifetime in seconds. If left out, the key does not expire.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional, type = "number | null")]
    pub expires_in_seconds: Option<f64>,
}

/// A public key. Its private key signs access tokens for the organisation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
#[tsify(missing_as_null)]
pub struct PublicKey {
    /// The key's id.
    pub id: String,
    /// A name for people.
    pub name: Option<String>,
    /// The Ed25519 public key, as a JWK's `x`.
    pub x: String,
    /// The highest scope that a token of this key may have: `read`, `write` or `admin`.
    pub scope: String,
    /// The names of the repositories that tokens of this key are limited to; null for the whole organisation.
    pub repos: Option<Vec<String>>,
    /// When the key was registered, RFC 3339 in UTC.
    pub created_at: String,
    /// When the key expires, RFC 3339 in UTC. Its tokens are refused after that. Null if it does not expire.
    pub expires_at: Option<String>,
    /// When a token of this key was last used, RFC 3339 in UTC, accurate to a minute; null if none was ever used.
    pub last_used_at: Option<String>,
}

/// A new public key. It comes with its private key if the service made one.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
#[tsify(missing_as_null)]
pub struct PublicKeySecret {
    /// The public key.
    #[serde(flatten)]
    pub key: PublicKey,
    /// The private key. Only this answer contains it, and the service does not store it. Null if the request contained a
    /// public key.
    pub private_key: Option<String>,
}

/// One page of an organisation's public keys, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
#[tsify(missing_as_null)]
pub struct PublicKeyPage {
    /// The cursor of the next page; null on the last page.
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
    /// The Ed25519 public key, as a JWK's `x`. If left out, the service makes a key pair, and the answer contains the
    /// private key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    pub x: Option<String>,
    /// A name for people, 1 to 100 characters. The default is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    pub name: Option<String>,
    /// The highest scope that a token of this key may have: `read`, `write` or `admin`. The default is `admin`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    #[schemars(extend("enum" = ["read", "write", "admin", null]))]
    pub scope: Option<String>,
    /// The names or ids of the repositories that its tokens are limited to. If left out, its tokens are valid for the whole
    /// organisation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional, type = "string[] | null")]
    pub repos: Option<Vec<String>>,
    /// The key's lifetime in seconds. If left out, the key does not expire.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional, type = "number | null")]
    pub expires_in_seconds: Option<f64>,
}
