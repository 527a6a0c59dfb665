//! The pack on its way from the source's answer into the destination's push.
//!
//! If the source breaks off or the proof fails, the push ends **cleanly but early**. Then the destination's `index-pack`
//! finds the pack incomplete, refuses every command and deletes its temporary files. If the connection were aborted, these
//! files would stay.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use bytes::Bytes;
use futures_util::{Stream, StreamExt};

use super::gate::{Gate, Unproved};
use crate::{
    api::Phase,
    git,
    http::{self, ByteStream},
    sync::progress::Observer,
};

/// Why a pack ended early.
pub(super) enum Cut {
    /// The source broke off, or sent no pack.
    Source(git::Error),
    /// The pack does not prove the claims.
    Unproved,
}

/// How a relay ended. The relay writes it, and its owner reads it afterwards.
#[derive(Clone, Default)]
pub(super) struct Ending {
    cut: Rc<RefCell<Option<Cut>>>,
    is_whole: Rc<Cell<bool>>,
    bytes: Rc<Cell<u64>>,
}

impl Ending {
    /// Takes the reason if it ended early.
    pub(super) fn take(&self) -> Option<Cut> {
        self.cut.borrow_mut().take()
    }

    /// How many bytes of the pack were forwarded.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes.get()
    }

    /// Whether the whole pack was forwarded. If not, the destination cannot have used it.
    pub(super) fn is_whole(&self) -> bool {
        self.is_whole.get()
    }
}

/// The pack as a request body, and the place where its end is noted. If it ends early, the body's last item is an error: if
/// nothing was sent before, the push is not sent at all.
pub(super) fn relay(
    pack: impl Stream<Item = Result<Bytes, git::Error>> + 'static,
    gate: Gate,
    unreadable: impl Fn(git::ErrorKind) -> git::Error + 'static,
    observer: Observer,
) -> (ByteStream, Ending) {
    let ending = Ending::default();
    let mut relay = Relay { gate, ending: ending.clone(), observer, passed: Passed::default() };
    let body = pack
        .map(Some)
        .chain(futures_util::stream::iter([None]))
        .flat_map(move |item| {
            futures_util::stream::iter(match relay.step(item, &unreadable) {
                Some(pieces) => pieces.map(Ok),
                None => [Err(cut_short()), Ok(Bytes::new())],
            })
        })
        .filter(|piece| std::future::ready(!matches!(piece, Ok(bytes) if bytes.is_empty())));
    (body.boxed_local(), ending)
}

fn cut_short() -> http::Error {
    http::Error::new(http::ErrorKind::Aborted, "the pack ends short")
}

struct Relay {
    gate: Gate,
    ending: Ending,
    observer: Observer,
    passed: Passed,
}

impl Relay {
    /// The bytes to forward after the next chunk of the pack, or after its end; `None` if the body ends early.
    fn step(
        &mut self,
        item: Option<Result<Bytes, git::Error>>,
        unreadable: impl Fn(git::ErrorKind) -> git::Error,
    ) -> Option<[Bytes; 2]> {
        match item {
            Some(Ok(chunk)) => {
                self.passed.count(&chunk);
                self.ending.bytes.set(self.passed.bytes);
                self.observer.report(Phase::Transferring, self.passed.bytes, self.passed.objects());
                match self.gate.pass(chunk) {
                    Ok(Ok(bytes)) => Some(bytes),
                    Ok(Err(Unproved)) => self.cut(Cut::Unproved),
                    Err(kind) => self.cut(Cut::Source(unreadable(kind))),
                }
            }
            Some(Err(error)) => self.cut(Cut::Source(error)),
            None => match self.gate.end() {
                Ok(end) => {
                    self.observer.report(Phase::Storing, self.passed.bytes, self.passed.objects());
                    self.ending.is_whole.set(true);
                    Some([end, Bytes::new()])
                }
                Err(Unproved) => self.cut(Cut::Unproved),
            },
        }
    }

    fn cut(&mut self, cut: Cut) -> Option<[Bytes; 2]> {
        self.ending.cut.replace(Some(cut));
        None
    }
}

/// The progress so far.
#[derive(Default)]
struct Passed {
    bytes: u64,
    header: Vec<u8>,
}

impl Passed {
    fn count(&mut self, chunk: &Bytes) {
        self.bytes += chunk.len() as u64;
        let missing = 12usize.saturating_sub(self.header.len());
        self.header.extend_from_slice(&chunk[..chunk.len().min(missing)]);
    }

    /// The object count in the pack's header (`gitformat-pack`).
    fn objects(&self) -> Option<u32> {
        self.header.last_chunk::<4>().filter(|_| self.header.len() == 12).map(|count| u32::from_be_bytes(*count))
    }
}
