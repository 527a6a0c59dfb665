//! Calls that wait for the end of a run (`Prefer: wait`, RFC 7240, section 4.3).
//!
//! A waiting call takes one of the organisation's places for streams of events. Like them, it queries the database more
//! rarely if there are many.

use std::time::Duration;

use serde_json::json;

use crate::http::Headers;
use crate::service::{
    error::Error,
    host::Host,
    http::{call::Incoming, places::Places},
    stop::Stop,
    store,
};

/// The seconds of `Prefer: wait`, if the caller wants to wait. Other preferences are ignored, and so are invalid ones.
pub(crate) fn preferred(headers: &Headers) -> Option<u32> {
    let preferences = headers.get("prefer")?.split([',', ';']);
    let wait = preferences.filter_map(|preference| preference.split_once('='));
    let mut wait = wait.filter(|(name, _)| name.trim().eq_ignore_ascii_case("wait"));
    let seconds: u32 = wait.next()?.1.trim().trim_matches('"').parse().ok()?;
    Some(seconds.min(LONGEST))
}

/// A wait that ends at a certain time, or when the service stops.
pub(crate) struct Wait<'a> {
    host: &'a Host,
    stop: &'a Stop,
    places: &'a Places,
    until: Duration,
}

impl<'a> Wait<'a> {
    pub(crate) fn new(host: &'a Host, call: &'a Incoming<'_>, seconds: u32) -> Self {
        let until = host.now() + Duration::from_secs(seconds.into());
        Self { host, stop: call.stop, places: &call.shares.streams, until }
    }

    /// Sleeps, but not past the end; false if the time is over already.
    pub(crate) async fn sleep(&self, duration: Duration) -> bool {
        let left = self.until.saturating_sub(self.host.now());
        if left.is_zero() || self.stop.is_stopping() {
            return false;
        }
        // All waiting calls and followers together query the database at most a hundred times a second.
        let total = u32::try_from(self.places.total()).unwrap_or(u32::MAX);
        self.host.options.runtime.sleep(duration.max(EACH.saturating_mul(total)).min(left)).await;
        true
    }

    /// Waits for the end of a run, and returns its last status as JSON: `"completed"`, `"failed"`, or another one if the
    /// time is over first.
    pub(crate) async fn ended(&self, sync_id: &str) -> Result<String, Error> {
        let mut interval = FIRST;
        loop {
            let params = json!({"sync_id": sync_id});
            let status = store::text(self.host.database(), sql!("sql/sync_status.sql"), params).await?;
            // It is missing if the repository was deleted.
            let status = status.unwrap_or_else(|| FAILED.to_owned());
            if status == COMPLETED || status == FAILED || !self.sleep(interval).await {
                return Ok(status);
            }
            interval = (interval * 2).min(INTERVAL);
        }
    }
}

/// The status of a run, as JSON.
pub(crate) const COMPLETED: &str = r#""completed""#;
/// The same.
const FAILED: &str = r#""failed""#;
/// The longest wait, in seconds.
pub(crate) const LONGEST: u32 = 300;
/// The time between the first two queries of the database. It doubles each time.
const FIRST: Duration = Duration::from_millis(50);
/// The longest time between two queries.
const INTERVAL: Duration = Duration::from_millis(500);
/// How much each waiting call adds to the time between two queries of all of them.
const EACH: Duration = Duration::from_millis(10);
