//! Servers of every kind, and errors that say what is wrong.

use std::rc::Rc;

use futures_util::{FutureExt, future::LocalBoxFuture};
use refsync::{
    api::{Outcome, Reason},
    git::Remote,
    http::{Body, Error, ErrorKind, Headers, HttpClient, Request, Response},
};

use super::{ALL, find, run};
use crate::support::{Backend, Repository};

fn source(format: &str) -> Repository {
    let repository = Repository::with_format(format);
    let first = repository.commit("first", &[]);
    repository.git(&["update-ref", "refs/heads/main", &first]);
    repository.git(&["tag", "-a", "-m", "annotated", "v1", &first]);
    repository
}

#[test]
fn answers_are_read_whatever_pieces_they_come_in() {
    for chunk_size in [1, 2, 3, 5, 7, 64, 65_536] {
        let (upstream, local) = (source("sha1"), Repository::empty());
        for round in 0..2 {
            let (upstream_remote, _) = Backend::new(&upstream).in_chunks_of(chunk_size).remote();
            let (local_remote, _) = Backend::new(&local).in_chunks_of(chunk_size).remote();
            run(&upstream_remote, &local_remote, ALL).unwrap_or_else(|e| panic!("{chunk_size}, {round}: {e}"));
            assert_eq!(local.refs(), upstream.refs(), "pieces of {chunk_size} bytes, round {round}");
            let next = upstream.commit("next", &[&upstream.git(&["rev-parse", "main"])]);
            upstream.git(&["update-ref", "refs/heads/main", &next]);
        }
    }
}

#[test]
fn sources_that_speak_old_protocols_work() {
    for version in [0, 1] {
        let (upstream, local) = (source("sha1"), Repository::empty());
        let (upstream_remote, _) = Backend::new(&upstream).speaking(version).remote();
        let (local_remote, _) = Backend::new(&local).remote();
        run(&upstream_remote, &local_remote, ALL).unwrap_or_else(|e| panic!("protocol {version}: {e}"));
        let next = upstream.commit("next", &[&upstream.git(&["rev-parse", "main"])]);
        upstream.git(&["update-ref", "refs/heads/main", &next]);
        let stats = run(&upstream_remote, &local_remote, ALL).unwrap_or_else(|e| panic!("protocol {version}: {e}"));
        assert_eq!(stats.count(Outcome::Updated), 1, "protocol {version}");
        assert_eq!(local.refs(), upstream.refs(), "protocol {version}");
    }
}

#[test]
fn sha256_repositories_sync() {
    let (upstream, local) = (source("sha256"), Repository::with_format("sha256"));
    let (upstream_remote, _) = Backend::new(&upstream).remote();
    let (local_remote, _) = Backend::new(&local).remote();
    for _ in 0..2 {
        run(&upstream_remote, &local_remote, ALL).expect("it succeeds");
        assert_eq!(local.refs(), upstream.refs());
        let next = upstream.commit("next", &[&upstream.git(&["rev-parse", "main"])]);
        upstream.git(&["update-ref", "refs/heads/main", &next]);
    }
    local.fsck();
}

#[test]
fn two_object_formats_are_a_clear_error() {
    let (upstream_remote, _) = Backend::new(&source("sha256")).remote();
    let upstream = source("sha256");
    let local = Repository::empty();
    let (upstream_remote2, _) = Backend::new(&upstream).remote();
    drop(upstream_remote);
    let (local_remote, _) = Backend::new(&local).remote();
    let error = run(&upstream_remote2, &local_remote, ALL).expect_err("objects cannot travel");
    assert_eq!(error.code(), "object_format_mismatch");
    assert!(error.to_string().contains("sha256") && error.to_string().contains("sha1"), "{error}");
}

#[test]
fn a_shallow_source_is_refused() {
    let origin = source("sha1");
    let second = origin.commit("second", &[&origin.git(&["rev-parse", "main"])]);
    origin.git(&["update-ref", "refs/heads/main", &second]);
    for version in [0, 2] {
        let shallow = Repository::empty();
        let url = format!("file://{}", origin.path().display());
        shallow.git(&["fetch", "-q", "--depth=1", &url, "main:main"]);
        let local = Repository::empty();
        let (upstream_remote, _) = Backend::new(&shallow).speaking(version).remote();
        let (local_remote, _) = Backend::new(&local).remote();
        let error = run(&upstream_remote, &local_remote, ALL).expect_err("its history is cut off");
        assert_eq!(error.code(), "shallow_source", "{error}");
        assert!(local.refs().is_empty(), "nothing is half-written");
    }
}

