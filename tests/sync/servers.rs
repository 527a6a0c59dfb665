//! Servers with all kinds of behaviour: real Git, with a layer in between that answers instead of Git, or removes its
//! abilities.

use std::{
    cell::{Cell, RefCell},
    collections::HashSet,
    rc::Rc,
    time::Duration,
};

use bytes::Bytes;
use futures_executor::block_on;
use futures_util::{FutureExt, future::LocalBoxFuture};
use gix_object::bstr::ByteSlice;
use refsync::{
    api::{Outcome, Reason, SyncRunStats},
    git::{Credentials, Remote},
    http::{Body, Error, ErrorKind, Headers, HttpClient, Request, Response},
    sync::{self, Options, Policy, Selection},
};

use super::{ALL, find, run, selection};
use crate::support::{Backend, Repository};

/// The layer in between. It may answer a request itself, depending on the body, and change the text of the server's
/// answers.
type Answer = dyn Fn(&Request, &[u8]) -> Option<Response>;

pub(super) struct Between {
    pub(super) backend: Rc<Backend>,
    answer: Box<Answer>,
    replace: Option<(&'static [u8], &'static [u8])>,
    /// The answer to a push that is done.
    after_push: Option<u16>,
    /// Whether the answer to a push is lost, and the push is done only while the engine waits.
    loses_pushes: bool,
    lost: RefCell<Option<Request>>,
    /// The bodies of the requests that were forwarded to the server.
    pub(super) bodies: RefCell<Vec<Bytes>>,
    pub(super) slept: RefCell<Vec<Duration>>,
}

impl Between {
    pub(super) fn new(repository: &Repository) -> Self {
        let (_, backend) = Backend::new(repository).remote();
        Self {
            backend,
            answer: Box::new(|_, _| None),
            replace: None,
            after_push: None,
            loses_pushes: false,
            lost: RefCell::default(),
            bodies: RefCell::default(),
            slept: RefCell::default(),
        }
    }

    /// Removes an ability of the server: its name is overwritten with the same length.
    pub(super) fn without(repository: &Repository, capability: &'static str) -> Self {
        let overwritten: &'static [u8] = Box::leak("x".repeat(capability.len()).into_bytes().into_boxed_slice());
        Self { replace: Some((capability.as_bytes(), overwritten)), ..Self::new(repository) }
    }

    pub(super) fn answering(
        repository: &Repository,
        answer: impl Fn(&Request, &[u8]) -> Option<Response> + 'static,
    ) -> Self {
        Self { answer: Box::new(answer), ..Self::new(repository) }
    }

    pub(super) fn remote(self) -> (Remote, Rc<Self>) {
        let between = Rc::new(self);
        (Remote::new("http://git.test/", between.clone()), between)
    }

    async fn exchange(&self, request: Request) -> Result<Response, Error> {
        let Request { method, url, headers, body } = request;
        let body = body.bytes(usize::MAX).await?;
        let request = Request { method, url, headers, body: Body::Empty };
        if let Some(response) = (self.answer)(&request, &body) {
            return Ok(response);
        }
        self.bodies.borrow_mut().push(body.clone());
        let is_push = request.url.ends_with("/git-receive-pack");
        if is_push && self.loses_pushes {
            self.lost.replace(Some(request.body(Body::Bytes(body))));
            return Err(Error::new(ErrorKind::Network, "socket hang up"));
        }
        let response = self.backend.send(request.body(Body::Bytes(body))).await?;
        if let Some(status) = self.after_push.filter(|_| is_push) {
            return Ok(refusal(status, &[]));
        }
        let Some((from, to)) = self.replace else { return Ok(response) };
        let mut bytes = response.body.bytes(usize::MAX).await?.to_vec();
        let starts: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at..].starts_with(from)).collect();
        starts.into_iter().for_each(|at| bytes[at..at + to.len()].copy_from_slice(to));
        Ok(Response { body: Body::Bytes(bytes.into()), ..response })
    }
}

