//! Asking for objects: the v2 command `fetch` (`gitprotocol-v2` "fetch") and the v0 request (`gitprotocol-pack`
//! "Packfile Negotiation").

use std::collections::HashSet;

use bytes::Bytes;
use futures_util::{StreamExt, stream::LocalBoxStream};
use gix_hash::{Kind, ObjectId};

use crate::git::{
    codec::{
        capabilities::{AGENT, Capabilities},
        pkt_line::{self, Line, Reader},
        sideband,
    },
    error::{ErrorKind, quoted},
};

/// A pack as it comes.
pub type PackStream = LocalBoxStream<'static, Result<Bytes, ErrorKind>>;

/// A request for objects.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// The wanted objects. Everything that they refer to comes with them.
    pub wants: Vec<ObjectId>,
    /// The objects that we have: neither they nor anything that they refer to is sent.
    pub haves: Vec<ObjectId>,
    /// Only commits (and the wanted tags), if the server supports `filter tree:0`.
    pub commits_only: bool,
    /// The pack may contain deltas to objects of the haves (a thin pack).
    pub thin: bool,
    /// Negotiate: ask which haves the server knows before it sends the pack.
    pub negotiate: bool,
}

/// The answer.
pub struct Answer {
    /// The haves that the server knows; only v2 says so, and only if we negotiate.
    pub acknowledged: HashSet<ObjectId>,
    /// The pack; `None` if we negotiate and the server found too little in common.
    pub pack: Option<PackStream>,
}

/// The start of a v2 request: the command, and the capabilities that every command carries.
pub(super) fn command(name: &str, capabilities: &Capabilities) -> Vec<u8> {
    let mut out = Vec::new();
    pkt_line::encode(&mut out, format!("command={name}\n").as_bytes());
    if capabilities.has("agent") {
        pkt_line::encode(&mut out, format!("agent={AGENT}\n").as_bytes());
    }
    if let Some(format) = capabilities.value("object-format") {
        pkt_line::encode(&mut out, format!("object-format={format}\n").as_bytes());
    }
    out.extend_from_slice(pkt_line::DELIMITER);
    out
}

impl Request {
    /// The v2 request. For commits only, it has `filter`, which the server must support.
    pub fn encode_v2(&self, capabilities: &Capabilities, filter: bool) -> Vec<u8> {
        let mut out = command("fetch", capabilities);
        let mut line = |text: &str| pkt_line::encode(&mut out, text.as_bytes());
        line("ofs-delta\n");
        if self.thin {
            line("thin-pack\n");
        }
        line("no-progress\n");
        if filter {
            line("filter tree:0\n");
        }
        self.wants.iter().for_each(|id| line(&format!("want {id}\n")));
        self.haves.iter().for_each(|id| line(&format!("have {id}\n")));
        if !self.negotiate {
            line("done\n");
        }
        out.extend_from_slice(pkt_line::FLUSH);
        out
    }

    /// The v0 and v1 request, `filter` as for v2. It always says `done`: there is no negotiation.
    ///
    /// It asks for the same acknowledgments as Git does, because Azure DevOps refuses a client that asks for none
    /// (`TF401041: Clients must support multi-ack`).
    pub fn encode_v0(&self, capabilities: &Capabilities, filter: bool, object_format: Kind) -> Vec<u8> {
        let mut features = String::new();
        // Dulwich refuses a client that does not announce `thin-pack`. It names no agent.
        let thin = self.thin || !capabilities.has("agent");
        let acknowledgments = capabilities.first_of(&["multi_ack_detailed", "multi_ack"]);
        let bands = capabilities.first_of(SIDE_BANDS);
        for feature in acknowledgments.into_iter().chain(bands).chain(["ofs-delta"]).chain(thin.then_some("thin-pack"))
        {
            if capabilities.has(feature) {
                features.push_str(&format!(" {feature}"));
            }
        }
        if capabilities.has("no-progress") {
            features.push_str(" no-progress");
        }
        if filter {
            features.push_str(" filter");
        }
        if capabilities.has("object-format") {
            features.push_str(&format!(" object-format={object_format}"));
        }
        if capabilities.has("agent") {
            features.push_str(&format!(" agent={AGENT}"));
        }
        let mut out = Vec::new();
        for id in &self.wants {
            pkt_line::encode(&mut out, format!("want {id}{features}\n").as_bytes());
            features.clear();
        }
        if filter {
            pkt_line::encode(&mut out, b"filter tree:0\n");
        }
        out.extend_from_slice(pkt_line::FLUSH);
        for id in &self.haves {
            pkt_line::encode(&mut out, format!("have {id}\n").as_bytes());
        }
        pkt_line::encode(&mut out, b"done\n");
        out
    }
}