#[test]
fn what_a_grafted_source_lacks_is_rejected_and_others_go_on() {
    let (upstream, known) = (source("sha1"), Repository::empty());
    let pull = |local: &Repository, version: u8| {
        let (upstream_remote, _) = Backend::new(&upstream).speaking(version).remote();
        let (local_remote, _) = Backend::new(local).remote();
        run(&upstream_remote, &local_remote, ALL).expect("it succeeds")
    };
    pull(&known, 2);
    let second = upstream.commit("second", &[&upstream.git(&["rev-parse", "main"])]);
    let third = upstream.commit("third", &[&second]);
    upstream.git(&["update-ref", "refs/heads/main", &third]);
    upstream.git(&["update-ref", "refs/heads/whole", &upstream.commit("whole", &[])]);
    // Git now treats it as a commit without parents, so it sends neither its history nor its objects.
    std::fs::write(upstream.path().join("info/grafts"), format!("{third}\n")).expect("it can be written");
    for version in [0, 2] {
        for (local, reason) in [(&known, Reason::NonFastForward), (&Repository::empty(), Reason::MissingObjects)] {
            let before = local.refs().get("refs/heads/main").cloned();
            let stats = pull(local, version);
            let main = find(&stats, "refs/heads/main");
            assert_eq!((main.outcome, main.reason.as_ref()), (Outcome::Rejected, Some(&reason)), "protocol {version}");
            assert_eq!(local.refs().get("refs/heads/main").cloned(), before, "protocol {version}");
            assert_eq!(local.refs()["refs/heads/whole"], upstream.refs()["refs/heads/whole"], "protocol {version}");
            local.fsck();
        }
    }
}

/// Answers everything the same way.
struct Canned(u16, &'static str, &'static str);

impl HttpClient for Canned {
    fn send(&self, request: Request) -> LocalBoxFuture<'_, Result<Response, Error>> {
        let headers: Headers = [("content-type", self.1)].into_iter().collect();
        let body = Body::Bytes(self.2.into());
        std::future::ready(Ok(Response { status: self.0, url: request.url, headers, body })).boxed_local()
    }
}

/// Does not answer.
struct Unreachable;

impl HttpClient for Unreachable {
    fn send(&self, _: Request) -> LocalBoxFuture<'_, Result<Response, Error>> {
        std::future::ready(Err(Error::new(ErrorKind::Network, "connection refused"))).boxed_local()
    }
}

#[test]
fn an_upstream_that_cannot_be_synced_with_is_a_clear_error() {
    let smart = "application/x-git-upload-pack-advertisement";
    let long_line = format!("1000{}", "x".repeat(4092)).leak();
    let table: Vec<(Rc<dyn HttpClient>, &str, bool, &str)> = vec![
        (Rc::new(Unreachable), "unreachable", true, "connection refused"),
        (Rc::new(Canned(401, "text/plain", "")), "unauthorized", false, "refused the user name and password"),
        (Rc::new(Canned(403, "text/plain", "no entry")), "forbidden", false, "no entry"),
        (Rc::new(Canned(404, "text/html", "<html>")), "not_found", false, "no such repository"),
        (Rc::new(Canned(429, "text/plain", "")), "rate_limited", true, "fewer requests"),
        (Rc::new(Canned(503, "text/plain", "")), "server_error", true, "the server failed (503)"),
        (Rc::new(Canned(200, "text/html", "<html>")), "not_a_git_server", false, "text/html"),
        (Rc::new(Canned(200, "text/plain", "")), "not_a_git_server", false, "dumb HTTP"),
        (Rc::new(Canned(200, smart, "hello")), "protocol_error", true, "breaks Git's protocol"),
        (Rc::new(Canned(200, smart, "")), "protocol_error", true, "it ends where"),
        (Rc::new(Canned(200, smart, long_line)), "protocol_error", true, "xxx\" and 3992 bytes more"),
        (Rc::new(Canned(200, smart, "000fERR go away")), "remote_error", false, "go away"),
    ];
    for (http, code, is_transient, words) in table {
        let local = Repository::empty();
        let (local_remote, _) = Backend::new(&local).remote();
        let upstream = Remote::new("https://user:secret@upstream.test/r.git", http);
        let error = run(&upstream, &local_remote, ALL).expect_err("there is nothing to sync with");
        let text = error.to_string();
        assert_eq!((error.code(), error.is_transient()), (code, is_transient), "{text}");
        assert!(text.contains(words), "{text} should say {words}");
        assert!(text.starts_with("source: list the refs of https://upstream.test/r.git: "), "{text} says where");
        assert!(!text.contains("secret"), "{text} tells the password");
    }
}
