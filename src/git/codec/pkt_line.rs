//! Packet lines, the framing of every Git message (`gitprotocol-common`, "pkt-line Format").
//!
//! [`Reader`] takes bytes from the network and returns whole lines; [`encode`] writes a line.

use bytes::{Buf, Bytes, BytesMut};
use futures_util::StreamExt;
use gix_packetline::{
    PacketLineRef,
    decode::{Stream, streaming},
};

use crate::{
    git::{
        error::{ErrorKind, quoted},
        limits::Exceeded,
        words::clean,
    },
    http::{Body, ByteStream},
};

/// One packet line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// A line with data, including the `\n` at its end if the server sent one.
    Data(Bytes),
    /// `0000`.
    Flush,
    /// `0001`.
    Delimiter,
    /// `0002`.
    ResponseEnd,
}

impl Line {
    /// The data without its `\n`; empty for the special lines.
    pub fn text(&self) -> Option<&[u8]> {
        match self {
            Self::Data(data) => Some(data.strip_suffix(b"\n").unwrap_or(data)),
            _ => None,
        }
    }
}

/// Gives the lines of a body, one by one.
pub struct Reader {
    stream: ByteStream,
    /// Bytes that came but were not returned yet: the start of a line, and the latest chunk. Lines are slices of it.
    buffer: Bytes,
    /// How many bytes of lines may still come, and the error if there are more.
    left: Option<(u64, Exceeded)>,
}

impl Reader {
    /// A reader of this body.
    pub fn new(body: Body) -> Self {
        // Fused, because a body may be read again after its end.
        Self { stream: body.into_stream().fuse().boxed_local(), buffer: Bytes::new(), left: None }
    }

    /// The same, but it returns at most this many bytes of lines. More are this error.
    #[must_use]
    pub fn at_most(mut self, bytes: u64, exceeded: Exceeded) -> Self {
        self.allow(bytes, exceeded);
        self
    }

    /// Returns at most this many bytes of lines from now on.
    pub fn allow(&mut self, bytes: u64, exceeded: Exceeded) {
        self.left = Some((bytes, exceeded));
    }

    /// The next line, or `None` at the body's end.
    ///
    /// # Errors
    ///
    /// If the connection breaks, if a line is malformed or incomplete, or if there are too many bytes.
    pub async fn next(&mut self) -> Result<Option<Line>, ErrorKind> {
        loop {
            if let Some((line, consumed)) = decode(&self.buffer)? {
                if let Some((left, exceeded)) = &mut self.left {
                    *left = left.checked_sub(consumed as u64).ok_or(*exceeded)?;
                }
                let mut bytes = self.buffer.split_to(consumed);
                return Ok(Some(match line {
                    Kind::Data => {
                        bytes.advance(LENGTH);
                        Line::Data(bytes)
                    }
                    Kind::Special(line) => line,
                }));
            }
            if !self.read().await? {
                return match self.buffer.is_empty() {
                    true => Ok(None),
                    false => Err(ErrorKind::Protocol("it ends within a packet line".into())),
                };
            }
        }
    }

    /// Whether the next line's data starts with these bytes. Nothing is consumed, because the next bytes may not be lines.
    ///
    /// # Errors
    ///
    /// A broken connection.
    pub async fn next_starts_with(&mut self, start: &[u8]) -> Result<bool, ErrorKind> {
        while self.buffer.len() < LENGTH + start.len() && self.read().await? {}
        Ok(self.buffer.get(LENGTH..).is_some_and(|data| data.starts_with(start)))
    }

    /// Reads another chunk. Returns whether there was one.
    async fn read(&mut self) -> Result<bool, ErrorKind> {
        match self.stream.next().await {
            None => return Ok(false),
            Some(chunk) if self.buffer.is_empty() => self.buffer = chunk?,
            Some(chunk) => {
                // Nobody else holds this buffer any more, so it grows in place.
                let mut line = BytesMut::from(std::mem::take(&mut self.buffer));
                line.extend_from_slice(&chunk?);
                self.buffer = line.freeze();
            }
        }
        Ok(true)
    }

    /// The next line, which must exist.
    ///
    /// # Errors
    ///
    /// As [`Reader::next`], and if the body ends. `expected` says what should have come.
    pub async fn expect(&mut self, expected: &str) -> Result<Line, ErrorKind> {
        let end = || ErrorKind::Protocol(format!("it ends where {expected} should follow"));
        match self.next().await?.ok_or_else(end)? {
            line if line.text().is_some_and(|text| text.starts_with(b"ERR ")) => {
                let text = line.text().map_or(&b""[..], |text| &text[4..]);
                Err(ErrorKind::Remote(clean(text)))
            }
            line => Ok(line),
        }
    }

    /// Reads to the body's end, so that the connection can be used again. Nothing else should come.
    pub async fn finish(mut self) {
        let mut left = MAX_TAIL;
        while let Some(Ok(chunk)) = self.stream.next().await {
            match left.checked_sub(chunk.len()) {
                Some(rest) => left = rest,
                // If more comes, dropping it is cheaper than reading it.
                None => return,
            }
        }
    }

    /// The bytes that were read but not returned in a line, and the rest of the body.
    pub fn into_rest(self) -> (Bytes, ByteStream) {
        (self.buffer, self.stream)
    }
}

enum Kind {
    Data,
    Special(Line),
}

/// The line at the start of `bytes` and its length; `None` if more bytes are needed.
fn decode(bytes: &[u8]) -> Result<Option<(Kind, usize)>, ErrorKind> {
    match streaming(bytes) {
        Ok(Stream::Incomplete { .. }) => Ok(None),
        Ok(Stream::Complete { line, bytes_consumed }) => {
            let kind = match line {
                PacketLineRef::Data(_) => Kind::Data,
                PacketLineRef::Flush => Kind::Special(Line::Flush),
                PacketLineRef::Delimiter => Kind::Special(Line::Delimiter),
                PacketLineRef::ResponseEnd => Kind::Special(Line::ResponseEnd),
            };
            Ok(Some((kind, bytes_consumed)))
        }
        Err(_) => Err(no_length(bytes)),
    }
}

/// The error for a packet that does not start with a valid length.
pub(in crate::git) fn no_length(bytes: &[u8]) -> ErrorKind {
    let start = quoted(&bytes[..bytes.len().min(LENGTH)]);
    ErrorKind::Protocol(format!("a packet line starts with {start}, which is not a valid length"))
}

/// Appends `data` as one line. It has at most 65,516 bytes.
pub fn encode(out: &mut Vec<u8>, data: &[u8]) {
    debug_assert!(data.len() <= MAX_DATA, "our own lines are short");
    out.extend_from_slice(format!("{:04x}", data.len() + LENGTH).as_bytes());
    out.extend_from_slice(data);
}

/// How many digits a line's length has.
const LENGTH: usize = 4;

/// The most bytes of data in one line.
const MAX_DATA: usize = 65_516;

/// The most bytes that are read after the end of a message.
pub(in crate::git) const MAX_TAIL: usize = 64 * 1024;

/// The flush line.
pub const FLUSH: &[u8] = b"0000";
/// The delimiter line.
pub const DELIMITER: &[u8] = b"0001";
