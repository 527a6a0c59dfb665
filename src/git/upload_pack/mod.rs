//! `git-upload-pack`, the service for reading: lists refs, and sends objects.

pub(super) mod fetch;
mod ls_refs;

use std::cell::OnceCell;

use bytes::Bytes;
use gix_hash::Kind;
use gix_object::bstr::BString;

use self::fetch::{Answer, Request as FetchRequest};
use crate::{
    git::{
        codec::{
            advertisement::{Advertisement, Ref, object_format_of},
            capabilities::Capabilities,
            pkt_line::Reader,
        },
        error::{Error, ErrorKind, Operation},
        limits::{Exceeded, Limits},
        transport::{
            pace::paced,
            remote::{Link, Remote},
        },
    },
    http::{self, Body},
    smart_http::Service,
};

/// A connection to `git-upload-pack`.
pub struct UploadPack {
    link: Link,
    protocol: Protocol,
    object_format: Kind,
}

/// The protocol version, and the server's capabilities.
enum Protocol {
    /// Protocol v2. Its capabilities are requested only if something depends on them.
    V2(OnceCell<Capabilities>),
    /// Protocol v0 or v1.
    V0(Capabilities),
}

impl Remote {
    /// Connects for reading, and lists the refs that start with one of `prefixes`; no refs if there is no prefix.
    ///
    /// The first request asks for the refs in a form that every v2 server understands, without asking for the capabilities
    /// before. If the server does not answer it, the requests follow in the protocol's order.
    ///
    /// # Errors
    ///
    /// If the server does not answer, refuses, or is not a Git server.
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

    /// Lists refs before anything is known about the server; `None` if the requests have to follow in order.
    async fn ls_refs_at_once(&self, prefixes: &[BString]) -> Result<Option<(UploadPack, Vec<Ref>)>, ErrorKind> {
        let link = Link { remote: self.clone(), base_url: self.url.clone(), ends_by_closing: false };
        let body = Bytes::from(ls_refs::encode(&Capabilities::default(), prefixes));
        let request = || link.request(Service::UploadPack, true, Body::Bytes(body.clone()));
        // If this request fails or is redirected, the requests in order follow at once.
        let refs = async {
            let response = self.send_while(is_busy, &request).await?;
            ls_refs::decode(self.paced(response.body), UNTOLD_FORMAT, &self.limits).await
        };
        match refs.await {
            // A server of another protocol version might answer with an empty body.
            Ok(refs) if refs.is_empty() => Ok(None),
            Ok(refs) => {
                let protocol = Protocol::V2(OnceCell::new());
                Ok(Some((UploadPack { link, protocol, object_format: UNTOLD_FORMAT }, refs)))
            }
            Err(error) if is_final(&error) => Err(error),
            Err(_) => Ok(None),
        }
    }

    /// Lists refs when the server's capabilities are known.
    async fn ls_refs_in_order(&self, prefixes: &[BString]) -> Result<(UploadPack, Vec<Ref>), Error> {
        let (upload_pack, mut refs) = self.upload_pack().await?;
        if let Protocol::V2(known) = &upload_pack.protocol
            && !prefixes.is_empty()
        {
            refs = upload_pack.ls_refs(upload_pack.capabilities(known).await?, prefixes).await?;
        }
        Ok((upload_pack, refs))
    }

    /// Connects for reading. Returns the refs if the server lists them at once, as it does before protocol v2.
    ///
    /// # Errors
    ///
    /// If the server does not answer, refuses, or is not a Git server.
    pub async fn upload_pack(&self) -> Result<(UploadPack, Vec<Ref>), Error> {
        let (link, advertisement) = self.connect(Service::UploadPack).await?;
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
}

impl UploadPack {
    /// The object format of its ids.
    pub fn object_format(&self) -> Kind {
        self.object_format
    }

    /// How much it may send.
    pub fn limits(&self) -> &Limits {
        &self.link.remote.limits
    }

    /// The capabilities of a v2 server.
    async fn capabilities<'a>(&'a self, known: &'a OnceCell<Capabilities>) -> Result<&'a Capabilities, Error> {
        if let Some(capabilities) = known.get() {
            return Ok(capabilities);
        }
        match self.link.remote.connect(Service::UploadPack).await? {
            (_, Advertisement::V2(capabilities)) => Ok(known.get_or_init(|| capabilities)),
            (_, Advertisement::Refs { .. }) => {
                let kind = ErrorKind::Protocol("it lists its refs with protocol v2, but does not go on with v2".into());
                Err(self.link.remote.error(Operation::ListRefs, kind))
            }
        }
    }

