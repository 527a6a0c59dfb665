//! Makes, lists and revokes API keys and public keys.
//!
//! Nothing about a key is cached: every call asks the database. So every process refuses a revoked or expired key at once.
//! The row of a revoked key is deleted.

use serde::Deserialize;
use serde_json::json;

use crate::api::{
    ApiKey, ApiKeyPage, ApiKeySecret, CreateApiKeyRequest, CreatePublicKeyRequest, DeleteResult, FieldError, PublicKey,
    PublicKeyPage, PublicKeySecret, Verbatim,
};
use crate::service::{
    auth::{self, NewApiKey, Scope, access_token},
    error::Error,
    host::Host,
    http::{
        body::{self, SECONDS},
        call::Incoming,
        page::Page,
    },
    names::name_refusal,
    store,
};

pub(crate) async fn create_api_key(host: &Host, call: Incoming<'_>) -> Result<Verbatim<ApiKeySecret>, Error> {
    let request: CreateApiKeyRequest = body::read(call.body).await?;
    let org = &call.caller.org.slug;
    let CreateApiKeyRequest { scope, name, repos, expires_in_seconds } = request;
    let limits = Limits::of(host, org, Some(scope), name, repos, expires_in_seconds).await?;
    add_api_key(host, org, limits, Some(MAX_KEYS)).await?.ok_or_else(|| too_many(org, "API"))
}

pub(crate) async fn list_api_keys(host: &Host, call: &Incoming<'_>) -> Result<Verbatim<ApiKeyPage>, Error> {
    const LIST: &str = "api_keys";
    let page = Page::parse(call.query, LIST)?;
    let params = json!({"org_id": call.caller.org.id, "after": page.after, "limit": page.rows()});
    Ok(page.answer(store::rows(host.database(), sql!("sql/api_key_list.sql"), params).await?, LIST))
}

pub(crate) async fn revoke_api_key(host: &Host, call: &Incoming<'_>) -> Result<DeleteResult, Error> {
    revoke(host, call, sql!("sql/api_key_remove.sql"), "API").await
}

pub(crate) async fn create_public_key(host: &Host, call: Incoming<'_>) -> Result<Verbatim<PublicKeySecret>, Error> {
    let request: CreatePublicKeyRequest = body::read(call.body).await?;
    let org = &call.caller.org.slug;
    let CreatePublicKeyRequest { x, name, scope, repos, expires_in_seconds } = request;
    if x.as_ref().is_some_and(|x| !access_token::is_public_key(x)) {
        return Err(not_a_public_key());
    }
    let limits = Limits::of(host, org, scope, name, repos, expires_in_seconds).await?;
    let (x, private_key) = match x {
        Some(x) => (x, None),
        None => {
            let (private_key, x) = new_private_key(host, org).await?;
            (x, Some(private_key))
        }
    };
    let params = json!({
        "org": org,
        "x": x,
        "name": limits.name,
        "scope": limits.scope.as_str(),
        "repo_ids": limits.repo_ids,
        "expires_in_seconds": limits.seconds,
        "max_keys": MAX_KEYS,
    });
    let row: Option<Verbatim<PublicKey>> = store::row(host.database(), sql!("sql/public_key_add.sql"), params).await?;
    if let Some(key) = row {
        return Ok(key.with("private_key", private_key));
    }
    let params = json!({"org": org, "x": x});
    let known: Option<serde::de::IgnoredAny> =
        store::row(host.database(), sql!("sql/public_key_show.sql"), params).await?;
    Err(match known {
        Some(_) => Error::Conflict("this public key is registered already; revoke it first to change it".into()),
        None => too_many(org, "public"),
    })
}

pub(crate) async fn list_public_keys(host: &Host, call: &Incoming<'_>) -> Result<Verbatim<PublicKeyPage>, Error> {
    const LIST: &str = "public_keys";
    let page = Page::parse(call.query, LIST)?;
    let params = json!({"org_id": call.caller.org.id, "after": page.after, "limit": page.rows()});
    Ok(page.answer(store::rows(host.database(), sql!("sql/public_key_list.sql"), params).await?, LIST))
}

pub(crate) async fn revoke_public_key(host: &Host, call: &Incoming<'_>) -> Result<DeleteResult, Error> {
    revoke(host, call, sql!("sql/public_key_remove.sql"), "public").await
}

async fn revoke(host: &Host, call: &Incoming<'_>, sql: &str, kind: &str) -> Result<DeleteResult, Error> {
    let (org, id) = (&call.caller.org, &call.params.key_id);
    let row: Option<String> = store::row(host.database(), sql, json!({"org_id": org.id, "key_id": id})).await?;
    row.map(|_| DeleteResult { success: true }).ok_or_else(|| {
        Error::NotFound(format!("the organisation {} has no {kind} key {}", org.slug, id.escape_default()))
    })
}

/// The limits of a new key, checked.
struct Limits {
    scope: Scope,
    name: Option<String>,
    repo_ids: Option<Vec<String>>,
    seconds: Option<f64>,
}

