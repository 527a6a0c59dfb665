//! The platform's cryptography: `ServiceCrypto` of the package's `service-crypto.ts`.

use futures_util::{FutureExt, future::LocalBoxFuture};
use js_sys::{Array, Promise, Uint8Array};
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};
use wasm_bindgen_futures::JsFuture;

use crate::{
    service::crypto::{Crypto, NewKey},
    wasm::error::message::message,
};

#[wasm_bindgen]
extern "C" {
    pub(super) type JsCrypto;
    #[wasm_bindgen(method, structural)]
    fn encrypt(this: &JsCrypto, key: Uint8Array, nonce: Uint8Array, owner: Uint8Array, text: Uint8Array) -> Promise;
    #[wasm_bindgen(method, structural)]
    fn decrypt(this: &JsCrypto, key: Uint8Array, nonce: Uint8Array, owner: Uint8Array, text: Uint8Array) -> Promise;
    #[wasm_bindgen(method, structural)]
    fn sha256(this: &JsCrypto, message: Uint8Array) -> Promise;
    #[wasm_bindgen(method, structural, js_name = hmacSha256)]
    fn hmac_sha256(this: &JsCrypto, key: Uint8Array, message: Uint8Array) -> Promise;
    #[wasm_bindgen(method, structural, js_name = isSigned)]
    fn is_signed(this: &JsCrypto, public_key: Uint8Array, signature: Uint8Array, message: Uint8Array) -> Promise;
    #[wasm_bindgen(method, structural, js_name = newKey)]
    fn new_key(this: &JsCrypto) -> Promise;
}

/// The package's.
pub(super) struct HostCrypto(pub(super) JsCrypto);

impl Crypto for HostCrypto {
    fn encrypt<'a>(
        &'a self,
        key: &'a [u8; 32],
        nonce: &'a [u8; 12],
        owner: &'a [u8],
        text: &'a [u8],
    ) -> LocalBoxFuture<'a, Result<Vec<u8>, String>> {
        made(self.0.encrypt(bytes(key), bytes(nonce), bytes(owner), bytes(text)))
    }

    fn decrypt<'a>(
        &'a self,
        key: &'a [u8; 32],
        nonce: &'a [u8; 12],
        owner: &'a [u8],
        sealed: &'a [u8],
    ) -> LocalBoxFuture<'a, Option<Vec<u8>>> {
        let done = JsFuture::from(self.0.decrypt(bytes(key), bytes(nonce), bytes(owner), bytes(sealed)));
        async move { done.await.ok().map(|opened| content(&opened)) }.boxed_local()
    }

    fn sha256<'a>(&'a self, message: &'a [u8]) -> LocalBoxFuture<'a, Result<Vec<u8>, String>> {
        made(self.0.sha256(bytes(message)))
    }

    fn hmac_sha256<'a>(&'a self, key: &'a [u8], message: &'a [u8]) -> LocalBoxFuture<'a, Result<Vec<u8>, String>> {
        made(self.0.hmac_sha256(bytes(key), bytes(message)))
    }

    fn is_signed<'a>(
        &'a self,
        public_key: &'a [u8; 32],
        signature: &'a [u8; 64],
        message: &'a [u8],
    ) -> LocalBoxFuture<'a, bool> {
        let done = JsFuture::from(self.0.is_signed(bytes(public_key), bytes(signature), bytes(message)));
        async move { done.await.is_ok_and(|is_signed| is_signed == true) }.boxed_local()
    }

    fn new_key(&self) -> LocalBoxFuture<'_, Result<NewKey, String>> {
        let done = JsFuture::from(self.0.new_key());
        async move {
            let halves = done.await.map_err(|error| message(&error))?.unchecked_into::<Array>();
            Ok(NewKey { private: content(&halves.get(0)), public: content(&halves.get(1)) })
        }
        .boxed_local()
    }
}

/// A result of the platform.
fn made(started: Promise) -> LocalBoxFuture<'static, Result<Vec<u8>, String>> {
    let done = JsFuture::from(started);
    async move { Ok(content(&done.await.map_err(|error| message(&error))?)) }.boxed_local()
}

fn bytes(bytes: &[u8]) -> Uint8Array {
    Uint8Array::from(bytes)
}

/// The bytes of an `ArrayBuffer` or a view of one.
fn content(buffer: &JsValue) -> Vec<u8> {
    Uint8Array::new(buffer).to_vec()
}
