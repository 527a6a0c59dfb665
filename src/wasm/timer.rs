//! `setTimeout`, and a clock that only goes forward, for durations: the time of day may be set back.

use std::time::Duration;

use gloo_timers::future::TimeoutFuture;
use wasm_bindgen::prelude::wasm_bindgen;

#[wasm_bindgen]
extern "C" {
    /// Milliseconds since some moment.
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    pub(crate) fn monotonic() -> f64;
}

/// Ends after this time, but at most after 24 days, because `setTimeout` fires at once for more.
pub(crate) fn timer(duration: Duration) -> TimeoutFuture {
    let millis = duration.as_secs_f64() * 1000.0;
    TimeoutFuture::new(millis.ceil().min(f64::from(i32::MAX)) as u32)
}
