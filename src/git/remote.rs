//! A remote: where it is, who may use it, and how requests are sent to it.

use std::{rc::Rc, time::Duration};

use bytes::Bytes;
use futures_util::future::LocalBoxFuture;
use percent_encoding::percent_decode_str;

use super::{
    Advertisement, Challenge, Credentials, Error, ErrorKind, Operation,
    access::{self, Access},
    excerpt::excerpt,
    pkt_line::Reader,
};
use crate::http::{Body, HttpClient, Method, Request, Response};

/// A Git repository on a smart-HTTP server.
#[derive(Clone)]
pub struct Remote {
    pub(super) url: String,
    access: Access,
    http: Rc<dyn HttpClient>,
}

/// A remote whose address is known for good: behind the redirects of its first answer.
pub(super) struct Link {
    pub(super) remote: Remote,
    pub(super) base_url: String,
}

impl Remote {
    /// The remote at `url`. Credentials in the URL are taken out of it and used.
    pub fn new(url: &str, http: Rc<dyn HttpClient>) -> Self {
        let (url, userinfo) = split_userinfo(url);
        let remote = Self { url: url.trim_end_matches('/').to_owned(), access: Access::default(), http };
        match userinfo {
            Some((username, password)) => remote.with_basic_auth(&username, &password),
            None => remote,
        }
    }

    /// The same with HTTP Basic authentication.
    #[must_use]
    pub fn with_basic_auth(mut self, username: &str, password: &str) -> Self {
        self.access = self.access.with(&Credentials { username: username.into(), password: password.into() });
        self
    }

    /// The same, asking for credentials when the server refuses a request for want of them: once.
    #[must_use]
    pub fn asking(mut self, ask: impl Fn(Challenge) -> LocalBoxFuture<'static, Option<Credentials>> + 'static) -> Self {
        self.access = self.access.asking(ask);
        self
    }

    /// Its URL, without credentials.
    pub fn url(&self) -> &str {
        &self.url
    }

    pub(super) async fn connect(&self, service: &str) -> Result<(Link, Advertisement), Error> {
        self.try_connect(service).await.map_err(|kind| self.error(Operation::ListRefs, kind))
    }

    async fn try_connect(&self, service: &str) -> Result<(Link, Advertisement), ErrorKind> {
        let path = format!("/info/refs?service={service}");
        let request = || match Request::new(Method::Get, format!("{}{path}", self.url)) {
            request if service == "git-upload-pack" => request.header("git-protocol", "version=2"),
            request => request,
        };
        let response = self.send_again(request, &self.url).await?;
        let content_type = response.headers.get("content-type").unwrap_or_default();
        if content_type.split(';').next().map(str::trim) != Some(&format!("application/x-{service}-advertisement")) {
            return Err(not_git(content_type));
        }
        // Where a runtime does not tell the final URL, there was no redirect that mattered.
        let base_url = response.url.strip_suffix(&path).unwrap_or(&self.url).to_owned();
        let mut reader = Reader::new(response.body);
        let advertisement = Advertisement::read(&mut reader, service).await?;
        reader.finish().await;
        Ok((Link { remote: self.clone(), base_url }, advertisement))
    }

    /// Waits, where the host has a clock.
    pub(crate) async fn sleep(&self, duration: Duration) {
        self.http.sleep(duration).await;
    }

    /// Sends a request that changes nothing at the server, and again where that may help: with credentials that were asked
    /// for, after a lost connection, and when the server was busy.
    async fn send_again(&self, request: impl Fn() -> Request, base_url: &str) -> Result<Response, ErrorKind> {
        self.send_while(|_| true, request, base_url).await
    }

    /// The same, giving up at a failure that `repeats` is not for.
    pub(super) async fn send_while(
        &self,
        repeats: impl Fn(&ErrorKind) -> bool,
        request: impl Fn() -> Request,
        base_url: &str,
    ) -> Result<Response, ErrorKind> {
        let mut failures = 0;
        loop {
            let error = match self.send(request(), base_url).await {
                Ok(response) => return Ok(response),
                Err(error) => error,
            };
            if self.gains_credentials(&error, base_url).await {
                continue;
            }
            failures += 1;
            match access::wait_before_retry(&error, failures) {
                Some(wait) if repeats(&error) => self.sleep(wait).await,
                _ => return Err(error),
            }
        }
    }

    /// Asks for credentials where a request was refused for want of them; whether there are any now that were not sent yet.
    pub(super) async fn gains_credentials(&self, error: &ErrorKind, base_url: &str) -> bool {
        match error {
            ErrorKind::Unauthorized { challenge, .. } => {
                self.is_own_origin(base_url) && self.access.ask(&self.url, challenge).await
            }
            _ => false,
        }
    }

