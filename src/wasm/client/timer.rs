//! The host's clock and chance.

use std::time::Duration;

use futures_util::{FutureExt, future::LocalBoxFuture};
use gloo_timers::future::TimeoutFuture;

use crate::client::Timer;

/// `setTimeout`, `Date.now` and `Math.random`.
pub(crate) struct HostTimer;

/// The longest that `setTimeout` takes; more would fire at once.
const LONGEST_TIMEOUT: u32 = i32::MAX as u32;

impl Timer for HostTimer {
    fn sleep(&self, duration: Duration) -> LocalBoxFuture<'static, ()> {
        let millis = u32::try_from(duration.as_millis()).unwrap_or(LONGEST_TIMEOUT);
        TimeoutFuture::new(millis.min(LONGEST_TIMEOUT)).boxed_local()
    }

    fn now(&self) -> i64 {
        js_sys::Date::now() as i64
    }

    fn random(&self) -> f64 {
        js_sys::Math::random()
    }
}
