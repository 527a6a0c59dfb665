//! Calls over a replay.

use std::{cell::RefCell, time::Duration};

use refsync::{
    api::{Direction, RefGlobs, SyncRequest, SyncRun, SyncStatus, SyncUpstreamRequest, UpdateRepoRequest},
    client::{Error, ListReposRequest, RepoPath, WaitOptions},
};
use serde_json::{Value, json};

use super::replay::{Play, Replay, ok, refused, run};

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

fn app() -> RepoPath {
    RepoPath { repo: "app".into(), org: None }
}

fn pull() -> SyncUpstreamRequest {
    let sync = SyncRequest { direction: Direction::Pull, ref_globs: RefGlobs::default() };
    SyncUpstreamRequest { repo: "app".into(), org: None, sync }
}

const SYNCS: &str = "/acme/app/upstream/syncs";

#[test]
fn the_organisation_is_asked_once_for_all_calls() {
    let replay = Replay::new([ok(whoami()), ok(repo("app")), ok(repo("app")), ok(repo("app"))]);
    let client = replay.client(None);
    let (repos, app) = (client.repos(), app());
    let both = run(async { futures_util::try_join!(repos.get(&app), repos.get(&app)) });
    assert!(both.is_ok());
    assert!(run(repos.get(&app)).is_ok());
    assert_eq!(replay.seen(), ["GET /whoami", "GET /acme/app", "GET /acme/app", "GET /acme/app"]);
}

#[test]
fn the_calls_own_organisation_comes_before_the_clients() {
    let replay = Replay::new([ok(repo("app")), ok(repo("app"))]);
    let client = replay.client(Some("acme"));
    assert!(run(client.repos().get(&app())).is_ok());
    assert!(run(client.repos().get(&RepoPath { org: Some("other".into()), ..app() })).is_ok());
    assert_eq!(replay.seen(), ["GET /acme/app", "GET /other/app"]);
}

#[test]
fn a_failed_whoami_is_asked_again_by_the_next_call() {
    let replay = Replay::new([refused(401, "UNAUTHENTICATED"), ok(whoami()), ok(repo("app"))]);
    let client = replay.client(None);
    assert!(matches!(run(client.repos().get(&app())), Err(Error::Unauthenticated(_))));
    assert!(run(client.repos().get(&app())).is_ok());
}

#[test]
fn the_key_and_the_body_go_where_they_belong() {
    let replay =
        Replay::new([Play::Answer(201, &[], sync("s1", "pull", "*", "queued", "2026-11-23T01:00:00Z").to_string())]);
    let run = run(replay.client(Some("acme")).repos().sync_upstream(&pull())).expect("it is a SyncRun");
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
    assert!(run(replay.client(Some("acme")).repos().get(&app())).is_ok());
    assert_eq!(*replay.slept.borrow(), [500, 1000]);

    let replay = Replay::new([Play::Lost, Play::Lost, refused(500, "INTERNAL_ERROR")]);
    let error = run(replay.client(Some("acme")).repos().get(&app())).expect_err("three failures are enough");
    assert_eq!((error.status(), error.trace_id()), (Some(500), Some("t-1")));
}

#[test]
fn a_silent_server_is_given_up_after_the_timeout() {
    let replay = Replay::new([Play::Silence, Play::Silence, Play::Silence]);
    let client = replay.client(Some("acme")).with_timeout(Duration::from_millis(1500));
    let error = run(client.repos().get(&app())).expect_err("nothing ever comes");
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
    let run = run(replay.client(Some("acme")).repos().sync_upstream(&pull())).expect("it was found");
    assert_eq!(run.id, "ours");
    assert_eq!(replay.seen(), [format!("POST {SYNCS}"), format!("GET {SYNCS}?limit=20")]);
}

#[test]
fn a_lost_sync_that_was_never_made_is_asked_for_again() {
    let older = sync("older", "pull", "*", "completed", "2026-11-23T00:59:00Z");
    let made = sync("made", "pull", "*", "queued", "2026-11-23T01:00:02Z");
    let replay = Replay::new([refused(502, "INTERNAL_ERROR"), ok(page(&[older])), ok(made)]);
    let run = run(replay.client(Some("acme")).repos().sync_upstream(&pull())).expect("the second POST arrives");
    assert_eq!(run.id, "made");
    assert_eq!(replay.seen(), [format!("POST {SYNCS}"), format!("GET {SYNCS}?limit=20"), format!("POST {SYNCS}")]);
}

#[test]
fn the_services_own_clock_decides_which_run_is_new() {
    // The service's clock is an hour behind ours: by our clock both runs are old, by its own one of them is new.
    let headers: &[(&str, &str)] = &[("date", "Mon, 23 Nov 2026 00:00:00 GMT")];
    let syncs = [
        sync("ours", "pull", "*", "queued", "2026-11-22T23:59:59.900Z"),
        sync("older", "pull", "*", "queued", "2026-11-22T23:50:00Z"),
    ];
    let replay = Replay::new([Play::Lost, Play::Answer(200, headers, page(&syncs).to_string())]);
    let run = run(replay.client(Some("acme")).repos().sync_upstream(&pull())).expect("it was found");
    assert_eq!(run.id, "ours");
}