impl HttpClient for Between {
    fn send(&self, request: Request) -> LocalBoxFuture<'_, Result<Response, Error>> {
        self.exchange(request).boxed_local()
    }

    fn sleep(&self, duration: Duration) -> LocalBoxFuture<'static, ()> {
        self.slept.borrow_mut().push(duration);
        // The lost push is done during the second wait.
        let due = if self.slept.borrow().len() == 2 { self.lost.take() } else { None };
        let backend = self.backend.clone();
        async move {
            if let Some(request) = due {
                backend.send(request).await.expect("the destination does it");
            }
        }
        .boxed_local()
    }
}

pub(super) fn refusal(status: u16, headers: &[(&str, &str)]) -> Response {
    let headers: Headers = headers.iter().copied().collect();
    Response { status, url: String::new(), headers, body: Body::Empty }
}

/// `main` with this many commits, and a tag. Each commit has a file of some kilobytes that do not compress.
pub(super) fn source(commits: usize) -> Repository {
    let repository = Repository::empty();
    grow(&repository, "main", 0, commits);
    repository.git(&["tag", "-a", "-m", "annotated", "v1", "main"]);
    repository
}

fn grow(repository: &Repository, branch: &str, from: usize, commits: usize) {
    let mut stream = String::new();
    let mut noise = 1u64;
    for n in from..from + commits {
        let text: String = (0..3000)
            .map(|_| {
                noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(n as u64 + 1);
                char::from(b' ' + (noise >> 58) as u8)
            })
            .collect();
        let from = if n > 0 && stream.is_empty() { format!("from refs/heads/{branch}^0\n") } else { String::new() };
        stream += &format!(
            "commit refs/heads/{branch}\ncommitter C <c@example.com> {} +0000\ndata 2\nc\n{from}M 644 inline file-{n}\ndata 3000\n{text}\n",
            1_700_000_000 + n
        );
    }
    repository.import(&stream);
}

pub(super) fn pull(upstream: &Remote, local: &Remote) -> Result<SyncRunStats, sync::Error> {
    run(upstream, local, ALL)
}

#[test]
fn servers_that_lack_a_capability_work() {
    // If a name is the start of other names, this removes those too: "side-band" and "side-band-64k", for example.
    for lacking in [
        "side-band-64k",
        "side-band",
        "multi_ack_detailed",
        "multi_ack",
        "report-status-v2",
        "ofs-delta",
        "thin-pack",
        "no-progress",
        "filter",
        "agent=",
        "object-format=sha1",
    ] {
        for version in [0, 2] {
            let (upstream, local) = (source(3), Repository::empty());
            for round in 0..2 {
                let mut from = Between::without(&upstream, lacking);
                (_, from.backend) = Backend::new(&upstream).speaking(version).remote();
                let (from, _) = from.remote();
                let (to, _) = Between::without(&local, lacking).remote();
                let stats =
                    pull(&from, &to).unwrap_or_else(|e| panic!("without {lacking}, v{version}, round {round}: {e}"));
                assert_eq!(find(&stats, "refs/heads/main").outcome, Outcome::Updated, "without {lacking}, v{version}");
                assert_eq!(local.refs(), upstream.refs(), "without {lacking}, v{version}, round {round}");
                grow(&upstream, "main", 3, 2);
            }
        }
    }
}

#[test]
fn a_source_of_an_old_protocol_may_acknowledge_a_have_and_then_its_parent() {
    for lacking in ["side-band-64k", "side-band", "multi_ack_detailed", "multi_ack", "no such capability"] {
        let (upstream, local) = (source(2), Repository::empty());
        // An id that both sides have, below the old tip of a ref that will move.
        upstream.git(&["tag", "old", "main~1"]);
        for round in 0..2 {
            let mut from = Between::without(&upstream, lacking);
            (_, from.backend) = Backend::new(&upstream).speaking(0).remote();
            let stats = pull(&from.remote().0, &Backend::new(&local).remote().0);
            let stats = stats.unwrap_or_else(|e| panic!("without {lacking}, round {round}: {e}"));
            assert_eq!(find(&stats, "refs/heads/main").outcome, Outcome::Updated, "without {lacking}, round {round}");
            assert_eq!(local.refs(), upstream.refs(), "without {lacking}, round {round}");
            grow(&upstream, "main", 2, 1);
        }
    }
}

