//! What the operator can follow in fields: one record for each request, run and delivery. Paths have no query, and errors
//! no credential.

use serde::Serialize;

use crate::api::{Direction, SyncRunCounts};
use crate::service::random::{hex, random};

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

/// An id that ties records, log lines and answers together: 16 hex digits.
pub(crate) fn new_trace() -> String {
    hex(&random::<8>())
}
