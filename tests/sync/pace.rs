//! A remote that dribbles is stopped. A remote that has much work, or that waits for the other side, is not stopped. Time
//! is simulated by a number.

use std::{
    cell::Cell,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use futures_util::{FutureExt, Stream, StreamExt, future::LocalBoxFuture};
use refsync::{
    api::{Outcome, SyncRunStats},
    git::{Limits, MinRate, Remote},
    http::{Body, Error, Headers, HttpClient, Request, Response},
    sync,
};

use super::{ALL, find, run};
use crate::support::{Backend, Repository};

type Clock = Rc<Cell<Duration>>;

/// How long a piece of an answer takes. It depends on the request ("list", "fetch" or "push") and on the number of earlier
/// pieces.
type Delay = fn(&str, usize) -> Duration;

/// Real Git with slow answers.
struct Slow {
    backend: Rc<Backend>,
    clock: Clock,
    delay: Delay,
    /// The pieces before the packets of a pack or of a report.
    before_pack: Vec<Bytes>,
}

impl Slow {
    fn remote(repository: &Repository, pieces: usize, clock: &Clock, delay: Delay) -> Remote {
        Self::speaking(repository, 2, pieces, clock, delay)
    }

    fn speaking(repository: &Repository, version: u8, pieces: usize, clock: &Clock, delay: Delay) -> Remote {
        let (_, backend) = Backend::new(repository).in_chunks_of(pieces).speaking(version).remote();
        let clock = clock.clone();
        Remote::new("http://slow.test/", Rc::new(Self { backend, clock, delay, before_pack: Vec::new() }))
    }

    /// A server that sends this many packets without content before its pack.
    fn keeping_alive(repository: &Repository, clock: &Clock, delay: Delay, times: usize) -> Remote {
        let (_, backend) = Backend::new(repository).in_chunks_of(65_536).remote();
        let (clock, before_pack) = (clock.clone(), vec![ALIVE; times]);
        Remote::new("http://slow.test/", Rc::new(Self { backend, clock, delay, before_pack }))
    }

    async fn respond(&self, mut request: Request) -> Result<Response, Error> {
        let body = std::mem::take(&mut request.body).bytes(usize::MAX).await?;
        let is_fetch = body.windows(13).any(|words| words == b"command=fetch");
        let what = match request.url.ends_with("/git-receive-pack") {
            true => "push",
            false if is_fetch => "fetch",
            false => "list",
        };
        request.url = request.url.replace("http://slow.test", "http://git.test");
        let response = self.backend.send(request.body(Body::Bytes(body))).await?;
        let mut pieces: Vec<Bytes> = Vec::new();
        let mut stream = response.body.into_stream();
        while let Some(piece) = stream.next().await {
            pieces.push(piece?);
        }
        if is_fetch && !self.before_pack.is_empty() {
            let all = pieces.concat();
            let behind = 4 + b"packfile\n".len();
            assert!(all[..behind].ends_with(b"packfile\n"), "it is an answer without negotiation");
            let (head, pack) = (Bytes::copy_from_slice(&all[..behind]), Bytes::copy_from_slice(&all[behind..]));
            pieces = std::iter::once(head).chain(self.before_pack.clone()).chain([pack]).collect();
        }
        if what == "push" {
            pieces.splice(0..0, self.before_pack.clone());
        }
        let (clock, delay) = (self.clock.clone(), self.delay);
        let body = Body::Stream(Timed { pieces, at: 0, has_waited: false, what, clock, delay }.boxed_local());
        Ok(Response { body, ..response })
    }
}

impl HttpClient for Slow {
    fn send(&self, request: Request) -> LocalBoxFuture<'_, Result<Response, Error>> {
        self.respond(request).boxed_local()
    }

    fn now(&self) -> Option<Duration> {
        Some(self.clock.get())
    }
}

/// Each piece is first missing. At the next look its time has passed.
struct Timed {
    pieces: Vec<Bytes>,
    at: usize,
    has_waited: bool,
    what: &'static str,
    clock: Clock,
    delay: Delay,
}

impl Stream for Timed {
    type Item = Result<Bytes, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if !std::mem::replace(&mut self.has_waited, true) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.clock.set(self.clock.get() + (self.delay)(self.what, self.at));
        self.has_waited = false;
        self.at += 1;
        Poll::Ready(self.pieces.get(self.at - 1).cloned().map(Ok))
    }
}

/// A destination that is slow for each piece of a push.
struct Pensive {
    backend: Rc<Backend>,
    clock: Clock,
}

impl HttpClient for Pensive {
    fn send(&self, mut request: Request) -> LocalBoxFuture<'_, Result<Response, Error>> {
        async move {
            let mut stream = std::mem::take(&mut request.body).into_stream();
            let mut body = Vec::new();
            while let Some(piece) = stream.next().await {
                body.extend_from_slice(&piece?);
                self.clock.set(self.clock.get() + seconds(100));
            }
            self.backend.send(request.body(Body::Bytes(body.into()))).await
        }
        .boxed_local()
    }

    fn now(&self) -> Option<Duration> {
        Some(self.clock.get())
    }

    // Forwards each piece of the pack when it arrives.
    fn collect_limit(&self) -> usize {
        0
    }
}

