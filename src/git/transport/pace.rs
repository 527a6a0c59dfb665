//! Gives up on a remote that sends too slowly, or that makes us wait for too long.
//!
//! The [`HttpClient`] only notices silence, and a remote that sends a byte every few seconds is never silent. So this
//! counts the bytes that come, and the time that we wait for them. If the other side of the sync is slow, nobody waits
//! here, and that time does not count. The count starts with the first byte: a server may need a long time to prepare its
//! answer.

use std::{cell::Cell, rc::Rc, task::Poll, time::Duration};

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream::LocalBoxStream};

use crate::{
    git::limits::MinRate,
    http::{Body, Error, ErrorKind, HttpClient},
};

/// The required rate, and the bytes so far.
struct Pace {
    http: Rc<dyn HttpClient>,
    least: MinRate,
    /// Whether the first byte has come.
    has_begun: bool,
    /// When the current wait began, if we wait now.
    since: Option<Duration>,
    /// How long we waited in this period, and how many bytes came.
    waited: Duration,
    came: u64,
}

/// The same chunks. It fails if they come too slowly, or if the first one takes longer than [`PATIENCE`].
pub(in crate::git) fn paced<E: From<Error> + 'static>(
    mut pieces: impl Stream<Item = Result<Bytes, E>> + Unpin + 'static,
    http: Rc<dyn HttpClient>,
    least: MinRate,
) -> LocalBoxStream<'static, Result<Bytes, E>> {
    if least.bytes == 0 {
        return pieces.boxed_local();
    }
    let (since, waited) = (None, Duration::ZERO);
    let mut pace = Pace { http, least, has_begun: false, since, waited, came: 0 };
    let pieces = futures_util::stream::poll_fn(move |cx| match pieces.poll_next_unpin(cx) {
        Poll::Pending => pace.wait().map_or(Poll::Pending, |error| Poll::Ready(Some(Err(error.into())))),
        Poll::Ready(Some(Ok(piece))) => match pace.take(piece.len() as u64) {
            Some(error) => Poll::Ready(Some(Err(error.into()))),
            None => Poll::Ready(Some(Ok(piece))),
        },
        end => end,
    });
    pieces.boxed_local()
}

/// When the sync last made progress, by the clock of the [`HttpClient`]. The wait for an answer is measured from there.
/// `None` if there is no clock, or if the answer may take any time.
pub(in crate::git) type Moved = Rc<Cell<Option<Duration>>>;

/// The same body. It fails if we wait for it and [`PATIENCE`] has passed since the last progress.
pub(in crate::git) fn patient(body: Body, http: Rc<dyn HttpClient>, least: MinRate, moved: Moved) -> Body {
    let mut pieces = body.into_stream();
    let pieces = futures_util::stream::poll_fn(move |cx| match pieces.poll_next_unpin(cx) {
        Poll::Pending if least.bytes > 0 => match (http.now(), moved.get()) {
            (Some(now), Some(moved)) if now.saturating_sub(moved) > PATIENCE => {
                Poll::Ready(Some(Err(out_of_patience())))
            }
            _ => Poll::Pending,
        },
        result => result,
    });
    Body::Stream(pieces.boxed_local())
}

impl Pace {
    /// No byte is available now.
    fn wait(&mut self) -> Option<Error> {
        let now = self.http.now()?;
        let waited = self.waited + now.saturating_sub(*self.since.get_or_insert(now));
        if !self.has_begun {
            return (waited > PATIENCE).then(out_of_patience);
        }
        (waited >= self.least.time && self.came < self.least.bytes).then(|| self.too_slow(waited))
    }

    /// Counts bytes that have come.
    fn take(&mut self, bytes: u64) -> Option<Error> {
        if let Some(since) = self.since.take() {
            self.waited += self.http.now()?.saturating_sub(since);
        }
        if !std::mem::replace(&mut self.has_begun, true) {
            self.waited = Duration::ZERO;
        }
        self.came += bytes;
        if self.waited < self.least.time {
            return None;
        }
        if self.came < self.least.bytes {
            return Some(self.too_slow(self.waited));
        }
        (self.waited, self.came) = (Duration::ZERO, 0);
        None
    }

    fn too_slow(&self, waited: Duration) -> Error {
        let MinRate { bytes, time } = self.least;
        let message = format!(
            "it is too slow: {} bytes came in {} s of waiting, and at least {bytes} must come in {} s; to wait for it, lower \
             minRate (--min-rate)",
            self.came,
            waited.as_secs(),
            time.as_secs_f64(),
        );
        Error::new(ErrorKind::TooSlow, message)
    }
}

fn out_of_patience() -> Error {
    let minutes = PATIENCE.as_secs() / 60;
    let message =
        format!("it has had {minutes} minutes for this; to wait for longer, set minRate to 0 bytes (--min-rate 0)");
    Error::new(ErrorKind::TooSlow, message)
}

/// How long a list of refs may take as a whole, the time until a pack begins, and the time from the end of a push to the
/// end of its report. The server may send keep-alive packets meanwhile.
const PATIENCE: Duration = Duration::from_secs(3600);
