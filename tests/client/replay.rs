//! A network and a clock that follow a script.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    rc::Rc,
    time::Duration,
};

use futures_util::{FutureExt, future::LocalBoxFuture};
use refsync::{
    api::{CallName, SyncRun, json_tree::Json},
    client::{Client, Error, Options, Timer, WaitOptions},
    http::{self, Body, ErrorKind, HttpClient, Request, Response},
};
use serde::{Serialize, de::DeserializeOwned};

/// The network's reaction to the next request.
pub(super) enum Play {
    /// It answers.
    Answer(u16, &'static [(&'static str, &'static str)], String),
    /// The connection is lost after the request went out.
    Lost,
    /// It never answers.
    Silence,
}

/// Answers each request with the next play, and notes the request.
#[derive(Default)]
pub(super) struct Replay {
    pub(super) plays: RefCell<VecDeque<Play>>,
    /// Method, URL and body of every request.
    pub(super) requests: RefCell<Vec<(String, String, String)>>,
    /// Each request's headers.
    pub(super) headers: RefCell<Vec<http::Headers>>,
    /// The sleeps, in milliseconds.
    pub(super) slept: RefCell<Vec<u64>>,
    now: Cell<i64>,
}

/// 2026-11-23T01:00:00Z.
pub(super) const START: i64 = 1_795_395_600_000;

impl Replay {
    pub(super) fn new(plays: impl IntoIterator<Item = Play>) -> Rc<Self> {
        Rc::new(Self { plays: RefCell::new(plays.into_iter().collect()), now: Cell::new(START), ..Self::default() })
    }

    pub(super) fn client(self: &Rc<Self>, org: Option<&str>) -> Client {
        let options = Options { org: org.map(str::to_owned), ..Options::new("https://h", "key") };
        Client::new(self.clone(), self.clock(), options).expect("the options are valid")
    }

    pub(super) fn clock(self: &Rc<Self>) -> Rc<dyn Timer> {
        Rc::new(Clock(self.clone()))
    }

    /// Methods and paths of every request.
    pub(super) fn seen(&self) -> Vec<String> {
        let requests = self.requests.borrow();
        requests.iter().map(|(method, url, _)| format!("{method} {}", url.trim_start_matches("https://h/v1"))).collect()
    }
}

impl HttpClient for Replay {
    fn send(&self, request: Request) -> LocalBoxFuture<'_, Result<Response, http::Error>> {
        async move {
            self.headers.borrow_mut().push(request.headers);
            let body = request.body.bytes(1 << 20).await?;
            let body = String::from_utf8(body.to_vec()).expect("JSON is UTF-8");
            self.requests.borrow_mut().push((request.method.as_str().into(), request.url.clone(), body));
            let play = self.plays.borrow_mut().pop_front();
            match play.expect("the script has a play for every request") {
                Play::Answer(status, headers, body) => {
                    let headers = headers.iter().copied().collect();
                    Ok(Response { status, url: request.url, headers, body: Body::Bytes(body.into()) })
                }
                Play::Lost => Err(http::Error::new(ErrorKind::Network, "socket hang up")),
                Play::Silence => std::future::pending().await,
            }
        }
        .boxed_local()
    }
}

/// A clock that jumps. Once everything else waits, sleeping takes no time.
struct Clock(Rc<Replay>);

impl Timer for Clock {
    fn sleep(&self, duration: Duration) -> LocalBoxFuture<'static, ()> {
        let replay = self.0.clone();
        async move {
            // Tasks that race with the sleep go first.
            let mut polled = false;
            std::future::poll_fn(|cx| {
                cx.waker().wake_by_ref();
                if std::mem::replace(&mut polled, true) { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
            })
            .await;
            let millis = u64::try_from(duration.as_millis()).expect("tests sleep briefly");
            replay.slept.borrow_mut().push(millis);
            replay.now.set(replay.now.get() + i64::try_from(millis).expect("tests sleep briefly"));
        }
        .boxed_local()
    }

    fn now(&self) -> i64 {
        self.0.now.get()
    }

    fn random(&self) -> f64 {
        1.0
    }
}

pub(super) fn ok(body: serde_json::Value) -> Play {
    Play::Answer(200, &[("content-type", "application/json")], body.to_string())
}

pub(super) fn refused(status: u16, code: &str) -> Play {
    let body = serde_json::json!({"error": {"code": code, "message": "no", "trace_id": "t-1"}});
    Play::Answer(status, &[], body.to_string())
}

pub(super) fn run<T>(future: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    futures_executor::block_on(future)
}

/// Converts a value to the tree that the client takes.
pub(super) fn tree(value: &impl Serialize) -> Json {
    Json::parse(&serde_json::to_vec(value).expect("it is JSON")).expect("it is JSON")
}

fn typed<T: DeserializeOwned>(tree: &Json) -> T {
    serde_json::from_str(&tree.encode()).expect("a tree of the right shape decodes")
}

/// Makes a call whose answer is a `T`.
pub(super) fn call<T: DeserializeOwned>(client: &Client, name: CallName, request: &impl Serialize) -> Result<T, Error> {
    run(client.call(name, tree(request))).map(|answer| typed(&answer))
}

/// Waits for a run.
pub(super) fn wait(
    client: &Client,
    from: &SyncRun,
    options: &WaitOptions,
    mut on_update: impl FnMut(&SyncRun) -> Result<(), Error>,
) -> Result<SyncRun, Error> {
    run(client.wait(tree(from), options, |run| on_update(&typed(run)))).map(|ended| typed(&ended))
}
