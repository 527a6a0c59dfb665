//! A server's answer to `GET info/refs` (`gitprotocol-http` "Smart Server Response", `gitprotocol-v2`).
//!
//! A v2 server sends its capabilities. A v1 or v0 server sends its refs at once; the capabilities follow the first ref.

use std::collections::HashMap;

use gix_hash::{Kind, ObjectId};
use gix_object::bstr::{BString, ByteSlice};

use super::{
    capabilities::Capabilities,
    pkt_line::{Line, Reader},
};
use crate::git::{
    error::{ErrorKind, quoted},
    limits::{CAPABILITY_BYTES, Exceeded, Limits, bytes_of_refs},
};

/// A ref that a server has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ref {
    /// The full name.
    pub name: BString,
    /// The id that it points to.
    pub id: ObjectId,
    /// The commit that an annotated tag finally points to, if the server says so. In a box, because most refs have none and
    /// there may be a million refs.
    pub peeled: Option<Box<ObjectId>>,
    /// The ref's target, if it is a symbolic ref and the server says so.
    pub symref_target: Option<BString>,
}

/// A server's advertisement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Advertisement {
    /// Protocol v2: the client has to ask for the refs.
    V2(Capabilities),
    /// Protocol v0 or v1.
    Refs {
        /// The server's capabilities.
        capabilities: Capabilities,
        /// The object format of its ids.
        object_format: Kind,
        /// Its refs, in the server's order.
        refs: Vec<Ref>,
        /// Ids of further objects that the server has (`.have` lines).
        haves: Vec<ObjectId>,
        /// Whether the server says that its history is incomplete (`shallow` lines).
        is_shallow: bool,
    },
}

impl Advertisement {
    /// Reads an advertisement for `service`, such as `git-upload-pack`.
    ///
    /// # Errors
    ///
    /// If it is malformed, if the server reports an error, or if it is too large.
    pub async fn read(reader: &mut Reader, service: &str, limits: &Limits) -> Result<Self, ErrorKind> {
        reader.allow(bytes_of_refs(limits.refs), Exceeded::RefBytes(limits.refs));
        let mut line = reader.expect("the service announcement").await?;
        if line.text() == Some(format!("# service={service}").as_bytes()) {
            line = reader.expect("a flush packet").await?;
            if line == Line::Flush {
                line = reader.expect("the advertisement").await?;
            }
        }
        match line.text() {
            Some(b"version 2") => Ok(Self::V2(read_capabilities(reader).await?)),
            Some(b"version 1") => read_refs(reader.expect("the refs").await?, reader, limits).await,
            _ => read_refs(line, reader, limits).await,
        }
    }
}

async fn read_capabilities(reader: &mut Reader) -> Result<Capabilities, ErrorKind> {
    reader.allow(CAPABILITY_BYTES, Exceeded::Capabilities);
    let mut words = Vec::new();
    loop {
        match reader.expect("a capability").await? {
            Line::Flush => return Ok(words.into_iter().collect()),
            line => words.push(String::from_utf8_lossy(line.text().unwrap_or_default()).into_owned()),
        }
    }
}

async fn read_refs(first: Line, reader: &mut Reader, limits: &Limits) -> Result<Advertisement, ErrorKind> {
    let mut line = first;
    let mut capabilities = Capabilities::default();
    let mut object_format = Kind::Sha1;
    let (mut refs, mut haves, mut is_shallow) = (Vec::<Ref>::new(), Vec::new(), false);
    let mut is_first = true;
    while line != Line::Flush {
        let text =
            line.text().ok_or_else(|| ErrorKind::Protocol("the list of refs contains a delimiter packet".into()))?;
        let (text, list) = split_at_byte(text, 0).unwrap_or((text, b""));
        if is_first {
            capabilities = Capabilities::from_list(list);
            object_format = object_format_of(&capabilities)?;
            is_first = false;
        }
        if text.starts_with(b"shallow ") {
            is_shallow = true;
        } else {
            let (id, name) = parse_id_and_name(text, object_format)?;
            match (name, name.strip_suffix(b"^{}")) {
                (b"capabilities^{}", _) => {}
                (b".have", _) => haves.push(id),
                (_, Some(tag)) => match refs.last_mut().filter(|last| last.name == ref_name(tag)) {
                    Some(last) => last.peeled = Some(Box::new(id)),
                    None => return Err(ErrorKind::Protocol("a peeled tag does not follow its tag".into())),
                },
                (name, None) => refs.push(Ref { name: ref_name(name), id, peeled: None, symref_target: None }),
            }
        }
        if refs.len() + haves.len() > limits.refs {
            return Err(Exceeded::Refs(limits.refs).into());
        }
        line = reader.expect("a ref or a flush packet").await?;
    }
    let symrefs: HashMap<&str, &str> = capabilities.values("symref").filter_map(|pair| pair.split_once(':')).collect();
    for r in refs.iter_mut().filter(|_| !symrefs.is_empty()) {
        r.symref_target = r.name.to_str().ok().and_then(|name| symrefs.get(name)).map(|target| BString::from(*target));
    }
    Ok(Advertisement::Refs { capabilities, object_format, refs, haves, is_shallow })
}

/// The server's object format.
///
/// # Errors
///
/// The format is unknown.
pub(in crate::git) fn object_format_of(capabilities: &Capabilities) -> Result<Kind, ErrorKind> {
    let other =
        |name: String| ErrorKind::Unsupported(format!("an object format other than {}", quoted(name.as_bytes())));
    capabilities.object_format().map_err(other)
}

/// Parts `<id> <name>`.
///
/// # Errors
///
/// If the text does not have this form, with an id of this format.
pub(in crate::git) fn parse_id_and_name(text: &[u8], object_format: Kind) -> Result<(ObjectId, &[u8]), ErrorKind> {
    let malformed = || ErrorKind::Protocol(format!("expected an id and a ref name, got {}", quoted(text)));
    let (hex, name) = split_at_byte(text, b' ').ok_or_else(malformed)?;
    let id = ObjectId::from_hex(hex).ok().filter(|id| id.kind() == object_format).ok_or_else(malformed)?;
    if name.is_empty() { Err(malformed()) } else { Ok((id, name)) }
}

/// A ref's name. If the name is longer than Git can store, it becomes a short text that is not a valid name: it takes
/// little memory, and the ref is rejected for its name.
pub(in crate::git) fn ref_name(name: &[u8]) -> BString {
    if name.len() <= MAX_NAME {
        return name.into();
    }
    let (start, length) = (name[..SHOWN_OF_NAME].as_bstr(), name.len());
    format!("{start}… (a name of {length} bytes, longer than {MAX_NAME})").into()
}

/// Git stores refs in files: this is the longest path of most file systems, in bytes.
const MAX_NAME: usize = 4096;
const SHOWN_OF_NAME: usize = 100;

/// Splits at the first such byte. (Searching for a text of one byte would build a searcher for each line.)
pub(in crate::git) fn split_at_byte(text: &[u8], byte: u8) -> Option<(&[u8], &[u8])> {
    text.find_byte(byte).map(|at| (&text[..at], &text[at + 1..]))
}
