//! A call in progress, from its start to its record.

use std::{cell::Cell, time::Duration};

use crate::http::{Headers, Method};
use crate::service::{
    error::Error,
    host::Host,
    http::page::split_url,
    record::{Record, new_trace},
};

/// A call in progress.
pub struct Exchange {
    pub(crate) trace_id: String,
    pub(crate) method: &'static str,
    pub(crate) path: String,
    /// The template of the call's path.
    pub(crate) route: Cell<&'static str>,
    started: Duration,
}

impl Exchange {
    /// Starts the exchange when a call comes in. [`Exchange::end`] records the answer.
    pub(crate) fn begin(host: &Host, method: &'static str, url: &str, headers: &Headers) -> Self {
        let trace_id = headers.get("traceparent").and_then(parent_trace).map_or_else(new_trace, str::to_owned);
        Self { trace_id, method, path: split_url(url).0.to_owned(), route: Cell::new("other"), started: host.now() }
    }

    /// Records that the call was answered.
    pub(crate) fn end(self, host: &Host, status: u16, error: Option<String>) {
        let duration_ms = host.milliseconds_since(self.started);
        let Self { trace_id, method, path, route, .. } = self;
        // Probes come every few seconds, so successful ones are not recorded.
        if status < 500 && matches!(path.as_str(), "/healthz" | "/readyz" | "/metrics") {
            return;
        }
        host.record(Record::Request { trace_id, method, path, route: route.get(), status, duration_ms, error });
    }

    /// Logs an error of the service itself, and returns its cause. The answer does not contain the cause.
    pub(crate) fn log_cause(&self, host: &Host, error: &Error) -> Option<String> {
        let Self { trace_id, method, path, .. } = self;
        (error.status() >= 500).then(|| {
            host.log(&format!("trace_id={trace_id} {method} {path}: {error}"));
            error.to_string()
        })
    }
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

/// A method's name for a record. All unknown methods get the same name.
pub fn method_name(method: &str) -> &'static str {
    Method::parse(method).map_or("other", Method::as_str)
}
