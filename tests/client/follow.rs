//! Follows runs with events: the stream's format, and the behaviour when the stream breaks.

use std::cell::RefCell;

use refsync::{
    api::{CallName, SyncRun, SyncStatus, WebhookTargetSecret},
    client::{
        Client, Error, Options, WaitOptions,
        event_stream::{Event, EventStream},
    },
};
use serde_json::{Value, json};

use super::replay::{Play, Replay, call, ok, refused, wait};

const EVENTS: &str = "GET /acme/r1/upstream/syncs/s1/events";
const SYNC: &str = "GET /acme/r1/upstream/syncs/s1";
const STREAM: &[(&str, &str)] = &[("content-type", "text/event-stream")];

fn sync(status: &str, attempt: u32) -> Value {
    json!({"id": "s1", "repo_id": "r1", "direction": "pull", "status": status, "attempt": attempt,
        "ref_globs": {"branches": "*", "tags": "*"}, "stats": null, "error": null,
        "created_at": "2026-11-23T01:00:00Z", "started_at": null, "finished_at": null})
}

fn given(status: &str) -> SyncRun {
    serde_json::from_value(sync(status, 1)).expect("it is a SyncRun")
}

/// A stream that sends these and ends.
fn stream(events: &[(&str, Value)]) -> Play {
    let events = events.iter().map(|(head, run)| format!("{head}\ndata: {run}\n\n"));
    Play::Answer(200, STREAM, format!("retry: 2000\n\n: hello\n\n{}", events.collect::<String>()))
}

/// Waits, and returns every update as its status and attempt.
fn updates(client: &Client, from: &SyncRun) -> Result<Vec<(SyncStatus, u32)>, Error> {
    let seen = RefCell::new(Vec::new());
    let note = |run: &SyncRun| -> Result<(), Error> {
        seen.borrow_mut().push((run.status, run.attempt));
        Ok(())
    };
    let ended = wait(client, from, &WaitOptions::default(), note)?;
    let seen = seen.into_inner();
    assert_eq!(seen.last(), Some(&(ended.status, ended.attempt)), "the end is told, too");
    Ok(seen)
}

use SyncStatus::{Completed, InProgress, Queued};

#[test]
fn a_stream_of_events_is_read_as_the_html_standard_says() {
    let event = |kind: &str, data: &str, id: &str| Event { kind: kind.into(), data: data.into(), id: id.into() };
    for (text, events) in [
        // The standard's own examples, and the edge cases of its grammar.
        ("data: YHOO\ndata: +2\ndata: 10\n\n", vec![event("", "YHOO\n+2\n10", "")]),
        (
            ": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n",
            vec![event("", "first event", "1"), event("", "second event", ""), event("", " third event", "")],
        ),
        ("data\n\ndata\ndata\n\ndata:", vec![event("", "", ""), event("", "\n", "")]),
        ("data:test\n\ndata: test\n\n", vec![event("", "test", ""), event("", "test", "")]),
        ("\u{feff}event: add\r\ndata: 1\r\rdata: 2\r\n\r\n", vec![event("add", "1", ""), event("", "2", "")]),
        ("id: 7\nevent: lost\n\ndata: x\n\n", vec![event("", "x", "7")]),
        ("id: a\0b\ndata: ü: {\"a\": \"b\"}\nretry: 1\nunknown: x\n\n", vec![event("", "ü: {\"a\": \"b\"}", "")]),
        ("data: never ended\n", vec![]),
    ] {
        let whole = EventStream::default().push(text.as_bytes());
        assert_eq!(whole, events, "{text:?}");
        for size in 1..4 {
            let mut stream = EventStream::default();
            let cut: Vec<Event> = text.as_bytes().chunks(size).flat_map(|chunk| stream.push(chunk)).collect();
            assert_eq!(cut, events, "{text:?} in chunks of {size}");
        }
    }
}

#[test]
fn a_run_is_followed_by_its_events_without_a_poll() {
    let mut progress = sync("in_progress", 1);
    progress["progress"] = json!({"phase": "transferring", "bytes": 5, "objects": null});
    let replay = Replay::new([stream(&[
        ("id: 1", sync("queued", 1)),
        ("id: 2", sync("in_progress", 1)),
        ("event: progress", progress.clone()),
        ("event: progress", progress),
        ("event: of tomorrow", json!({"weather": "fine"})),
        ("id: 3", sync("completed", 1)),
    ])]);
    let client = replay.client(Some("acme"));
    assert_eq!(
        updates(&client, &given("queued")).expect("it ends"),
        [(InProgress, 1), (InProgress, 1), (Completed, 1)],
        "each change once, progress too, and nothing of what is not known"
    );
    assert_eq!(replay.seen(), [EVENTS]);
    assert!(replay.slept.borrow().is_empty());
    assert_eq!(replay.headers.borrow()[0].get("accept"), Some("text/event-stream"));
    assert_eq!(replay.headers.borrow()[0].get("authorization"), Some("Bearer key"));
}

#[test]
fn a_stream_that_breaks_is_resumed_after_its_last_event() {
    let replay = Replay::new([
        stream(&[("id: 1", sync("queued", 1)), ("id: 2", sync("in_progress", 1)), ("id: 3", sync("queued", 1))]),
        stream(&[("id: 4", sync("in_progress", 2)), ("id: 5", sync("completed", 2))]),
    ]);
    let client = replay.client(Some("acme"));
    assert_eq!(
        updates(&client, &given("queued")).expect("it ends"),
        [(InProgress, 1), (Queued, 1), (InProgress, 2), (Completed, 2)],
        "also a run that goes back to the queue"
    );
    assert_eq!(replay.seen(), [EVENTS, EVENTS]);
    let headers = replay.headers.borrow();
    assert_eq!((headers[0].get("last-event-id"), headers[1].get("last-event-id")), (None, Some("3")));
    assert_eq!(*replay.slept.borrow(), [250]);
}

