//! The messages of hosts are in the result: those of hooks, of Git, and of error pages.

use refsync::{
    api::{MessageSide, Outcome, Reason, SyncRunStats},
    git::{self, ErrorKind},
    http::{Body, Headers, Response},
    sync,
};

use super::{
    find,
    servers::{Between, hook, pull, source},
};
use crate::support::{Backend, Repository};

/// The destination's message about this ref.
fn said<'a>(stats: &'a SyncRunStats, name: &str) -> &'a str {
    let at = find(stats, name).message_index.unwrap_or_else(|| panic!("nothing was said about {name}: {stats:?}"));
    let message = &stats.messages[at as usize];
    assert_eq!(message.side, MessageSide::Destination);
    &message.text
}

fn page(status: u16, content_type: &str, text: &'static str) -> Response {
    let headers: Headers = [("content-type", content_type)].into_iter().collect();
    Response { status, url: String::new(), headers, body: Body::Bytes(text.into()) }
}

#[test]
fn the_words_of_each_refusal_of_git_are_told() {
    let (upstream, local) = (source(2), Repository::empty());
    std::fs::create_dir_all(local.path().join("refs/heads")).expect("it can be made");
    std::fs::write(local.path().join("refs/heads/main.lock"), "").expect("it can be written");
    let stats = pull(&Backend::new(&upstream).remote().0, &Backend::new(&local).remote().0).expect("it completes");
    assert!(said(&stats, "refs/heads/main").contains("main.lock"), "{stats:?}");
    assert_eq!(find(&stats, "refs/tags/v1").outcome, Outcome::Updated);
}

#[test]
fn a_hook_is_told_once_without_colours_and_with_the_cause_of_many_lines() {
    let (upstream, local) = (source(2), Repository::empty());
    for n in 0..30 {
        upstream.git(&["branch", &format!("b{n}"), "main"]);
    }
    let script = r#"
        i=0; while [ $i -lt 400 ]; do echo "warning: line $i is about something else entirely" >&2; i=$((i+1)); done
        printf '\033[31mGitLab:\033[0m You are not allowed to push.\n' >&2
        i=0; while [ $i -lt 400 ]; do echo "warning: more of line $i" >&2; i=$((i+1)); done
        exit 1"#;
    hook(&local, "pre-receive", script);
    let stats = pull(&Backend::new(&upstream).remote().0, &Backend::new(&local).remote().0).expect("it completes");
    assert_eq!(stats.count(Outcome::Rejected), 32);
    assert!(stats.refs.iter().all(|r| r.message_index == Some(0) && r.reason == Some(Reason::HookDeclined)));
    let [message] = stats.messages.as_slice() else { panic!("{} messages", stats.messages.len()) };
    assert!(message.text.contains("\nGitLab: You are not allowed to push.\n"), "{}", message.text);
    assert!(!message.text.contains('\u{1b}') && message.text.len() < 9000);
}

#[test]
fn words_without_a_report_are_the_answer_and_are_told_at_once() {
    // Band 2, band 3, or both, and then the end; with and without the flush packet that should come there.
    let band = |number: u8, text: &str| format!("{:04x}{}{text}", text.len() + 5, char::from(number));
    let answers = [
        band(2, "remote: this repository is archived\n"),
        band(3, "this repository is archived"),
        band(2, "error: this repository is archived\n") + &band(3, "fatal: giving up"),
        band(2, "this repository is archived\n") + "0000",
        "0024ERR this repository is archived\n".to_owned(),
    ];
    for answer in answers {
        let (upstream, local) = (source(2), Repository::empty());
        let body: bytes::Bytes = answer.clone().into_bytes().into();
        let (to, log) = Between::answering(&local, move |request, _| {
            let headers = [("content-type", "application/x-git-receive-pack-result")].into_iter().collect();
            let answer = Response { status: 200, url: String::new(), headers, body: Body::Bytes(body.clone()) };
            request.url.ends_with("/git-receive-pack").then_some(answer)
        })
        .remote();
        let error = pull(&Backend::new(&upstream).remote().0, &to).expect_err("nothing is pushed");
        assert!(error.to_string().contains("this repository is archived"), "{answer:?}: {error}");
        assert!(!error.is_transient(), "{answer:?}: {error}");
        assert!(log.slept.borrow().is_empty(), "{answer:?}: nobody waits for what the host has answered");
    }
}

