//! Access tokens: the JWTs (RFC 7519, signed as RFC 8037 says) that the holder of an Ed25519 private key makes.
//!
//! ```text
//!  header   {"alg":"EdDSA","typ":"mesa-at+jwt","jwk":{"kty":"OKP","crv":"Ed25519","x":…}}
//!  payload  {"iss":<org>,"aud":"mesa-api","admin":true | "access":{<repo>:"read-repo"|"write-repo"},"iat":…,"exp":…,"jti":…}
//! ```
//!
//! The key in the header says which registered key to look up. Do not trust a token until that key was found and
//! [`AccessToken::verify`] has passed.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, de::DeserializeOwned};

use crate::api::json_tree::Json;
use crate::service::{
    auth::Scope,
    crypto::{Crypto, NewKey},
};

/// The content of a token, before it is verified.
pub struct AccessToken<'a> {
    org: String,
    public_key: String,
    grant: Grant,
    issued_at: i64,
    expires_at: i64,
    signed: &'a str,
    signature: [u8; 64],
}

/// The access that a token grants.
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
    /// Critical extensions of the token (`crit`). We support none.
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
    /// Decodes a token; `None` if the text is not a token at all.
    ///
    /// # Errors
    ///
    /// The token's fault.
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
        // Its secret would be the hash of an API key. That hash is in the database, so anyone who reads the database could
        // sign.
        if header.alg == "HS256" {
            return Err(
                "access tokens that are signed with an API key (HS256) are not accepted; send the API key itself",
            );
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
        let signature = URL_SAFE_NO_PAD.decode(signature).ok().and_then(|bytes| bytes.try_into().ok());
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

    /// The slug of the token's organisation.
    pub fn org(&self) -> &str {
        &self.org
    }

    /// The token's public key, as a JWK's `x`.
    pub fn public_key(&self) -> &str {
        &self.public_key
    }

    /// Returns the access that the token grants, after three checks: the key belongs to the organisation, the key made the
    /// signature, and `now`, in seconds since 1970, is within the token's lifetime.
    ///
    /// # Errors
    ///
    /// Why the token is refused.
    pub async fn verify(self, now: i64, crypto: &dyn Crypto) -> Result<Grant, &'static str> {
        let key = public_key(&self.public_key).ok_or("the access token's key is not a valid Ed25519 key")?;
        if !crypto.is_signed(&key, &self.signature, self.signed.as_bytes()).await {
            return Err("the signature of the access token was not made with its key");
        }
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

    /// The scope and the single repositories that remain within the limits of its key.
    pub(crate) fn within(
        self,
        most: Scope,
        access: Option<BTreeMap<String, Scope>>,
    ) -> (Scope, Option<BTreeMap<String, Scope>>) {
        let repos = match self {
            Self::Admin => return (most, access),
            Self::Repos(repos) => repos,
        };
        let is_allowed = |name: &String| access.as_ref().is_none_or(|access| access.contains_key(name));
        let repos: BTreeMap<_, _> = repos
            .into_iter()
            .filter(|(name, _)| is_allowed(name))
            .map(|(name, scope)| (name, scope.min(most)))
            .collect();
        (repos.values().copied().max().unwrap_or(Scope::Read), Some(repos))
    }
}

/// Whether this is the `x` of an Ed25519 public key, as in a JWK.
pub fn is_public_key(x: &str) -> bool {
    public_key(x).is_some()
}

fn public_key(x: &str) -> Option<[u8; 32]> {
    let key = <[u8; 32]>::try_from(URL_SAFE_NO_PAD.decode(x).ok()?).ok()?;
    (!is_of_small_order(key)).then_some(key)
}

/// Whether it is one of the eight points of small order, in any encoding. Anybody can make signatures that are valid for
/// these.
fn is_of_small_order(mut key: [u8; 32]) -> bool {
    // The sign of x, which each of them may have.
    key[31] &= 0x7f;
    SMALL_ORDER.contains(&key)
}

/// A new private key for `org`, as `mesa_private_key_<org>_<base64url of PKCS#8 DER>`, and its public key as a JWK's `x`.
///
/// # Errors
///
/// If the platform's cryptography fails.
pub(crate) async fn new_private_key(org: &str, crypto: &dyn Crypto) -> Result<(String, String), String> {
    let NewKey { private, public } = crypto.new_key().await?;
    Ok((format!("{PRIVATE_KEY}{org}_{}", URL_SAFE_NO_PAD.encode(private)), URL_SAFE_NO_PAD.encode(public)))
}

fn decode<T: DeserializeOwned>(part: &str) -> Option<T> {
    let bytes = URL_SAFE_NO_PAD.decode(part).ok()?;
    Json::parse(&bytes).ok()?.decode().ok()
}

/// The prefix of private keys. A client never sends a private key.
pub(crate) const PRIVATE_KEY: &str = "mesa_private_key_";
/// The y of each point of small order on Curve25519's Edwards form, little-endian and without the sign of x: 0, 1, -1, the
/// two of order 8, and the other encodings of 0 and 1 (above the prime 2^255 - 19).
const SMALL_ORDER: [[u8; 32]; 7] = {
    const P: u8 = 0xed;
    let (mut one, mut beyond) = ([0; 32], [0xff; 32]);
    one[0] = 1;
    (beyond[0], beyond[31]) = (P, 0x7f);
    let (mut minus_one, mut one_beyond) = (beyond, beyond);
    (minus_one[0], one_beyond[0]) = (P - 1, P + 1);
    let order_8 = [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf,
        0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
    ];
    let order_8_too = [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20,
        0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
    ];
    [[0; 32], one, order_8, order_8_too, minus_one, beyond, one_beyond]
};
const MAX_TOKEN: usize = 32 * 1024;
const MAX_ACCESS: usize = 250;
const MAX_LIFETIME: i64 = 4 * 60 * 60;
/// How far the signer's clock may differ from the database's clock, in seconds.
const CLOCK_SKEW: i64 = 60;
