//! Access tokens: the JWTs (RFC 7519, signed as RFC 8037 says) that a holder of an Ed25519 private key makes for itself.
//!
//! ```text
//!  header   {"alg":"EdDSA","typ":"mesa-at+jwt","jwk":{"kty":"OKP","crv":"Ed25519","x":…}}
//!  payload  {"iss":<org>,"aud":"mesa-api","admin":true | "access":{<repo>:"read-repo"|"write-repo"},"iat":…,"exp":…,"jti":…}
//! ```
//!
//! The key in the header says which registered key to look up; a token is worth nothing until that key was found and
//! [`AccessToken::verify`] has passed.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ed25519_dalek::{Signature, SigningKey, VerifyingKey};
use serde::{Deserialize, de::DeserializeOwned};

use super::Scope;

/// What a token says, which is not proved yet.
pub struct AccessToken<'a> {
    org: String,
    public_key: String,
    grant: Grant,
    issued_at: i64,
    expires_at: i64,
    signed: &'a str,
    signature: Signature,
}

/// What a token allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Grant {
    /// Everything in the organisation.
    Admin,
    /// These repositories, by name in lower case, and nothing else.
    Repos(BTreeMap<String, Scope>),
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    typ: String,
    jwk: Option<Jwk>,
    /// Extensions that have to be understood; there are none here.
    crit: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    crv: String,
    x: String,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    #[serde(default)]
    admin: bool,
    access: Option<BTreeMap<String, Level>>,
    iat: i64,
    exp: i64,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Level {
    ReadRepo,
    WriteRepo,
}

impl<'a> AccessToken<'a> {
    /// Reads a token; none where this is not one at all.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn parse(token: &'a str) -> Option<Result<Self, &'static str>> {
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, payload) = signed.split_once('.')?;
        if token.len() > MAX_TOKEN {
            return Some(Err("the access token is too large"));
        }
        Some(Self::read(header, payload, signed, signature))
    }

    fn read(header: &str, payload: &str, signed: &'a str, signature: &str) -> Result<Self, &'static str> {
        let header: Header = decode(header).ok_or("the access token's header cannot be read")?;
        // Its secret would be what the database has of the API key: whoever reads that could sign.
        if header.alg == "HS256" {
            return Err("access tokens that are signed with an API key (HS256) are not taken; send the API key itself");
        }
        if header.alg != "EdDSA" || header.typ != "mesa-at+jwt" || header.crit.is_some() {
            return Err("the access token's header must have the alg EdDSA and the typ mesa-at+jwt, and no crit");
        }
        let jwk = header.jwk.filter(|jwk| jwk.kty == "OKP" && jwk.crv == "Ed25519");
        let jwk = jwk.ok_or("the access token's header must have the Ed25519 key that signs it as jwk")?;
        let claims: Claims = decode(payload).ok_or("the access token's claims cannot be read")?;
        if claims.aud != "mesa-api" {
            return Err("the access token is for another audience than mesa-api");
        }
        let grant = match (claims.admin, claims.access) {
            (true, None) => Grant::Admin,
            (false, Some(access)) if (1..=MAX_ACCESS).contains(&access.len()) => Grant::repos(access),
            _ => return Err("the access token must have either admin or access, with 1 to 250 repositories"),
        };
        let signature = URL_SAFE_NO_PAD.decode(signature).ok().and_then(|bytes| Signature::from_slice(&bytes).ok());
        Ok(Self {
            org: claims.iss,
            public_key: jwk.x,
            grant,
            issued_at: claims.iat,
            expires_at: claims.exp,
            signed,
            signature: signature.ok_or("the access token's signature cannot be read")?,
        })
    }

    /// The slug of the organisation that it is for.
    pub fn org(&self) -> &str {
        &self.org
    }

    /// The public key that it names, as a JWK's `x`.
    pub fn public_key(&self) -> &str {
        &self.public_key
    }

    /// What it allows, once its key is known to be its organisation's, its signature is that key's, and `now`, in seconds
    /// since 1970, is in its time.
    ///
    /// # Errors
    ///
    /// Why it is refused.
    pub fn verify(self, now: i64) -> Result<Grant, &'static str> {
        let key = verifying_key(&self.public_key).ok_or("the access token's key is not a valid Ed25519 key")?;
        key.verify_strict(self.signed.as_bytes(), &self.signature)
            .map_err(|_| "the access token's signature is not its key's")?;
        let lifetime = self.expires_at.checked_sub(self.issued_at);
        if !lifetime.is_some_and(|seconds| (1..=MAX_LIFETIME).contains(&seconds)) {
            return Err("the access token must expire after it was issued, and within four hours");
        }
        if self.issued_at > now + CLOCK_SKEW {
            return Err("the access token is issued in the future; is the signer's clock right?");
        }
        if self.expires_at <= now - CLOCK_SKEW {
            return Err("the access token has expired");
        }
        Ok(self.grant)
    }
}

impl Grant {
    fn repos(access: BTreeMap<String, Level>) -> Self {
        let mut repos = BTreeMap::new();
        for (name, level) in access {
            let scope = match level {
                Level::ReadRepo => Scope::Read,
                Level::WriteRepo => Scope::Write,
            };
            let granted = repos.entry(name.to_ascii_lowercase()).or_insert(scope);
            *granted = scope.max(*granted);
        }
        Self::Repos(repos)
    }
}

/// Whether this is a JWK's `x` of an Ed25519 public key.
pub fn is_public_key(x: &str) -> bool {
    verifying_key(x).is_some_and(|key| !key.is_weak())
}

fn verifying_key(x: &str) -> Option<VerifyingKey> {
    let bytes = <[u8; 32]>::try_from(URL_SAFE_NO_PAD.decode(x).ok()?).ok()?;
    VerifyingKey::from_bytes(&bytes).ok()
}

/// A new private key for `org`, as `mesa_private_key_<org>_<base64url of PKCS#8 DER>`, and its public key as a JWK's `x`.
pub(super) fn new_private_key(org: &str) -> (String, String) {
    let seed: [u8; 32] = super::random();
    let public_key = URL_SAFE_NO_PAD.encode(SigningKey::from_bytes(&seed).verifying_key().as_bytes());
    let private_key = URL_SAFE_NO_PAD.encode([PKCS8_ED25519, &seed].concat());
    (format!("{PRIVATE_KEY}{org}_{private_key}"), public_key)
}

fn decode<T: DeserializeOwned>(part: &str) -> Option<T> {
    let bytes = URL_SAFE_NO_PAD.decode(part).ok()?;
    // Serde would take an array for an object.
    serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(&bytes).ok()?;
    serde_json::from_slice(&bytes).ok()
}

/// What private keys begin with. One is never sent.
pub(super) const PRIVATE_KEY: &str = "mesa_private_key_";
/// What stands before the 32 bytes of the key (RFC 8410, section 7).
const PKCS8_ED25519: &[u8] = &[0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
const MAX_TOKEN: usize = 32 * 1024;
const MAX_ACCESS: usize = 250;
const MAX_LIFETIME: i64 = 4 * 60 * 60;
/// How far the signer's clock may be from the database's, in seconds.
const CLOCK_SKEW: i64 = 60;
