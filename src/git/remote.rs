//! A remote, and the two services that it offers: upload-pack to read it, receive-pack to write it.

use std::{cell::OnceCell, rc::Rc, time::Duration};

use bytes::Bytes;
use futures_util::{StreamExt, future::LocalBoxFuture};
use gix_hash::{Kind, ObjectId};
use gix_object::bstr::BString;
use percent_encoding::percent_decode_str;

use super::{
    Advertisement, Answer, Capabilities, Challenge, Command, Credentials, Error, ErrorKind, FetchRequest, Operation,
    PushOptions, Ref, Report,
    access::{self, Access},
    advertisement::object_format_of,
    fetch, ls_refs,
    pkt_line::Reader,
    push,
};
use crate::http::{self, Body, ByteStream, HttpClient, Method, Request, Response};

/// A Git repository on a smart-HTTP server.
#[derive(Clone)]
pub struct Remote {
    url: String,
    access: Access,
    http: Rc<dyn HttpClient>,
}

/// The service that a repository is read with.
pub struct UploadPack {
    link: Link,
    protocol: Protocol,
    object_format: Kind,
}

/// How upload-pack is spoken with, and what it can do.
enum Protocol {
    /// Protocol v2; what it can do is asked for when something depends on it.
    V2(OnceCell<Capabilities>),
    /// Protocol v0 or v1.
    V0(Capabilities),
}

/// The service that a repository is written with, and what it advertised: the refs that a push compares against.
pub struct ReceivePack {
    link: Link,
    capabilities: Capabilities,
    /// The object format of its ids.
    pub object_format: Kind,
    /// Its refs.
    pub refs: Vec<Ref>,
    /// Ids that it has besides.
    pub haves: Vec<ObjectId>,
}

/// A remote whose address is known for good: behind the redirects of its first answer.
struct Link {
    remote: Remote,
    base_url: String,
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

    /// Connects to read it, and lists its refs that start with one of `prefixes`; none where there is no prefix.
    ///
    /// The refs are asked for at once, in words that every server of protocol v2 understands, without a question for its
    /// capabilities before. A server that does not answer them is asked in the protocol's order.
    ///
    /// # Errors
    ///
    /// Where it does not answer, refuses, or is no Git server.
    pub async fn list_refs(&self, prefixes: &[BString]) -> Result<(UploadPack, Vec<Ref>), Error> {
        let listed = match prefixes {
            [] => None,
            _ => self.ls_refs_at_once(prefixes).await.map_err(|kind| self.error(Operation::ListRefs, kind))?,
        };
        let (upload_pack, mut refs) = match listed {
            Some(listed) => listed,
            None => self.ls_refs_in_order(prefixes).await?,
        };
        // A prefix is a hint that a server may ignore.
        refs.retain(|r| prefixes.iter().any(|prefix| r.name.starts_with(prefix)));
        Ok((upload_pack, refs))
    }

    /// Lists refs before anything is known of the server; nothing where it has to be asked in order.
    async fn ls_refs_at_once(&self, prefixes: &[BString]) -> Result<Option<(UploadPack, Vec<Ref>)>, ErrorKind> {
        let link = Link { remote: self.clone(), base_url: self.url.clone() };
        let body = Bytes::from(ls_refs::encode(&Capabilities::default(), prefixes));
        let request = || link.request("git-upload-pack", true, Body::Bytes(body.clone()));
        // One that fails, or redirects, is asked in order at once.
        let refs = async {
            let response = self.send_while(is_busy, request, &self.url).await?;
            ls_refs::decode(response.body, UNTOLD_FORMAT).await
        };
        match refs.await {
            // A server that speaks another protocol might have nothing to say.
            Ok(refs) if refs.is_empty() => Ok(None),
            Ok(refs) => {
                let protocol = Protocol::V2(OnceCell::new());
                Ok(Some((UploadPack { link, protocol, object_format: UNTOLD_FORMAT }, refs)))
            }
            Err(error) if is_final(&error) => Err(error),
            Err(_) => Ok(None),
        }
    }

    /// Lists refs once the server has told what it can do.
    async fn ls_refs_in_order(&self, prefixes: &[BString]) -> Result<(UploadPack, Vec<Ref>), Error> {
        let (upload_pack, mut refs) = self.upload_pack().await?;
        if let Protocol::V2(known) = &upload_pack.protocol
            && !prefixes.is_empty()
        {
            refs = upload_pack.ls_refs(upload_pack.capabilities(known).await?, prefixes).await?;
        }
        Ok((upload_pack, refs))
    }

