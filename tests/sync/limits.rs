//! However much a remote sends, and whatever it claims to know, the work and the memory for it are bounded.

use std::{cell::RefCell, fmt::Write, rc::Rc};

use bytes::Bytes;
use futures_util::{FutureExt, StreamExt, future::LocalBoxFuture};
use refsync::{
    git::{Limits, Remote, pkt_line},
    http::{Body, Error, Headers, HttpClient, Request, Response},
    model::{Outcome, Reason, SyncRunStats},
};

use super::{ALL, find, run};
use crate::support::{Backend, Repository};

/// Commits in a row with long messages, stored as deltas of one another: what a repository looks like that was packed with care.
fn with_commits_as_deltas(commits: usize) -> Repository {
    let repository = Repository::empty();
    let mut stream = String::new();
    for n in 1..=commits {
        let words = "the same long words in every message, which make commits worth a delta\n".repeat(20 + n % 30);
        let message = format!("commit {n}\n\n{words}");
        let from = if n > 1 { format!("from :{}\n", n - 1) } else { String::new() };
        let (date, length) = (1_700_000_000 + n, message.len());
        let head = format!("commit refs/heads/main\nmark :{n}\ncommitter C <c@example.com> {date} +0000");
        write!(stream, "{head}\ndata {length}\n{message}\n{from}\n").expect("a string takes all");
    }
    repository.import(&stream);
    repository.git(&["repack", "-adfq", "--window=250", "--depth=50"]);
    repository
}

/// A repository that has the oldest of these commits only.
fn behind(upstream: &Repository, commits: usize) -> Repository {
    let local = Repository::empty();
    let oldest = upstream.git(&["rev-parse", &format!("main~{commits}")]);
    let url = upstream.path().to_str().expect("it is UTF-8");
    local.git(&["fetch", "-q", url, &format!("{oldest}:refs/heads/main")]);
    local
}

#[test]
fn a_history_of_deltas_to_commits_that_have_gone_is_asked_for_in_parts() {
    let upstream = with_commits_as_deltas(400);
    let tip = upstream.git(&["rev-parse", "main"]);
    for (version, filter) in [(2, "true"), (2, "false"), (0, "true"), (0, "false")] {
        upstream.git(&["config", "uploadpack.allowFilter", filter]);
        let requests = [16 << 20, 100_000].map(|bases| {
            let local = behind(&upstream, 390);
            let (local_remote, _) = Backend::new(&local).remote();
            let (source, log) = Backend::new(&upstream).in_chunks_of(65_536).speaking(version).remote();
            let source = source.with_limits(Limits { bases, ..Limits::default() });
            let stats = run("pull", &local_remote, &source, ALL).expect("the pull succeeds");
            let outcome = find(&stats, "refs/heads/main").outcome;
            assert_eq!(outcome, Outcome::Updated, "protocol {version}, filter {filter}, {bases} bytes");
            assert_eq!(local.git(&["rev-parse", "main"]), tip);
            local.fsck();
            log.requests().len()
        });
        let [at_once, in_parts] = requests;
        assert!(at_once < in_parts && in_parts < 40, "protocol {version}, filter {filter}: {requests:?} requests");
    }
}

#[test]
fn a_diverged_branch_among_deltas_is_still_rejected() {
    let upstream = with_commits_as_deltas(300);
    let local = behind(&upstream, 290);
    let base = local.git(&["rev-parse", "main"]);
    let ours = local.commit("ours", &[&base]);
    local.git(&["update-ref", "refs/heads/main", &ours]);
    let (local, _) = Backend::new(&local).remote();
    for version in [0, 2] {
        let (source, _) = Backend::new(&upstream).in_chunks_of(65_536).speaking(version).remote();
        let source = source.with_limits(Limits { bases: 100_000, ..Limits::default() });
        let stats = run("pull", &local, &source, ALL).expect("the pull succeeds");
        assert_eq!(find(&stats, "refs/heads/main").reason, Some(Reason::NonFastForward), "protocol {version}");
    }
}

#[test]
fn more_commits_than_a_proof_may_keep_are_a_clear_error() {
    let upstream = with_commits_as_deltas(300);
    let local = behind(&upstream, 290);
    let (local_remote, _) = Backend::new(&local).remote();
    let (source, _) = Backend::new(&upstream).in_chunks_of(65_536).remote();
    let source = source.with_limits(Limits { commits: 200, ..Limits::default() });
    let error = run("pull", &local_remote, &source, ALL).expect_err("290 commits are new");
    assert_eq!(error.code(), "too_many_commits");
    assert!(error.to_string().contains("more than 200 commits"), "{error}");
    assert!(error.to_string().contains("raise maxCommits (--max-commits)"), "{error}");
    assert!(!error.is_transient(), "the same sync would end in the same way");
}

