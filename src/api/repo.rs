//! Organisations, repositories and their upstreams.

use std::{collections::BTreeMap, fmt};

use refsync_derive::Shape;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use serde_json::Value;
use tsify::Tsify;

use super::{Schedule, ScheduleRequest, SyncRun};

/// Who a credential belongs to, and what it allows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
#[tsify(missing_as_null)]
pub struct Whoami {
    /// The organisation.
    pub org: WhoamiOrg,
    /// The API key's id; null for a signed token.
    pub key_id: Option<String>,
    /// What the credential allows: `read`, `write`, `admin`; each includes those before it.
    pub scopes: Vec<String>,
}

/// The organisation that a credential belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
pub struct WhoamiOrg {
    /// The organisation's id.
    pub id: String,
    /// The name used in paths.
    pub slug: String,
    /// The name for people.
    pub name: String,
}

/// An organisation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
pub struct Organization {
    /// The organisation's id.
    pub id: String,
    /// The name used in paths.
    pub slug: String,
    /// The name for people.
    pub name: String,
    /// When it was made, RFC 3339 in UTC.
    pub created_at: String,
    /// How many repositories it has.
    pub num_repos: u32,
}

/// A repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
#[tsify(missing_as_null)]
pub struct Repo {
    /// The repository's id.
    pub id: String,
    /// The organisation's slug.
    pub org: String,
    /// The name used in paths.
    pub name: String,
    /// The branch that `HEAD` names.
    pub default_bookmark: String,
    /// The change id of the head commit, 32 letters k to z; all `z` when the repository is empty.
    pub head_change_id: String,
    /// Where it follows or feeds; null when it stands alone.
    pub upstream: Option<Upstream>,
    /// Another Git server that has it; null where the service does, and from servers that do not say. Its `head_change_id`
    /// is then as of the last run.
    #[serde(default)]
    pub origin: Option<Origin>,
    /// When it was made, RFC 3339 in UTC.
    pub created_at: String,
    /// Free labels.
    #[tsify(type = "Record<string, string>")]
    pub tags: BTreeMap<String, String>,
    /// Why the repository's files cannot all be read; left out while nothing is known to be wrong. A pull makes it anew and
    /// fills it. `head_change_id` is all `z` if the head cannot be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    pub damaged: Option<String>,
    /// What a change did beside what was asked, such as that a stored credential was removed because the URL is at another
    /// server. Left out if there is nothing to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional, type = "string")]
    pub warning: Option<String>,
}

/// One page of an organisation's repositories, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
#[tsify(missing_as_null)]
pub struct RepoPage {
    /// Where the next page starts; null on the last one.
    pub next_cursor: Option<String>,
    /// Whether there is a next page.
    pub has_more: bool,
    /// The repositories.
    pub repos: Vec<Repo>,
}

/// A repository's upstream remote, as the API shows it: never with its credentials.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
#[tsify(missing_as_null)]
pub struct Upstream {
    /// The remote's URL, `http` or `https`.
    pub url: String,
    /// What kind of credential is stored; null for a public remote.
    pub auth_kind: Option<AuthKind>,
    /// As of when everything that one side has was last verified to be at the other, RFC 3339 in UTC: the start of the last
    /// run of all refs that left none of them apart. Null before the first, and from servers that do not say.
    #[serde(default)]
    pub verified_at: Option<String>,
    /// How many refs the last run of all refs left apart, because they diverged or were refused. Null before the first, and
    /// from servers that do not say.
    #[serde(default)]
    pub behind: Option<u32>,
    /// When it is synced by itself; null where only on request, and from servers that do not say.
    #[serde(default)]
    pub schedule: Option<Schedule>,
    /// Since when the schedule is paused, RFC 3339 in UTC, because the upstream refused the stored credential again and
    /// again. It goes on with a run that completes, another credential or URL, or when it is set again.
    #[serde(default)]
    pub paused_at: Option<String>,
    /// Why it is paused; null where it is not.
    #[serde(default)]
    pub pause_reason: Option<String>,
    /// The newest run; null before the first.
    pub latest_sync: Option<SyncRun>,
}

/// Where a repository lives, as the API shows it: never with its credentials.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
#[tsify(missing_as_null)]
pub struct Origin {
    /// The repository's URL there, `http` or `https`.
    pub url: String,
    /// What kind of credential is stored; null for a public repository.
    pub auth_kind: Option<AuthKind>,
}

/// A kind of credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
#[serde(rename_all = "snake_case")]
pub enum AuthKind {
    /// A token.
    Token,
    /// A user name and a password.
    UsernamePassword,
}

impl AuthKind {
    /// The word for it in JSON and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::UsernamePassword => "username_password",
        }
    }
}

/// A credential for an upstream. Write-only: no answer carries it, and its `Debug` hides it.
#[derive(Clone, PartialEq, Eq, Serialize, JsonSchema, Shape, Tsify)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[schemars(description = "A credential for an upstream. No answer carries it.")]
pub enum UpstreamAuth {
    /// An access token, sent as the password of HTTP Basic authentication.
    Token {
        /// The token.
        token: String,
        /// The user name that goes with it, where the server minds; `git` when left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[tsify(optional)]
        token_username: Option<String>,
    },
    /// A user name and a password.
    UsernamePassword {
        /// The user name.
        username: String,
        /// The password.
        password: String,
    },
}

