//! From a credential to its caller.
//!
//! An API key is `refsync_<24 hex digits>_<43 base64url characters>`: the middle names the key, so that the rest is
//! compared here in constant time and not by an index. Only the whole key's SHA-256 is stored.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Error, Service, hex, random, store};
use crate::{http::Headers, model::WhoamiOrg};

/// What a credential allows; each includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Look at everything, fetch.
    Read,
    /// Also make and change repositories, sync, push.
    Write,
    /// Also delete.
    Admin,
}

impl Scope {
    /// In order.
    pub const ALL: [Self; 3] = [Self::Read, Self::Write, Self::Admin];

    /// Its word in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Admin => "admin",
        }
    }

    /// This one and those that it includes.
    pub fn included(self) -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(move |scope| *scope <= self)
    }
}

/// Who calls.
#[derive(Clone, Debug, Deserialize)]
pub struct Caller {
    /// The API key's id.
    pub key_id: String,
    /// The organisation that the key belongs to.
    pub org: WhoamiOrg,
    /// What it allows.
    pub scope: Scope,
}

impl Caller {
    /// Refuses where the scope is too small.
    ///
    /// # Errors
    ///
    /// [`Error::Forbidden`], naming the scope that is needed.
    pub fn require(&self, needed: Scope) -> Result<(), Error> {
        if self.scope >= needed {
            return Ok(());
        }
        let (has, needed) = (self.scope.as_str(), needed.as_str());
        Err(Error::Forbidden(format!("this needs a key with the scope {needed}; this key has {has}")))
    }

    /// Refuses another organisation, whether there is one or not.
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

impl Service {
    /// Who sent these headers: `Bearer` with a key, or `Basic` with the key as password, as Git sends it.
    ///
    /// # Errors
    ///
    /// [`Error::Unauthenticated`], or that the database failed.
    pub(super) async fn authenticate(&self, headers: &Headers) -> Result<Caller, Error> {
        const MISSING: &str = "a credential is needed: send an API key as `Authorization: Bearer <key>`";
        let key = headers.get("authorization").and_then(credential).ok_or(Error::Unauthenticated(MISSING))?;
        self.caller(&key).await?.ok_or(Error::Unauthenticated("the API key is not known"))
    }

    async fn caller(&self, key: &str) -> Result<Option<Caller>, Error> {
        #[derive(Deserialize)]
        struct Row {
            hash: String,
            #[serde(flatten)]
            caller: Caller,
        }
        let Some(key_id) = key_id(key) else { return Ok(None) };
        let sql = include_str!("sql/api_key_show.sql");
        let row: Option<Row> = store::row(self.database(), sql, vec![Some(key_id)]).await?;
        Ok(row.filter(|row| equal_in_constant_time(&row.hash, &hash(key))).map(|row| row.caller))
    }

    /// Makes an API key. It is shown only now.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] without such an organisation, or that the database failed.
    pub async fn create_api_key(&self, org: &str, scope: Scope, name: Option<&str>) -> Result<String, Error> {
        let id = hex(&random::<12>());
        let key = format!("{PREFIX}{id}_{}", URL_SAFE_NO_PAD.encode(random::<32>()));
        let params = vec![
            Some(format!("key_{id}")),
            Some(org.to_owned()),
            Some(scope.as_str().to_owned()),
            name.map(str::to_owned),
            Some(hash(&key)),
        ];
        let row: Option<String> = store::row(self.database(), include_str!("sql/api_key_add.sql"), params).await?;
        row.ok_or_else(|| Error::NotFound(format!("there is no organisation {org}")))?;
        Ok(key)
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

fn hash(key: &str) -> String {
    hex(&Sha256::digest(key.as_bytes()))
}

fn equal_in_constant_time(a: &str, b: &str) -> bool {
    a.len() == b.len() && a.bytes().zip(b.bytes()).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
}

const PREFIX: &str = "refsync_";