#[test]
fn error_pages_are_read_in_every_form() {
    let table = [
        (403, "text/plain", "You need the workflow scope.", "You need the workflow scope."),
        (
            403,
            "application/json",
            r#"{"message":"Resource not accessible","documentation_url":"https://d"}"#,
            "Resource not accessible\nhttps://d",
        ),
        (
            422,
            "application/json; charset=utf-8",
            r#"{"error":"too many","errors":[{"message":"refs"}]}"#,
            "too many\nrefs",
        ),
        (
            403,
            "application/problem+json",
            r#"{"title":"Forbidden","detail":"IP is not allowed"}"#,
            "Forbidden\nIP is not allowed",
        ),
        (
            451,
            "text/html",
            "<html><head><title>Unavailable</title><style>x{}</style></head><body><h1>Unavailable</h1><p>By a <b>DMCA</b> notice &amp; order.<script>bad()</script></p></body></html>",
            "Unavailable\nBy a DMCA notice & order.",
        ),
        (403, "text/html; charset=utf-8", "<p>Access\n  denied<br>by policy", "Access denied\nby policy"),
        (403, "image/png", "binary", ""),
    ];
    for (status, kind, body, expected) in table {
        // Messages of the source and of the destination, at the first request.
        for is_source in [true, false] {
            let (upstream, local) = (source(2), Repository::empty());
            let refusing =
                |repository| Between::answering(repository, move |_, _| Some(page(status, kind, body))).remote().0;
            let error = match is_source {
                true => pull(&refusing(&upstream), &Backend::new(&local).remote().0),
                false => pull(&Backend::new(&upstream).remote().0, &refusing(&local)),
            };
            let error = error.expect_err("it is refused").to_string();
            assert!(error.ends_with(expected) && error.contains(&status.to_string()), "{kind}: {error}");
            assert!(!error.contains('<') && !error.contains("bad()"), "{kind}: {error}");
        }
    }
}

#[test]
fn a_rate_limit_tells_how_long_it_lasts() {
    let (upstream, local) = (source(2), Repository::empty());
    let (from, _) = Between::answering(&upstream, |_, _| {
        let headers = [("retry-after", "3600"), ("content-type", "text/plain")].into_iter().collect();
        Some(Response { status: 429, url: String::new(), headers, body: Body::Bytes("slow down".into()) })
    })
    .remote();
    let error = pull(&from, &Backend::new(&local).remote().0).expect_err("it is refused");
    assert!(error.to_string().contains("3600 s") && error.to_string().contains("slow down"), "{error}");
    let sync::Error::Source(git::Error { kind: ErrorKind::Status { retry_after, .. }, .. }) = error else {
        panic!("{error}")
    };
    assert_eq!(retry_after.map(|wait| wait.as_secs()), Some(3600));
}

#[test]
fn a_report_counts_although_the_look_after_it_fails() {
    let (upstream, local) = (source(2), Repository::empty());
    hook(&local, "update", "[ $1 = refs/heads/main ] || exit 0; echo not today; exit 1");
    let lists = std::cell::Cell::new(0);
    let (to, _) = Between::answering(&local, move |request, _| {
        let is_list = request.url.contains("info/refs");
        lists.set(lists.get() + usize::from(is_list));
        (is_list && lists.get() > 1).then(|| page(404, "text/plain", "gone"))
    })
    .remote();
    let stats = pull(&Backend::new(&upstream).remote().0, &to).expect("there is a report");
    let main = find(&stats, "refs/heads/main");
    assert_eq!((main.outcome, &main.reason), (Outcome::Rejected, &Some(Reason::HookDeclined)));
    assert_eq!(said(&stats, "refs/heads/main").lines().next(), Some("not today"));
    assert_eq!(find(&stats, "refs/tags/v1").outcome, Outcome::Updated);
}

#[test]
fn what_a_damaged_source_says_is_told() {
    let (upstream, local) = (source(2), Repository::empty());
    upstream.git(&["repack", "-qad"]);
    let (from, _) = Backend::new(&upstream).remote();
    // The pack is gone, and so is the history of `main`. The new commit is loose.
    let packs = upstream.path().join("objects/pack");
    let loose = upstream.commit("loose", &[]);
    upstream.git(&["update-ref", "refs/heads/loose", &loose]);
    for file in std::fs::read_dir(packs).expect("it is there").flatten() {
        std::fs::remove_file(file.path()).expect("it can be removed");
    }
    let stats = pull(&from, &Backend::new(&local).remote().0).expect("the rest arrives");
    assert_eq!(find(&stats, "refs/heads/loose").outcome, Outcome::Updated);
    let main = find(&stats, "refs/heads/main");
    assert_eq!((main.outcome, &main.reason), (Outcome::Rejected, &Some(Reason::MissingObjects)), "{main:?}");
    assert!(main.message.is_some(), "{main:?}");
}
