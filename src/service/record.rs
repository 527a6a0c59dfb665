//! What the operator can follow in fields: one record for each request, run and delivery. Paths have no query, and errors
//! no credential.

use std::time::Duration;

use serde::Serialize;

use crate::service::{Service, hex, http::page::split_url, random};
use crate::{
    http::{Headers, Method},
    model::{Direction, SyncRunCounts},
};

/// Something that was done, and how it ended.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Record {
    /// Something that the operator should know.
    Trouble {
        /// In words.
        message: String,
    },
    /// A call was answered.
    Request {
        /// What ties it to the answer's `trace_id`, and to the caller's `traceparent` where there was one.
        trace_id: String,
        /// The method.
        method: &'static str,
        /// The path, without its query.
        path: String,
        /// The HTTP status.
        status: u16,
        /// How long it took until the answer's head was there.
        duration_ms: u64,
        /// What failed here, which the answer does not say.
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<String>,
    },
    /// An attempt of a run came to its end.
    Sync {
        /// Of this attempt.
        trace_id: String,
        /// The run.
        sync_id: String,
        /// Its repository.
        repo_id: String,
        /// The organisation's slug.
        org: String,
        /// The repository's name.
        repo: String,
        /// Which way refs travelled.
        direction: Direction,
        /// Which attempt it was, from 1.
        attempt: u32,
        /// `completed`, `failed`, `queued` (for its next attempt), `handed_back`, or `lost` to another worker.
        status: &'static str,
        /// How long it took.
        duration_ms: u64,
        /// What became of the refs.
        #[serde(skip_serializing_if = "Option::is_none")]
        refs: Option<SyncRunCounts>,
        /// Why it did not do its work.
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<String>,
    },
    /// A webhook delivery was tried.
    Webhook {
        /// Of this try.
        trace_id: String,
        /// The target.
        target_id: String,
        /// The event, whose id stays the same on every try.
        event_id: String,
        /// The event's name.
        #[serde(rename = "type")]
        kind: String,
        /// Which try it was, from 1.
        attempt: u32,
        /// `delivered`, `refused` or `given_up`.
        status: &'static str,
        /// How long it took.
        duration_ms: u64,
        /// Why it did not arrive.
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<String>,
    },
}

/// A call that is being answered.
pub struct Exchange {
    pub(crate) trace_id: String,
    pub(crate) method: &'static str,
    pub(crate) path: String,
    started: Duration,
}

impl Service {
    /// A call came in; [`Service::end`] tells how it was answered.
    pub fn begin(&self, method: &'static str, url: &str, headers: &Headers) -> Exchange {
        let trace_id = headers.get("traceparent").and_then(parent_trace).map_or_else(new_trace, str::to_owned);
        Exchange { trace_id, method, path: split_url(url).0.to_owned(), started: self.options.runtime.now() }
    }

    /// The call was answered.
    pub fn end(&self, exchange: Exchange, status: u16, error: Option<String>) {
        let duration_ms = self.milliseconds_since(exchange.started);
        let Exchange { trace_id, method, path, .. } = exchange;
        // Probes come every few seconds; one that is well is no news.
        if status < 500 && matches!(path.as_str(), "/healthz" | "/readyz" | "/metrics") {
            return;
        }
        self.record(Record::Request { trace_id, method, path, status, duration_ms, error });
    }

    pub(crate) fn record(&self, record: Record) {
        self.options.runtime.record(&record);
    }

    pub(crate) fn milliseconds_since(&self, started: Duration) -> u64 {
        u64::try_from(self.options.runtime.now().saturating_sub(started).as_millis()).unwrap_or(u64::MAX)
    }
}

/// An id that ties records, log lines and answers together: 16 hex digits.
pub(crate) fn new_trace() -> String {
    hex(&random::<8>())
}

/// The trace id in a `traceparent` (W3C Trace Context, section 3.2): 32 hex digits in lower case, not all zero.
pub fn parent_trace(traceparent: &str) -> Option<&str> {
    let is_hex = |part: &str| part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let mut parts = traceparent.split('-');
    let (version, trace_id, parent, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let fits = version.len() == 2 && version != "ff" && trace_id.len() == 32 && parent.len() == 16 && flags.len() == 2;
    let is_valid = fits && [version, trace_id, parent, flags].into_iter().all(is_hex);
    (is_valid && trace_id.bytes().any(|b| b != b'0')).then_some(trace_id)
}

/// A method's name for a record; what no call has is told as such.
pub fn method_name(method: &str) -> &'static str {
    Method::parse(method).map_or("other", Method::as_str)
}
