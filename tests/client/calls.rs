//! Calls over a replay.

use std::{cell::RefCell, rc::Rc, time::Duration};

use refsync::{
    api::{CallName, DeleteResult, Repo, RepoPage, SyncRun, SyncStatus},
    client::{Client, Error, WaitOptions},
    error::Aborted,
};
use serde_json::{Value, json};

use super::replay::{Play, Replay, call, ok, refused, run, tree, wait};

fn whoami() -> Value {
    json!({"org": {"id": "o1", "slug": "acme", "name": "Acme"}, "key_id": "k1", "scopes": ["read", "write"]})
}

fn repo(name: &str) -> Value {
    json!({"id": "r1", "org": "acme", "name": name, "default_bookmark": "main", "head_change_id": "z".repeat(32),
        "upstream": null, "created_at": "2026-11-23T00:00:00Z", "tags": {}})
}

fn sync(id: &str, direction: &str, branches: &str, status: &str, created_at: &str) -> Value {
    json!({"id": id, "repo_id": "r1", "direction": direction, "status": status, "attempt": 1,
        "ref_globs": {"branches": branches, "tags": "*"}, "stats": null, "error": null,
        "created_at": created_at, "started_at": null, "finished_at": null})
}

fn page(syncs: &[Value]) -> Value {
    json!({"next_cursor": null, "has_more": false, "syncs": syncs})
}

fn app() -> Value {
    json!({"repo": "app"})
}

fn get(client: &Client) -> Result<Repo, Error> {
    call(client, CallName::ShowRepo, &app())
}

fn delete(replay: &Rc<Replay>) -> Result<DeleteResult, Error> {
    call(&replay.client(Some("acme")), CallName::DeleteRepo, &app())
}

fn pull(replay: &Rc<Replay>) -> Result<SyncRun, Error> {
    call(&replay.client(Some("acme")), CallName::CreateSync, &json!({"repo": "app", "direction": "pull"}))
}

const SYNCS: &str = "/acme/app/upstream/syncs";

#[test]
fn the_organisation_is_asked_once_for_all_calls() {
    let replay = Replay::new([ok(whoami()), ok(repo("app")), ok(repo("app")), ok(repo("app"))]);
    let client = replay.client(None);
    let get_repo = || client.call(CallName::ShowRepo, tree(&app()));
    let both = run(async { futures_util::try_join!(get_repo(), get_repo()) });
    assert!(both.is_ok());
    assert!(get(&client).is_ok());
    assert_eq!(replay.seen(), ["GET /whoami", "GET /acme/app", "GET /acme/app", "GET /acme/app"]);
}

#[test]
fn the_calls_own_organisation_comes_before_the_clients() {
    let replay = Replay::new([ok(repo("app")), ok(repo("app"))]);
    let client = replay.client(Some("acme"));
    assert!(get(&client).is_ok());
    assert!(call::<Repo>(&client, CallName::ShowRepo, &json!({"repo": "app", "org": "other"})).is_ok());
    assert_eq!(replay.seen(), ["GET /acme/app", "GET /other/app"]);
}

#[test]
fn a_failed_whoami_is_asked_again_by_the_next_call() {
    let replay = Replay::new([refused(401, "UNAUTHENTICATED"), ok(whoami()), ok(repo("app"))]);
    let client = replay.client(None);
    assert!(matches!(get(&client), Err(Error::Unauthenticated(_))));
    assert!(get(&client).is_ok());
}

#[test]
fn the_key_and_the_body_go_where_they_belong() {
    let replay =
        Replay::new([Play::Answer(201, &[], sync("s1", "pull", "*", "queued", "2026-11-23T01:00:00Z").to_string())]);
    let run = pull(&replay).expect("it is a SyncRun");
    assert_eq!(run.id, "s1");
    let headers = replay.headers.borrow();
    assert_eq!(headers[0].get("authorization"), Some("Bearer key"));
    assert_eq!(headers[0].get("user-agent"), None, "a browser must not be made to ask CORS first");
    let (method, url, body) = &replay.requests.borrow()[0];
    assert_eq!((method.as_str(), url.as_str()), ("POST", "https://h/v1/acme/app/upstream/syncs"));
    let body: Value = serde_json::from_str(body).expect("it is JSON");
    assert_eq!(body, json!({"direction": "pull", "ref_globs": {"branches": "*", "tags": "*"}}));
}

#[test]
fn a_read_is_tried_three_times_and_then_fails() {
    let replay = Replay::new([refused(503, "INTERNAL_ERROR"), Play::Lost, ok(repo("app"))]);
    assert!(get(&replay.client(Some("acme"))).is_ok());
    assert_eq!(*replay.slept.borrow(), [500, 1000]);

    let replay = Replay::new([Play::Lost, Play::Lost, refused(500, "INTERNAL_ERROR")]);
    let error = get(&replay.client(Some("acme"))).expect_err("three failures are enough");
    assert_eq!((error.status(), error.trace_id()), (Some(500), Some("t-1")));
}

