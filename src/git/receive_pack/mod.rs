//! `git-receive-pack`, the service for writing: lists refs, and takes pushes.

pub(super) mod push;

use std::cell::Cell;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use gix_hash::{Kind, ObjectId};

use self::push::{Command, PushOptions, Report};
use crate::{
    git::{
        codec::{
            advertisement::{Advertisement, Ref},
            capabilities::Capabilities,
            pkt_line,
        },
        error::{Error, ErrorKind, Operation},
        transport::remote::{Link, Remote},
    },
    http::{self, Body, ByteStream},
    smart_http::Service,
};

/// A connection to `git-receive-pack`, with the refs that it advertised. A push is compared with them.
pub struct ReceivePack {
    link: Link,
    lengths: Cell<Lengths>,
    /// Whether a push was sent without a `Content-Length`.
    has_streamed: Cell<bool>,
    capabilities: Capabilities,
    /// The object format of its ids.
    pub object_format: Kind,
    /// Its refs.
    pub refs: Vec<Ref>,
    /// Ids of further objects that it has.
    pub haves: Vec<ObjectId>,
}

impl Remote {
    /// Connects for writing, and lists the refs.
    ///
    /// # Errors
    ///
    /// If the server does not answer, refuses, or is not a Git server.
    pub async fn receive_pack(&self) -> Result<ReceivePack, Error> {
        match self.connect(Service::ReceivePack).await? {
            (link, Advertisement::Refs { capabilities, object_format, refs, haves, .. }) => {
                let lengths = if link.ends_by_closing { Lengths::Preferred } else { Lengths::IfSmall };
                let (lengths, has_streamed) = (Cell::new(lengths), Cell::new(false));
                Ok(ReceivePack { link, lengths, has_streamed, capabilities, object_format, refs, haves })
            }
            (_, Advertisement::V2(_)) => {
                let kind = ErrorKind::Protocol("it answers a push with protocol v2, which has no push".into());
                Err(self.error(Operation::ListRefs, kind))
            }
        }
    }
}

impl ReceivePack {
    /// An error of a push to it.
    pub fn push_error(&self, kind: ErrorKind) -> Error {
        self.link.remote.push_error(kind)
    }

    /// Whether it accepts thin packs.
    pub fn takes_thin_packs(&self) -> bool {
        !self.capabilities.has("no-thin")
    }

    /// Whether it supports atomic pushes (all commands or none).
    pub fn can_be_atomic(&self) -> bool {
        self.capabilities.has("atomic")
    }

    /// Whether it accepts push options.
    pub fn takes_push_options(&self) -> bool {
        self.capabilities.has("push-options")
    }

    /// Whether another try may succeed after this refusal. The destination has done nothing.
    ///
    /// It may want credentials for a push although everybody can list its refs: then the user is asked. Or it wants a
    /// `Content-Length`: then the next push has one.
    pub async fn can_push_again(&self, refusal: &Error) -> bool {
        match refusal.kind {
            // A server answers 501 if it does not support chunked requests (RFC 9112, section 6.1).
            ErrorKind::Status { status: 411 | 501, .. } => {
                self.has_streamed.get() && self.lengths.replace(Lengths::Required) != Lengths::Required
            }
            _ => self.link.remote.gains_credentials(&refusal.kind).await,
        }
    }

    /// Sends the commands and then `pack`, and reads the report. A small push is sent with its length, a large one as a
    /// stream.
    ///
    /// If the pack fails, the push ends. If nothing was sent before, no request is sent, and the report is empty. Otherwise
    /// the request ends early, so the destination finds the pack incomplete.
    ///
    /// # Errors
    ///
    /// If the destination supports reports but none came: then nobody knows what it did. If it does not support the
    /// `options`; then nothing was sent.
    pub async fn push(&self, commands: &[Command], options: &PushOptions, pack: ByteStream) -> Result<Report, Error> {
        let lacks = |what: &str| Err(self.link.remote.push_error(ErrorKind::Unsupported(what.to_owned())));
        if options.atomic && !self.can_be_atomic() {
            return lacks("atomic pushes");
        }
        if !options.push_options.is_empty() && !self.takes_push_options() {
            return lacks("push options");
        }
        let head = Bytes::from(push::encode(commands, options, &self.capabilities, self.object_format));
        let moved = self.link.remote.moved();
        let body = self.link.remote.moving(futures_util::stream::iter([Ok(head)]).chain(pack).boxed_local(), &moved);
        let report = async {
            let Some(body) = self.with_length(body).await? else { return Ok(Report::default()) };
            self.has_streamed.set(matches!(body, Body::Stream(_)));
            let request = self.link.request(Service::ReceivePack, false, body);
            let response = match self.link.remote.send(request).await {
                Err(ErrorKind::Http(error)) if error.kind == http::ErrorKind::Redirected => {
                    return Err(self.explain(error).await);
                }
                response => response?,
            };
            push::decode(self.link.remote.patient(response.body, moved), &self.capabilities).await
        };
        report.await.map_err(|kind| self.link.remote.push_error(kind))
    }

    /// The body of a push, with its length if it is small or if the destination wants to know it; `None` if the pack fails
    /// first.
    ///
    /// Git also sends up to 1 MiB like this (`http.postBuffer`). Some servers and proxies accept nothing else.
    async fn with_length(&self, mut body: ByteStream) -> Result<Option<Body>, ErrorKind> {
        let limit = match self.lengths.get() {
            Lengths::IfSmall => self.link.remote.collect_limit().min(SMALL),
            Lengths::Preferred | Lengths::Required => self.link.remote.collect_limit(),
        };
        let mut start = BytesMut::new();
        while start.len() <= limit {
            match body.next().await {
                None => return Ok(Some(Body::Bytes(start.freeze()))),
                Some(Err(_)) => return Ok(None),
                Some(Ok(chunk)) => start.extend_from_slice(&chunk),
            }
        }
        if self.lengths.get() == Lengths::Required {
            let message = format!(
                "the server wants to know the length of a request (411), and the pack is larger than the {limit} bytes that \
                 are collected for that; sync fewer refs at a time, or raise collectLimit"
            );
            return Err(http::Error::new(http::ErrorKind::TooLarge, message).into());
        }
        let rest = body.take_while(|chunk| std::future::ready(chunk.is_ok()));
        Ok(Some(Body::Stream(futures_util::stream::iter([Ok(start.freeze())]).chain(rest).boxed_local())))
    }

    /// The target of a redirect. Not every `fetch` reveals it for a streamed request, so a short request finds it out. Git
    /// sends the same request before a large push.
    async fn explain(&self, redirect: http::Error) -> ErrorKind {
        let question = || self.link.request(Service::ReceivePack, false, Body::Bytes(pkt_line::FLUSH.into()));
        match self.link.remote.send(question()).await {
            Err(ErrorKind::Http(_)) | Ok(_) => ErrorKind::Http(redirect),
            Err(kind) => kind,
        }
    }
}

/// When a push has a `Content-Length`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lengths {
    /// If the push is small.
    IfSmall,
    /// If it fits into memory.
    Preferred,
    /// Always.
    Required,
}

/// The size of the largest push that counts as small.
const SMALL: usize = 1 << 20;
