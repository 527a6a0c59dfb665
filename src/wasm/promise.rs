//! Promises for JavaScript, and promises from JavaScript.

use futures_util::FutureExt;
use js_sys::Promise;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::{JsFuture, future_to_promise};

/// A promise of the result of `work`. All calls use one type of future, because each type would add a copy of the promise's
/// code.
pub(crate) fn promise(work: impl Future<Output = Result<JsValue, JsValue>> + 'static) -> Promise {
    future_to_promise(work.boxed_local())
}

/// The result of a call of the host: the call may throw, or its promise may reject.
pub(crate) async fn settled(started: Result<Promise, JsValue>) -> Result<JsValue, JsValue> {
    JsFuture::from(started?).await
}
