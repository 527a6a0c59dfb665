//! Follows a run until it has ended: with the service's events, and with polls if the events fail.
//!
//! ```text
//! GET …/syncs/{id}/events ──▶ 200 text/event-stream: each event is the run      ─▶ its end
//!      ▲                 └──▶ anything else ───────────────┐
//!      └─ Last-Event-ID ── the stream broke after some events                    │
//!                          it broke without an event, or fell silent ────▶ poll ─▶ its end
//! ```
//!
//! A poll has the retries and the errors of any call. Streams of events have none of their own.

use std::{cell::Cell, rc::Rc, time::Duration};

use futures_util::{
    StreamExt,
    future::{Either, select},
};

use super::{
    Client, Error, WaitOptions,
    event_stream::EventStream,
    exchange::{LARGEST_ANSWER, Outgoing},
};
use crate::{
    api::{
        CallName, SyncRun,
        json_tree::Json,
        shape::{Others, Shaped},
    },
    backoff::Backoff,
    http::{ByteStream, Response},
};

/// The wait before the first poll; each further wait is twice as long.
pub const FIRST_POLL: Duration = Duration::from_millis(250);

/// The longest wait between two polls, and between two streams of events.
pub const LONGEST_POLL: Duration = Duration::from_secs(2);

/// The waits between polls.
const POLLS: Backoff = Backoff::doubling(FIRST_POLL, LONGEST_POLL);

/// How long the first event may take. The service sends it at once, so a longer wait means that a proxy buffers the stream.
const FIRST_EVENT: Duration = Duration::from_secs(5);

/// How long a stream may be silent after the first event. The service writes a comment every 15 s.
const LONGEST_SILENCE: Duration = Duration::from_secs(40);

/// The state that all followed runs of a client share.
#[derive(Default)]
pub(super) struct Following {
    streams: Cell<u32>,
    /// Whether the service has no events.
    is_without_events: Cell<bool>,
}

/// One of the streams that may be open at the same time.
struct Turn(Rc<Following>);

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.streams.set(self.0.streams.get() - 1);
    }
}

/// The events of one run.
struct Feed<'c> {
    client: &'c Client,
    outgoing: Outgoing,
    body: Option<ByteStream>,
    stream: EventStream,
    /// Events that arrived and were not taken yet, newest first.
    runs: Vec<Json>,
    /// The id that resumes the stream.
    last_id: String,
    /// Whether the open stream has delivered an event.
    has_told: bool,
    /// How many times the stream was reopened.
    reopened: u32,
    /// Whether the service has no such call, or no such run.
    is_missing: bool,
    _turn: Turn,
}

impl Client {
    /// Follows `run` until it has ended; `on_update` sees every run that differs from the one before.
    pub(super) async fn follow<E: From<Error>>(
        &self,
        mut run: Json,
        options: &WaitOptions,
        mut on_update: impl FnMut(&Json) -> Result<(), E>,
    ) -> Result<Json, E> {
        let repo = options.repo.as_deref().or_else(|| run.text("repo_id"));
        let fields = [("repo", repo), ("sync_id", run.text("id")), ("org", options.org.as_deref())];
        let fields = fields.into_iter().filter_map(|(key, value)| Some((key.to_owned(), Json::Text(value?.into()))));
        let path = Json::Object(fields.collect());
        let mut is_missing = false;
        if is_running(&run)
            && let Some(turn) = self.turn()
        {
            let mut feed =
                Feed::new(self, self.prepare(CallName::FollowSync.call(), path.clone()).await?.outgoing, turn);
            let mut has_caught_up = false;
            while is_running(&run) {
                let Some(now) = feed.next().await else { break };
                if now.same(&run) {
                    has_caught_up = true;
                } else if has_caught_up || place(&now) > place(&run) {
                    // Until then the stream repeats states that `run` has passed already.
                    has_caught_up = true;
                    on_update(&now)?;
                    run = now;
                }
            }
            is_missing = feed.is_missing;
        }
        let mut polls = 0;
        while is_running(&run) {
            polls += 1;
            self.timer.sleep(POLLS.after(polls)).await;
            let now = self.call(CallName::ShowSync, path.clone()).await?;
            if is_missing {
                // The events are missing, not the run.
                self.following.is_without_events.set(true);
            }
            if !now.same(&run) {
                on_update(&now)?;
                run = now;
            }
        }
        // A list leaves out the stats of large runs, and has only the counts.
        if matches!((run.of("stats"), run.of("counts")), (None | Some(Json::Null), Some(Json::Object(_)))) {
            let whole = self.call(CallName::ShowSync, path).await?;
            if !whole.same(&run) {
                on_update(&whole)?;
                run = whole;
            }
        }
        Ok(run)
    }

