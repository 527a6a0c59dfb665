//! The service's cryptography for tests without a JavaScript runtime.

use aes_gcm::{
    Aes256Gcm, KeyInit,
    aead::{Aead, Payload},
};
use futures_util::{FutureExt, future::LocalBoxFuture};
use hmac::{Hmac, Mac};
use refsync::service::crypto::{Crypto, NewKey};
use sha2::{Digest, Sha256};

/// Implementations that differ from the platforms' own.
pub(crate) struct RustCrypto;

impl Crypto for RustCrypto {
    fn encrypt<'a>(
        &'a self,
        key: &'a [u8; 32],
        nonce: &'a [u8; 12],
        owner: &'a [u8],
        message: &'a [u8],
    ) -> LocalBoxFuture<'a, Result<Vec<u8>, String>> {
        let sealed = Aes256Gcm::new(key.into()).encrypt(nonce.into(), Payload { msg: message, aad: owner });
        std::future::ready(sealed.map_err(|error| error.to_string())).boxed_local()
    }

    fn decrypt<'a>(
        &'a self,
        key: &'a [u8; 32],
        nonce: &'a [u8; 12],
        owner: &'a [u8],
        sealed: &'a [u8],
    ) -> LocalBoxFuture<'a, Option<Vec<u8>>> {
        let opened = Aes256Gcm::new(key.into()).decrypt(nonce.into(), Payload { msg: sealed, aad: owner });
        std::future::ready(opened.ok()).boxed_local()
    }

    fn sha256<'a>(&'a self, message: &'a [u8]) -> LocalBoxFuture<'a, Result<Vec<u8>, String>> {
        std::future::ready(Ok(Sha256::digest(message).to_vec())).boxed_local()
    }

    fn hmac_sha256<'a>(&'a self, key: &'a [u8], message: &'a [u8]) -> LocalBoxFuture<'a, Result<Vec<u8>, String>> {
        let mut mac = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(key).expect("HMAC takes a key of any length");
        mac.update(message);
        std::future::ready(Ok(mac.finalize().into_bytes().to_vec())).boxed_local()
    }

    fn is_signed<'a>(&'a self, _: &'a [u8; 32], _: &'a [u8; 64], _: &'a [u8]) -> LocalBoxFuture<'a, bool> {
        unimplemented!("Ed25519 is judged in tests/js/service, by the platform's")
    }

    fn new_key(&self) -> LocalBoxFuture<'_, Result<NewKey, String>> {
        unimplemented!("Ed25519 is judged in tests/js/service, by the platform's")
    }
}
