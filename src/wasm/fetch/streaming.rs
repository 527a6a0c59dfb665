//! `fetch` as an [`HttpClient`].

use std::{cell::RefCell, rc::Rc, time::Duration};

use bytes::Bytes;
use futures_util::{
    FutureExt, StreamExt,
    future::{Either, LocalBoxFuture, select},
    pin_mut,
};
use gloo_timers::future::TimeoutFuture;
use js_sys::{Function, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

use super::{memory::MemoryLimit, request_init};
use crate::{
    http::{Body, ByteStream, Error, ErrorKind, HttpClient, Request, Response},
    wasm::{
        abort_on_drop::AbortOnDrop,
        error::failure::failure,
        object::set,
        promise::settled,
        stream::{from_readable::from_readable, into_readable::into_readable},
        timer::{monotonic, timer},
    },
};

/// A `fetch` function of the host, and how to use it.
#[derive(Clone)]
pub(crate) struct FetchClient {
    /// `(url, init) => Promise<Response>`.
    pub(crate) fetch: Function,
    /// How long a remote may be silent before the request is aborted.
    pub(crate) stall_timeout: Duration,
    /// Whether a request body may be a stream. If not, it is collected first.
    pub(crate) request_streams: bool,
    /// The most bytes of a collected body.
    pub(crate) collect_limit: usize,
    /// The most memory that may be in use.
    pub(crate) memory: MemoryLimit,
}

impl FetchClient {
    /// A client with this `fetch`, two minutes for a silent remote, and request streaming.
    pub(crate) fn new(fetch: Function) -> Self {
        let (stall_timeout, memory) = (Duration::from_secs(120), MemoryLimit::default());
        Self { fetch, stall_timeout, request_streams: true, collect_limit: 256 << 20, memory }
    }

    async fn fetch(&self, request: Request) -> Result<Response, Error> {
        let controller = web_sys::AbortController::new().map_err(|e| failure(&e))?;
        let guard = AbortOnDrop(controller);
        let waker = Activity::default();
        let init = request_init(request.method, &request.headers, &guard.0.signal());
        match request.body {
            Body::Empty => {}
            Body::Bytes(bytes) => {
                set(&init, "body", &Uint8Array::from(bytes.as_ref()).into());
                // Then, in most runtimes, a redirect is an answer that has its target.
                set(&init, "redirect", &"manual".into());
            }
            Body::Stream(stream) if self.request_streams => {
                set(&init, "body", &readable(stream, waker.clone()).map_err(|e| failure(&e))?.into());
                set(&init, "duplex", &"half".into());
            }
            stream => {
                let bytes = stream.bytes(self.collect_limit).await.map_err(|error| match error.kind {
                    ErrorKind::TooLarge => Error::new(
                        ErrorKind::TooLarge,
                        format!(
                            "this runtime cannot stream a request, and the pack is larger than the {} bytes that may \
                             be collected instead; raise collect_limit or run the sync in Node, Deno, Bun or a service",
                            self.collect_limit
                        ),
                    ),
                    _ => error,
                })?;
                set(&init, "body", &Uint8Array::from(bytes.as_ref()).into());
            }
        }
        let started = self.fetch.call2(&JsValue::UNDEFINED, &request.url.as_str().into(), &init);
        let response = Stall::new(self.stall_timeout)
            .before_or_moving(settled(started.map(JsCast::unchecked_into)), &waker)
            .await?
            .map_err(|e| failure(&e))?;
        let response = gloo_net::http::Response::from(response.unchecked_into::<web_sys::Response>());
        Ok(Response {
            status: response.status(),
            url: response.url(),
            headers: response.headers().entries().collect(),
            body: self.response_body(&response, guard),
        })
    }

    fn response_body(&self, response: &gloo_net::http::Response, guard: AbortOnDrop) -> Body {
        let Some(raw) = response.body() else { return Body::Empty };
        let chunks = from_readable(&raw);
        let (memory, state) = (self.memory, (chunks, guard, Stall::new(self.stall_timeout)));
        let stream = futures_util::stream::unfold(state, move |(mut chunks, guard, mut stall)| async move {
            let chunk = stall.before(chunks.next()).await.unwrap_or_else(|stalled| Some(Err(stalled)))?;
            Some((memory.make_room().and(chunk), (chunks, guard, stall)))
        });
        Body::Stream(stream.boxed_local())
    }
}

/// Notices when a remote is silent for too long.
///
/// It has one timer, which compares the clock when it fires. A timer for each chunk would cost more than the chunk.
struct Stall {
    timeout: Duration,
    timer: Option<TimeoutFuture>,
}

impl Stall {
    fn new(timeout: Duration) -> Self {
        Self { timeout, timer: None }
    }

    /// The result of `future`, unless it takes longer than the timeout.
    async fn before<F: Future>(&mut self, future: F) -> Result<F::Output, Error> {
        self.before_or_moving(future, &Activity::default()).await
    }

    /// The same, but `activity` also shows that the remote is alive.
    async fn before_or_moving<F: Future>(&mut self, future: F, activity: &Activity) -> Result<F::Output, Error> {
        pin_mut!(future);
        let (mut since, mut seen) = (monotonic(), activity.count());
        loop {
            let alarm = self.timer.take().unwrap_or_else(|| timer(self.timeout));
            match select(future.as_mut(), alarm).await {
                Either::Left((output, alarm)) => {
                    self.timer = Some(alarm);
                    return Ok(output);
                }
                Either::Right(_) if activity.count() != seen => (since, seen) = (monotonic(), activity.count()),
                Either::Right(_) => {
                    let left = self.timeout.as_secs_f64() * 1000.0 - (monotonic() - since);
                    if left < 1.0 {
                        let seconds = self.timeout.as_secs();
                        return Err(Error::new(
                            ErrorKind::Timeout,
                            format!(
                                "nothing came for {seconds} s; to wait for longer, raise stallTimeout (--stall-timeout)"
                            ),
                        ));
                    }
                    self.timer = Some(TimeoutFuture::new(left.min(f64::from(i32::MAX)) as u32));
                }
            }
        }
    }
}

impl HttpClient for FetchClient {
    fn send(&self, request: Request) -> LocalBoxFuture<'_, Result<Response, Error>> {
        self.fetch(request).boxed_local()
    }

    fn sleep(&self, duration: Duration) -> LocalBoxFuture<'static, ()> {
        timer(duration).boxed_local()
    }

    fn collect_limit(&self) -> usize {
        self.collect_limit
    }

    fn takes_user_agent(&self) -> bool {
        // Only browsers send no streams.
        self.request_streams
    }

    fn canonical(&self, url: &str) -> Option<String> {
        web_sys::Url::new(url).ok().map(|url| url.href())
    }

    fn now(&self) -> Option<Duration> {
        Some(Duration::from_secs_f64(monotonic().max(0.0) / 1000.0))
    }

    fn gzip(&self, bytes: Bytes) -> LocalBoxFuture<'_, Option<Bytes>> {
        async move { gzip(&bytes).await.ok() }.boxed_local()
    }
}