#[test]
fn a_source_that_wants_multi_ack_gets_it_and_several_haves_are_acknowledged() {
    // The haves of the second round: two tips that moved, and tags that both sides have.
    for offered in ["multi_ack_detailed", "multi_ack"] {
        let (upstream, local) = (source(3), Repository::empty());
        upstream.git(&["branch", "other", "main"]);
        for n in 0..3 {
            upstream.git(&["tag", &format!("old{n}"), &format!("main~{n}")]);
        }
        for round in 0..2 {
            // Like Azure DevOps, which speaks only protocol v0.
            let mut from = Between::answering(&upstream, |request, body| {
                let is_fetch = request.url.ends_with("/git-upload-pack");
                let says = body.lines().next().is_some_and(|line| line.contains_str(" multi_ack"));
                (is_fetch && !says).then(|| refusal(400, &[("content-type", "text/plain")]))
            });
            (_, from.backend) = Backend::new(&upstream).speaking(0).remote();
            if offered == "multi_ack" {
                from.replace = Some((b"multi_ack_detailed", b"xxxxxxxxxxxxxxxxxx"));
            }
            let (from, log) = from.remote();
            let stats = pull(&from, &Backend::new(&local).remote().0);
            let stats = stats.unwrap_or_else(|e| panic!("{offered}, round {round}: {e}"));
            assert_eq!(find(&stats, "refs/heads/main").outcome, Outcome::Updated, "{offered}, round {round}");
            assert_eq!(local.refs(), upstream.refs(), "{offered}, round {round}");
            let asked = log.bodies.borrow().iter().any(|body| body.contains_str(format!(" {offered} ")));
            assert!(asked, "{offered}, round {round}");
            grow(&upstream, "main", 3, 2);
            grow(&upstream, "other", 3, 1);
        }
    }
}

#[test]
fn a_destination_without_a_report_is_asked_what_it_has() {
    let (upstream, local) = (source(3), Repository::empty());
    upstream.git(&["branch", "refused", "main"]);
    hook(&local, "update", "case $1 in refs/heads/refused) exit 1;; esac");
    let (from, _) = Backend::new(&upstream).remote();
    // Removes both versions of the ability, because they have the same prefix.
    let (to, _) = Between::without(&local, "report-status").remote();
    let stats = pull(&from, &to).expect("it succeeds");
    assert_eq!(find(&stats, "refs/heads/main").outcome, Outcome::Updated);
    let refused = find(&stats, "refs/heads/refused");
    assert_eq!((refused.outcome, refused.reason.clone()), (Outcome::Rejected, Some(Reason::RemoteRefused)));
    assert!(refused.message.as_deref().is_some_and(|m| m.contains("no report")), "{:?}", refused.message);
    assert!(!local.refs().contains_key("refs/heads/refused"));
}

#[test]
fn a_destination_that_completes_no_thin_packs_gets_none() {
    let (upstream, local) = (source(3), Repository::empty());
    for is_thin in [true, false] {
        let (from, log) = Between::new(&upstream).remote();
        let replace = (!is_thin).then_some((&b" ofs-delta "[..], &b" no-thin x "[..]));
        let (to, _) = Between { replace, ..Between::new(&local) }.remote();
        pull(&from, &to).expect("it succeeds");
        let asked = log.bodies.borrow().iter().any(|body| String::from_utf8_lossy(body).contains("thin-pack"));
        assert_eq!(asked, is_thin);
        assert_eq!(local.refs(), upstream.refs());
        grow(&upstream, "main", 3, 2);
    }
}

