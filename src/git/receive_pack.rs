//! The service that a remote is written with: its refs, and pushes.

use bytes::Bytes;
use futures_util::StreamExt;
use gix_hash::{Kind, ObjectId};

use super::{
    Advertisement, Capabilities, Command, Error, ErrorKind, Operation, PushOptions, Ref, Remote, Report, push,
    remote::Link,
};
use crate::http::{Body, ByteStream};

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

impl Remote {
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