    /// Connects to read it; gives the refs where the server lists them unasked, as it does before protocol v2.
    ///
    /// # Errors
    ///
    /// Where it does not answer, refuses, or is no Git server.
    pub async fn upload_pack(&self) -> Result<(UploadPack, Vec<Ref>), Error> {
        let (link, advertisement) = self.connect("git-upload-pack").await?;
        let (object_format, protocol, refs) = match advertisement {
            Advertisement::V2(capabilities) => {
                (object_format_of(&capabilities), Protocol::V2(OnceCell::from(capabilities)), Vec::new())
            }
            Advertisement::Refs { is_shallow: true, capabilities, .. } => {
                (Err(ErrorKind::Shallow), Protocol::V0(capabilities), Vec::new())
            }
            Advertisement::Refs { capabilities, object_format, refs, .. } => {
                (Ok(object_format), Protocol::V0(capabilities), refs)
            }
        };
        let object_format = object_format.map_err(|kind| self.error(Operation::ListRefs, kind))?;
        Ok((UploadPack { link, protocol, object_format }, refs))
    }

    /// Connects to write it, and lists its refs.
    ///
    /// # Errors
    ///
    /// Where it does not answer, refuses, or is no Git server.
    pub async fn receive_pack(&self) -> Result<ReceivePack, Error> {
        match self.connect("git-receive-pack").await? {
            (link, Advertisement::Refs { capabilities, object_format, refs, haves, .. }) => {
                Ok(ReceivePack { link, capabilities, object_format, refs, haves })
            }
            (_, Advertisement::V2(_)) => {
                let kind = ErrorKind::Protocol("it speaks protocol v2 for a push, which there is none of".into());
                Err(self.error(Operation::ListRefs, kind))
            }
        }
    }

