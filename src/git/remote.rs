//! A remote, and the two services that it offers: upload-pack to read it, receive-pack to write it.

use std::rc::Rc;

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use futures_util::StreamExt;
use gix_hash::{Kind, ObjectId};
use gix_object::bstr::BString;
use percent_encoding::percent_decode_str;

use super::{
    Advertisement, Answer, Capabilities, Command, Error, ErrorKind, FetchRequest, Operation, Ref, Report,
    advertisement::object_format_of, fetch, ls_refs, pkt_line::Reader, push,
};
use crate::http::{self, Body, ByteStream, HttpClient, Method, Request, Response};

/// A Git repository on a smart-HTTP server.
#[derive(Clone)]
pub struct Remote {
    url: String,
    authorization: Option<String>,
    http: Rc<dyn HttpClient>,
}

/// The service that a repository is read with.
pub struct UploadPack {
    link: Link,
    advertisement: Advertisement,
    object_format: Kind,
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
        let remote = Self { url: url.trim_end_matches('/').to_owned(), authorization: None, http };
        match userinfo {
            Some((username, password)) => remote.with_basic_auth(&username, &password),
            None => remote,
        }
    }

    /// The same with HTTP Basic authentication.
    #[must_use]
    pub fn with_basic_auth(mut self, username: &str, password: &str) -> Self {
        self.authorization = Some(format!("Basic {}", BASE64_STANDARD.encode(format!("{username}:{password}"))));
        self
    }

    /// Its URL, without credentials.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Connects to read it.
    ///
    /// # Errors
    ///
    /// Where it does not answer, refuses, or is no Git server.
    pub async fn upload_pack(&self) -> Result<UploadPack, Error> {
        let (link, advertisement) = self.connect("git-upload-pack").await?;
        let object_format = match &advertisement {
            Advertisement::V2(capabilities) => object_format_of(capabilities),
            Advertisement::Refs { is_shallow: true, .. } => Err(ErrorKind::Shallow),
            Advertisement::Refs { object_format, .. } => Ok(*object_format),
        };
        let object_format = object_format.map_err(|kind| self.error(Operation::ListRefs, kind))?;
        Ok(UploadPack { link, advertisement, object_format })
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
        let mut request = Request::new(Method::Get, format!("{}{path}", self.url));
        if service == "git-upload-pack" {
            request = request.header("git-protocol", "version=2");
        }
        let response = self.send(request, &self.url).await?;
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

    /// Sends a request with the credentials, and gives its response where that is a 200.
    async fn send(&self, mut request: Request, base_url: &str) -> Result<Response, ErrorKind> {
        // Another origin than the one that the credentials are for does not get them.
        let authorization = self.authorization.as_ref().filter(|_| origin(base_url) == origin(&self.url));
        if let Some(authorization) = authorization {
            request = request.header("authorization", authorization);
        }
        let response = self.http.send(request).await?;
        match response.status {
            200 => Ok(response),
            401 => Err(ErrorKind::Unauthorized { credentials_sent: authorization.is_some() }),
            status => Err(ErrorKind::Status { status, message: excerpt(response).await }),
        }
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

    /// Its refs that start with one of `prefixes`.
    ///
    /// # Errors
    ///
    /// Where the answer breaks, or the server says that it cannot.
    pub async fn ls_refs(&self, prefixes: &[BString]) -> Result<Vec<Ref>, Error> {
        let refs = match &self.advertisement {
            Advertisement::V2(capabilities) => {
                let body: Bytes = ls_refs::encode(capabilities, prefixes).into();
                let mut answer = self.link.post("git-upload-pack", true, Body::Bytes(body.clone())).await;
                // A kept-alive connection that the server has just closed fails so; asking again changes nothing there.
                if matches!(&answer, Err(ErrorKind::Http(e)) if e.kind == http::ErrorKind::Network) {
                    answer = self.link.post("git-upload-pack", true, Body::Bytes(body)).await;
                }
                match answer {
                    Ok(body) => {
                        let mut reader = Reader::new(body);
                        let refs = ls_refs::decode(&mut reader, self.object_format).await;
                        reader.finish().await;
                        refs
                    }
                    Err(kind) => Err(kind),
                }
            }
            Advertisement::Refs { refs, .. } => Ok(refs.clone()),
        };
        let mut refs = refs.map_err(|kind| self.link.remote.error(Operation::ListRefs, kind))?;
        // A prefix is a hint that a server may ignore.
        refs.retain(|r| prefixes.iter().any(|prefix| r.name.starts_with(prefix)));
        Ok(refs)
    }

    /// Whether it can leave out trees and blobs.
    pub fn can_filter(&self) -> bool {
        match &self.advertisement {
            Advertisement::V2(capabilities) => capabilities.has_feature("fetch", "filter"),
            Advertisement::Refs { capabilities, .. } => capabilities.has("filter"),
        }
    }

    /// Whether it tells which haves it knows.
    pub fn can_negotiate(&self) -> bool {
        matches!(self.advertisement, Advertisement::V2(_))
    }

    /// Fetches objects; words about the server's progress go to `on_progress`.
    ///
    /// # Errors
    ///
    /// Where there is no pack; an error within the pack comes out of its stream.
    pub async fn fetch(&self, request: &FetchRequest, on_progress: impl Fn(&[u8]) + 'static) -> Result<Answer, Error> {
        let answer = async {
            match &self.advertisement {
                Advertisement::V2(capabilities) => {
                    let body = request.encode_v2(capabilities);
                    let body = self.link.post("git-upload-pack", true, Body::Bytes(body.into())).await?;
                    fetch::decode_v2(Reader::new(body), on_progress).await
                }
                Advertisement::Refs { capabilities, .. } => {
                    let body = request.encode_v0(capabilities, self.object_format);
                    let body = self.link.post("git-upload-pack", false, Body::Bytes(body.into())).await?;
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
    /// Whether it completes thin packs.
    pub fn takes_thin_packs(&self) -> bool {
        !self.capabilities.has("no-thin")
    }

    /// Whether it can do all commands or none.
    pub fn can_be_atomic(&self) -> bool {
        self.capabilities.has("atomic")
    }

    /// Sends the commands and then `pack`, as it comes, and reads the report. With `atomic` all are done or none.
    ///
    /// # Errors
    ///
    /// Where there is no report: then nothing is known of what the destination did.
    pub async fn push(&self, commands: &[Command], atomic: bool, pack: ByteStream) -> Result<Report, Error> {
        if atomic && !self.can_be_atomic() {
            return Err(self.link.remote.push_error(ErrorKind::Unsupported("atomic pushes".into())));
        }
        let head = Bytes::from(push::encode(commands, atomic, &self.capabilities, self.object_format));
        let body = futures_util::stream::iter([Ok(head)]).chain(pack).boxed_local();
        let report = async {
            let body = self.link.post("git-receive-pack", false, Body::Stream(body)).await?;
            push::decode(body, &self.capabilities).await
        };
        report.await.map_err(|kind| self.link.remote.push_error(kind))
    }
}

impl Link {
    async fn post(&self, service: &str, version_2: bool, body: Body) -> Result<Body, ErrorKind> {
        let mut request = Request::new(Method::Post, format!("{}/{service}", self.base_url))
            .header("content-type", format!("application/x-{service}-request"))
            .header("accept", format!("application/x-{service}-result"))
            .body(body);
        if version_2 {
            request = request.header("git-protocol", "version=2");
        }
        Ok(self.remote.send(request, &self.base_url).await?.body)
    }
}

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
