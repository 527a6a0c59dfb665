//! The progress of a run, as server-sent events (the HTML standard, section 9.2).
//!
//! Each status of the run is an event. Its data is the `SyncRun`, and its id resumes the stream after it. Between them are
//! `progress` events: they contain the `SyncRun` and its progress, and have no id. The stream ends after the event of a
//! terminal status. While nothing happens, comments keep it alive.

use std::{rc::Rc, time::Duration};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use serde::Deserialize;
use serde_json::json;

use crate::http::{Body, Headers, Response};
use crate::service::{
    error::Error,
    handlers::syncs,
    host::{Host, Runtime},
    hosting::repository,
    http::{
        call::Incoming,
        places::{Place, Places},
    },
    store::{self, Database},
};

/// The news after an event.
#[derive(Deserialize)]
struct News {
    events: Vec<Event>,
    /// The run with `progress`.
    progress: Option<String>,
    ended: bool,
}

#[derive(Deserialize)]
struct Event {
    seq: i64,
    run: String,
}

/// A stream of events, and its state.
struct Feed {
    database: Rc<dyn Database>,
    runtime: Rc<dyn Runtime>,
    sync_id: String,
    /// The ids of the API key and of the public key that the follower uses, if any. The stream ends when the key is revoked.
    keys: [Option<String>; 2],
    /// The id of the last event that was sent; `None` before the first.
    told: Option<i64>,
    /// The last progress that was sent.
    progress: Option<String>,
    looks: u32,
    ended: bool,
    streams: Rc<Places>,
    /// The organisation's place that this stream takes.
    _place: Place,
}

pub(crate) async fn follow(host: &Host, call: &Incoming<'_>) -> Result<Response, Error> {
    let repo = repository::find(host, &call.caller, &call.params.repo).await?;
    let run = syncs::find(host, &repo, &call.params.sync_id).await?;
    let told = match call.headers.get("last-event-id").map(str::trim) {
        None | Some("") => None,
        Some(id) => Some(id.parse().map_err(|_| Error::field("Last-Event-ID", "is not an event id of this stream"))?),
    };
    let place = call.shares.streams.take(&call.caller.org.id)?;
    let mut feed = Feed {
        streams: call.shares.streams.clone(),
        _place: place,
        database: host.options.database.clone(),
        runtime: host.options.runtime.clone(),
        sync_id: run.id,
        keys: [call.caller.key_id.clone(), call.caller.public_key_id.clone()],
        told,
        progress: None,
        looks: 0,
        ended: false,
    };
    let first = feed.look().await?;
    if feed.ended && first.is_empty() {
        // Only this status (204) stops an EventSource from reconnecting.
        return Ok(Response { status: 204, url: String::new(), headers: Headers::default(), body: Body::Empty });
    }
    let opening = stream::iter([Ok(Bytes::from(format!("retry: 2000\n\n{first}")))]);
    let rest = stream::unfold(feed, |mut feed| async move { feed.wait().await.map(|news| (Ok(news.into()), feed)) });
    let headers = [("content-type", "text/event-stream"), ("cache-control", "no-store"), ("x-accel-buffering", "no")];
    Ok(Response {
        status: 200,
        url: String::new(),
        headers: Headers::from_iter(headers),
        body: Body::Stream(opening.chain(rest).boxed_local()),
    })
}

impl Feed {
    /// Waits for the next events; `None` at the end of the stream.
    async fn wait(&mut self) -> Option<String> {
        let mut idle = Duration::ZERO;
        while !self.ended && self.looks < MOST_LOOKS {
            // All followers together query the database at most a hundred times a second.
            let streams = u32::try_from(self.streams.total()).unwrap_or(u32::MAX);
            let interval = INTERVAL.max(EACH_STREAM.saturating_mul(streams)).min(KEEP_ALIVE);
            self.runtime.sleep(interval).await;
            idle += interval;
            match self.look().await {
                Ok(news) if !news.is_empty() => return Some(news),
                Ok(_) if idle >= KEEP_ALIVE => return Some(": still here\n\n".into()),
                Ok(_) => {}
                // The follower reconnects, and then gets the error.
                Err(error) => {
                    self.runtime.log(&format!("events of sync {}: {error}", self.sync_id));
                    return None;
                }
            }
        }
        None
    }

    /// Everything that is new, as events.
    async fn look(&mut self) -> Result<String, Error> {
        self.looks += 1;
        let [api_key, public_key] = &self.keys;
        let params = json!({
            "sync_id": self.sync_id,
            "after": self.told.unwrap_or(-1),
            "api_key_id": api_key,
            "public_key_id": public_key,
        });
        let news: Option<News> = store::row(&*self.database, sql!("sql/sync_events.sql"), params).await?;
        let Some(News { events, progress, ended }) = news else {
            self.ended = true;
            return Ok(String::new());
        };
        self.ended = ended;
        let mut text = String::new();
        for Event { seq, run } in events {
            text += &format!("id: {seq}\ndata: {run}\n\n");
            self.told = Some(seq);
        }
        if let Some(run) = progress.as_ref().filter(|_| progress != self.progress) {
            text += &format!("event: progress\ndata: {run}\n\n");
        }
        self.progress = progress;
        Ok(text)
    }
}

/// How much each open stream adds to the time between two queries of every stream.
const EACH_STREAM: Duration = Duration::from_millis(10);
/// The time between two queries of the database.
const INTERVAL: Duration = Duration::from_millis(500);
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// Half an hour. A follower that is still connected then resumes.
const MOST_LOOKS: u32 = 3_600;