#[test]
fn what_a_run_has_behind_it_is_not_told_again() {
    let replay = Replay::new([stream(&[
        ("id: 1", sync("queued", 1)),
        ("id: 2", sync("in_progress", 1)),
        ("id: 3", sync("completed", 1)),
    ])]);
    let client = replay.client(Some("acme"));
    assert_eq!(updates(&client, &given("in_progress")).expect("it ends"), [(Completed, 1)]);
}

#[test]
fn a_run_is_polled_where_its_events_cannot_be_had() {
    for (what, play) in [
        ("no such call", refused(404, "NOT_FOUND")),
        ("not acceptable", refused(406, "NOT_ACCEPTABLE")),
        ("a failure", refused(500, "INTERNAL_ERROR")),
        ("a page in its place", Play::Answer(200, &[("content-type", "text/html")], "<!doctype html>".into())),
        ("everything seen", Play::Answer(204, &[], String::new())),
        ("an empty stream", stream(&[])),
        ("no run in it", Play::Answer(200, STREAM, "data: {}\n\n".into())),
        ("no connection", Play::Lost),
        ("no answer", Play::Silence),
    ] {
        let replay = Replay::new([play, ok(sync("in_progress", 1)), ok(sync("completed", 1))]);
        let client = replay.client(Some("acme"));
        let seen = updates(&client, &given("queued")).expect(what);
        assert_eq!(seen, [(InProgress, 1), (Completed, 1)], "{what}");
        assert_eq!(replay.seen(), [EVENTS, SYNC, SYNC], "{what}");
    }
}

#[test]
fn a_service_without_events_is_asked_for_them_once() {
    let replay = Replay::new([
        refused(404, "NOT_FOUND"),
        refused(404, "NOT_FOUND"),
        refused(404, "NOT_FOUND"),
        ok(sync("completed", 1)),
        ok(sync("completed", 1)),
    ]);
    let client = replay.client(Some("acme"));
    let error = updates(&client, &given("queued")).expect_err("there is no such run");
    assert_eq!(error.code(), "NOT_FOUND");
    assert!(updates(&client, &given("queued")).is_ok());
    assert!(updates(&client, &given("queued")).is_ok());
    assert_eq!(replay.seen(), [EVENTS, SYNC, EVENTS, SYNC, SYNC], "a run that is missing says nothing of the events");
}

#[test]
fn a_client_opens_no_more_streams_than_it_may() {
    let replay = Replay::new([ok(sync("completed", 1))]);
    let options = Options { org: Some("acme".into()), ..Options::new("https://h", "key") };
    let options = Options { event_streams: 0, ..options };
    let client = Client::new(replay.clone(), replay.clock(), options).expect("the options are valid");
    assert!(updates(&client, &given("queued")).is_ok());
    assert_eq!(replay.seen(), [SYNC]);

    // A stream that has ended makes room for the next one.
    let replay = Replay::new([stream(&[("id: 1", sync("completed", 1))]), stream(&[("id: 1", sync("completed", 1))])]);
    let options = Options { org: Some("acme".into()), ..Options::new("https://h", "key") };
    let options = Options { event_streams: 1, ..options };
    let client = Client::new(replay.clone(), replay.clock(), options).expect("the options are valid");
    assert!(updates(&client, &given("queued")).is_ok());
    assert!(updates(&client, &given("queued")).is_ok());
    assert_eq!(replay.seen(), [EVENTS, EVENTS]);
}

#[test]
fn a_cancellation_that_was_done_before_its_answer_was_lost_gives_the_run() {
    let mut cancelled = sync("failed", 1);
    cancelled["error"] = json!("cancelled");
    let replay = Replay::new([Play::Lost, refused(409, "CONFLICT"), ok(cancelled)]);
    let client = replay.client(Some("acme"));
    let path = json!({"repo": "r1", "sync_id": "s1"});
    let cancelled: SyncRun = call(&client, CallName::CancelSync, &path).expect("it was cancelled");
    assert_eq!((cancelled.status, cancelled.error.as_deref()), (SyncStatus::Failed, Some("cancelled")));
    let cancel = "POST /acme/r1/upstream/syncs/s1/cancel";
    assert_eq!(replay.seen(), [cancel, cancel, SYNC]);

    let replay = Replay::new([refused(409, "CONFLICT")]);
    let client = replay.client(Some("acme"));
    assert!(
        matches!(call::<SyncRun>(&client, CallName::CancelSync, &path), Err(Error::Conflict(_))),
        "that had ended before"
    );
}

#[test]
fn a_new_secret_is_not_asked_for_twice() {
    let replay = Replay::new([Play::Lost]);
    let client = replay.client(Some("acme"));
    let path = json!({"target_id": "wht_1"});
    let rotated = call::<WebhookTargetSecret>(&client, CallName::RotateWebhookSecret, &path);
    let error = rotated.err().expect("the secret is lost");
    assert!(matches!(error, Error::Connection { .. }));
    assert_eq!(replay.seen(), ["POST /acme/webhook-targets/wht_1/rotate-secret"]);
}
