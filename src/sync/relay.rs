//! The pack on its way: out of the source's answer, into the destination's push.
//!
//! A source that breaks off ends the push **cleanly but short**. The destination's `index-pack` then finds the pack
//! incomplete, refuses every command and clears up after itself; a push that is torn down leaves its files behind.

use std::{cell::RefCell, rc::Rc};

use bytes::Bytes;
use futures_util::StreamExt;

use super::{Observer, Phase};
use crate::{
    git::{ErrorKind, PackStream},
    http::ByteStream,
};

/// What broke off a pack, if anything did.
#[derive(Clone, Default)]
pub(super) struct Breakage(Rc<RefCell<Option<ErrorKind>>>);

impl Breakage {
    /// Takes it out.
    pub(super) fn take(&self) -> Option<ErrorKind> {
        self.0.borrow_mut().take()
    }
}

/// The pack as a request body, and where to look afterwards for what broke it.
pub(super) fn relay(pack: PackStream, observer: Observer) -> (ByteStream, Breakage) {
    let breakage = Breakage::default();
    let state = (pack, observer, breakage.clone(), Passed::default());
    let body = futures_util::stream::unfold(state, |(mut pack, observer, breakage, mut passed)| async move {
        match pack.next().await {
            Some(Ok(chunk)) => {
                passed.count(&chunk);
                observer.report(Phase::Transferring, passed.bytes, passed.objects());
                Some((Ok(chunk), (pack, observer, breakage, passed)))
            }
            Some(Err(kind)) => {
                breakage.0.replace(Some(kind));
                None
            }
            None => {
                observer.report(Phase::Storing, passed.bytes, passed.objects());
                None
            }
        }
    });
    (body.boxed_local(), breakage)
}

/// What has passed so far.
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
