//! The v2 command `ls-refs` (`gitprotocol-v2` "ls-refs").

use gix_hash::{Kind, ObjectId};
use gix_object::bstr::BString;

use super::fetch::command;
use crate::{
    git::{
        codec::{
            advertisement::{Ref, parse_id_and_name, ref_name},
            capabilities::Capabilities,
            pkt_line::{self, Line, Reader},
        },
        error::{ErrorKind, quoted},
        limits::{Exceeded, Limits, bytes_of_refs},
    },
    http::Body,
};

/// The request for the refs that start with one of `prefixes`; for all refs if there is no prefix.
pub(super) fn encode(capabilities: &Capabilities, prefixes: &[BString]) -> Vec<u8> {
    let mut out = command("ls-refs", capabilities);
    pkt_line::encode(&mut out, b"peel\n");
    pkt_line::encode(&mut out, b"symrefs\n");
    for prefix in prefixes {
        pkt_line::encode(&mut out, &[b"ref-prefix ", prefix.as_slice(), b"\n"].concat());
    }
    out.extend_from_slice(pkt_line::FLUSH);
    out
}

/// Reads the answer.
///
/// # Errors
///
/// If the answer is malformed, if the server reports an error, or if there are too many refs.
pub(super) async fn decode(body: Body, object_format: Kind, limits: &Limits) -> Result<Vec<Ref>, ErrorKind> {
    let mut reader = Reader::new(body).at_most(bytes_of_refs(limits.refs), Exceeded::RefBytes(limits.refs));
    let mut refs = Vec::new();
    loop {
        match reader.expect("a ref or a flush packet").await? {
            Line::Flush => break,
            line => {
                let text = line
                    .text()
                    .ok_or_else(|| ErrorKind::Protocol("the list of refs contains a delimiter packet".into()))?;
                refs.extend(decode_line(text, object_format)?);
                if refs.len() > limits.refs {
                    return Err(Exceeded::Refs(limits.refs).into());
                }
            }
        }
    }
    reader.finish().await;
    Ok(refs)
}

/// One line: `<id> <name>[ symref-target:<name>][ peeled:<id>]`; `None` for an unborn ref.
fn decode_line(text: &[u8], object_format: Kind) -> Result<Option<Ref>, ErrorKind> {
    if text.starts_with(b"unborn ") {
        return Ok(None);
    }
    let (id, rest) = parse_id_and_name(text, object_format)?;
    let mut words = rest.split(|byte| *byte == b' ');
    let name = words.next().unwrap_or_default();
    let mut r = Ref { name: ref_name(name), id, peeled: None, symref_target: None };
    for word in words {
        if let Some(target) = word.strip_prefix(b"symref-target:") {
            r.symref_target = Some(ref_name(target));
        } else if let Some(hex) = word.strip_prefix(b"peeled:") {
            let id = ObjectId::from_hex(hex).ok().filter(|id| id.kind() == object_format);
            let id = id.ok_or_else(|| ErrorKind::Protocol(format!("bad peeled id {}", quoted(hex))))?;
            r.peeled = Some(Box::new(id));
        }
    }
    Ok(Some(r))
}
