//! Finds the caller of a credential.
//!
//! An API key is `refsync_<24 hex digits>_<43 base64url characters>`: the middle part names the key. So the database finds
//! the row by the middle part, and this code compares the rest in constant time. Only the whole key's SHA-256 is stored.
//! The other kind of credential is an [access token](access_token).

pub mod access_token;
pub mod rate_limit;

use std::collections::BTreeMap;

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde::Deserialize;
use serde_json::json;

pub use crate::api::Scope;
use crate::service::{
    auth::{access_token::AccessToken, rate_limit::RateLimiter},
    error::Error,
    host::Host,
    random::{hex, random},
    store,
};
use crate::{api::WhoamiOrg, http::Headers};

/// The caller of a request.
#[derive(Clone, Debug, Deserialize)]
pub struct Caller {
    /// The API key's id; `None` for an access token.
    pub key_id: Option<String>,
    /// The id of the public key that signed the access token; `None` for an API key.
    #[serde(default)]
    pub public_key_id: Option<String>,
    /// The organisation that the credential belongs to.
    pub org: WhoamiOrg,
    /// The highest scope that it allows.
    pub scope: Scope,
    /// The scopes for single repositories, by name in lower case; `None` if it is valid for all of them.
    #[serde(default)]
    pub access: Option<BTreeMap<String, Scope>>,
    /// The id under which its calls are counted.
    #[serde(skip)]
    pub(crate) credential: String,
    /// The id of the only repository that the call may touch; `None` if it may touch all of them.
    #[serde(skip)]
    pub only_repo_id: Option<String>,
}

impl Caller {
    /// Refuses a caller whose scope is too small.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`], naming the required scope.
    pub fn require(&self, needed: Scope) -> Result<(), Error> {
        require_scope(self.scope, needed)
    }

    /// Refuses a repository if the grant was checked for another one: a new repository may have taken the name meanwhile.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`].
    pub(crate) fn require_repo(&self, repo_id: &str) -> Result<(), Error> {
        if self.only_repo_id.as_deref().is_none_or(|only| only == repo_id) { Ok(()) } else { Err(elsewhere()) }
    }

    /// Refuses another organisation. The answer does not reveal whether it exists.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`].
    pub fn require_org(&self, org: &str) -> Result<(), Error> {
        if self.org.slug.eq_ignore_ascii_case(org) || self.org.id == org {
            return Ok(());
        }
        Err(Error::Forbidden(format!("this key belongs to the organisation {}, not to {org}", self.org.slug)))
    }
}

/// The refusal of a repository that a credential may not access. It does not reveal whether the repository exists.
pub(crate) fn elsewhere() -> Error {
    Error::Forbidden("this credential does not allow access to this repository".into())
}

pub(crate) fn require_scope(has: Scope, needed: Scope) -> Result<(), Error> {
    if has >= needed {
        return Ok(());
    }
    let (has, needed) = (has.as_str(), needed.as_str());
    Err(Error::Forbidden(format!("this needs a key with the scope {needed}; this key has {has}")))
}

/// The caller of a request with these headers: `Bearer` with a key, or `Basic` with the key as the password, which is Git's
/// form.
///
/// # Errors
///
/// [`Error::Unauthenticated`], [`Error::RateLimited`], or the database's failure.
pub(crate) async fn authenticate(host: &Host, limiter: &RateLimiter, headers: &Headers) -> Result<Caller, Error> {
    const MISSING: &str = "a credential is needed: send an API key as `Authorization: Bearer <key>`";
    let key = headers.get("authorization").and_then(credential).ok_or(Error::Unauthenticated(MISSING))?;
    if key.starts_with(access_token::PRIVATE_KEY) {
        return Err(Error::Unauthenticated("a private key is never sent: sign an access token with it"));
    }
    if let Some(token) = AccessToken::parse(&key) {
        return signer(host, limiter, token.map_err(Error::Unauthenticated)?).await;
    }
    caller(host, limiter, &key).await?.ok_or(Error::Unauthenticated("the API key is not known"))
}

