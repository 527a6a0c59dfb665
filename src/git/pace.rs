//! Ends what does not get on: a remote that dribbles, and one that has kept us waiting for too long.
//!
//! Only silence is timed by the [`HttpClient`]. A remote that sends a byte every few seconds is never silent. So what comes is
//! counted, and the time that we wait for it: not the time in which the other side of a sync is the slow one, for then nobody
//! waits here. Nothing is counted before the first byte, because a server may have much to do until then.

use std::{future::poll_fn, rc::Rc, task::Poll, time::Duration};

use bytes::Bytes;
use futures_util::{FutureExt, Stream, StreamExt, future::LocalBoxFuture, stream::LocalBoxStream};

use super::limits::MinRate;
use crate::http::{Error, ErrorKind, HttpClient};

/// The least that has to come, and what came.
struct Pace {
    http: Rc<dyn HttpClient>,
    least: MinRate,
    /// Whether the first byte has come.
    has_begun: bool,
    /// Since when we wait, if we do.
    since: Option<Duration>,
    /// How long we waited in this stretch of time, and how many bytes came.
    waited: Duration,
    came: u64,
}

/// The same pieces, and an error once they come too slowly or their first one takes longer than [`PATIENCE`].
pub(super) fn paced<E: From<Error> + 'static>(
    mut pieces: impl Stream<Item = Result<Bytes, E>> + Unpin + 'static,
    http: Rc<dyn HttpClient>,
    least: MinRate,
) -> LocalBoxStream<'static, Result<Bytes, E>> {
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

/// What `work` gives, or an error once it has taken longer than [`PATIENCE`].
pub(super) fn patiently<'a, T, E: From<Error>>(
    work: impl Future<Output = Result<T, E>> + 'a,
    http: &'a dyn HttpClient,
) -> LocalBoxFuture<'a, Result<T, E>> {
    let (mut work, mut start) = (Box::pin(work), None);
    let patient = poll_fn(move |cx| match work.poll_unpin(cx) {
        Poll::Pending => match http.now() {
            Some(now) if now.saturating_sub(*start.get_or_insert(now)) > PATIENCE => {
                Poll::Ready(Err(out_of_patience().into()))
            }
            _ => Poll::Pending,
        },
        done => done,
    });
    patient.boxed_local()
}

impl Pace {
    /// Nothing is there now.
    fn wait(&mut self) -> Option<Error> {
        let now = self.http.now()?;
        let waited = self.waited + now.saturating_sub(*self.since.get_or_insert(now));
        if !self.has_begun {
            return (waited > PATIENCE).then(out_of_patience);
        }
        (waited >= self.least.time && self.came < self.least.bytes).then(|| self.too_slow(waited))
    }

    /// So many bytes have come.
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
        format!("it has had {minutes} minutes for what Git servers do in seconds; this limit cannot be raised");
    Error::new(ErrorKind::TooSlow, message)
}

/// How long a list of refs may take as a whole, and the time until a pack begins: a server may send signs of life meanwhile.
const PATIENCE: Duration = Duration::from_secs(3600);
