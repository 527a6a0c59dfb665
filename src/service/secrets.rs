//! Stored secrets: AES-256-GCM. Each is bound to its owner, so it cannot be decrypted for another one: a webhook secret to
//! its target, a remote's credential to its repository and to the server that it may be sent to.
//!
//! Sealed text is the version (`v1.`, `v2.`) and the base64 of nonce (12 bytes), ciphertext and tag (16 bytes). The
//! additional data is
//!
//! ```text
//!  v1   <owner id>
//!  v2   v2 LF <owner id> LF <scheme, host and port of the server>
//! ```
//!
//! Earlier versions also sealed the credentials of remotes as `v1`. The first start of a version that binds them seals them
//! again as `v2`. One key seals. The other keys only open: earlier keys, or the next one.

use std::rc::Rc;

use crate::service::{crypto::Crypto, error::Error, random::random};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Serialize, de::DeserializeOwned};

/// The keys that seal and open secrets. It has no `Debug`.
pub struct SecretKeys {
    present: [u8; 32],
    others: Vec<[u8; 32]>,
    crypto: Rc<dyn Crypto>,
}

/// The owner of a secret. A secret can only be opened for the owner that it was sealed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner<'a> {
    id: &'a str,
    server: Option<&'a str>,
}

/// A secret that could not be sealed, with the platform's message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a secret cannot be encrypted: {0}")]
pub struct Unsealable(String);

/// Why a sealed credential cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the stored upstream credential cannot be read with this service's secret key; set upstream.auth again")]
pub struct Unreadable;

/// Which key a secret was sealed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SealedWith {
    /// The one that seals.
    Present,
    /// One of the others.
    Other,
}

impl<'a> Owner<'a> {
    /// A webhook target, or another owner of a secret that is not sent to a server.
    pub fn target(id: &'a str) -> Self {
        Self { id, server: None }
    }

    /// A remote of a repository. `server` is the origin (scheme, host and port) that the credential may be sent to.
    pub fn remote(id: &'a str, server: &'a str) -> Self {
        Self { id, server: Some(server) }
    }

    fn version(&self) -> &'static str {
        if self.server.is_some() { V2 } else { V1 }
    }

    fn additional_data(&self) -> Vec<u8> {
        match self.server {
            Some(server) => format!("v2\n{}\n{server}", self.id).into_bytes(),
            None => self.id.as_bytes().to_vec(),
        }
    }
}

impl SecretKeys {
    /// The key that seals, and others that only open.
    pub fn new(present: [u8; 32], others: Vec<[u8; 32]>, crypto: Rc<dyn Crypto>) -> Self {
        Self { present, others, crypto }
    }

    /// Whether there are other keys.
    pub fn has_others(&self) -> bool {
        !self.others.is_empty()
    }

    /// Seals the secret for this owner only.
    ///
    /// # Errors
    ///
    /// If the platform's cryptography fails.
    pub async fn seal<T: Serialize>(&self, secret: &T, owner: Owner<'_>) -> Result<String, Unsealable> {
        let message = serde_json::to_vec(secret).expect("a secret is made of strings");
        self.seal_bytes(&message, owner).await
    }

    /// Opens a secret that was sealed for this owner.
    ///
    /// # Errors
    ///
    /// If none of the keys sealed it, if it was sealed for another owner, or if it was changed.
    pub async fn open<T: DeserializeOwned>(&self, sealed: &str, owner: Owner<'_>) -> Result<T, Unreadable> {
        let (message, _) = self.open_bytes(sealed, owner).await?;
        serde_json::from_slice(&message).map_err(|_| Unreadable)
    }

    /// The same secret, encrypted with the current key; `None` if it already is.
    ///
    /// # Errors
    ///
    /// As [`SecretKeys::open`].
    pub async fn reseal(&self, sealed: &str, owner: Owner<'_>) -> Result<Option<String>, Unreadable> {
        let (message, with) = self.open_bytes(sealed, owner).await?;
        if with == SealedWith::Present {
            return Ok(None);
        }
        self.seal_bytes(&message, owner).await.map(Some).map_err(|Unsealable(_)| Unreadable)
    }

    /// Seals a `v1` credential of a remote again, bound to its server.
    ///
    /// # Errors
    ///
    /// As [`SecretKeys::open`].
    pub async fn bind(&self, sealed: &str, owner: Owner<'_>) -> Result<String, Unreadable> {
        let (message, _) = self.open_bytes(sealed, Owner { server: None, ..owner }).await?;
        self.seal_bytes(&message, owner).await.map_err(|Unsealable(_)| Unreadable)
    }

    async fn seal_bytes(&self, message: &[u8], owner: Owner<'_>) -> Result<String, Unsealable> {
        let nonce: [u8; NONCE] = random();
        let sealed = self.crypto.encrypt(&self.present, &nonce, &owner.additional_data(), message).await;
        let sealed = sealed.map_err(Unsealable)?;
        Ok(format!("{}{}", owner.version(), STANDARD.encode([nonce.as_slice(), &sealed].concat())))
    }

    async fn open_bytes(&self, sealed: &str, owner: Owner<'_>) -> Result<(Vec<u8>, SealedWith), Unreadable> {
        let encoded = sealed.strip_prefix(owner.version()).ok_or(Unreadable)?;
        let bytes = STANDARD.decode(encoded).map_err(|_| Unreadable)?;
        let (nonce, msg) = bytes.split_first_chunk::<NONCE>().ok_or(Unreadable)?;
        let additional_data = owner.additional_data();
        // The tag shows which key is the right one.
        let keys = std::iter::once((&self.present, SealedWith::Present));
        for (key, with) in keys.chain(self.others.iter().map(|key| (key, SealedWith::Other))) {
            if let Some(message) = self.crypto.decrypt(key, nonce, &additional_data, msg).await {
                return Ok((message, with));
            }
        }
        Err(Unreadable)
    }
}

/// Whether this is a credential that is not bound to a server yet.
pub(crate) fn is_unbound(sealed: &str) -> bool {
    sealed.starts_with(V1)
}

const NONCE: usize = 12;
/// Bound to its owner.
const V1: &str = "v1.";
/// Bound to its owner and a server.
const V2: &str = "v2.";

impl From<Unsealable> for Error {
    fn from(error: Unsealable) -> Self {
        Self::Internal(error.to_string())
    }
}