#[test]
fn a_sync_is_not_repeated_blindly_when_the_runs_cannot_be_listed() {
    let replay = Replay::new([Play::Lost, refused(403, "FORBIDDEN")]);
    let error = run(replay.client(Some("acme")).repos().sync_upstream(&pull())).expect_err("it may exist");
    assert!(matches!(error, Error::Connection { .. }), "the POST's own error is shown: {error}");
}

#[test]
fn a_rate_limited_sync_is_repeated_after_the_wait() {
    let limited = Play::Answer(429, &[("retry-after", "3")], String::new());
    let replay = Replay::new([limited, ok(sync("s1", "pull", "*", "queued", "2026-11-23T01:00:03Z"))]);
    assert!(run(replay.client(Some("acme")).repos().sync_upstream(&pull())).is_ok());
    assert_eq!(*replay.slept.borrow(), [3500]);
}

#[test]
fn the_creation_of_a_repository_is_never_repeated_after_a_lost_answer() {
    let replay = Replay::new([Play::Lost]);
    let client = replay.client(Some("acme"));
    let error = run(client.repos().create(&Default::default(), &Default::default())).expect_err("it may exist");
    assert_eq!(error.code(), "CONNECTION_FAILED");
    assert!(error.is_transient());
}

#[test]
fn a_deletion_that_was_done_before_its_answer_was_lost_succeeds() {
    let replay = Replay::new([Play::Lost, refused(404, "NOT_FOUND")]);
    assert!(run(replay.client(Some("acme")).repos().delete(&app())).expect("it is gone").success);
    let replay = Replay::new([refused(404, "NOT_FOUND")]);
    assert!(matches!(run(replay.client(Some("acme")).repos().delete(&app())), Err(Error::NotFound(_))));
}

#[test]
fn a_renaming_that_was_done_before_its_answer_was_lost_succeeds() {
    let replay = Replay::new([Play::Lost, refused(404, "NOT_FOUND"), ok(repo("new"))]);
    let request = UpdateRepoRequest { name: Some("new".into()), ..Default::default() };
    let renamed = run(replay.client(Some("acme")).repos().update(&app(), &request)).expect("it was renamed");
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
    let error = run(client.repos().get(&app())).expect_err("tags are no list");
    assert_eq!(
        error.to_string(),
        "get repository acme/app: expected a Repo from https://h/v1/acme/app, but at tags: invalid type: sequence, \
         expected a map"
    );
    let error = run(client.repos().get(&app())).expect_err("a page is no Repo");
    assert!(error.to_string().contains("15 bytes of text/html are not JSON"), "{error}");
    assert!(!error.is_transient());
}

#[test]
fn bad_input_is_refused_before_any_request() {
    let replay = Replay::new([]);
    let client = replay.client(None);
    let field = |error: Error| error.fields()[0].field.clone();
    for name in ["", ".", ".."] {
        let path = RepoPath { repo: name.into(), org: None };
        assert_eq!(run(client.repos().get(&path)).map_err(field), Err("repo".into()), "{name:?}");
    }
    for limit in [0, 101] {
        let request = ListReposRequest { limit: Some(limit), ..Default::default() };
        assert_eq!(run(client.repos().list(&request)).map_err(field), Err("limit".into()), "{limit}");
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
    let ended = run(client.syncs().wait(&queued(), &WaitOptions::default(), note)).expect("it ends");
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
    let error = run(client.syncs().wait(&queued(), &options, |_| Ok::<_, Error>(()))).expect_err("it never ends");
    assert_eq!((error.code(), error.is_transient()), ("TIMEOUT", true));
}

#[test]
fn a_run_that_has_ended_is_not_asked_for() {
    let replay = Replay::new([]);
    let mut done = queued();
    done.status = SyncStatus::Failed;
    let client = replay.client(Some("acme"));
    assert_eq!(run(client.syncs().wait(&done, &WaitOptions::default(), |_| Ok(()))).expect("it has ended"), done);
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
    let ended =
        run(client.syncs().wait(&listed, &WaitOptions::default(), |_| Ok::<_, Error>(()))).expect("it has ended");
    assert_eq!(ended.stats.map(|stats| stats.refs.len()), Some(0));
    assert_eq!(replay.seen(), ["GET /acme/r1/upstream/syncs/s1"]);
}

#[test]
fn an_error_of_the_callback_ends_the_wait() {
    let changed = ok(sync("s1", "pull", "*", "in_progress", "2026-11-23T01:00:00Z"));
    let replay = Replay::new([refused(404, "NOT_FOUND"), changed]);
    let client = replay.client(Some("acme"));
    let stop = |_: &SyncRun| Err(Error::Aborted { operation: "enough".into() });
    let error = run(client.syncs().wait(&queued(), &WaitOptions::default(), stop)).expect_err("the callback said so");
    assert!(matches!(error, Error::Aborted { .. }));
}
