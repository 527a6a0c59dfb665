//! HTTP as this crate needs it: a request, a response, and the trait that sends requests. All network access goes through
//! it.
//!
//! The host provides an [`HttpClient`]. In JavaScript it is `fetch`, in the tests `git http-backend` itself. It
//!
//! - follows the redirects of a `GET` (and keeps `Authorization` from another origin), and fails a redirected `POST`;
//! - gives the response as soon as its head is there, also while the request's body is still being sent;
//! - polls a request body that is a stream as it sends, so that nothing has to fit into memory;
//! - aborts the request when the future, or later the response's body, is dropped.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::{FutureExt, StreamExt, future::LocalBoxFuture, stream::LocalBoxStream};

use crate::clock;

/// Bytes as they come.
pub type ByteStream = LocalBoxStream<'static, Result<Bytes, Error>>;

/// The access to a network.
pub trait HttpClient {
    /// Sends a request.
    ///
    /// # Errors
    ///
    /// Only if there is no response: [`Error::kind`] says why. A 404 is a response.
    fn send(&self, request: Request) -> LocalBoxFuture<'_, Result<Response, Error>>;

    /// Waits, for example before the engine sends a request to a busy server again. A host without a clock does not wait.
    fn sleep(&self, _duration: Duration) -> LocalBoxFuture<'static, ()> {
        std::future::ready(()).boxed_local()
    }

    /// If the host cannot stream request bodies: the most bytes of a body that it may collect in memory.
    fn collect_limit(&self) -> usize {
        256 * 1024 * 1024
    }

    /// The URL as `fetch` writes it: with the host in lower case and without the default port. `None` if this client cannot
    /// tell.
    fn canonical(&self, _url: &str) -> Option<String> {
        None
    }

    /// Whether requests may name a `User-Agent`. A page must not: its browser would have to ask the server first (CORS).
    fn takes_user_agent(&self) -> bool {
        false
    }

    /// The time since any moment, by a clock that never goes back. `None` without a clock.
    fn now(&self) -> Option<Duration> {
        None
    }

    /// The bytes in the gzip format ([RFC 1952](https://www.rfc-editor.org/rfc/rfc1952)); `None` if the host does not
    /// support it.
    fn gzip(&self, _bytes: Bytes) -> LocalBoxFuture<'_, Option<Bytes>> {
        std::future::ready(None).boxed_local()
    }
}

/// The body of a request or a response.
#[derive(Default)]
pub enum Body {
    /// Nothing.
    #[default]
    Empty,
    /// All of it at once.
    Bytes(Bytes),
    /// Piece by piece.
    Stream(ByteStream),
}

/// A request, sent or received.
pub struct Request {
    /// The method.
    pub method: Method,
    /// The absolute URL, without credentials.
    pub url: String,
    /// The headers.
    pub headers: Headers,
    /// The body.
    pub body: Body,
}

/// A response.
pub struct Response {
    /// The status, 100 to 599.
    pub status: u16,
    /// The URL that answered, after redirects; empty in a response that a server makes.
    pub url: String,
    /// The headers.
    pub headers: Headers,
    /// The body.
    pub body: Body,
}

/// The methods in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are what they are called")]
pub enum Method {
    Get,
    Head,
    Post,
    Put,
    Patch,
    Delete,
    Options,
}

/// Header names (compared without case) and values, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers(Vec<(String, String)>);

/// Why there is no response, or why it broke off.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// What kind of failure it is.
    pub kind: ErrorKind,
    /// What happened, without credentials.
    pub message: String,
}

/// Kinds of failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// No connection, or a lost one.
    Network,
    /// Nothing came for too long.
    Timeout,
    /// Too little came for too long.
    TooSlow,
    /// The caller cancelled.
    Aborted,
    /// The operator does not allow the address.
    AddressNotAllowed,
    /// More bytes than the limit allows.
    TooLarge,
    /// The server redirects the request, but this request cannot be redirected.
    Redirected,
    /// More memory than the limit allows.
    OutOfMemory,
    /// The request could not be made, such as one with an invalid URL.
    Invalid,
}

impl ErrorKind {
    /// Whether the same request may succeed later.
    pub fn is_transient(self) -> bool {
        matches!(self, Self::Network | Self::Timeout | Self::TooSlow)
    }
}

impl Error {
    /// An error of this kind.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }
}

impl Request {
    /// A request with neither headers nor body.
    pub fn new(method: Method, url: impl Into<String>) -> Self {
        Self { method, url: url.into(), headers: Headers::default(), body: Body::Empty }
    }

    /// The same with one more header.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.set(name, value);
        self
    }

    /// The same with this body.
    #[must_use]
    pub fn body(mut self, body: Body) -> Self {
        self.body = body;
        self
    }
}

impl Response {
    /// Whether the status is 2xx.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

impl Body {
    /// The whole body.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::TooLarge`] past `limit` bytes, or what broke the stream.
    pub async fn bytes(self, limit: usize) -> Result<Bytes, Error> {
        let too_large = || Error::new(ErrorKind::TooLarge, format!("the body has more than {limit} bytes"));
        match self {
            Self::Empty => Ok(Bytes::new()),
            Self::Bytes(bytes) if bytes.len() > limit => Err(too_large()),
            Self::Bytes(bytes) => Ok(bytes),
            Self::Stream(mut stream) => {
                let mut all = BytesMut::new();
                while let Some(chunk) = stream.next().await {
                    let chunk = chunk?;
                    if all.len() + chunk.len() > limit {
                        return Err(too_large());
                    }
                    all.extend_from_slice(&chunk);
                }
                Ok(all.freeze())
            }
        }
    }

    /// The first bytes of the body, at most this many; fewer if it ends or breaks.
    pub async fn start(self, most: usize) -> Bytes {
        let mut stream = self.into_stream();
        let mut start = BytesMut::new();
        while start.len() < most
            && let Some(Ok(chunk)) = stream.next().await
        {
            start.extend_from_slice(&chunk[..chunk.len().min(most - start.len())]);
        }
        start.freeze()
    }

    /// The body piece by piece.
    pub fn into_stream(self) -> ByteStream {
        match self {
            Self::Empty => futures_util::stream::empty().boxed_local(),
            Self::Bytes(bytes) => futures_util::stream::iter([Ok(bytes)]).boxed_local(),
            Self::Stream(stream) => stream,
        }
    }
}

impl Method {
    /// The method's name, as in a request line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
            Self::Options => "OPTIONS",
        }
    }

    /// The method of that name, which is case-sensitive.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Get, Self::Head, Self::Post, Self::Put, Self::Patch, Self::Delete, Self::Options]
            .into_iter()
            .find(|method| method.as_str() == name)
    }
}

impl Headers {
    /// The first value of that name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// How long `Retry-After` asks to wait ([RFC 9110, section 10.2.3]): for some seconds, or until a date. The date is
    /// compared with the answer's own `Date`, or if there is none, with `now` in milliseconds since 1970.
    ///
    /// [RFC 9110, section 10.2.3]: https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3
    pub fn retry_after(&self, now: i64) -> Option<Duration> {
        let value = self.get("retry-after")?.trim();
        if let Ok(seconds) = value.parse() {
            return Some(Duration::from_secs(seconds));
        }
        let now = self.get("date").and_then(clock::http_date).unwrap_or(now);
        let wait = clock::http_date(value)?.saturating_sub(now);
        Some(Duration::from_millis(wait.try_into().unwrap_or(0)))
    }

    /// Replaces all values of that name by one.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.0.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
        self.0.push((name.to_owned(), value.into()));
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Headers {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}