/// The caller of a request with this token. It may do what both the token and its key allow.
async fn signer(host: &Host, limiter: &RateLimiter, token: AccessToken<'_>) -> Result<Caller, Error> {
    #[derive(Deserialize)]
    struct Row {
        id: String,
        has_expired: bool,
        is_use_old: bool,
        scope: Scope,
        access: Option<BTreeMap<String, Scope>>,
        org: WhoamiOrg,
        now: i64,
    }
    const UNKNOWN: Error = Error::Unauthenticated("the access token's key is not registered for its organisation");
    // PostgreSQL cannot hold a NUL.
    if token.org().contains('\0') || token.public_key().contains('\0') {
        return Err(UNKNOWN);
    }
    let public_key = token.public_key().to_owned();
    let params = json!({"org": token.org(), "x": public_key});
    let row: Option<Row> = store::row(host.database(), sql!("sql/public_key_show.sql"), params).await?;
    let row = row.ok_or(UNKNOWN)?;
    let granted = token.verify(row.now, &*host.options.crypto).await.map_err(Error::Unauthenticated)?;
    limiter.count(&public_key, host.now()).map_err(Error::RateLimited)?;
    if row.has_expired {
        return Err(Error::Unauthenticated("the access token's key has expired"));
    }
    if row.is_use_old {
        note_use(host, sql!("sql/public_key_used.sql"), &row.id).await;
    }
    let (scope, access) = granted.within(row.scope, row.access);
    Ok(Caller {
        key_id: None,
        public_key_id: Some(row.id),
        org: row.org,
        scope,
        access,
        only_repo_id: None,
        credential: public_key,
    })
}

/// Notes that a key is in use. If this fails, the call does not fail.
async fn note_use(host: &Host, sql: &str, key_id: &str) {
    let noted = store::row::<String>(host.database(), sql, json!({"key_id": key_id})).await;
    if let Err(error) = noted {
        host.log(&format!("the last use of {key_id} was not noted: {error}"));
    }
}

async fn caller(host: &Host, limiter: &RateLimiter, key: &str) -> Result<Option<Caller>, Error> {
    #[derive(Deserialize)]
    struct Row {
        hash: String,
        has_expired: bool,
        is_use_old: bool,
        caller: Caller,
    }
    let Some(key_id) = key_id(key) else { return Ok(None) };
    let sql = sql!("sql/api_key_show.sql");
    let row: Option<Row> = store::row(host.database(), sql, json!({"key_id": key_id})).await?;
    let hash = hash(host, key).await?;
    let Some(row) = row.filter(|row| equal_in_constant_time(&row.hash, &hash)) else { return Ok(None) };
    limiter.count(&key_id, host.now()).map_err(Error::RateLimited)?;
    if row.has_expired {
        return Err(Error::Unauthenticated("the API key has expired"));
    }
    if row.is_use_old {
        note_use(host, sql!("sql/api_key_used.sql"), &key_id).await;
    }
    Ok(Some(Caller { credential: key_id, ..row.caller }))
}

/// The stored fields of an API key.
pub(crate) async fn hash(host: &Host, key: &str) -> Result<String, Error> {
    let digest = host.options.crypto.sha256(key.as_bytes()).await;
    Ok(hex(&digest.map_err(|why| Error::Internal(format!("SHA-256: {why}")))?))
}

/// A new API key.
pub(crate) struct NewApiKey {
    /// Its id.
    pub(crate) id: String,
    /// The key itself.
    pub(crate) api_key: String,
}

impl NewApiKey {
    pub(crate) fn random() -> Self {
        let id = hex(&random::<12>());
        let api_key = format!("{PREFIX}{id}_{}", URL_SAFE_NO_PAD.encode(random::<32>()));
        Self { id: format!("key_{id}"), api_key }
    }
}

/// The key in an `Authorization` header.
fn credential(header: &str) -> Option<String> {
    let (scheme, value) = header.trim().split_once(' ')?;
    let value = value.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(value.to_owned());
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(value).ok()?).ok()?;
    let (_, password) = decoded.split_once(':')?;
    Some(password.to_owned())
}

fn key_id(key: &str) -> Option<String> {
    let (id, secret) = key.strip_prefix(PREFIX)?.split_once('_')?;
    let well_formed = id.len() == 24 && id.bytes().all(|b| b.is_ascii_hexdigit()) && secret.len() == 43;
    well_formed.then(|| format!("key_{id}"))
}

/// Compares secrets. The time depends only on their lengths.
pub(crate) fn equal_in_constant_time(a: &str, b: &str) -> bool {
    a.len() == b.len() && a.bytes().zip(b.bytes()).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
}

/// The prefix of API keys.
pub(crate) const PREFIX: &str = "refsync_";
