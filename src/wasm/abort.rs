//! Cancellation by an `AbortSignal`.

use futures_util::{
    future::{Either, select},
    pin_mut,
};
use js_sys::{Function, Promise, Reflect};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;
use web_sys::AbortSignal;

use crate::error::Aborted;

/// Listens for a signal's `abort`. Stops listening when it is dropped, because a signal may live as long as the page.
struct Listener {
    signal: AbortSignal,
    callback: Function,
}

impl Drop for Listener {
    fn drop(&mut self) {
        // It fails for an unknown argument type only.
        let _ = self.signal.remove_event_listener_with_callback("abort", &self.callback);
    }
}

/// The result of `future`. If the signal aborts first, `future` and its requests are dropped, and the result is an
/// `AbortError` with the signal's reason as its `cause`.
pub(crate) async fn abortable<T>(
    operation: &str,
    signal: Option<AbortSignal>,
    future: impl Future<Output = Result<T, JsValue>>,
) -> Result<T, JsValue> {
    let Some(signal) = signal else { return future.await };
    if signal.aborted() {
        return Err(aborted(operation, &signal));
    }
    let mut callback = None;
    let promise = Promise::new(&mut |resolve, _| callback = Some(resolve));
    let callback = callback.expect("a promise calls its executor before its constructor returns");
    signal.add_event_listener_with_callback("abort", &callback)?;
    let listener = Listener { signal, callback };
    let abort = JsFuture::from(promise);
    pin_mut!(future);
    match select(future, abort).await {
        Either::Left((result, _)) => result,
        Either::Right(_) => Err(aborted(operation, &listener.signal)),
    }
}

fn aborted(operation: &str, signal: &AbortSignal) -> JsValue {
    let error = JsValue::from(Aborted { operation: operation.to_owned() });
    // A new `Error` accepts any property.
    let _ = Reflect::set(&error, &"cause".into(), &signal.reason());
    error
}