    async fn connect(&self, service: &str) -> Result<(Link, Advertisement), Error> {
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
    async fn send_while(
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
    async fn gains_credentials(&self, error: &ErrorKind, base_url: &str) -> bool {
        match error {
            ErrorKind::Unauthorized { challenge, .. } => {
                self.is_own_origin(base_url) && self.access.ask(&self.url, challenge).await
            }
            _ => false,
        }
    }

    /// Sends a request with the credentials, and gives its response where that is a 200.
    async fn send(&self, mut request: Request, base_url: &str) -> Result<Response, ErrorKind> {
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
                Err(ErrorKind::Status { status, message: excerpt(response).await, retry_after })
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

    fn error(&self, operation: Operation, kind: ErrorKind) -> Error {
        Error { operation, url: self.url.clone(), kind }
    }
}

impl UploadPack {
    /// The object format of its ids.
    pub fn object_format(&self) -> Kind {
        self.object_format
    }

    /// What a server of protocol v2 can do.
    async fn capabilities<'a>(&'a self, known: &'a OnceCell<Capabilities>) -> Result<&'a Capabilities, Error> {
        if let Some(capabilities) = known.get() {
            return Ok(capabilities);
        }
        match self.link.remote.connect("git-upload-pack").await? {
            (_, Advertisement::V2(capabilities)) => Ok(known.get_or_init(|| capabilities)),
            (_, Advertisement::Refs { .. }) => {
                let kind = ErrorKind::Protocol("it speaks protocol v2 for its refs, and another for the rest".into());
                Err(self.link.remote.error(Operation::ListRefs, kind))
            }
        }
    }

    async fn ls_refs(&self, capabilities: &Capabilities, prefixes: &[BString]) -> Result<Vec<Ref>, Error> {
        let refs = async {
            let body = self.link.ask(true, ls_refs::encode(capabilities, prefixes)).await?;
            ls_refs::decode(body, self.object_format).await
        };
        refs.await.map_err(|kind| self.link.remote.error(Operation::ListRefs, kind))
    }

    /// Whether it can leave out trees and blobs.
    ///
    /// # Errors
    ///
    /// Where it does not tell.
    pub async fn can_filter(&self) -> Result<bool, Error> {
        Ok(match &self.protocol {
            Protocol::V2(known) => self.capabilities(known).await?.has_feature("fetch", "filter"),
            Protocol::V0(capabilities) => capabilities.has_sound_filter(),
        })
    }

    /// Whether it tells which haves it knows.
    pub fn can_negotiate(&self) -> bool {
        matches!(self.protocol, Protocol::V2(_))
    }

    /// Fetches objects; words about the server's progress go to `on_progress`.
    ///
    /// # Errors
    ///
    /// Where there is no pack; an error within the pack comes out of its stream.
    pub async fn fetch(&self, request: &FetchRequest, on_progress: impl Fn(&[u8]) + 'static) -> Result<Answer, Error> {
        let filter = request.commits_only && self.can_filter().await?;
        let answer = async {
            match &self.protocol {
                Protocol::V2(known) => {
                    let untold = Capabilities::default();
                    let body = request.encode_v2(known.get().unwrap_or(&untold), filter);
                    fetch::decode_v2(Reader::new(self.link.ask(true, body).await?), on_progress).await
                }
                Protocol::V0(capabilities) => {
                    let body = request.encode_v0(capabilities, filter, self.object_format);
                    let body = self.link.ask(false, body).await?;
                    fetch::decode_v0(Reader::new(body), capabilities, on_progress).await
                }
            }
        };
        answer.await.map_err(|kind| self.fetch_error(kind))
    }

    /// What went wrong while fetching, also later, within the pack.
    pub fn fetch_error(&self, kind: ErrorKind) -> Error {
        self.link.remote.error(Operation::Fetch, kind)
    }
}

impl ReceivePack {
    /// What went wrong while pushing to it.
    pub fn push_error(&self, kind: ErrorKind) -> Error {
        self.link.remote.push_error(kind)
    }

    /// Whether it completes thin packs.
    pub fn takes_thin_packs(&self) -> bool {
        !self.capabilities.has("no-thin")
    }

    /// Whether it can do all commands or none.
    pub fn can_be_atomic(&self) -> bool {
        self.capabilities.has("atomic")
    }

    /// Whether it takes words for its hooks.
    pub fn takes_push_options(&self) -> bool {
        self.capabilities.has("push-options")
    }

    /// Asks for credentials where a push was refused for want of them, which a server may do that lists its refs to everybody:
    /// whether there are any now that were not sent yet, so that another push may fare better.
    pub async fn gains_credentials(&self, refusal: &Error) -> bool {
        self.link.remote.gains_credentials(&refusal.kind, &self.link.base_url).await
    }

    /// Sends the commands and then `pack`, as it comes, and reads the report.
    ///
    /// # Errors
    ///
    /// Where there is no report though the destination gives one: then nothing is known of what it did. Where it lacks what
    /// `options` ask for, before anything is sent.
    pub async fn push(&self, commands: &[Command], options: &PushOptions, pack: ByteStream) -> Result<Report, Error> {
        let lacks = |what: &str| Err(self.link.remote.push_error(ErrorKind::Unsupported(what.to_owned())));
        if options.atomic && !self.can_be_atomic() {
            return lacks("atomic pushes");
        }
        if !options.push_options.is_empty() && !self.takes_push_options() {
            return lacks("push options");
        }
        let head = Bytes::from(push::encode(commands, options, &self.capabilities, self.object_format));
        let body = futures_util::stream::iter([Ok(head)]).chain(pack).boxed_local();
        let report = async {
            let request = self.link.request("git-receive-pack", false, Body::Stream(body));
            let response = self.link.remote.send(request, &self.link.base_url).await?;
            push::decode(response.body, &self.capabilities).await
        };
        report.await.map_err(|kind| self.link.remote.push_error(kind))
    }
}

impl Link {
    /// Asks upload-pack, which changes nothing.
    async fn ask(&self, version_2: bool, body: Vec<u8>) -> Result<Body, ErrorKind> {
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

    fn request(&self, service: &str, version_2: bool, body: Body) -> Request {
        let request = Request::new(Method::Post, format!("{}/{service}", self.base_url))
            .header("content-type", format!("application/x-{service}-request"))
            .header("accept", format!("application/x-{service}-result"))
            .body(body);
        if version_2 { request.header("git-protocol", "version=2") } else { request }
    }
}

/// What a server answers in that is told of no object format (`gitprotocol-v2` "object-format"); one of another refuses.
const UNTOLD_FORMAT: Kind = Kind::Sha1;

/// Whether a server that failed so would do no better if it were asked in the protocol's order: it lets nobody in, is busy, or
/// fell silent.
fn is_final(error: &ErrorKind) -> bool {
    match error {
        ErrorKind::Http(error) => error.kind != http::ErrorKind::Network,
        ErrorKind::Unauthorized { .. } => true,
        error => is_busy(error),
    }
}

/// Whether the server says that it is too busy.
fn is_busy(error: &ErrorKind) -> bool {
    matches!(error, ErrorKind::Status { status: 429 | 503, .. })
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

/// The first words of an error response, for a person.
async fn excerpt(response: Response) -> String {
    let is_text = response.headers.get("content-type").is_some_and(|kind| kind.starts_with("text/plain"));
    match response.body.bytes(64 * 1024).await {
        Ok(bytes) if is_text => String::from_utf8_lossy(&bytes).trim().chars().take(200).collect(),
        _ => String::new(),
    }
}