#[test]
fn a_hidden_ref_of_the_destination_is_protected_and_others_go_on() {
    let (upstream, local) = (source(3), Repository::empty());
    upstream.git(&["branch", "secret/1", "main"]);
    local.git(&["config", "transfer.hideRefs", "refs/heads/secret"]);
    let (from, _) = Backend::new(&upstream).remote();
    for outcome in [Outcome::Updated, Outcome::Unchanged] {
        let (to, _) = Backend::new(&local).remote();
        let stats = pull(&from, &to).expect("it succeeds");
        assert_eq!(find(&stats, "refs/heads/main").outcome, outcome);
        let secret = find(&stats, "refs/heads/secret/1");
        assert_eq!((secret.outcome, secret.reason.clone()), (Outcome::Rejected, Some(Reason::Protected)));
    }
}

#[test]
fn push_options_reach_the_hooks_and_are_refused_where_there_are_none() {
    let (upstream, local) = (source(2), Repository::empty());
    let (from, _) = Backend::new(&upstream).remote();
    let push_options = vec!["ci.skip".to_owned(), "reviewer=me you".to_owned()];
    let options = Options { push_options, ..Options::default() };
    let request = selection(r#"{"branches":"*"}"#);
    let sync = || {
        let (to, _) = Backend::new(&local).remote();
        block_on(sync::run(&request, &from, &to, &options)).map(super::stats)
    };
    let error = sync().expect_err("the destination takes none");
    assert_eq!(error.code(), "unsupported", "{error}");
    assert!(error.to_string().contains("push options") && local.refs().is_empty(), "{error}");
    local.git(&["config", "receive.advertisePushOptions", "true"]);
    hook(&local, "pre-receive", "echo \"$GIT_PUSH_OPTION_COUNT $GIT_PUSH_OPTION_0 $GIT_PUSH_OPTION_1\" > options");
    sync().expect("it succeeds");
    let seen = std::fs::read_to_string(local.path().join("options")).expect("the hook wrote it");
    assert_eq!(seen, "2 ci.skip reviewer=me you\n");
}

pub(super) fn hook(repository: &Repository, name: &str, script: &str) {
    use std::os::unix::fs::PermissionsExt;
    let path = repository.path().join("hooks").join(name);
    std::fs::create_dir_all(path.parent().expect("it is in a folder")).expect("the folder can be made");
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("the hook can be written");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("it can be made executable");
}

/// A server that requires `me:secret`.
fn guarded(repository: &Repository) -> Between {
    Between::answering(repository, |request, _| match request.headers.get("authorization") {
        Some("Basic bWU6c2VjcmV0") => None,
        _ => Some(refusal(401, &[("www-authenticate", "Basic realm=\"our forge\", charset=\"UTF-8\"")])),
    })
}

#[test]
fn credentials_are_asked_for_once_when_the_server_wants_some() {
    let (upstream, local) = (source(2), Repository::empty());
    let (asked, seen) = (Rc::new(Cell::new(0)), Rc::new(RefCell::new(None)));
    let (remote, _) = guarded(&upstream).remote();
    let (count, challenge) = (asked.clone(), seen.clone());
    let from = remote.asking(move |c| {
        count.set(count.get() + 1);
        challenge.replace(Some((c.url, c.scheme, c.realm)));
        let credentials = Credentials { username: "me".into(), password: "secret".into() };
        std::future::ready(Some(credentials)).boxed_local()
    });
    let (to, _) = Backend::new(&local).remote();
    pull(&from, &to).expect("it succeeds");
    assert_eq!(asked.get(), 1, "three requests, one question");
    let expected = ("http://git.test".to_owned(), "Basic".to_owned(), Some("our forge".to_owned()));
    assert_eq!(seen.take(), Some(expected));
    assert_eq!(local.refs(), upstream.refs());
}

#[test]
fn credentials_that_only_a_push_needs_are_asked_for_then_and_the_push_begins_again() {
    for force in [false, true] {
        let (upstream, local) = (source(2), Repository::empty());
        let (from, _) = Backend::new(&upstream).remote();
        pull(&from, &Backend::new(&local).remote().0).expect("the first pull succeeds");
        grow(&upstream, "main", 2, 1);
        if force {
            let ours = local.commit("ours", &[&local.git(&["rev-parse", "main"])]);
            local.git(&["update-ref", "refs/heads/main", &ours]);
        }
        let may_push = |request: &Request| request.headers.get("authorization") == Some("Basic bWU6c2VjcmV0");
        let answer = move |request: &Request, _: &[u8]| {
            let is_refused = request.url.ends_with("/git-receive-pack") && !may_push(request);
            is_refused.then(|| refusal(401, &[("www-authenticate", "Basic realm=\"pushes\"")]))
        };
        let (remote, _) = Between::answering(&local, answer).remote();
        let asked = Rc::new(Cell::new(0));
        let count = asked.clone();
        let to = remote.asking(move |_| {
            count.set(count.get() + 1);
            let credentials = Credentials { username: "me".into(), password: "secret".into() };
            std::future::ready(Some(credentials)).boxed_local()
        });
        let everything = Selection::default();
        let options = Options { policy: Policy { force, ..Policy::default() }, ..Options::default() };
        block_on(sync::run(&everything, &from, &to, &options)).unwrap_or_else(|e| panic!("force {force}: {e}"));
        assert_eq!(asked.get(), 1, "force {force}");
        assert_eq!(local.git(&["rev-parse", "main"]), upstream.git(&["rev-parse", "main"]), "force {force}");
    }
}

#[test]
fn credentials_that_are_refused_or_not_given_are_an_error() {
    for given in [None, Some(Credentials { username: "me".into(), password: "wrong".into() })] {
        let (upstream, local) = (source(2), Repository::empty());
        let (remote, log) = guarded(&upstream).remote();
        let (asked, answer) = (Rc::new(Cell::new(0)), given.clone());
        let count = asked.clone();
        let from = remote.asking(move |_| {
            count.set(count.get() + 1);
            std::future::ready(answer.clone()).boxed_local()
        });
        let (to, _) = Backend::new(&local).remote();
        let error = pull(&from, &to).expect_err("it is not let in");
        assert_eq!((error.code(), error.is_transient(), asked.get()), ("unauthorized", false, 1), "{error}");
        let words = if given.is_some() { "refused the user name" } else { "wants a user name" };
        assert!(error.to_string().contains(words), "{error}");
        assert!(log.bodies.borrow().is_empty(), "nothing reached the repository");
    }
}

#[test]
fn a_busy_source_is_asked_again_when_it_says_and_a_push_is_not_repeated() {
    // The refs and the pack. If the engine does not trust a failing server, the capabilities come before them.
    let table =
        [(429, "3", vec![3000; 2]), (503, "1", vec![1000; 2]), (503, "", vec![500; 2]), (502, "7", vec![500; 3])];
    for (status, asked, waited) in table {
        let (upstream, local) = (source(2), Repository::empty());
        let seen = RefCell::new(HashSet::new());
        // Every request is refused the first time.
        let (from, log) = Between::answering(&upstream, move |request, body| {
            let is_new = seen.borrow_mut().insert((request.url.clone(), body.to_vec()));
            is_new.then(|| refusal(status, &[("retry-after", asked)]))
        })
        .remote();
        let (to, _) = Backend::new(&local).remote();
        pull(&from, &to).unwrap_or_else(|e| panic!("{status}: {e}"));
        let waited: Vec<Duration> = waited.into_iter().map(Duration::from_millis).collect();
        assert_eq!(*log.slept.borrow(), waited, "{status}, {asked}");
        assert_eq!(local.refs(), upstream.refs());
    }
    let (upstream, local) = (source(2), Repository::empty());
    let (from, _) = Backend::new(&upstream).remote();
    let pushes = Rc::new(Cell::new(0));
    let count = pushes.clone();
    let busy = Between::answering(&local, move |request, _| {
        let is_push = request.url.ends_with("/git-receive-pack");
        count.set(count.get() + usize::from(is_push));
        is_push.then(|| refusal(429, &[("retry-after", "1")]))
    });
    let error = pull(&from, &busy.remote().0).expect_err("the push is refused");
    assert_eq!((error.code(), error.is_transient(), pushes.get()), ("rate_limited", true, 1), "{error}");
}

#[test]
fn a_server_that_asks_for_much_patience_or_stays_busy_is_an_error() {
    for (asked, waits) in [("3600", 0), ("1", 2)] {
        let (upstream, local) = (source(2), Repository::empty());
        let (from, log) =
            Between::answering(&upstream, move |_, _| Some(refusal(503, &[("retry-after", asked)]))).remote();
        let (to, _) = Backend::new(&local).remote();
        let error = pull(&from, &to).expect_err("it is busy");
        assert_eq!((error.code(), error.is_transient()), ("server_error", true), "{error}");
        assert_eq!(log.slept.borrow().len(), waits, "asked for {asked} s");
    }
}

/// A source whose answers lack their last bytes if they contain a pack.
struct WithoutEnd(Rc<Backend>, usize);

impl HttpClient for WithoutEnd {
    fn send(&self, request: Request) -> LocalBoxFuture<'_, Result<Response, Error>> {
        async move {
            let mut response = self.0.send(request).await?;
            let bytes = response.body.bytes(usize::MAX).await?;
            let is_pack = bytes.starts_with(b"000dpackfile\n");
            response.body = Body::Bytes(bytes.slice(..bytes.len() - if is_pack { self.1 } else { 0 }));
            Ok(response)
        }
        .boxed_local()
    }
}

