//! Decides when a failed request is retried. Pure: [`Client::call`](super::Client::call) acts on the decisions.

use std::time::Duration;

use super::Error;
use crate::backoff::Backoff;

/// The waits, before jitter.
const BACKOFF: Backoff = Backoff::doubling(Duration::from_millis(500), Duration::from_secs(8));

/// If a server asks to wait longer than this, its error is returned instead.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(60);

/// How long to wait before the next try, or `None` if `error` is final.
///
/// `failures` counts the tries that failed, from 1; at most `max_retries` further tries are made. The wait doubles from
/// half a second to 8 s and is multiplied by `random`, a number from 0 to 1 ("full jitter"), so that clients that failed
/// together do not come back together. If there is a `Retry-After`, the wait is at least that long, and the jitter is
/// added.
pub fn delay(error: &Error, failures: u32, max_retries: u32, random: f64) -> Option<Duration> {
    if failures > max_retries || !error.is_transient() {
        return None;
    }
    let asked = error.retry_after().unwrap_or_default();
    let jitter = BACKOFF.after(failures).mul_f64(random.clamp(0.0, 1.0));
    (asked <= LONGEST_RETRY_AFTER).then(|| asked + jitter)
}