impl Limits {
    /// Checks the limits, and names every bad field. Without a `scope` it is admin.
    async fn of(
        host: &Host,
        org: &str,
        scope: Option<String>,
        name: Option<String>,
        repos: Option<Vec<String>>,
        expires_in_seconds: Option<f64>,
    ) -> Result<Self, Error> {
        let mut refusals = Vec::new();
        let mut check = |field: &str, refusal: Option<String>| {
            refusals.extend(refusal.map(|message| FieldError { field: field.to_owned(), message }));
        };
        let known = scope.map_or(Some(Scope::Admin), |scope| Scope::parse(&scope));
        check("scope", known.is_none().then(|| "must be read, write or admin".into()));
        check("name", name.as_deref().and_then(name_refusal));
        check("repos", repos.as_deref().and_then(repos_refusal));
        let fits = |seconds: f64| (1.0..=MAX_SECONDS).contains(&seconds) && seconds.fract() == 0.0;
        let bad_time = expires_in_seconds.is_some_and(|seconds| !fits(seconds));
        check("expires_in_seconds", bad_time.then(|| SECONDS.into()));
        let (true, Some(scope)) = (refusals.is_empty(), known) else { return Err(Error::Invalid(refusals)) };
        let repo_ids = match repos {
            Some(repos) => Some(repo_ids(host, org, &repos).await?),
            None => None,
        };
        Ok(Self { scope, name, repo_ids, seconds: expires_in_seconds })
    }
}

/// The ids of these repositories.
async fn repo_ids(host: &Host, org: &str, repos: &[String]) -> Result<Vec<String>, Error> {
    #[derive(Deserialize)]
    struct Found {
        asked: String,
        id: Option<String>,
    }
    let params = json!({"org": org, "repos": repos});
    let found: Vec<Found> = store::rows(host.database(), sql!("sql/repo_ids_of.sql"), params).await?;
    if let Some(Found { asked, .. }) = found.iter().find(|found| found.id.is_none()) {
        let asked = asked.escape_default();
        return Err(Error::field("repos", format!("the organisation {org} has no repository {asked}")));
    }
    Ok(found.into_iter().filter_map(|found| found.id).collect())
}

fn repos_refusal(repos: &[String]) -> Option<String> {
    let fits = |repo: &String| (1..=100).contains(&repo.len()) && !repo.contains('\0');
    if (1..=MAX_REPOS).contains(&repos.len()) && repos.iter().all(fits) {
        return None;
    }
    Some(format!("must have 1 to {MAX_REPOS} names or ids of repositories; leave it out for the whole organisation"))
}

fn too_many(org: &str, kind: &str) -> Error {
    Error::Conflict(format!("the organisation {org} has {MAX_KEYS} {kind} keys; revoke one first"))
}

fn not_a_public_key() -> Error {
    Error::field("x", "must be the base64url of an Ed25519 public key's 32 bytes")
}

fn no_such_org(org: &str) -> Error {
    Error::NotFound(format!("there is no organisation {org}"))
}

/// Makes an API key. It cannot be shown again.
///
/// # Errors
///
/// [`Error::NotFound`] if there is no such organisation, or the database's failure.
pub async fn make_api_key(host: &Host, org: &str, scope: Scope, name: Option<&str>) -> Result<String, Error> {
    let limits = Limits { scope, name: name.map(str::to_owned), repo_ids: None, seconds: None };
    let made = add_api_key(host, org, limits, None).await?.ok_or_else(|| no_such_org(org))?;
    Ok(made.0["api_key"].as_str().unwrap_or_default().to_owned())
}

async fn add_api_key(
    host: &Host,
    org: &str,
    limits: Limits,
    most: Option<u32>,
) -> Result<Option<Verbatim<ApiKeySecret>>, Error> {
    let NewApiKey { id, api_key } = NewApiKey::random();
    let params = json!({
        "id": id,
        "org": org,
        "scope": limits.scope.as_str(),
        "name": limits.name,
        "hash": auth::hash(host, &api_key).await?,
        "repo_ids": limits.repo_ids,
        "expires_in_seconds": limits.seconds,
        "max_keys": most,
    });
    let row: Option<Verbatim<ApiKey>> = store::row(host.database(), sql!("sql/api_key_add.sql"), params).await?;
    Ok(row.map(|key| key.with("api_key", api_key)))
}

/// Makes a private key that signs access tokens, and registers its public key. The private key cannot be shown again.
///
/// # Errors
///
/// [`Error::NotFound`] if there is no such organisation, or the database's failure.
pub async fn make_private_key(host: &Host, org: &str, name: Option<&str>) -> Result<String, Error> {
    let (private_key, public_key) = new_private_key(host, org).await?;
    register_public_key(host, org, &public_key, name).await?;
    Ok(private_key)
}

/// A new private key for this organisation, and its public key as a JWK's `x`.
async fn new_private_key(host: &Host, org: &str) -> Result<(String, String), Error> {
    let made = access_token::new_private_key(org, &*host.options.crypto).await;
    made.map_err(|why| Error::Internal(format!("a new Ed25519 key: {why}")))
}

/// Registers an Ed25519 public key, as a JWK's `x`, whose private key signs access tokens for this organisation.
///
/// # Errors
///
/// [`Error::Invalid`] if it is not such a key, [`Error::NotFound`] if there is no such organisation, or the database's
/// failure.
pub async fn register_public_key(host: &Host, org: &str, x: &str, name: Option<&str>) -> Result<(), Error> {
    if !access_token::is_public_key(x) {
        return Err(not_a_public_key());
    }
    let params = json!({"org": org, "x": x, "name": name});
    let row: Option<String> = store::row(host.database(), sql!("sql/public_key_ensure.sql"), params).await?;
    row.map(drop).ok_or_else(|| no_such_org(org))
}

const MAX_SECONDS: f64 = 315_360_000.0;
const MAX_REPOS: usize = 250;
const MAX_KEYS: u32 = 1_000;