#[test]
fn a_pack_is_let_through_to_its_end_only_when_the_source_has_ended_cleanly() {
    // First the flush packet after the pack is missing; then also some of the pack.
    for missing in [4, 5, 30] {
        let (upstream, local) = (source(2), Repository::empty());
        let (_, backend) = Backend::new(&upstream).remote();
        let from = Remote::new("http://git.test/", Rc::new(WithoutEnd(backend, missing)));
        let (to, _) = Backend::new(&local).remote();
        let error = pull(&from, &to).expect_err("the source broke off");
        assert!(error.to_string().starts_with("source: fetch from "), "{missing} bytes less: {error}");
        assert!(local.refs().is_empty(), "{missing} bytes less: what failed has moved nothing");
    }
}

/// A destination that refuses pushes of more than this many bytes.
fn small(repository: &Repository, status: u16, most: usize) -> Between {
    Between::answering(repository, move |request, body| {
        let is_too_large = request.url.ends_with("/git-receive-pack") && body.len() > most;
        is_too_large.then(|| refusal(status, &[]))
    })
}

#[test]
fn a_destination_that_takes_small_pushes_only_gets_small_ones() {
    for status in [408, 413, 504] {
        let (upstream, local) = (source(40), Repository::empty());
        for n in 0..6 {
            upstream.git(&["branch", &format!("release/{n}"), &format!("main~{}", n * 6)]);
        }
        for (from, more) in [(40, 30), (70, 0)] {
            let (source_remote, _) = Backend::new(&upstream).in_chunks_of(65_536).remote();
            let (to, log) = small(&local, status, 30_000).remote();
            let stats = pull(&source_remote, &to).unwrap_or_else(|e| panic!("{status}: {e}"));
            assert_eq!(find(&stats, "refs/heads/main").outcome, Outcome::Updated, "{status}");
            assert_eq!(local.refs(), upstream.refs(), "{status}");
            assert!(log.bodies.borrow().iter().all(|body| body.len() <= 30_000), "{status}");
            local.fsck();
            if more > 0 {
                grow(&upstream, "main", from, more);
            }
        }
    }
}