/// Reads a v2 answer up to its pack.
///
/// # Errors
///
/// If the answer is malformed, if the server reports an error, or if the source's history is incomplete.
pub(super) async fn decode_v2(mut reader: Reader) -> Result<Answer, ErrorKind> {
    let mut acknowledged = HashSet::new();
    loop {
        let line = reader.expect("a section").await?;
        match line.text() {
            Some(b"packfile") => {
                let (first, rest) = reader.into_rest();
                return Ok(Answer { acknowledged, pack: Some(sideband::data(first, rest)) });
            }
            Some(b"acknowledgments") => loop {
                let line = reader.expect("an acknowledgment").await?;
                match line.text() {
                    Some(text) => acknowledged.extend(decode_ack(text)?),
                    None if line == Line::Delimiter => break,
                    None => return Ok(Answer { acknowledged, pack: None }),
                }
            },
            Some(b"shallow-info") => return Err(ErrorKind::Shallow),
            Some(name) => return Err(ErrorKind::Protocol(format!("there is no section {}", quoted(name)))),
            None => return Err(ErrorKind::Protocol("it ends before its pack".into())),
        }
    }
}

/// One line of the acknowledgments: an id, or nothing for `NAK` and `ready`.
fn decode_ack(text: &[u8]) -> Result<Option<ObjectId>, ErrorKind> {
    match text {
        b"NAK" | b"ready" => Ok(None),
        _ => {
            let id = text.strip_prefix(b"ACK ").and_then(|rest| rest.split(|byte| *byte == b' ').next());
            let id = id.and_then(|hex| ObjectId::from_hex(hex).ok());
            id.map(Some).ok_or_else(|| ErrorKind::Protocol(format!("bad acknowledgment {}", quoted(text))))
        }
    }
}

/// Reads a v0 or v1 answer up to its pack.
///
/// # Errors
///
/// If the answer is malformed, or if the server reports an error.
pub(super) async fn decode_v0(mut reader: Reader, capabilities: &Capabilities) -> Result<Answer, ErrorKind> {
    loop {
        let line = reader.expect("an acknowledgment").await?;
        match line.text() {
            Some(text) if text == b"NAK" || text.starts_with(b"ACK ") => {}
            _ => return Err(ErrorKind::Protocol("no acknowledgment precedes the pack".into())),
        }
        // The number of lines before the pack depends on the kind of acknowledgments. With `multi_ack` there is one line
        // for each have that the server knows, and a last one. Without it there are one or more. A pack looks like neither.
        if !reader.next_starts_with(b"ACK ").await? && !reader.next_starts_with(b"NAK").await? {
            break;
        }
    }
    let (first, rest) = reader.into_rest();
    let pack = if capabilities.first_of(SIDE_BANDS).is_some() {
        sideband::data(first, rest)
    } else {
        let first = futures_util::stream::iter([Ok(first)]);
        first.chain(rest.map(|chunk| chunk.map_err(ErrorKind::Http))).boxed_local()
    };
    Ok(Answer { acknowledged: HashSet::new(), pack: Some(pack) })
}

/// The ways to send the pack together with progress and errors, best first.
const SIDE_BANDS: &[&str] = &["side-band-64k", "side-band"];
