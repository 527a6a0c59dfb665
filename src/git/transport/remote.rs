//! A remote: its address, its credentials, and how requests are sent to it.

use std::{rc::Rc, time::Duration};

use bytes::Bytes;
use futures_util::{StreamExt, future::LocalBoxFuture};

use super::{
    access::{self, Access, Challenge, Credentials},
    address,
    answer::{self, Asked},
    pace::{Moved, paced, patient},
};
use crate::{
    git::{
        codec::{advertisement::Advertisement, pkt_line::Reader},
        error::{Error, ErrorKind, Operation},
        limits::Limits,
    },
    http::{Body, ByteStream, HttpClient, Method, Request, Response},
    smart_http::{self, Service},
    userinfo,
};

/// A Git repository on a smart-HTTP server.
#[derive(Clone)]
pub struct Remote {
    pub(in crate::git) url: String,
    access: Access,
    pub(in crate::git) http: Rc<dyn HttpClient>,
    pub(in crate::git) limits: Limits,
}

/// A remote with its final address: the URL after the redirects of its first answer.
pub(in crate::git) struct Link {
    pub(in crate::git) remote: Remote,
    pub(in crate::git) base_url: String,
    /// Whether its first answer ended when the connection ended.
    pub(in crate::git) ends_by_closing: bool,
}

impl Remote {
    /// The remote at `url`. Credentials in the URL are removed from it and used.
    pub fn new(url: &str, http: Rc<dyn HttpClient>) -> Self {
        let (url, userinfo) = userinfo::split(url.trim());
        // A second time, because a runtime also finds credentials in a URL with an unusual spelling.
        let (url, unusual) = userinfo::split(&http.canonical(&url).unwrap_or(url));
        let userinfo = userinfo.or(unusual);
        let access = userinfo.map(Access::from_userinfo).unwrap_or_default();
        Self { url: url.trim_end_matches('/').to_owned(), access, http, limits: Limits::default() }
    }

    /// The same with credentials for HTTP Basic authentication. They replace those in the URL. Without any user name, it is
    /// `git`.
    #[must_use]
    pub fn with_credentials(mut self, username: Option<&str>, password: Option<&str>) -> Self {
        self.access = self.access.with(username, password);
        self
    }

    /// The same, but asks for credentials, once, if the server refuses a request without them.
    #[must_use]
    pub fn asking(mut self, ask: impl Fn(Challenge) -> LocalBoxFuture<'static, Option<Credentials>> + 'static) -> Self {
        self.access = self.access.asking(ask);
        self
    }

    /// The same with these limits.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Its URL, without credentials.
    pub fn url(&self) -> &str {
        &self.url
    }

    pub(in crate::git) async fn connect(&self, service: Service) -> Result<(Link, Advertisement), Error> {
        let connected = self.try_connect(service).await;
        connected.map_err(|kind| self.error(Operation::ListRefs, with_hint(kind, &self.url)))
    }

    async fn try_connect(&self, service: Service) -> Result<(Link, Advertisement), ErrorKind> {
        let url = format!("{}/{}", self.url, service.refs());
        let request = || match Request::new(Method::Get, url.as_str()) {
            request if service == Service::UploadPack => request.header("git-protocol", "version=2"),
            request => request,
        };
        let response = self.send_again(&request).await?;
        let media_type = answer::media_type(&response.headers);
        // If a runtime does not tell the final URL, no redirect mattered.
        let base_url = smart_http::repository_of(&response.url).unwrap_or(&self.url).to_owned();
        let ends_by_closing = answer::ends_by_closing(&response.headers);
        let mut reader = Reader::new(self.paced(response.body));
        let is_git = match media_type.as_str() {
            "" => reader.next_starts_with(b"# service=").await? || reader.next_starts_with(b"version ").await?,
            other => other == format!("application/x-{}-advertisement", service.name()),
        };
        if !is_git {
            return Err(not_git(&media_type));
        }
        let advertisement = Advertisement::read(&mut reader, service.name(), &self.limits).await?;
        reader.finish().await;
        Ok((Link { remote: self.clone(), base_url, ends_by_closing }, advertisement))
    }

    /// A body that fails if it comes too slowly, or if it takes far too long as a whole.
    pub(in crate::git) fn paced(&self, body: Body) -> Body {
        let body = self.patient(body, self.moved());
        Body::Stream(paced(body.into_stream(), self.http.clone(), self.limits.min_rate))
    }

    /// A body that fails if it takes far too long after the last progress.
    pub(in crate::git) fn patient(&self, body: Body, moved: Moved) -> Body {
        patient(body, self.http.clone(), self.limits.min_rate, moved)
    }

    /// The progress of the current request.
    pub(in crate::git) fn moved(&self) -> Moved {
        Moved::new(self.http.now().into())
    }

    /// A body that notes when a chunk of it is sent.
    pub(in crate::git) fn moving(&self, body: ByteStream, moved: &Moved) -> ByteStream {
        let (http, moved) = (self.http.clone(), moved.clone());
        body.inspect(move |_| moved.set(http.now())).boxed_local()
    }

    /// Waits, if the host has a clock.
    pub(crate) async fn sleep(&self, duration: Duration) {
        self.http.sleep(duration).await;
    }

    /// The most bytes of a request body that may be collected.
    pub(in crate::git) fn collect_limit(&self) -> usize {
        self.http.collect_limit()
    }

    /// Sends a read-only request. Repeats it if that may help: with new credentials, after a lost connection, or if the
    /// server was busy.
    pub(in crate::git) async fn send_again(&self, request: &dyn Fn() -> Request) -> Result<Response, ErrorKind> {
        self.send_while(|_| true, request).await
    }