#[test]
fn a_source_that_takes_short_questions_only_gets_short_ones() {
    let (upstream, local) = (source(400), Repository::empty());
    let reset = |n| format!("reset refs/heads/release/{n}\nfrom refs/heads/main~{n}\n\n");
    upstream.import(&(0..400).map(reset).collect::<String>());
    let is_long = |request: &Request, body: &[u8]| {
        (request.url.ends_with("/git-upload-pack") && body.len() > 15_000).then(|| refusal(413, &[]))
    };
    let (from, log) = Between::answering(&upstream, is_long).remote();
    let stats = pull(&from, &Backend::new(&local).remote().0).expect("parts of it are short enough");
    assert_eq!(stats.count(Outcome::Updated), 402);
    assert_eq!(local.refs(), upstream.refs());
    assert!(log.bodies.borrow().len() > 4, "there are several questions");
}

#[test]
fn a_commit_that_is_too_large_alone_is_an_error_that_tells_what_was_done() {
    let (upstream, local) = (source(4), Repository::empty());
    upstream.git(&["branch", "small", "main~3"]);
    upstream.git(&["tag", "-d", "v1"]);
    let (from, _) = Backend::new(&upstream).remote();
    let (to, _) = small(&local, 413, 2000).remote();
    let error = pull(&from, &to).expect_err("not even one commit fits");
    assert_eq!(error.code(), "too_large", "{error}");
    assert!(local.refs().is_empty());
    let (to, _) = small(&local, 413, 4500).remote();
    grow(&upstream, "large", 0, 1);
    upstream.import(&format!(
        "commit refs/heads/large\ncommitter C <c@example.com> 1700000900 +0000\ndata 1\nl\nfrom refs/heads/large^0\nM 644 inline large\ndata 9000\n{}\n",
        noise(9000)
    ));
    let stats = pull(&from, &to).expect("some of it is done");
    assert_eq!(find(&stats, "refs/heads/small").outcome, Outcome::Updated);
    let large = find(&stats, "refs/heads/large");
    assert_eq!((large.outcome, large.reason.clone()), (Outcome::Rejected, Some(Reason::RemoteRefused)));
    assert!(large.message.as_deref().is_some_and(|m| m.contains("413")), "{:?}", large.message);
    for r in &stats.refs {
        let there = local.refs().get(&r.name).cloned().unwrap_or_else(|| "0".repeat(40));
        assert_eq!(r.after, there, "{} is told as it is", r.name);
    }
}

