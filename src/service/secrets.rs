//! Secrets at rest: AES-256-GCM, bound to what they belong to: upstream credentials to their repository, webhook secrets to
//! their target.
//!
//! Sealed text is `v1.` and the base64 of nonce (12 bytes), ciphertext and tag (16 bytes). One key seals; others, which were
//! the key before or shall be the next one, only open.

use std::rc::Rc;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Serialize, de::DeserializeOwned};

use super::{crypto::Crypto, json};

/// The keys that seal and open secrets. It has no `Debug`.
pub struct SecretKeys {
    present: [u8; 32],
    others: Vec<[u8; 32]>,
    crypto: Rc<dyn Crypto>,
}

/// A secret that could not be sealed, and what the platform says.
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

impl SecretKeys {
    /// The key that seals, and others that only open.
    pub fn new(present: [u8; 32], others: Vec<[u8; 32]>, crypto: Rc<dyn Crypto>) -> Self {
        Self { present, others, crypto }
    }

    /// Whether there are others.
    pub fn has_others(&self) -> bool {
        !self.others.is_empty()
    }

    /// The secret as it may be stored, for the repository or target of this id only.
    ///
    /// # Errors
    ///
    /// Where the platform's cryptography fails.
    pub async fn seal<T: Serialize>(&self, secret: &T, owner_id: &str) -> Result<String, Unsealable> {
        let message = serde_json::to_vec(secret).expect("a secret is made of strings");
        self.seal_bytes(&message, owner_id).await
    }

    /// The secret that was sealed for this repository or target.
    ///
    /// # Errors
    ///
    /// Where it was sealed with a key that is not here, for another owner, or was changed.
    pub async fn open<T: DeserializeOwned>(&self, sealed: &str, owner_id: &str) -> Result<T, Unreadable> {
        let (message, _) = self.open_bytes(sealed, owner_id).await?;
        json::from_slice(&message).map_err(|_| Unreadable)
    }

    /// The same secret under the present key; none where it is under it already.
    ///
    /// # Errors
    ///
    /// As [`SecretKeys::open`].
    pub async fn reseal(&self, sealed: &str, owner_id: &str) -> Result<Option<String>, Unreadable> {
        let (message, with) = self.open_bytes(sealed, owner_id).await?;
        if with == SealedWith::Present {
            return Ok(None);
        }
        self.seal_bytes(&message, owner_id).await.map(Some).map_err(|Unsealable(_)| Unreadable)
    }

    async fn seal_bytes(&self, message: &[u8], owner_id: &str) -> Result<String, Unsealable> {
        let nonce: [u8; NONCE] = super::random();
        let sealed = self.crypto.encrypt(&self.present, &nonce, owner_id.as_bytes(), message).await;
        let sealed = sealed.map_err(Unsealable)?;
        Ok(format!("{VERSION}{}", STANDARD.encode([nonce.as_slice(), &sealed].concat())))
    }

    async fn open_bytes(&self, sealed: &str, owner_id: &str) -> Result<(Vec<u8>, SealedWith), Unreadable> {
        let encoded = sealed.strip_prefix(VERSION).ok_or(Unreadable)?;
        let bytes = STANDARD.decode(encoded).map_err(|_| Unreadable)?;
        let (nonce, msg) = bytes.split_first_chunk::<NONCE>().ok_or(Unreadable)?;
        // The tag tells the right key from the others.
        let keys = std::iter::once((&self.present, SealedWith::Present));
        for (key, with) in keys.chain(self.others.iter().map(|key| (key, SealedWith::Other))) {
            if let Some(message) = self.crypto.decrypt(key, nonce, owner_id.as_bytes(), msg).await {
                return Ok((message, with));
            }
        }
        Err(Unreadable)
    }
}

const NONCE: usize = 12;
const VERSION: &str = "v1.";