#[test]
fn a_silent_server_is_given_up_after_the_timeout() {
    let replay = Replay::new([Play::Silence, Play::Silence, Play::Silence]);
    let client = replay.client(Some("acme")).with_timeout(Duration::from_millis(1500));
    let error = get(&client).expect_err("nothing ever comes");
    assert!(matches!(error, Error::Timeout { .. }));
    assert_eq!(*replay.slept.borrow(), [1500, 500, 1500, 1000, 1500]);
    assert!(error.to_string().ends_with("within 1500 ms"), "{error}");
}

#[test]
fn a_sync_whose_answer_was_lost_is_found_and_not_asked_for_again() {
    let syncs = [
        sync("newer-push", "push", "*", "queued", "2026-11-23T01:00:00.400Z"),
        sync("other-globs", "pull", "main", "queued", "2026-11-23T01:00:00.300Z"),
        sync("ours", "pull", "*", "in_progress", "2026-11-23T01:00:00.200Z"),
        sync("older", "pull", "*", "completed", "2026-11-23T00:59:00Z"),
    ];
    let replay = Replay::new([Play::Lost, ok(page(&syncs))]);
    let run = pull(&replay).expect("it was found");
    assert_eq!(run.id, "ours");
    assert_eq!(replay.seen(), [format!("POST {SYNCS}"), format!("GET {SYNCS}?limit=20")]);
}

#[test]
fn a_lost_sync_that_was_never_made_is_asked_for_again() {
    let older = sync("older", "pull", "*", "completed", "2026-11-23T00:59:00Z");
    let made = sync("made", "pull", "*", "queued", "2026-11-23T01:00:02Z");
    let replay = Replay::new([refused(502, "INTERNAL_ERROR"), ok(page(&[older])), ok(made)]);
    let run = pull(&replay).expect("the second POST arrives");
    assert_eq!(run.id, "made");
    assert_eq!(replay.seen(), [format!("POST {SYNCS}"), format!("GET {SYNCS}?limit=20"), format!("POST {SYNCS}")]);
}

#[test]
fn the_services_own_clock_decides_which_run_is_new() {
    // The service's clock is an hour behind ours. By our clock both runs are old; by the service's clock one of them is
    // new.
    let headers: &[(&str, &str)] = &[("date", "Mon, 23 Nov 2026 00:00:00 GMT")];
    let syncs = [
        sync("ours", "pull", "*", "queued", "2026-11-22T23:59:59.900Z"),
        sync("older", "pull", "*", "queued", "2026-11-22T23:50:00Z"),
    ];
    let replay = Replay::new([Play::Lost, Play::Answer(200, headers, page(&syncs).to_string())]);
    let run = pull(&replay).expect("it was found");
    assert_eq!(run.id, "ours");
}

#[test]
fn a_sync_is_not_repeated_blindly_when_the_runs_cannot_be_listed() {
    let replay = Replay::new([Play::Lost, refused(403, "FORBIDDEN")]);
    let error = pull(&replay).expect_err("it may exist");
    assert!(matches!(error, Error::Connection { .. }), "the POST's own error is shown: {error}");
}

#[test]
fn a_rate_limited_sync_is_repeated_after_the_wait() {
    let limited = Play::Answer(429, &[("retry-after", "3")], String::new());
    let replay = Replay::new([limited, ok(sync("s1", "pull", "*", "queued", "2026-11-23T01:00:03Z"))]);
    assert!(pull(&replay).is_ok());
    assert_eq!(*replay.slept.borrow(), [3500]);
}

#[test]
fn the_creation_of_a_repository_is_never_repeated_after_a_lost_answer() {
    let replay = Replay::new([Play::Lost]);
    let client = replay.client(Some("acme"));
    let error = call::<Repo>(&client, CallName::CreateRepo, &json!({})).expect_err("it may exist");
    assert_eq!(error.code(), "CONNECTION_FAILED");
    assert!(error.is_transient());
}

#[test]
fn a_deletion_that_was_done_before_its_answer_was_lost_succeeds() {
    let replay = Replay::new([Play::Lost, refused(404, "NOT_FOUND")]);
    assert!(delete(&replay).expect("it is gone").success);
    let replay = Replay::new([refused(404, "NOT_FOUND")]);
    assert!(matches!(delete(&replay), Err(Error::NotFound(_))));
}

#[test]
fn a_renaming_that_was_done_before_its_answer_was_lost_succeeds() {
    let replay = Replay::new([Play::Lost, refused(404, "NOT_FOUND"), ok(repo("new"))]);
    let request = json!({"repo": "app", "name": "new"});
    let renamed: Repo = call(&replay.client(Some("acme")), CallName::UpdateRepo, &request).expect("it was renamed");
    assert_eq!(renamed.name, "new");
    assert_eq!(replay.seen(), ["PATCH /acme/app", "PATCH /acme/app", "GET /acme/new"]);
}

