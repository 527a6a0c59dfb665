//! Secrets at rest: AES-256-GCM, bound to what they belong to: upstream credentials to their repository, webhook secrets to
//! their target.
//!
//! Sealed text is `v1.` and the base64 of nonce (12 bytes), ciphertext and tag (16 bytes).

use aes_gcm::{
    Aes256Gcm, KeyInit,
    aead::{Aead, Payload},
};
use base64::{Engine, engine::general_purpose::STANDARD};

use serde::{Serialize, de::DeserializeOwned};

/// The key that seals credentials. It has no `Debug`.
pub struct SecretKey(Aes256Gcm);

/// Why a sealed credential cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the stored upstream credential cannot be read with this service's secret key; set upstream.auth again")]
pub struct Unreadable;

impl SecretKey {
    /// The key of these 32 bytes.
    pub fn new(bytes: &[u8; 32]) -> Self {
        Self(Aes256Gcm::new(bytes.into()))
    }

    /// The secret as it may be stored, for the repository or target of this id only.
    pub fn seal<T: Serialize>(&self, secret: &T, owner_id: &str) -> String {
        let nonce: [u8; NONCE] = super::random();
        let message = serde_json::to_vec(secret).expect("a secret is made of strings");
        let payload = Payload { msg: &message, aad: owner_id.as_bytes() };
        let sealed = self.0.encrypt(&nonce.into(), payload).expect("a credential is far below the cipher's limit");
        format!("{VERSION}{}", STANDARD.encode([nonce.as_slice(), &sealed].concat()))
    }

    /// The secret that was sealed for this repository or target.
    ///
    /// # Errors
    ///
    /// Where it was sealed with another key, for another owner, or was changed.
    pub fn open<T: DeserializeOwned>(&self, sealed: &str, owner_id: &str) -> Result<T, Unreadable> {
        let encoded = sealed.strip_prefix(VERSION).ok_or(Unreadable)?;
        let bytes = STANDARD.decode(encoded).map_err(|_| Unreadable)?;
        let (nonce, msg) = bytes.split_first_chunk::<NONCE>().ok_or(Unreadable)?;
        let message =
            self.0.decrypt(&(*nonce).into(), Payload { msg, aad: owner_id.as_bytes() }).map_err(|_| Unreadable)?;
        serde_json::from_slice(&message).map_err(|_| Unreadable)
    }
}

const NONCE: usize = 12;
const VERSION: &str = "v1.";
