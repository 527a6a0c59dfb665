//! The platform's cryptography (the Web Cryptography API): every runtime has it, and keeps it up and fast.

use futures_util::future::LocalBoxFuture;

/// The functions that the service needs. A failure of the platform is a message for the log.
pub trait Crypto {
    /// AES-256-GCM: the ciphertext, followed by the tag of 16 bytes. `owner` is authenticated, but not part of it.
    fn encrypt<'a>(
        &'a self,
        key: &'a [u8; 32],
        nonce: &'a [u8; 12],
        owner: &'a [u8],
        message: &'a [u8],
    ) -> LocalBoxFuture<'a, Result<Vec<u8>, String>>;

    /// The decrypted text; `None` if the key, the nonce or the owner does not match, or if the ciphertext was changed.
    fn decrypt<'a>(
        &'a self,
        key: &'a [u8; 32],
        nonce: &'a [u8; 12],
        owner: &'a [u8],
        sealed: &'a [u8],
    ) -> LocalBoxFuture<'a, Option<Vec<u8>>>;

    /// SHA-256.
    fn sha256<'a>(&'a self, message: &'a [u8]) -> LocalBoxFuture<'a, Result<Vec<u8>, String>>;

    /// HMAC with SHA-256; the key is not empty.
    fn hmac_sha256<'a>(&'a self, key: &'a [u8], message: &'a [u8]) -> LocalBoxFuture<'a, Result<Vec<u8>, String>>;

    /// Whether this is an Ed25519 signature (RFC 8032) of the message, made with the private key of this public key.
    fn is_signed<'a>(
        &'a self,
        public_key: &'a [u8; 32],
        signature: &'a [u8; 64],
        message: &'a [u8],
    ) -> LocalBoxFuture<'a, bool>;

    /// A new Ed25519 key.
    fn new_key(&self) -> LocalBoxFuture<'_, Result<NewKey, String>>;
}

/// A new Ed25519 key.
pub struct NewKey {
    /// The private half, as PKCS#8 in DER (RFC 8410).
    pub private: Vec<u8>,
    /// The public half, its 32 bytes.
    pub public: Vec<u8>,
}