/// A source that lists branches and answers each question about commits as it is told to. It counts the questions.
struct Liar {
    refs: Vec<(String, String)>,
    answer: Box<Answer>,
    questions: RefCell<usize>,
}

/// What it answers to a question.
type Answer = dyn Fn(&[u8]) -> Vec<u8>;

impl Liar {
    fn remote(refs: &[(&str, &str)], answer: impl Fn(&[u8]) -> Vec<u8> + 'static) -> (Remote, Rc<Self>) {
        let refs = refs.iter().map(|(name, id)| (name.to_string(), id.to_string())).collect();
        let liar = Rc::new(Self { refs, answer: Box::new(answer), questions: RefCell::default() });
        (Remote::new("http://liar.test/", liar.clone()), liar)
    }

    async fn respond(&self, request: Request) -> Result<Response, Error> {
        let body = request.body.bytes(usize::MAX).await?;
        let mut out = Vec::new();
        let (kind, is_advertisement) = ("application/x-git-upload-pack", request.url.contains("/info/refs"));
        if is_advertisement {
            for line in ["version 2\n", "ls-refs\n", "fetch=filter\n"] {
                pkt_line::encode(&mut out, line.as_bytes());
            }
            out.extend_from_slice(pkt_line::FLUSH);
        } else if body.windows(15).any(|words| words == b"command=ls-refs") {
            for (name, id) in &self.refs {
                pkt_line::encode(&mut out, format!("{id} {name}\n").as_bytes());
            }
            out.extend_from_slice(pkt_line::FLUSH);
        } else {
            *self.questions.borrow_mut() += 1;
            assert!(*self.questions.borrow() < 1000, "it is asked again and again");
            out = (self.answer)(&body);
        }
        let kind = if is_advertisement { format!("{kind}-advertisement") } else { format!("{kind}-result") };
        let headers = Headers::from_iter([("content-type", kind)]);
        let body = Body::Stream(futures_util::stream::iter([Ok(Bytes::from(out))]).boxed_local());
        Ok(Response { status: 200, url: request.url, headers, body })
    }
}

impl HttpClient for Liar {
    fn send(&self, request: Request) -> LocalBoxFuture<'_, Result<Response, Error>> {
        self.respond(request).boxed_local()
    }
}

/// Ten branches that are elsewhere at the liar's, pulled from it; and how many questions it was asked.
fn pulled_from_liar(answer: impl Fn(&[u8]) -> Vec<u8> + 'static) -> (Result<SyncRunStats, String>, usize) {
    let local = Repository::empty();
    let mut refs = Vec::new();
    for n in 0..10 {
        let commit = local.commit(&format!("commit {n}"), &[]);
        let name = format!("refs/heads/b{n}");
        local.git(&["update-ref", &name, &commit]);
        refs.push((name, format!("{n:040x}").replace('0', "a")));
    }
    let refs: Vec<(&str, &str)> = refs.iter().map(|(name, id)| (name.as_str(), id.as_str())).collect();
    let (source, liar) = Liar::remote(&refs, answer);
    let (destination, _) = Backend::new(&local).remote();
    let stats = run("pull", &destination, &source, ALL).map_err(|error| format!("{}: {error}", error.code()));
    let questions = *liar.questions.borrow();
    (stats, questions)
}

fn acknowledging(ids: impl Iterator<Item = String>) -> Vec<u8> {
    let mut out = Vec::new();
    pkt_line::encode(&mut out, b"acknowledgments\n");
    ids.for_each(|id| pkt_line::encode(&mut out, format!("ACK {id}\n").as_bytes()));
    out.extend_from_slice(pkt_line::FLUSH);
    out
}

#[test]
fn a_source_that_acknowledges_what_nobody_asked_about_is_not_asked_for_ever() {
    let (stats, questions) = pulled_from_liar(|_| acknowledging(["b".repeat(40)].into_iter()));
    let stats = stats.expect("it knows none of the commits");
    assert!(stats.refs.iter().all(|r| r.reason == Some(Reason::NonFastForward)), "{:?}", stats.refs);
    assert_eq!(questions, 1, "another question would say no more");
}

#[test]
fn a_source_that_acknowledges_one_commit_at_each_question_is_asked_a_bounded_number_of_times() {
    let first_have = |body: &[u8]| {
        let text = String::from_utf8_lossy(body).into_owned();
        text.split("have ").nth(1).map(|rest| rest[..40].to_owned())
    };
    let (stats, questions) = pulled_from_liar(move |body| acknowledging(first_have(body).into_iter()));
    // It says that it knows them all, and then sends no history.
    let stats = stats.expect("what is not proved is rejected");
    assert!(stats.refs.iter().all(|r| r.reason == Some(Reason::NonFastForward)), "{:?}", stats.refs);
    assert!(questions <= 10 + 1 + 10, "{questions} questions for ten branches");
}