fn noise(length: usize) -> String {
    let mut state = 7u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        char::from(b' ' + (state >> 58) as u8)
    };
    (0..length).map(|_| next()).collect()
}

#[test]
fn a_push_whose_answer_a_proxy_did_not_wait_for_is_told_as_it_ended() {
    let (upstream, local) = (source(3), Repository::empty());
    let (from, _) = Backend::new(&upstream).remote();
    let gateway = Between { after_push: Some(502), ..Between::new(&local) };
    let stats = pull(&from, &gateway.remote().0).expect("it is done");
    assert_eq!(stats.count(Outcome::Updated), 2);
    assert_eq!(local.refs(), upstream.refs());
}

#[test]
fn a_push_that_is_done_after_its_answer_was_lost_is_told_as_done() {
    let (upstream, local) = (source(3), Repository::empty());
    let (from, _) = Backend::new(&upstream).remote();
    let (to, log) = Between { loses_pushes: true, ..Between::new(&local) }.remote();
    let stats = pull(&from, &to).expect("it is done");
    assert_eq!(stats.count(Outcome::Updated), 2);
    assert_eq!(local.refs(), upstream.refs());
    assert_eq!(log.slept.borrow().len(), 2, "and no longer waited for");
}

#[test]
fn a_push_that_was_lost_for_good_is_an_error() {
    let (upstream, local) = (source(3), Repository::empty());
    let (from, _) = Backend::new(&upstream).remote();
    let (to, log) = Between { loses_pushes: true, ..Between::new(&local) }.remote();
    log.slept.borrow_mut().extend([Duration::ZERO; 3]); // So the push is never done.
    let error = pull(&from, &to).expect_err("nothing came of it");
    assert_eq!((error.code(), error.is_transient()), ("unreachable", true), "{error}");
    assert!(local.refs().is_empty());
}

