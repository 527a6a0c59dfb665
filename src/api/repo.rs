//! Organisations, repositories and their upstreams.

use std::{collections::BTreeMap, fmt};

use refsync_derive::Shape;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use serde_json::Value;
use tsify::Tsify;

use super::{PolicyRequest, Schedule, ScheduleRequest, SyncRun, UpstreamHook, UpstreamPolicy, Verbatim};

/// The owner of a credential, and what the credential allows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
#[tsify(missing_as_null)]
pub struct Whoami {
    /// The organisation.
    pub org: WhoamiOrg,
    /// The API key's id; null for a signed token.
    pub key_id: Option<String>,
    /// The scope of the credential: `read`, `write` or `admin`; each includes those before it.
    pub scopes: Vec<String>,
}

/// The organisation that a credential belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
pub struct WhoamiOrg {
    /// The organisation's id.
    pub id: String,
    /// The name in paths.
    pub slug: String,
    /// The name for people.
    pub name: String,
}

/// An organisation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
pub struct Organization {
    /// The organisation's id.
    pub id: String,
    /// The name in paths.
    pub slug: String,
    /// The name for people.
    pub name: String,
    /// When the organisation was made, RFC 3339 in UTC.
    pub created_at: String,
    /// How many repositories the organisation has.
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
    /// The name in paths.
    pub name: String,
    /// The branch that `HEAD` names.
    pub default_bookmark: String,
    /// The change id of the head commit: 32 letters from k to z; all `z` if the repository is empty.
    pub head_change_id: String,
    /// The remote that the repository is synced with; null if it has none.
    pub upstream: Option<Upstream>,
    /// The other Git server that stores the repository; null if the service itself stores it, or if an older server does
    /// not report this. If another server stores it, `head_change_id` is as of the last run.
    #[serde(default)]
    pub origin: Option<Origin>,
    /// When the repository was made, RFC 3339 in UTC.
    pub created_at: String,
    /// Labels, freely chosen.
    #[tsify(type = "Record<string, string>")]
    pub tags: BTreeMap<String, String>,
    /// Why some of the repository's files cannot be read. Left out if no damage is known. A pull recreates the repository
    /// and fills it again. `head_change_id` is all `z` if the head cannot be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    pub damaged: Option<String>,
    /// Side effects of a change. For example, a stored credential was removed because the new URL is on another server.
    /// Left out if there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional, type = "string")]
    pub warning: Option<String>,
}

/// One page of an organisation's repositories, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
#[tsify(missing_as_null)]
pub struct RepoPage {
    /// The cursor of the next page; null on the last page.
    pub next_cursor: Option<String>,
    /// Whether there is a next page.
    pub has_more: bool,
    /// The repositories.
    pub repos: Vec<Repo>,
}

/// A repository's upstream remote, as the API shows it. It never contains the credential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
#[tsify(missing_as_null)]
pub struct Upstream {
    /// The remote's URL, `http` or `https`.
    pub url: String,
    /// The kind of the stored credential; null for a public remote.
    pub auth_kind: Option<AuthKind>,
    /// When everything on one side was last known to be on the other side too, RFC 3339 in UTC. This is the start of the
    /// last run of all refs after which no ref differed. Null before the first such run, or if an older server does not
    /// report this.
    #[serde(default)]
    pub verified_at: Option<String>,
    /// How many refs differed after the last run of all refs, because they diverged or were refused. Null before the first
    /// such run, or if an older server does not report this.
    #[serde(default)]
    pub behind: Option<u32>,
    /// The schedule of automatic syncs; null if there is none, or if an older server does not report this.
    #[serde(default)]
    pub schedule: Option<Schedule>,
    /// Since when the schedule is paused, RFC 3339 in UTC; null if it is not paused. A schedule is paused when the upstream
    /// refuses the stored credential several times in a row. It resumes after a completed run, with a new credential or
    /// URL, or when the schedule is set again.
    #[serde(default)]
    pub paused_at: Option<String>,
    /// Why the schedule is paused; null if it is not paused.
    #[serde(default)]
    pub pause_reason: Option<String>,
    /// What syncs may do with refs that cannot move forward. Left out if the policy was never set, so that the defaults are
    /// valid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional, type = "UpstreamPolicy")]
    pub policy: Option<Verbatim<UpstreamPolicy>>,
    /// The address that the upstream's host calls after a push. Left out if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional, type = "UpstreamHook")]
    pub hook: Option<Verbatim<UpstreamHook>>,
    /// True if a push into the repository is pushed to the upstream at once. Left out if it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    pub on_push: Option<bool>,
    /// The promise to watch: how old the repository may become, such as `15m`. If it is older, the event `upstream.stale` tells
    /// of it. Left out if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    pub max_age: Option<String>,
    /// Since when the repository is known to be older than `max_age`, RFC 3339 in UTC. Left out if it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    pub stale_since: Option<String>,
    /// Whether anybody may see the status badge, without a credential. Left out if it is false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    pub public_badge: Option<bool>,
    /// The newest run; null before the first one.
    pub latest_sync: Option<SyncRun>,
}