    /// A place for one more stream, if there is one.
    fn turn(&self) -> Option<Turn> {
        let following = &self.following;
        let open = following.streams.get();
        if following.is_without_events.get() || open >= self.options.event_streams {
            return None;
        }
        following.streams.set(open + 1);
        Some(Turn(following.clone()))
    }
}

fn is_running(run: &Json) -> bool {
    matches!(run.text("status"), Some("queued" | "in_progress"))
}

/// A run's position in its life: its attempt, then its status.
fn place(run: &Json) -> (u32, u8) {
    let attempt = match run.of("attempt") {
        Some(Json::Number(attempt)) => attempt.parse().unwrap_or(0),
        _ => 0,
    };
    let status = match run.text("status") {
        Some("queued") => 0,
        Some("in_progress") => 1,
        _ => return (u32::MAX, 2),
    };
    (attempt, status)
}

impl<'c> Feed<'c> {
    fn new(client: &'c Client, outgoing: Outgoing, turn: Turn) -> Self {
        Self {
            client,
            outgoing,
            body: None,
            stream: EventStream::default(),
            runs: Vec::new(),
            last_id: String::new(),
            has_told: false,
            reopened: 0,
            is_missing: false,
            _turn: turn,
        }
    }

    /// The next state of the run; `None` if there are no events and polling is needed.
    async fn next(&mut self) -> Option<Json> {
        loop {
            if let Some(run) = self.runs.pop() {
                return Some(run);
            }
            let body = match &mut self.body {
                Some(body) => body,
                None => {
                    let response = self.open().await?;
                    self.body.insert(response.body.into_stream())
                }
            };
            let patience = if self.has_told { LONGEST_SILENCE } else { FIRST_EVENT };
            let chunk = match select(body.next(), self.client.timer.sleep(patience)).await {
                Either::Left((chunk, _)) => chunk.and_then(Result::ok),
                Either::Right(_) => None,
            };
            match chunk {
                Some(chunk) => self.take(&chunk)?,
                None if self.has_told => {
                    (self.body, self.stream, self.has_told) = (None, EventStream::default(), false);
                    self.reopened += 1;
                    self.client.timer.sleep(POLLS.after(self.reopened)).await;
                }
                None => return None,
            }
        }
    }

    async fn open(&mut self) -> Option<Response> {
        let client = self.client;
        let mut headers = vec![("accept", "text/event-stream")];
        if !self.last_id.is_empty() {
            headers.push(("last-event-id", &self.last_id));
        }
        let response = match select(client.send(&self.outgoing, &headers), client.timer.sleep(client.timeout)).await {
            Either::Left((response, _)) => response.ok()?,
            Either::Right(_) => return None,
        };
        self.is_missing = matches!(response.status, 404..=406);
        let kind = response.headers.get("content-type").unwrap_or_default();
        (response.status == 200 && kind.starts_with("text/event-stream")).then_some(response)
    }

    /// Adds what arrived; `None` if it is not a stream of runs.
    fn take(&mut self, chunk: &[u8]) -> Option<()> {
        for event in self.stream.push(chunk) {
            self.last_id = event.id;
            // Ignore event types that this version does not know.
            if matches!(event.kind.as_str(), "" | "message" | "progress") {
                let mut run = Json::parse(event.data.as_bytes()).ok()?;
                SyncRun::SHAPE.check(&mut run, Others::Keep).ok()?;
                self.runs.insert(0, run);
            }
            self.has_told = true;
        }
        (self.stream.pending() <= LARGEST_ANSWER).then_some(())
    }
}
