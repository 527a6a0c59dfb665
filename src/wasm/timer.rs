//! `setTimeout`.

use std::time::Duration;

use gloo_timers::future::TimeoutFuture;

/// Ends after this time, but at most after 24 days, because `setTimeout` fires at once for more.
pub(crate) fn timer(duration: Duration) -> TimeoutFuture {
    let millis = duration.as_secs_f64() * 1000.0;
    TimeoutFuture::new(millis.ceil().min(f64::from(i32::MAX)) as u32)
}
