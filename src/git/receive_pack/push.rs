//! Pushing: the commands, and the report on them (`gitprotocol-pack` "Reference Update Request and Packfile Transfer",
//! "Report Status").

use std::collections::{HashMap, HashSet};

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use gix_hash::{Kind, ObjectId};
use gix_object::bstr::BString;

use crate::{
    git::{
        codec::{
            advertisement::split_at_byte,
            capabilities::{AGENT, Capabilities},
            pkt_line::{self, Line, Reader},
            sideband::{Demultiplexer, Piece, with_words},
        },
        error::{ErrorKind, quoted},
        words::{Words, clean_short},
    },
    http::{self, Body},
};

/// One ref to create or move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// The full name.
    pub name: BString,
    /// The id that the destination must have, or the command is refused; `None` if the ref must not exist.
    pub old: Option<ObjectId>,
    /// The new id; the null id deletes the ref.
    pub new: ObjectId,
}

/// Options of a push.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PushOptions {
    /// Do all commands or none.
    pub atomic: bool,
    /// Push options for the destination's hooks (`git push --push-option`), each without a line break.
    pub push_options: Vec<String>,
}

/// The destination's report on a push.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Whether the destination cannot send a report. Then all other fields are empty.
    pub is_silent: bool,
    /// Why the pack could not be stored, if so.
    pub unpack_error: Option<String>,
    /// For each ref `None` if it is done, or the destination's reason if it is not.
    pub refs: HashMap<BString, Option<String>>,
    /// Refs that the destination changed in another way than asked, such as under another name (`report-status-v2`).
    pub done_otherwise: HashSet<BString>,
    /// Messages of hooks and of the server, cleaned and shortened.
    pub words: String,
}

/// The commands. The first one carries the capabilities that we use.
pub(super) fn encode(
    commands: &[Command],
    options: &PushOptions,
    capabilities: &Capabilities,
    object_format: Kind,
) -> Vec<u8> {
    let mut features = String::from("\0");
    if options.atomic {
        features.push_str(" atomic");
    }
    if !options.push_options.is_empty() {
        features.push_str(" push-options");
    }
    let report = if capabilities.has("report-status-v2") { "report-status-v2" } else { "report-status" };
    // Nobody sees the server's progress, and it would come before the messages of its hooks.
    for feature in [report, "side-band-64k", "quiet"] {
        if capabilities.has(feature) {
            features.push_str(&format!(" {feature}"));
        }
    }
    if capabilities.has("object-format") {
        features.push_str(&format!(" object-format={object_format}"));
    }
    if capabilities.has("agent") {
        features.push_str(&format!(" agent={AGENT}"));
    }
    let mut out = Vec::new();
    for Command { name, old, new } in commands {
        let old = old.unwrap_or_else(|| object_format.null());
        let mut line = format!("{old} {new} ").into_bytes();
        line.extend_from_slice(name);
        line.extend_from_slice(features.as_bytes());
        pkt_line::encode(&mut out, &line);
        features.clear();
    }
    out.extend_from_slice(pkt_line::FLUSH);
    if !options.push_options.is_empty() {
        options.push_options.iter().for_each(|option| pkt_line::encode(&mut out, option.as_bytes()));
        out.extend_from_slice(pkt_line::FLUSH);
    }
    out
}

/// The pack without objects, which a push of refs to known objects still needs (`gitformat-pack`).
pub fn empty_pack(object_format: Kind) -> Bytes {
    let mut pack = b"PACK\0\0\0\x02\0\0\0\0".to_vec();
    let mut hasher = gix_hash::hasher(object_format);
    hasher.update(&pack);
    let hash = hasher.try_finalize().expect("twelve constant bytes are no collision attack");
    pack.extend_from_slice(hash.as_slice());
    pack.into()
}

/// Reads the answer to a push.
///
/// # Errors
///
/// If the answer is malformed, or if the server sends an error instead of a report.
pub(super) async fn decode(body: Body, capabilities: &Capabilities) -> Result<Report, ErrorKind> {
    let reports = capabilities.has("report-status") || capabilities.has("report-status-v2");
    if !capabilities.has("side-band-64k") {
        if reports {
            return decode_report(&mut Reader::new(body)).await;
        }
        body.bytes(MAX_REPORT).await?;
        return Ok(Report { is_silent: true, ..Report::default() });
    }
    let (mut bands, mut report, mut words) = (Demultiplexer::default(), BytesMut::new(), Words::default());
    let mut stream = body.into_stream();
    while let Some(chunk) = stream.next().await {
        let mut chunk = chunk.map_err(|error| cut_off(error, &words))?;
        while let Some(piece) = bands.next_piece(&mut chunk).map_err(|kind| with_words(kind, &words))? {
            match piece {
                Piece::Data(data) if report.len() + data.len() > MAX_REPORT => {
                    return Err(ErrorKind::Protocol(format!("the report has more than {MAX_REPORT} bytes")));
                }
                Piece::Data(data) => report.extend_from_slice(&data),
                Piece::Progress(said) => words.push(&said),
            }
        }
    }
    if !bands.has_ended() && reports {
        // If there are messages but no report, the messages are the host's answer.
        return Err(with_words(ErrorKind::Protocol("the report ends before its flush packet".into()), &words));
    }
    let report = match reports {
        true if report.is_empty() && !words.is_empty() => return Err(ErrorKind::Remote(words.text())),
        true => decode_report(&mut Reader::new(Body::Bytes(report.freeze()))).await?,
        false => Report { is_silent: true, ..Report::default() },
    };
    Ok(Report { words: words.text(), ..report })
}

/// A lost connection, with what the server had said before.
fn cut_off(error: http::Error, words: &Words) -> ErrorKind {
    if words.is_empty() {
        return error.into();
    }
    http::Error::new(error.kind, format!("{}; before that the server said: {}", error.message, words.text())).into()
}

async fn decode_report(reader: &mut Reader) -> Result<Report, ErrorKind> {
    let (mut report, mut last) = (Report::default(), None);
    let line = reader.expect("the report on the pack").await?;
    match line.text().and_then(|text| text.strip_prefix(b"unpack ")) {
        Some(b"ok") => {}
        Some(why) => report.unpack_error = Some(clean_short(why)),
        None => return Err(ErrorKind::Protocol("the report does not start with the status of the pack".into())),
    }
    loop {
        let line = reader.expect("a ref's report or a flush packet").await?;
        if line == Line::Flush {
            return Ok(report);
        }
        let text = line.text().unwrap_or_default();
        if let Some(name) = text.strip_prefix(b"ok ") {
            report.refs.insert(name.into(), None);
            last = Some(BString::from(name));
        } else if let Some(rest) = text.strip_prefix(b"ng ") {
            let (name, why) = split_at_byte(rest, b' ').unwrap_or((rest, b"no reason given"));
            report.refs.insert(name.into(), Some(clean_short(why)));
            last = None;
        } else if text.starts_with(b"option ") {
            // They describe the ref before them. We read its new value at the destination later.
            report.done_otherwise.extend(last.clone());
        } else {
            return Err(ErrorKind::Protocol(format!("{} is not part of a report", quoted(text))));
        }
    }
}

/// The most bytes of a report. It has about a hundred bytes for each ref.
const MAX_REPORT: usize = 32 * 1024 * 1024;
