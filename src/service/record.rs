//! Structured records for the operator: one for each request, run and delivery. Paths have no query, and errors no
//! credential.

use serde::Serialize;

use crate::api::{Direction, SyncRunCounts};
use crate::service::random::{hex, random};

/// An operation and its result.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Record {
    /// Something that the operator should know.
    Trouble {
        /// The message.
        message: String,
    },
    /// A call was answered.
    Request {
        /// The id that connects it to the answer's `trace_id`, and to the caller's `traceparent` if there was one.
        trace_id: String,
        /// The method.
        method: &'static str,
        /// The path, without its query.
        path: String,
        /// The template of the call's path, such as `/{org}/{repo}`; `git` for Git's requests; `other` if there is no such call.
        route: &'static str,
        /// The HTTP status.
        status: u16,
        /// How long it took until the answer's head was ready.
        duration_ms: u64,
        /// The cause of a failure of the service. The answer does not contain it.
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<String>,
    },
    /// An attempt of a run ended.
    Sync {
        /// The id of this attempt.
        trace_id: String,
        /// The run.
        sync_id: String,
        /// Its repository.
        repo_id: String,
        /// The organisation's slug.
        org: String,
        /// The repository's name.
        repo: String,
        /// The direction of the sync.
        direction: Direction,
        /// The attempt's number, from 1.
        attempt: u32,
        /// `completed`, `failed`, `queued` (for its next attempt), `handed_back`, or `lost` to another worker.
        status: &'static str,
        /// How long it took.
        duration_ms: u64,
        /// The results of the refs.
        #[serde(skip_serializing_if = "Option::is_none")]
        refs: Option<SyncRunCounts>,
        /// Why it failed.
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<String>,
    },
    /// A webhook delivery was tried.
    Webhook {
        /// The id of this try.
        trace_id: String,
        /// The target.
        target_id: String,
        /// The event's id, which is the same on every try.
        event_id: String,
        /// The event's name.
        #[serde(rename = "type")]
        kind: String,
        /// The try's number, from 1.
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