/// A server that fails, and dribbles a page with the reason.
struct DribblingPage(Clock);

impl HttpClient for DribblingPage {
    fn send(&self, request: Request) -> LocalBoxFuture<'_, Result<Response, Error>> {
        let pieces =
            [Bytes::from_static(b"the disk is full")].into_iter().chain(vec![Bytes::from_static(b"!"); 65_536]);
        let (pieces, clock) = (pieces.collect(), self.0.clone());
        let page = Timed { pieces, at: 0, has_waited: false, what: "page", clock, delay: |_, _| seconds(5) };
        let headers = Headers::from_iter([("content-type", "text/plain")]);
        let response = Response { status: 403, url: request.url, headers, body: Body::Stream(page.boxed_local()) };
        std::future::ready(Ok(response)).boxed_local()
    }

    fn now(&self) -> Option<Duration> {
        Some(self.0.get())
    }
}

/// A packet without content, which shows that the server is alive.
const ALIVE: Bytes = Bytes::from_static(b"0005\x02");

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Two hundred commits and as many branches.
fn upstream() -> Repository {
    let repository = Repository::empty();
    let mut stream = String::new();
    for n in 1..=200 {
        let from = if n > 1 { format!("from :{}\n", n - 1) } else { String::new() };
        let words = format!("commit {n} {}", (n * 7_919_u64).pow(3));
        let length = words.len();
        let committer = format!("C <c@example.com> {} +0000", 1_700_000_000 + n);
        let commit =
            format!("commit refs/heads/b{n}\nmark :{n}\ncommitter {committer}\ndata {length}\n{words}\n{from}\n");
        stream.push_str(&commit);
    }
    repository.import(&stream);
    repository
}

fn pulled(source: &Remote) -> (Result<SyncRunStats, sync::Error>, Repository) {
    let local = Repository::empty();
    let (destination, _) = Backend::new(&local).remote();
    (run(source, &destination, ALL), local)
}

#[test]
fn a_list_that_dribbles_ends_after_a_minute() {
    let upstream = upstream();
    let clock = Clock::default();
    for (side, version) in [("source", 2), ("source", 0), ("destination", 0)] {
        clock.set(Duration::ZERO);
        let dribbling = Slow::speaking(&upstream, version, 1, &clock, |_, _| seconds(5));
        let (other, _) = Backend::new(&upstream).remote();
        let (source, destination) = if side == "source" { (&dribbling, &other) } else { (&other, &dribbling) };
        let error = run(source, destination, ALL).expect_err("12 bytes come in a minute");
        let took = clock.get();
        assert_eq!(error.code(), "too_slow", "{side}, protocol {version}: {error}");
        assert!(error.is_transient(), "{side}: it may be faster tomorrow");
        let words = "bytes came in 60 s of waiting, and at least 1000 must come in 60 s; to wait for it, lower minRate (--min-rate)";
        assert!(error.to_string().contains(words), "{error}");
        assert!(error.to_string().starts_with(&format!("{side}: list the refs of ")), "{error}");
        assert!((seconds(60)..seconds(80)).contains(&took), "{side}, protocol {version}: it took {took:?}");
    }
}

#[test]
fn any_rate_will_do_if_the_caller_says_so() {
    let upstream = upstream();
    let min_rate = MinRate { bytes: 0, time: seconds(60) };
    let dribbling = Slow::remote(&upstream, 100, &Clock::default(), |_, _| seconds(10));
    let (stats, _) = pulled(&dribbling.with_limits(Limits { min_rate, ..Limits::default() }));
    assert_eq!(stats.expect("the pull succeeds").count(Outcome::Updated), 200);
}

#[test]
fn a_slow_source_that_sends_enough_is_waited_for() {
    let (upstream, clock) = (upstream(), Clock::default());
    let slow = Slow::remote(&upstream, 1200, &clock, |_, _| seconds(50));
    let (stats, _) = pulled(&slow);
    assert_eq!(stats.expect("the pull succeeds").count(Outcome::Updated), 200);
    assert!(clock.get() > seconds(1000), "it took {:?}", clock.get());
}

#[test]
fn a_long_silence_before_a_short_list_is_no_dribbling() {
    let upstream = Repository::empty();
    upstream.git(&["update-ref", "refs/heads/main", &upstream.commit("one", &[])]);
    let slow = Slow::remote(&upstream, 65_536, &Clock::default(), |_, at| seconds(if at == 0 { 110 } else { 0 }));
    let (stats, _) = pulled(&slow);
    assert_eq!(stats.expect("the pull succeeds").count(Outcome::Updated), 1);
}

