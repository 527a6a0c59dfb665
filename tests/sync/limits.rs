//! The work and the memory for a remote are bounded, however much it sends and whatever it claims to know.

use std::{cell::RefCell, fmt::Write, rc::Rc};

use bytes::Bytes;
use futures_util::{FutureExt, StreamExt, future::LocalBoxFuture};
use refsync::{
    api::{Outcome, Reason, SyncRunStats},
    git::{Limits, Remote, pkt_line},
    http::{Body, Error, Headers, HttpClient, Request, Response},
};

use super::{ALL, find, run};
use crate::support::{Backend, Repository};

/// Commits in a row with long messages, stored as deltas of one another, as in a well-packed repository.
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

/// A repository with only the oldest of these commits.
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
            let stats = run(&source, &local_remote, ALL).expect("the pull succeeds");
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
        let stats = run(&source, &local, ALL).expect("the pull succeeds");
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
    let error = run(&source, &local_remote, ALL).expect_err("290 commits are new");
    assert_eq!(error.code(), "too_many_commits");
    assert!(error.to_string().contains("more than 200 commits"), "{error}");
    assert!(error.to_string().contains("raise maxCommits (--max-commits)"), "{error}");
    assert!(!error.is_transient(), "the same sync would end in the same way");
}

#[test]
fn a_branch_that_needs_too_much_for_its_proof_is_rejected_and_others_arrive() {
    let upstream = with_commits_as_deltas(300);
    let local = behind(&upstream, 290);
    // A branch that moves by ten commits, a new one, and main, which moves by 290.
    upstream.git(&["update-ref", "refs/heads/near", "main~100"]);
    let url = upstream.path().to_str().expect("it is UTF-8");
    let old = upstream.git(&["rev-parse", "main~110"]);
    local.git(&["fetch", "-q", url, &format!("{old}:refs/heads/near")]);
    upstream.git(&["update-ref", "refs/heads/new", "main"]);
    let (local_remote, _) = Backend::new(&local).remote();
    let (source, _) = Backend::new(&upstream).in_chunks_of(65_536).remote();
    let source = source.with_limits(Limits { commits: 100, ..Limits::default() });
    let stats = run(&source, &local_remote, ALL).expect("the pull succeeds");
    assert_eq!(find(&stats, "refs/heads/near").outcome, Outcome::Updated);
    assert_eq!(find(&stats, "refs/heads/new").outcome, Outcome::Updated);
    let main = find(&stats, "refs/heads/main");
    assert_eq!(main.reason, Some(Reason::NonFastForward), "{main:?}");
    let message = main.message.as_deref().unwrap_or_default();
    assert!(
        message.starts_with("it could not be proved: too much came from the server: it sent more than 100 commits"),
        "{message}"
    );
}

/// A source that lists branches, and answers each question about commits as the test requires. It counts the questions.
struct Liar {
    refs: Vec<(String, String)>,
    answer: Box<Answer>,
    questions: RefCell<usize>,
}

/// Its answer to a question.
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

/// Pulls ten branches that have moved at the liar. Returns the number of questions.
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
    let stats = run(&source, &destination, ALL).map_err(|error| format!("{}: {error}", error.code()));
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
    // It claims to know all of them, and then sends no history.
    let stats = stats.expect("what is not proved is rejected");
    assert!(stats.refs.iter().all(|r| r.reason == Some(Reason::NonFastForward)), "{:?}", stats.refs);
    assert!(questions <= 10 + 1 + 10, "{questions} questions for ten branches");
}

#[test]
fn acknowledgments_without_end_are_an_error() {
    let (error, questions) = pulled_from_liar(|_| acknowledging((0..100_000).map(|n| format!("{n:040x}"))));
    let error = error.expect_err("it was asked about ten");
    assert!(error.starts_with("too_many_messages: "), "{error}");
    assert_eq!(questions, 1);
}

/// Bytes of a server: one piece again and again, until the client stops reading or a hundred million bytes are sent.
struct Endless {
    start: Vec<u8>,
    piece: Vec<u8>,
    sent: Rc<RefCell<usize>>,
}

impl Endless {
    fn remote(start: &[u8], piece: &[u8]) -> (Remote, Rc<RefCell<usize>>) {
        let sent = Rc::new(RefCell::new(0));
        let endless = Self { start: start.to_vec(), piece: piece.repeat(65_536 / piece.len() + 1), sent: sent.clone() };
        (Remote::new("http://endless.test/", Rc::new(endless)), sent)
    }
}

impl HttpClient for Endless {
    fn send(&self, request: Request) -> LocalBoxFuture<'_, Result<Response, Error>> {
        let (sent, piece) = (self.sent.clone(), Bytes::from(self.piece.clone()));
        let pieces = std::iter::repeat_with(move || {
            *sent.borrow_mut() += piece.len();
            assert!(*sent.borrow() < 200_000_000, "it is read without end");
            Ok(piece.clone())
        });
        let body = futures_util::stream::iter(std::iter::once(Ok(Bytes::from(self.start.clone()))).chain(pieces));
        let service = if request.url.contains("receive-pack") { "git-receive-pack" } else { "git-upload-pack" };
        let kind = if request.url.contains("info/refs") { "advertisement" } else { "result" };
        let headers = Headers::from_iter([("content-type", format!("application/x-{service}-{kind}"))]);
        let response = Response { status: 200, url: request.url, headers, body: Body::Stream(body.boxed_local()) };
        std::future::ready(Ok(response)).boxed_local()
    }
}