#[test]
fn a_ref_that_the_destination_puts_elsewhere_is_not_told_as_updated() {
    let (upstream, local) = (source(3), Repository::empty());
    upstream.git(&["branch", "for/review", "main"]);
    local.git(&["config", "receive.procReceiveRefs", "refs/heads/for"]);
    // Takes one command, and stores it under another name (`githooks`, "proc-receive"). Its packet lines are short.
    hook(
        &local,
        "proc-receive",
        r#"pkt() { printf '%04x%s\n' $((${#1} + 5)) "$1"; }
           read_all() {
             while l=$(dd bs=1 count=4 2>/dev/null) && [ "$l" != 0000 ]; do
               dd bs=1 count=$((0x$l - 4)) 2>/dev/null | tr -d '\0'
             done
           }
           read_all > /dev/null
           pkt version=1; printf 0000
           set -- $(read_all)
           git update-ref refs/heads/landed $2
           pkt "ok $3"; pkt "option refname refs/heads/landed"; pkt "option new-oid $2"; printf 0000"#,
    );
    let (from, _) = Backend::new(&upstream).remote();
    let (to, _) = Backend::new(&local).remote();
    let stats = pull(&from, &to).expect("it succeeds");
    let moved = find(&stats, "refs/heads/for/review");
    assert_eq!((moved.outcome, moved.reason.clone()), (Outcome::Rejected, Some(Reason::RemoteRefused)), "{moved:?}");
    assert!(moved.message.as_deref().is_some_and(|m| m.contains("in another way than asked")), "{moved:?}");
    assert_eq!(local.refs()["refs/heads/landed"], upstream.refs()["refs/heads/main"], "the hook has run");
    assert!(!local.refs().contains_key("refs/heads/for/review"));
    assert_eq!(find(&stats, "refs/heads/main").outcome, Outcome::Updated);
}

#[test]
fn a_source_too_old_to_say_what_head_names_is_taken_by_heads_commit() {
    let upstream = source(1);
    let other = upstream.commit("other", &[]);
    upstream.git(&["update-ref", "refs/heads/trunk", &other]);
    upstream.git(&["symbolic-ref", "HEAD", "refs/heads/trunk"]);
    let mut from = Between::without(&upstream, "symref=");
    (_, from.backend) = Backend::new(&upstream).speaking(0).remote();
    let everything = Selection::default();
    let local = Repository::empty();
    let plan =
        block_on(sync::plan(&everything, &from.remote().0, &Backend::new(&local).remote().0, &Options::default()));
    let head = plan.expect("it succeeds").head.map(|name| name.to_string());
    assert_eq!(head, Some(upstream.git(&["symbolic-ref", "HEAD"])));
}

#[test]
fn the_branch_of_head_is_in_the_first_of_many_pushes_into_an_empty_destination() {
    let (upstream, local) = (source(1), Repository::empty());
    for n in 0..60 {
        upstream.git(&["branch", &format!("a/{n}"), "main"]);
    }
    hook(&local, "pre-receive", "head -n 1 | cut -d ' ' -f 3 >> first");
    // Space for a few commands, and for the pack.
    let is_long = |request: &Request, body: &[u8]| {
        (request.url.ends_with("/git-receive-pack") && body.len() > 5_000).then(|| refusal(413, &[]))
    };
    let (to, _) = Between::answering(&local, is_long).remote();
    pull(&Backend::new(&upstream).remote().0, &to).expect("it succeeds");
    let first = std::fs::read_to_string(local.path().join("first")).expect("the hook has run");
    assert!(first.lines().count() > 1, "several pushes: {first}");
    assert_eq!(first.lines().next(), Some("refs/heads/main"));
}
