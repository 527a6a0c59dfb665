//! What JavaScript waits for, and what it lets us wait for.

use futures_util::FutureExt;
use js_sys::Promise;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::{JsFuture, future_to_promise};

/// A promise of what `work` gives. One kind of future for all calls: each would bring the machinery of a promise once more.
pub(super) fn promise(work: impl Future<Output = Result<JsValue, JsValue>> + 'static) -> Promise {
    future_to_promise(work.boxed_local())
}

/// What a call of the host's comes to: it may throw at once, or its promise may reject.
pub(super) async fn settled(started: Result<Promise, JsValue>) -> Result<JsValue, JsValue> {
    JsFuture::from(started?).await
}