    async fn ls_refs(&self, capabilities: &Capabilities, prefixes: &[BString]) -> Result<Vec<Ref>, Error> {
        let refs = async {
            let body = self.link.ask(true, ls_refs::encode(capabilities, prefixes)).await?;
            ls_refs::decode(self.link.remote.paced(body), self.object_format, self.limits()).await
        };
        refs.await.map_err(|kind| self.link.remote.error(Operation::ListRefs, kind))
    }

    /// Whether it can leave out trees and blobs.
    ///
    /// # Errors
    ///
    /// If the server does not say so.
    pub async fn can_filter(&self) -> Result<bool, Error> {
        Ok(match &self.protocol {
            Protocol::V2(known) => self.capabilities(known).await?.has_feature("fetch", "filter"),
            Protocol::V0(capabilities) => capabilities.has_sound_filter(),
        })
    }

    /// Whether its list of refs marks symbolic refs. Before protocol v2 it marks only `HEAD`.
    pub fn tells_symbolic_refs(&self) -> bool {
        matches!(self.protocol, Protocol::V2(_))
    }

    /// Whether it says which haves it knows.
    pub fn can_negotiate(&self) -> bool {
        matches!(self.protocol, Protocol::V2(_))
    }

    /// Fetches objects.
    ///
    /// # Errors
    ///
    /// If there is no pack. An error within the pack comes from its stream.
    pub async fn fetch(&self, request: &FetchRequest) -> Result<Answer, Error> {
        let filter = request.commits_only && self.can_filter().await?;
        let preamble = PREAMBLE_BYTES + request.haves.len() as u64 * BYTES_PER_HAVE;
        let Remote { http, limits, .. } = &self.link.remote;
        let begun = self.link.remote.moved();
        let patient = |body| self.link.remote.patient(body, begun.clone());
        let reader = |body| Reader::new(patient(body)).at_most(preamble, Exceeded::Preamble(preamble));
        let answer = async {
            match &self.protocol {
                Protocol::V2(known) => {
                    let untold = Capabilities::default();
                    let body = request.encode_v2(known.get().unwrap_or(&untold), filter);
                    fetch::decode_v2(reader(self.link.ask(true, body).await?)).await
                }
                Protocol::V0(capabilities) => {
                    let body = request.encode_v0(capabilities, filter, self.object_format);
                    let body = self.link.ask(false, body).await?;
                    fetch::decode_v0(reader(body), capabilities).await
                }
            }
        };
        let answer = answer.await.map_err(|kind| self.fetch_error(kind))?;
        // The pack itself may take any time.
        begun.set(None);
        let pack = answer.pack.map(|pack| paced(pack, http.clone(), limits.min_rate));
        Ok(Answer { pack, ..answer })
    }

    /// An error of the fetch, or later of the pack's stream.
    pub fn fetch_error(&self, kind: ErrorKind) -> Error {
        self.link.remote.error(Operation::Fetch, kind)
    }
}

/// The object format of a request that names none (`gitprotocol-v2` "object-format"). A server with another format refuses.
const UNTOLD_FORMAT: Kind = Kind::Sha1;

/// Whether requests in the protocol's order would fail in the same way: the server refuses the credentials, is busy, lists
/// too much, or is silent.
///
/// A server that wants credentials and gets none is asked again, because its first answer in the protocol's order may be a
/// redirect.
fn is_final(error: &ErrorKind) -> bool {
    match error {
        ErrorKind::Http(error) => !matches!(error.kind, http::ErrorKind::Network | http::ErrorKind::Redirected),
        ErrorKind::Unauthorized { credentials_sent, .. } => *credentials_sent,
        ErrorKind::Exceeded(_) => true,
        error => is_busy(error),
    }
}

/// Whether the server says that it is too busy.
fn is_busy(error: &ErrorKind) -> bool {
    matches!(error, ErrorKind::Status { status: 429 | 503, .. })
}

/// The most bytes before a pack: for the sections, and for the line that acknowledges each have.
const PREAMBLE_BYTES: u64 = 1 << 20;
const BYTES_PER_HAVE: u64 = 100;