// Not derived: for a tag among the fields serde keeps them all in a tree of its own first, and has a second kind of readers for
// that tree, a twentieth of the service's build.
impl<'de> Deserialize<'de> for UpstreamAuth {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Of any type, for what belongs to the other kind is nobody's concern.
        #[derive(Deserialize)]
        struct Fields {
            kind: AuthKind,
            token: Option<Value>,
            token_username: Option<Value>,
            username: Option<Value>,
            password: Option<Value>,
        }
        let Fields { kind, token, token_username, username, password } = Fields::deserialize(deserializer)?;
        let optional = |field, value| match value {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(D::Error::custom(format_args!("{field} must be a string"))),
        };
        let required = |field, value| optional(field, value)?.ok_or_else(|| D::Error::missing_field(field));
        Ok(match kind {
            AuthKind::Token => Self::Token {
                token: required("token", token)?,
                token_username: optional("token_username", token_username)?,
            },
            AuthKind::UsernamePassword => Self::UsernamePassword {
                username: required("username", username)?,
                password: required("password", password)?,
            },
        })
    }
}

impl UpstreamAuth {
    /// The kind, which is all that may be shown.
    pub fn kind(&self) -> AuthKind {
        match self {
            Self::Token { .. } => AuthKind::Token,
            Self::UsernamePassword { .. } => AuthKind::UsernamePassword,
        }
    }

    /// The user name and password for HTTP Basic authentication.
    pub fn basic(&self) -> (&str, &str) {
        match self {
            Self::Token { token, token_username } => (token_username.as_deref().unwrap_or("git"), token),
            Self::UsernamePassword { username, password } => (username, password),
        }
    }
}

impl fmt::Debug for UpstreamAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}(…)", self.kind())
    }
}

/// An upstream in the request that makes a repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
pub struct UpstreamRequest {
    /// The remote's URL, `http` or `https`.
    pub url: String,
    /// The credential; omitted or null for a public remote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional, type = "UpstreamAuth | null")]
    pub auth: Option<UpstreamAuth>,
    /// When to sync by itself; omitted or null for never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional, type = "ScheduleRequest | null")]
    pub schedule: Option<ScheduleRequest>,
}

/// An upstream in the request that changes a repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
pub struct UpstreamUpdate {
    /// The remote's URL, `http` or `https`.
    pub url: String,
    /// Omitted keeps the stored credential if the URL stays at the same server (scheme, host and port) and clears it otherwise;
    /// null clears it, an object replaces it.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[tsify(optional, type = "UpstreamAuth | null")]
    pub auth: Option<Option<UpstreamAuth>>,
    /// Omitted keeps the schedule, null ends it, an object sets it.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[tsify(optional, type = "ScheduleRequest | null")]
    pub schedule: Option<Option<ScheduleRequest>>,
}

/// Where a repository lives, in the request that makes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
pub struct OriginRequest {
    /// The repository's URL there, `http` or `https`.
    pub url: String,
    /// The credential, which may also write where there are pulls; omitted or null for a public repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional, type = "UpstreamAuth | null")]
    pub auth: Option<UpstreamAuth>,
}

/// Where a repository lives, in the request that changes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
pub struct OriginUpdate {
    /// The repository's URL there, `http` or `https`.
    pub url: String,
    /// Omitted keeps the stored credential if the URL stays at the same server (scheme, host and port) and clears it otherwise;
    /// null clears it, an object replaces it.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[tsify(optional, type = "UpstreamAuth | null")]
    pub auth: Option<Option<UpstreamAuth>>,
}

/// A request for a new repository.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
pub struct CreateRepoRequest {
    /// `[A-Za-z0-9._-]{1,100}`, unique in the organisation whatever the case; one is made up when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    pub name: Option<String>,
    /// The branch that `HEAD` names. When left out it is `main`, until a pull takes the upstream's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    pub default_bookmark: Option<String>,
    /// Free labels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional, type = "Record<string, string>")]
    pub tags: Option<BTreeMap<String, String>>,
    /// Where the repository follows or feeds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional, type = "UpstreamRequest | null")]
    pub upstream: Option<UpstreamRequest>,
    /// Another Git server that has the repository; omitted or null for one that the service hosts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional, type = "OriginRequest | null")]
    pub origin: Option<OriginRequest>,
}

/// A request for a change of a repository; what is left out stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
pub struct UpdateRepoRequest {
    /// The new name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    pub name: Option<String>,
    /// The branch that `HEAD` shall name. From then on no pull changes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    pub default_bookmark: Option<String>,
    /// Labels to set; null removes one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional, type = "Record<string, string | null>")]
    pub tags: Option<BTreeMap<String, Option<String>>>,
    /// Omitted keeps the upstream, null removes it, an object sets it.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[tsify(optional, type = "UpstreamUpdate | null")]
    pub upstream: Option<Option<UpstreamUpdate>>,
    /// Omitted keeps where it lives, null makes the service its host, an object moves it. No commits are moved.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[tsify(optional, type = "OriginUpdate | null")]
    pub origin: Option<Option<OriginUpdate>>,
}

/// The answer to a deletion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
pub struct DeleteResult {
    /// Always true.
    pub success: bool,
}

/// Tells a null that is there (`Some(None)`) from a key that is not (`None`).
fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}