    /// The same, but repeats only the failures that `repeats` accepts.
    pub(in crate::git) async fn send_while(
        &self,
        repeats: fn(&ErrorKind) -> bool,
        request: &dyn Fn() -> Request,
    ) -> Result<Response, ErrorKind> {
        let mut failures = 0;
        loop {
            let error = match self.send(request()).await {
                Ok(response) => return Ok(response),
                Err(error) => error,
            };
            if self.gains_credentials(&error).await {
                continue;
            }
            failures += 1;
            match access::wait_before_retry(&error, failures) {
                Some(wait) if repeats(&error) => self.sleep(wait).await,
                _ => return Err(error),
            }
        }
    }

    /// Looks for other credentials if a request was refused because of them. Returns whether there are some now that were
    /// not sent yet.
    pub(in crate::git) async fn gains_credentials(&self, error: &ErrorKind) -> bool {
        match error {
            ErrorKind::Unauthorized { challenge, .. } => self.access.find_others(&self.url, challenge).await,
            ErrorKind::SignIn { .. } => self.access.find_others(&self.url, "").await,
            _ => false,
        }
    }

    /// Sends a request with the credentials, and returns its response if it is Git's.
    pub(in crate::git) async fn send(&self, mut request: Request) -> Result<Response, ErrorKind> {
        let asked = request.url.clone();
        let credentials = self.access.authorization();
        let has_credentials = credentials.is_some();
        let credentials = credentials.filter(|_| self.is_own_origin(&asked));
        let credentials_sent = credentials.is_some();
        if let Some(authorization) = credentials {
            request = request.header("authorization", authorization);
        }
        if self.http.takes_user_agent() {
            request = request.header("user-agent", USER_AGENT);
        }
        let response = self.http.send(request).await?;
        if answer::is_git(&response) {
            return match answer::unknown_encoding(&response.headers) {
                Some(name) => Err(ErrorKind::Encoding(name.to_owned())),
                None => Ok(response),
            };
        }
        let Response { status, url, headers, body } = response;
        // For other answers the head says everything.
        let is_read = matches!(status, 200..300 | 400 | 402..);
        let start = if is_read { self.paced(body).start(answer::MAX_START).await } else { Bytes::new() };
        let answered_by = if url.is_empty() { &asked } else { &url };
        let is_elsewhere = !self.is_own_origin(answered_by);
        let asked = Asked { url: &asked, answered_by, is_elsewhere, has_credentials, credentials_sent };
        Err(answer::meaning(status, &headers, &start, &asked))
    }

    /// Whether the credentials may be sent to this URL: another origin does not get them.
    fn is_own_origin(&self, url: &str) -> bool {
        address::origin(url) == address::origin(&self.url)
    }

    /// What went wrong while pushing to it.
    pub fn push_error(&self, kind: ErrorKind) -> Error {
        self.error(Operation::Push, kind)
    }

    pub(in crate::git) fn error(&self, operation: Operation, kind: ErrorKind) -> Error {
        Error { operation, url: self.url.clone(), kind }
    }
}

impl Link {
    /// Sends a request to upload-pack. It changes nothing at the server.
    pub(in crate::git) async fn ask(&self, version_2: bool, body: Vec<u8>) -> Result<Body, ErrorKind> {
        let mut body = Bytes::from(body);
        let gzip = if body.len() >= GZIP_FROM { self.remote.http.gzip(body.clone()).await } else { None };
        let is_gzip = gzip.is_some();
        body = gzip.unwrap_or(body);
        let request = || {
            let request = self.request(Service::UploadPack, version_2, Body::Bytes(body.clone()));
            if is_gzip { request.header("content-encoding", "gzip") } else { request }
        };
        Ok(self.remote.send_again(&request).await?.body)
    }

    pub(in crate::git) fn request(&self, service: Service, version_2: bool, body: Body) -> Request {
        let service = service.name();
        let request = Request::new(Method::Post, format!("{}/{service}", self.base_url))
            .header("content-type", format!("application/x-{service}-request"))
            .header("accept", format!("application/x-{service}-result"))
            .body(body);
        if version_2 { request.header("git-protocol", "version=2") } else { request }
    }
}

/// Requests of at least this many bytes are compressed, because `git http-backend` refuses a request that arrives with more
/// than 10 MiB (`http.maxRequestBuffer`). Smaller ones are not compressed: a proxy in front of a page's `fetch` may not
/// know the header.
const GZIP_FROM: usize = 1 << 20;

/// Our `User-Agent`. If it does not start with `git/`, some hosts, such as Azure DevOps, answer as they answer a browser:
/// with a redirect to a sign-in page instead of a 401.
const USER_AGENT: &str = concat!("git/2.0 (refsync/", env!("CARGO_PKG_VERSION"), ")");

fn not_git(media_type: &str) -> ErrorKind {
    ErrorKind::NotGit(match media_type {
        "" | "text/plain" | "application/octet-stream" => {
            "it is a server of plain files (dumb HTTP), which is not supported".to_owned()
        }
        other => format!("it answers with {other}"),
    })
}

/// The same error, with a hint if the URL is the address of a web page.
fn with_hint(kind: ErrorKind, url: &str) -> ErrorKind {
    let Some(hint) = address::hint(url) else { return kind };
    match kind {
        ErrorKind::NotGit(why) => ErrorKind::NotGit(format!("{why}; {hint}")),
        ErrorKind::Status { status: status @ (404 | 410), message, retry_after } => {
            let message = if message.is_empty() { hint } else { format!("{message}; {hint}") };
            ErrorKind::Status { status, message, retry_after }
        }
        kind => kind,
    }
}