fn line(text: &str) -> Vec<u8> {
    let mut line = Vec::new();
    pkt_line::encode(&mut line, text.as_bytes());
    line
}

/// The source of a list, its start, and the part that repeats; then the error's code, and the most bytes that may be read.
type Row<'a> = (&'a str, &'a [u8], Vec<u8>, &'a str, usize);

#[test]
fn a_list_without_end_is_an_error_at_its_limit_on_both_sides() {
    let id = "a".repeat(40);
    let head = |service: &str| [line(&format!("# service={service}\n")), b"0000".to_vec()].concat();
    let (source, destination) = (head("git-upload-pack"), head("git-receive-pack"));
    let v2 = [source.clone(), line("version 2\n")].concat();
    let long = line(&format!("{id} refs/heads/{}\n", "x".repeat(3000)));
    let table: [Row; 11] = [
        ("source", b"", line(&format!("{id} refs/heads/a\n")), "too_many_refs", 700_000),
        ("source", b"", long.clone(), "too_many_refs", 1_500_000),
        ("source", b"", line("unborn HEAD symref-target:refs/heads/main\n"), "too_many_refs", 1_500_000),
        ("source", &source, line(&format!("{id} refs/heads/a\n")), "too_many_refs", 1_500_000),
        ("source", &source, line(&format!("{id} refs/tags/a^{{}}\n")), "protocol_error", 200_000),
        ("source", &source, line(&format!("shallow {id}\n")), "too_many_refs", 3_000_000),
        ("source", &v2, line("a-capability\n"), "too_many_messages", 1_500_000),
        ("destination", &destination, line(&format!("{id} refs/heads/a\n")), "too_many_refs", 700_000),
        ("destination", &destination, line(&format!("{id} .have\n")), "too_many_refs", 700_000),
        ("destination", &destination, line(&format!("shallow {id}\n")), "too_many_refs", 1_500_000),
        ("destination", &destination, long, "too_many_refs", 1_500_000),
    ];
    let other = Repository::empty();
    for (side, start, piece, code, most) in &table {
        let what = format!("{side}: {}", String::from_utf8_lossy(&piece[..piece.len().min(60)]));
        let (endless, sent) = Endless::remote(start, piece);
        let endless = endless.with_limits(Limits { refs: 10_000, ..Limits::default() });
        let (other, _) = Backend::new(&other).remote();
        let (source, destination) = if *side == "source" { (&endless, &other) } else { (&other, &endless) };
        let error = run(source, destination, ALL).expect_err("it has no end");
        assert_eq!(error.code(), *code, "{what}: {error}");
        assert!(error.to_string().starts_with(&format!("{side}: list the refs of ")), "{what}: {error}");
        if *code == "too_many_refs" {
            assert!(error.to_string().contains("raise maxRefs (--max-refs)"), "{what}: {error}");
            assert!(!error.is_transient(), "{what}: the same sync would end in the same way");
        }
        assert!(*sent.borrow() < *most, "{what}: {} bytes were read", sent.borrow());
    }
}

#[test]
fn the_words_of_a_server_are_shortened() {
    let repository = Repository::empty();
    for start in [line(&format!("ERR {}cause", "x".repeat(60_000))), line(&"x".repeat(60_000))] {
        let (endless, _) = Endless::remote(&start, b"0000");
        let (other, _) = Backend::new(&repository).remote();
        let error = run(&endless, &other, ALL).expect_err("it is no list").to_string();
        assert!(error.len() < 5000, "{} bytes", error.len());
        assert!(error.contains("xxxxx"), "the start is there: {error}");
    }
}

#[test]
fn a_name_that_is_too_long_is_rejected_and_others_go_on() {
    let (upstream, local) = (Repository::empty(), Repository::empty());
    let commit = upstream.commit("one", &[]);
    let long = format!("refs/heads/{}", "x/".repeat(5000));
    let packed = format!("# pack-refs with: peeled fully-peeled sorted \n{commit} refs/heads/main\n{commit} {long}y\n");
    std::fs::write(upstream.path().join("packed-refs"), packed).expect("it can be written");
    for version in [0, 2] {
        let (source, _) = Backend::new(&upstream).speaking(version).remote();
        let (destination, _) = Backend::new(&local).remote();
        let stats = run(&source, &destination, ALL).expect("the pull succeeds");
        let [short, rejected] = [&stats.refs[0], &stats.refs[1]];
        let expected = if version == 0 { Outcome::Updated } else { Outcome::Unchanged };
        assert_eq!((short.name.as_str(), short.outcome), ("refs/heads/main", expected), "protocol {version}");
        assert_eq!(rejected.reason, Some(Reason::InvalidName), "protocol {version}: {rejected:?}");
        assert!(rejected.name.starts_with("refs/heads/x/x/x/"), "{rejected:?}");
        assert!(rejected.name.ends_with("… (a name of 10012 bytes, longer than 4096)"), "{rejected:?}");
    }
    // At the destination such a name does not block anything.
    let stats = run(&Backend::new(&upstream).remote().0, &Backend::new(&upstream).remote().0, ALL);
    let stats = stats.expect("the push succeeds");
    assert_eq!(find(&stats, "refs/heads/main").outcome, Outcome::Unchanged);
}