#[test]
fn a_pack_that_dribbles_ends_and_nothing_has_moved() {
    let (upstream, clock) = (upstream(), Clock::default());
    let dribbling = Slow::remote(&upstream, 100, &clock, |what, at| match (what, at) {
        ("fetch", 20..) => seconds(20),
        _ => seconds(0),
    });
    let (stats, local) = pulled(&dribbling);
    let error = stats.expect_err("300 bytes come in a minute");
    assert_eq!(error.code(), "too_slow", "{error}");
    assert!(error.to_string().starts_with("source: fetch from "), "{error}");
    assert!(clock.get() < seconds(150), "it took {:?}", clock.get());
    assert!(local.refs().is_empty());
}

#[test]
fn a_source_that_has_much_to_do_before_its_pack_is_waited_for_and_not_for_ever() {
    let every_five_seconds = |what: &str, _| seconds(if what == "fetch" { 5 } else { 0 });
    let upstream = upstream();
    let patient = Slow::keeping_alive(&upstream, &Clock::default(), every_five_seconds, 360);
    let (stats, _) = pulled(&patient);
    assert_eq!(stats.expect("half an hour is no reason").count(Outcome::Updated), 200);

    let clock = Clock::default();
    let endless = Slow::keeping_alive(&upstream, &clock, every_five_seconds, 100_000);
    let (stats, _) = pulled(&endless);
    let error = stats.expect_err("it has no end");
    assert_eq!(error.code(), "too_slow", "{error}");
    let words = "it has had 60 minutes for this; to wait for longer, set minRate to 0 bytes (--min-rate 0)";
    assert!(error.to_string().contains(words), "{error}");
    assert!(clock.get() < seconds(3700), "it took {:?}", clock.get());

    let patient = Slow::keeping_alive(&upstream, &Clock::default(), every_five_seconds, 1000);
    let min_rate = MinRate { bytes: 0, time: seconds(60) };
    let (stats, _) = pulled(&patient.with_limits(Limits { min_rate, ..Limits::default() }));
    assert_eq!(stats.expect("the caller has time").count(Outcome::Updated), 200);
}

#[test]
fn a_report_that_does_not_come_is_not_waited_for_for_ever() {
    let every_five_seconds = |what: &str, _| seconds(if what == "push" { 5 } else { 0 });
    let upstream = upstream();
    let (source, _) = Backend::new(&upstream).remote();
    for (times, is_waited_for) in [(360, true), (100_000, false)] {
        let (local, clock) = (Repository::empty(), Clock::default());
        let destination = Slow::keeping_alive(&local, &clock, every_five_seconds, times);
        let stats = run(&source, &destination, ALL);
        if is_waited_for {
            assert_eq!(stats.expect("half an hour is no reason").count(Outcome::Updated), 200);
            continue;
        }
        // It has done its work anyway, and the list of its refs shows it.
        assert_eq!(stats.expect("the refs are there").count(Outcome::Updated), 200);
        assert!(clock.get() < seconds(3700), "it took {:?}", clock.get());
    }
}

#[test]
fn the_page_of_an_error_is_not_waited_for_for_ever() {
    let clock = Clock::default();
    let (stats, _) = pulled(&Remote::new("http://slow.test/", Rc::new(DribblingPage(clock.clone()))));
    let error = stats.expect_err("it refuses");
    assert_eq!(error.code(), "forbidden", "{error}");
    assert!(error.to_string().contains("the disk is full"), "what came of it is told: {error}");
    assert!(clock.get() < seconds(200), "it took {:?}", clock.get());
}

#[test]
fn signs_of_life_behind_a_packs_first_byte_are_no_pack() {
    let clock = Clock::default();
    let upstream = upstream();
    let (_, backend) = Backend::new(&upstream).in_chunks_of(65_536).remote();
    let delay = |what: &str, at| seconds(if what == "fetch" && at > 0 { 5 } else { 0 });
    let mut before_pack = vec![ALIVE; 1000];
    before_pack[0] = Bytes::from_static(b"0009\x01PACK");
    let stalling = Slow { backend, clock: clock.clone(), delay, before_pack };
    let (stats, _) = pulled(&Remote::new("http://slow.test/", Rc::new(stalling)));
    let error = stats.expect_err("4 bytes come in a minute");
    assert_eq!(error.code(), "too_slow", "{error}");
    assert!(clock.get() < seconds(100), "it took {:?}", clock.get());
}

#[test]
fn a_source_is_not_slow_while_the_destination_is() {
    let (upstream, local, clock) = (upstream(), Repository::empty(), Clock::default());
    let source = Slow::remote(&upstream, 100, &clock, |_, _| Duration::from_millis(1));
    let (_, backend) = Backend::new(&local).remote();
    let destination = Remote::new("http://git.test/", Rc::new(Pensive { backend, clock: clock.clone() }));
    let stats = run(&source, &destination, ALL).expect("the pull succeeds");
    assert_eq!(find(&stats, "refs/heads/b200").outcome, Outcome::Updated);
    assert!(clock.get() > seconds(5000), "{:?} went by", clock.get());
}
