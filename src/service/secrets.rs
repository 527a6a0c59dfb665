//! Secrets at rest: AES-256-GCM, bound to what they belong to: upstream credentials to their repository, webhook secrets to
//! their target.
//!
//! Sealed text is `v1.` and the base64 of nonce (12 bytes), ciphertext and tag (16 bytes). One key seals; others, which were
//! the key before or shall be the next one, only open.

use aes_gcm::{
    Aes256Gcm, KeyInit,
    aead::{Aead, Payload},
};
use base64::{Engine, engine::general_purpose::STANDARD};

use serde::{Serialize, de::DeserializeOwned};

/// The keys that seal and open secrets. It has no `Debug`.
pub struct SecretKeys {
    present: Aes256Gcm,
    others: Vec<Aes256Gcm>,
}

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
    pub fn new(present: &[u8; 32], others: &[[u8; 32]]) -> Self {
        let cipher = |bytes: &[u8; 32]| Aes256Gcm::new(bytes.into());
        Self { present: cipher(present), others: others.iter().map(cipher).collect() }
    }

    /// Whether there are others.
    pub fn has_others(&self) -> bool {
        !self.others.is_empty()
    }

    /// The secret as it may be stored, for the repository or target of this id only.
    pub fn seal<T: Serialize>(&self, secret: &T, owner_id: &str) -> String {
        let message = serde_json::to_vec(secret).expect("a secret is made of strings");
        self.seal_bytes(&message, owner_id)
    }

    /// The secret that was sealed for this repository or target.
    ///
    /// # Errors
    ///
    /// Where it was sealed with a key that is not here, for another owner, or was changed.
    pub fn open<T: DeserializeOwned>(&self, sealed: &str, owner_id: &str) -> Result<T, Unreadable> {
        let (message, _) = self.open_bytes(sealed, owner_id)?;
        serde_json::from_slice(&message).map_err(|_| Unreadable)
    }

    /// The same secret under the present key; none where it is under it already.
    ///
    /// # Errors
    ///
    /// As [`SecretKeys::open`].
    pub fn reseal(&self, sealed: &str, owner_id: &str) -> Result<Option<String>, Unreadable> {
        let (message, with) = self.open_bytes(sealed, owner_id)?;
        Ok((with == SealedWith::Other).then(|| self.seal_bytes(&message, owner_id)))
    }

    fn seal_bytes(&self, message: &[u8], owner_id: &str) -> String {
        let nonce: [u8; NONCE] = super::random();
        let payload = Payload { msg: message, aad: owner_id.as_bytes() };
        let sealed =
            self.present.encrypt(&nonce.into(), payload).expect("a credential is far below the cipher's limit");
        format!("{VERSION}{}", STANDARD.encode([nonce.as_slice(), &sealed].concat()))
    }

    fn open_bytes(&self, sealed: &str, owner_id: &str) -> Result<(Vec<u8>, SealedWith), Unreadable> {
        let encoded = sealed.strip_prefix(VERSION).ok_or(Unreadable)?;
        let bytes = STANDARD.decode(encoded).map_err(|_| Unreadable)?;
        let (nonce, msg) = bytes.split_first_chunk::<NONCE>().ok_or(Unreadable)?;
        let open = |key: &Aes256Gcm| key.decrypt(&(*nonce).into(), Payload { msg, aad: owner_id.as_bytes() }).ok();
        // The tag tells the right key from the others.
        let with_present = open(&self.present).map(|message| (message, SealedWith::Present));
        with_present
            .or_else(|| self.others.iter().find_map(open).map(|message| (message, SealedWith::Other)))
            .ok_or(Unreadable)
    }
}

const NONCE: usize = 12;
const VERSION: &str = "v1.";
