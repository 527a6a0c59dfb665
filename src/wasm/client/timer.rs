//! The host's clock and random numbers.

use std::time::Duration;

use futures_util::{FutureExt, future::LocalBoxFuture};

use crate::{
    client::Timer,
    wasm::timer::{monotonic, timer},
};

/// `setTimeout`, `Date.now`, `performance.now` and `Math.random`.
pub(crate) struct HostTimer;

impl Timer for HostTimer {
    fn sleep(&self, duration: Duration) -> LocalBoxFuture<'static, ()> {
        timer(duration).boxed_local()
    }

    fn now(&self) -> i64 {
        js_sys::Date::now() as i64
    }

    fn monotonic(&self) -> i64 {
        monotonic() as i64
    }

    fn random(&self) -> f64 {
        js_sys::Math::random()
    }
}