/// The Git server that stores a repository, as the API shows it. It never contains the credential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
#[tsify(missing_as_null)]
pub struct Origin {
    /// The repository's URL on that server, `http` or `https`.
    pub url: String,
    /// The kind of the stored credential; null for a public repository.
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
    /// Its word in JSON and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::UsernamePassword => "username_password",
        }
    }
}

/// A credential for an upstream. Write-only: no answer contains it.
///
/// The `kind` is `token` or `username_password`. A `token` is sent as the password of HTTP Basic authentication, with
/// `token_username` as the user name (default: `git`). The other kind has a `username` and a `password`.
#[derive(Clone, PartialEq, Eq, Serialize, JsonSchema, Shape, Tsify)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[schemars(description = "A credential for an upstream. No answer contains it.")]
pub enum UpstreamAuth {
    /// An access token. It is sent as the password of HTTP Basic authentication.
    Token {
        /// The token.
        token: String,
        /// The user name for the token, if the server requires a certain one. The default is `git`.
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

// Not derived. For a tag among the fields, serde first collects all fields in its own tree. It then compiles a second set
// of readers for that tree, which would be a twentieth of the service's build.
impl<'de> Deserialize<'de> for UpstreamAuth {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Of any type, because a field of the other kind does not matter.
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
    /// The kind. Only this may be shown.
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

/// An upstream in a request for a new repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
pub struct UpstreamRequest {
    /// The remote's URL, `http` or `https`.
    pub url: String,
    /// The credential; omit it or use null for a public remote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional, type = "UpstreamAuth | null")]
    pub auth: Option<UpstreamAuth>,
    /// The schedule of automatic syncs; omit it or use null for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional, type = "ScheduleRequest | null")]
    pub schedule: Option<ScheduleRequest>,
    /// What syncs may do with refs that cannot move forward; omit it or use null for the defaults.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional, type = "PolicyRequest | null")]
    pub policy: Option<Verbatim<PolicyRequest>>,
    /// Whether a push into the repository, or a pull that moves a ref, queues a push to the upstream. The default is false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    pub on_push: Option<bool>,
    /// How old the repository may become before the event `upstream.stale` tells of it: a whole number and `m`, `h` or `d`, from
    /// `1m` to `365d`; omit it or use null for no watch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional, type = "string | null")]
    pub max_age: Option<String>,
    /// Whether anybody may see the status badge, without a credential. The default is false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional, type = "boolean")]
    pub public_badge: Option<Verbatim<bool>>,
}

/// An upstream in a request that changes a repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
pub struct UpstreamUpdate {
    /// The remote's URL, `http` or `https`.
    pub url: String,
    /// The credential. If omitted, the stored credential stays if the new URL is on the same server (scheme, host and
    /// port), and is removed otherwise. Null removes it, an object replaces it.
    #[serde(default, deserialize_with = "crate::api::shape::present", skip_serializing_if = "Option::is_none")]
    #[tsify(optional, type = "UpstreamAuth | null")]
    pub auth: Option<Option<UpstreamAuth>>,
    /// The schedule. If omitted, it stays; null removes it, an object sets it.
    #[serde(default, deserialize_with = "crate::api::shape::present", skip_serializing_if = "Option::is_none")]
    #[tsify(optional, type = "ScheduleRequest | null")]
    pub schedule: Option<Option<ScheduleRequest>>,
    /// The policy. If omitted, it stays; null sets the defaults, an object replaces it.
    #[serde(default, deserialize_with = "crate::api::shape::present", skip_serializing_if = "Option::is_none")]
    #[tsify(optional, type = "PolicyRequest | null")]
    pub policy: Option<Option<Verbatim<PolicyRequest>>>,
    /// Whether a push into the repository, or a pull that moves a ref, queues a push to the upstream. If omitted, it stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    pub on_push: Option<bool>,
    /// How old the repository may become before the event `upstream.stale` tells of it. If omitted, it stays; null ends the
    /// watch.
    #[serde(default, deserialize_with = "crate::api::shape::present", skip_serializing_if = "Option::is_none")]
    #[tsify(optional, type = "string | null")]
    pub max_age: Option<Option<String>>,
    /// Whether anybody may see the status badge, without a credential. If omitted, it stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional, type = "boolean")]
    pub public_badge: Option<Verbatim<bool>>,
}

/// The Git server that stores the repository, in a request for a new repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
pub struct OriginRequest {
    /// The repository's URL on that server, `http` or `https`.
    pub url: String,
    /// The credential; omit it or use null for a public repository. For pulls it needs write access.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional, type = "UpstreamAuth | null")]
    pub auth: Option<UpstreamAuth>,
}

/// The Git server that stores the repository, in a request that changes a repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
pub struct OriginUpdate {
    /// The repository's URL on that server, `http` or `https`.
    pub url: String,
    /// The credential. If omitted, the stored credential stays if the new URL is on the same server (scheme, host and
    /// port), and is removed otherwise. Null removes it, an object replaces it.
    #[serde(default, deserialize_with = "crate::api::shape::present", skip_serializing_if = "Option::is_none")]
    #[tsify(optional, type = "UpstreamAuth | null")]
    pub auth: Option<Option<UpstreamAuth>>,
}

/// A request for a new repository.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
pub struct CreateRepoRequest {
    /// The name: `[A-Za-z0-9._-]{1,100}`, unique in the organisation (case is ignored). If left out, the service chooses
    /// one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    pub name: Option<String>,
    /// The branch that `HEAD` names. If left out, it is `main` until a pull sets it to the upstream's default branch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    pub default_bookmark: Option<String>,
    /// Labels, freely chosen, at most 100. The default is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional, type = "Record<string, string>")]
    pub tags: Option<BTreeMap<String, String>>,
    /// The remote that the repository is synced with. If left out or null, it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional, type = "UpstreamRequest | null")]
    pub upstream: Option<UpstreamRequest>,
    /// The other Git server that stores the repository; omit it or use null if the service itself stores it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional, type = "OriginRequest | null")]
    pub origin: Option<OriginRequest>,
}

/// A request that changes a repository. Fields that are left out stay unchanged.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
pub struct UpdateRepoRequest {
    /// The new name. If left out, it stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    pub name: Option<String>,
    /// The new branch of `HEAD`. After this, pulls do not change it. If left out, it stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    pub default_bookmark: Option<String>,
    /// Labels to set; null removes a label. Labels that are left out stay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional, type = "Record<string, string | null>")]
    pub tags: Option<BTreeMap<String, Option<String>>>,
    /// The upstream. If omitted, it stays; null removes it, an object sets it.
    #[serde(default, deserialize_with = "crate::api::shape::present", skip_serializing_if = "Option::is_none")]
    #[tsify(optional, type = "UpstreamUpdate | null")]
    pub upstream: Option<Option<UpstreamUpdate>>,
    /// The Git server that stores the repository. If omitted, it stays; null makes the service store it, an object sets
    /// another server. No commits are copied.
    #[serde(default, deserialize_with = "crate::api::shape::present", skip_serializing_if = "Option::is_none")]
    #[tsify(optional, type = "OriginUpdate | null")]
    pub origin: Option<Option<OriginUpdate>>,
}

/// The answer to a deletion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
pub struct DeleteResult {
    /// Always true.
    pub success: bool,
}