/// Uses the host's `CompressionStream`, which not every runtime has.
async fn gzip(bytes: &[u8]) -> Result<Bytes, JsValue> {
    let constructor = Reflect::get(&js_sys::global(), &"CompressionStream".into())?.dyn_into::<Function>()?;
    let compression = Reflect::construct(&constructor, &js_sys::Array::of1(&"gzip".into()))?;
    let plain = web_sys::Response::new_with_opt_js_u8_array(Some(&Uint8Array::from(bytes)))?.body();
    let packed = plain.ok_or(JsValue::NULL)?.pipe_through(&compression.unchecked_into());
    let packed = web_sys::Response::new_with_opt_readable_stream(Some(&packed))?.array_buffer()?;
    Ok(Uint8Array::new(&JsFuture::from(packed).await?).to_vec().into())
}

/// Counts the sent chunks of a request body, so that a long upload does not look like a stall.
#[derive(Clone, Default)]
pub(super) struct Activity(Rc<RefCell<u64>>);

impl Activity {
    fn count(&self) -> u64 {
        *self.0.borrow()
    }

    fn tick(&self) {
        *self.0.borrow_mut() += 1;
    }
}

/// A `ReadableStream` of `Uint8Array`s that polls `stream` as its reader asks.
///
/// Chunks that are available together are joined, because each chunk costs JavaScript a promise and a write.
fn readable(stream: ByteStream, activity: Activity) -> Result<web_sys::ReadableStream, JsValue> {
    let chunks = stream.ready_chunks(MAX_JOINED).flat_map(move |pieces| {
        activity.tick();
        futures_util::stream::iter(joined(pieces))
    });
    into_readable(chunks)
}

/// The joined chunks, and the error that ended them, if there was one.
fn joined(pieces: Vec<Result<Bytes, Error>>) -> impl Iterator<Item = Result<Uint8Array, Error>> {
    let whole = pieces.iter().map_while(|piece| piece.as_ref().ok());
    let bytes = Uint8Array::new_with_length(whole.clone().map(|piece| piece.len() as u32).sum());
    let mut at = 0;
    for piece in whole {
        let end = at + piece.len() as u32;
        bytes.subarray(at, end).copy_from(piece);
        at = end;
    }
    let error = pieces.into_iter().find_map(Result::err).map(Err);
    (at > 0).then_some(Ok(bytes)).into_iter().chain(error)
}

/// The most chunks that are joined. They are slices of one buffer, which bounds their bytes.
const MAX_JOINED: usize = 64;