#[test]
fn an_answer_of_another_shape_says_what_was_expected_and_where() {
    let mut wrong = repo("app");
    wrong["tags"] = json!(["a"]);
    let replay =
        Replay::new([ok(wrong), Play::Answer(200, &[("content-type", "text/html")], "<!doctype html>".into())]);
    let client = replay.client(Some("acme"));
    let error = get(&client).expect_err("tags are no list");
    assert_eq!(
        error.to_string(),
        "get repository acme/app: expected a Repo from https://h/v1/acme/app, but tags must be an object, not an array"
    );
    let error = get(&client).expect_err("a page is no Repo");
    assert!(error.to_string().contains("15 bytes of text/html are not JSON"), "{error}");
    assert!(!error.is_transient());
}

#[test]
fn bad_input_is_refused_before_any_request() {
    let replay = Replay::new([]);
    let client = replay.client(None);
    let field = |error: Error| error.fields()[0].field.clone();
    for name in ["", ".", ".."] {
        let got = call::<Repo>(&client, CallName::ShowRepo, &json!({"repo": name}));
        assert_eq!(got.map_err(field), Err("repo".into()), "{name:?}");
    }
    for limit in [0, 101] {
        let listed = call::<RepoPage>(&client, CallName::ListRepos, &json!({"limit": limit}));
        assert_eq!(listed.map_err(field), Err("limit".into()), "{limit}");
    }
    assert!(replay.seen().is_empty());
}

fn queued() -> SyncRun {
    serde_json::from_value(sync("s1", "pull", "*", "queued", "2026-11-23T01:00:00Z")).expect("it is a SyncRun")
}

#[test]
fn a_wait_polls_ever_slower_until_the_run_has_ended() {
    let statuses = ["queued", "queued", "in_progress", "in_progress", "completed"];
    let plays = statuses.map(|status| ok(sync("s1", "pull", "*", status, "2026-11-23T01:00:00Z")));
    let replay = Replay::new([refused(404, "NOT_FOUND")].into_iter().chain(plays));
    let updates = RefCell::new(Vec::new());
    let note = |run: &SyncRun| -> Result<(), Error> {
        updates.borrow_mut().push(run.status);
        Ok(())
    };
    let client = replay.client(Some("acme"));
    let ended = wait(&client, &queued(), &WaitOptions::default(), note).expect("it ends");
    assert_eq!(ended.status, SyncStatus::Completed);
    assert_eq!(*updates.borrow(), [SyncStatus::InProgress, SyncStatus::Completed], "only changes are told");
    assert_eq!(*replay.slept.borrow(), [250, 500, 1000, 2000, 2000]);
    assert_eq!(replay.seen()[1], "GET /acme/r1/upstream/syncs/s1", "the run knows its repository");
}

#[test]
fn a_wait_ends_at_its_deadline_and_the_run_can_be_waited_for_again() {
    let replay = Replay::new([Play::Silence]);
    let options = WaitOptions { timeout: Some(Duration::from_secs(30)), ..Default::default() };
    let client = replay.client(Some("acme"));
    let error = wait(&client, &queued(), &options, |_| Ok(())).expect_err("it never ends");
    assert_eq!((error.code(), error.is_transient()), ("TIMEOUT", true));
}

#[test]
fn a_run_that_has_ended_is_not_asked_for() {
    let replay = Replay::new([]);
    let mut done = queued();
    done.status = SyncStatus::Failed;
    let client = replay.client(Some("acme"));
    assert_eq!(wait(&client, &done, &WaitOptions::default(), |_| Ok(())).expect("it has ended"), done);
}

#[test]
fn a_run_whose_stats_a_list_left_out_is_asked_for_once() {
    let mut listed = sync("s1", "pull", "*", "completed", "2026-11-23T01:00:00Z");
    listed["counts"] = json!({"updated": 1, "unchanged": 0, "filtered": 0, "rejected": 0});
    let mut whole = listed.clone();
    whole["stats"] = json!({"refs": []});
    let replay = Replay::new([ok(whole)]);
    let client = replay.client(Some("acme"));
    let listed: SyncRun = serde_json::from_value(listed).expect("it is a SyncRun");
    let ended = wait(&client, &listed, &WaitOptions::default(), |_| Ok::<_, Error>(())).expect("it has ended");
    assert_eq!(ended.stats.map(|stats| stats.refs.len()), Some(0));
    assert_eq!(replay.seen(), ["GET /acme/r1/upstream/syncs/s1"]);
}

#[test]
fn an_error_of_the_callback_ends_the_wait() {
    let changed = ok(sync("s1", "pull", "*", "in_progress", "2026-11-23T01:00:00Z"));
    let replay = Replay::new([refused(404, "NOT_FOUND"), changed]);
    let client = replay.client(Some("acme"));
    let stop = |_: &SyncRun| Err(Error::Aborted(Aborted { operation: "enough".into() }));
    let error = wait(&client, &queued(), &WaitOptions::default(), stop).expect_err("the callback said so");
    assert!(matches!(error, Error::Aborted(_)));
}
