//! The side-band (`gitprotocol-pack` "Packfile Data"): pack bytes, progress and errors in one stream of packets.
//!
//! Pieces are slices of the chunks that came in. No packet is copied together, so memory does not depend on packet sizes.

use bytes::{Buf, Bytes};
use futures_util::{StreamExt, stream::LocalBoxStream};
use gix_packetline::decode::{PacketLineOrWantedSize, hex_prefix};

use super::pkt_line::{MAX_TAIL, no_length};
use crate::{
    git::{
        error::ErrorKind,
        limits::{Exceeded, WORD_BYTES},
        words::{Words, clean},
    },
    http::ByteStream,
};

/// Splits chunks into the pieces of each band.
#[derive(Debug, Default)]
pub struct Demultiplexer {
    header: Vec<u8>,
    band: u8,
    remaining: usize,
    error: Vec<u8>,
    ended: bool,
    /// How many bytes came in packets with messages or without content.
    words: u64,
    /// How many bytes came after the end.
    tail: usize,
}

/// A part of what one band carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Band 1: the pack, or the report.
    Data(Bytes),
    /// Band 2: words for a person.
    Progress(Bytes),
}

impl Demultiplexer {
    /// Whether the final flush packet has come.
    pub fn has_ended(&self) -> bool {
        self.ended
    }

    /// Takes the next piece from the front of `chunk`; `None` if the chunk is empty or the stream has ended.
    ///
    /// # Errors
    ///
    /// If a packet is malformed, if the server sends an error in band 3, or if there are too many messages.
    pub fn next_piece(&mut self, chunk: &mut Bytes) -> Result<Option<Piece>, ErrorKind> {
        while !self.ended && !chunk.is_empty() {
            if self.remaining == 0 {
                self.take_header(chunk)?;
                continue;
            }
            let slice = chunk.split_to(self.remaining.min(chunk.len()));
            self.remaining -= slice.len();
            match self.band {
                1 => return Ok(Some(Piece::Data(slice))),
                2 => return Ok(Some(Piece::Progress(slice))),
                // A server that fails before the side-band begins sends an `ERR` packet.
                3 | b'E' => {
                    self.error.extend_from_slice(&slice);
                    if self.remaining == 0 {
                        return Err(ErrorKind::Remote(clean(self.error.strip_prefix(b"RR ").unwrap_or(&self.error))));
                    }
                }
                band => return Err(ErrorKind::Protocol(format!("there is no side-band {band}"))),
            }
        }
        if self.ended {
            self.tail += chunk.len();
            chunk.clear();
            if self.tail > MAX_TAIL {
                return Err(ErrorKind::Protocol("the answer continues after its flush packet".into()));
            }
        }
        Ok(None)
    }

    /// Takes the available bytes of the packet's length and band.
    fn take_header(&mut self, chunk: &mut Bytes) -> Result<(), ErrorKind> {
        self.header.push(chunk.get_u8());
        if self.header.len() < 4 {
            return Ok(());
        }
        let size = match hex_prefix(&self.header[..4]) {
            Ok(PacketLineOrWantedSize::Wanted(size)) => usize::from(size),
            Ok(PacketLineOrWantedSize::Line(_)) => {
                self.ended = true;
                return Ok(());
            }
            Err(_) => return Err(no_length(&self.header)),
        };
        if let Some(band) = self.header.get(4) {
            (self.band, self.remaining) = (*band, size - 1);
            self.header.clear();
            if self.band == 2 || self.remaining == 0 {
                // Packets without content count too, because they take time.
                self.words += (size as u64).max(64);
                if self.words > WORD_BYTES {
                    return Err(Exceeded::Words.into());
                }
            }
        }
        Ok(())
    }
}

/// The bytes of band 1, as they come. It succeeds only if it ends with a flush packet. If it fails, the error includes the
/// messages of band 2: Git names the damaged object there, and says in band 3 only that it gives up.
pub fn data(first: Bytes, rest: ByteStream) -> LocalBoxStream<'static, Result<Bytes, ErrorKind>> {
    let state = (Demultiplexer::default(), Words::default(), first, rest);
    futures_util::stream::try_unfold(state, |(mut bands, mut words, mut chunk, mut rest)| async move {
        loop {
            match bands.next_piece(&mut chunk).map_err(|kind| with_words(kind, &words))? {
                Some(Piece::Data(data)) => return Ok(Some((data, (bands, words, chunk, rest)))),
                Some(Piece::Progress(said)) => words.push(&said),
                // After the flush packet the body is read to its end, so that the connection can be used again.
                None => match rest.next().await {
                    Some(next) => chunk = next?,
                    None if bands.has_ended() => return Ok(None),
                    None => {
                        let kind = ErrorKind::Protocol("it ends before its flush packet".into());
                        return Err(with_words(kind, &words));
                    }
                },
            }
        }
    })
    .boxed_local()
}

/// The error, with the messages that came before it. If an answer ends early after a message, the message is the server's
/// reason.
pub(in crate::git) fn with_words(kind: ErrorKind, words: &Words) -> ErrorKind {
    let said = words.text();
    match kind {
        kind if said.is_empty() => kind,
        ErrorKind::Remote(last) if said.ends_with(&last) => ErrorKind::Remote(said),
        ErrorKind::Remote(last) => ErrorKind::Remote(format!("{said}\n{last}")),
        ErrorKind::Protocol(_) => ErrorKind::Remote(said),
        kind => kind,
    }
}