    /// Sends a request with the credentials, and gives its response where that is a 200.
    pub(super) async fn send(&self, mut request: Request, base_url: &str) -> Result<Response, ErrorKind> {
        let authorization = self.access.authorization().filter(|_| self.is_own_origin(base_url));
        let credentials_sent = authorization.is_some();
        if let Some(authorization) = authorization {
            request = request.header("authorization", authorization);
        }
        let response = self.http.send(request).await?;
        match response.status {
            200 => Ok(response),
            401 => {
                let challenge = response.headers.get("www-authenticate").unwrap_or_default().to_owned();
                Err(ErrorKind::Unauthorized { credentials_sent, challenge })
            }
            status => {
                // Without a clock: a date is only as good as the answer's own.
                let retry_after = response.headers.retry_after(i64::MAX);
                Err(ErrorKind::Status { status, message: words_of(response).await, retry_after })
            }
        }
    }

    /// Whether the credentials are for the server there: another origin does not get them.
    fn is_own_origin(&self, base_url: &str) -> bool {
        origin(base_url) == origin(&self.url)
    }

    /// What went wrong while pushing to it.
    pub fn push_error(&self, kind: ErrorKind) -> Error {
        self.error(Operation::Push, kind)
    }

    pub(super) fn error(&self, operation: Operation, kind: ErrorKind) -> Error {
        Error { operation, url: self.url.clone(), kind }
    }
}

impl Link {
    /// Asks upload-pack, which changes nothing.
    pub(super) async fn ask(&self, version_2: bool, body: Vec<u8>) -> Result<Body, ErrorKind> {
        let mut body = Bytes::from(body);
        let gzip = if body.len() >= GZIP_FROM { self.remote.http.gzip(body.clone()).await } else { None };
        let is_gzip = gzip.is_some();
        body = gzip.unwrap_or(body);
        let request = || {
            let request = self.request("git-upload-pack", version_2, Body::Bytes(body.clone()));
            if is_gzip { request.header("content-encoding", "gzip") } else { request }
        };
        Ok(self.remote.send_again(request, &self.base_url).await?.body)
    }

    pub(super) fn request(&self, service: &str, version_2: bool, body: Body) -> Request {
        let request = Request::new(Method::Post, format!("{}/{service}", self.base_url))
            .header("content-type", format!("application/x-{service}-request"))
            .header("accept", format!("application/x-{service}-result"))
            .body(body);
        if version_2 { request.header("git-protocol", "version=2") } else { request }
    }
}

/// The size in bytes from which a request is compressed: `git http-backend` refuses one of over 10 MiB
/// (`http.maxRequestBuffer`), as it comes to it. Less goes as it is: a proxy in front of a page's fetch may not know the header.
const GZIP_FROM: usize = 1 << 20;

/// Scheme, host and port.
fn origin(url: &str) -> &str {
    let authority = url.find("://").map_or(0, |at| at + 3);
    let end = url[authority..].find(['/', '?', '#']).map_or(url.len(), |at| authority + at);
    &url[..end]
}

/// Parts the user name and password from a URL.
fn split_userinfo(url: &str) -> (String, Option<(String, String)>) {
    let origin = origin(url);
    let (Some((scheme, authority)), rest) = (origin.split_once("://"), &url[origin.len()..]) else {
        return (url.to_owned(), None);
    };
    let Some((userinfo, host)) = authority.rsplit_once('@') else { return (url.to_owned(), None) };
    let (username, password) = userinfo.split_once(':').unwrap_or((userinfo, ""));
    let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    (format!("{scheme}://{host}{rest}"), Some((decode(username), decode(password))))
}

fn not_git(content_type: &str) -> ErrorKind {
    ErrorKind::NotGit(match content_type {
        "" => "it answers without a content type".to_owned(),
        "text/plain" | "application/octet-stream" | "text/plain; charset=utf-8" => {
            "it answers as a server of plain files does (dumb HTTP), which cannot be synced with".to_owned()
        }
        other => format!("it answers with {other}"),
    })
}

/// The words of an error response, for a person.
async fn words_of(response: Response) -> String {
    let content_type = response.headers.get("content-type").unwrap_or_default().to_owned();
    let body = response.body.bytes(MAX_ERROR_PAGE).await.unwrap_or_default();
    excerpt(&content_type, &body)
}

/// The most bytes of an error page that are read.
const MAX_ERROR_PAGE: usize = 64 * 1024;
