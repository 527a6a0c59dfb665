//! Sends the deliveries of the outbox. The statement of each state change writes them. They are signed, sent at least once,
//! and in order for each sync and each repository.
//!
//! ```text
//!  claim ──▶ POST, signed ──2xx──▶ delivered (the row is deleted)
//!    ▲            │
//!    └── backoff ─┴── anything else, for a day
//! ```
//!
//! A receiver that does not answer does not delay others: a delivery takes ten seconds at most, an organisation has only a
//! few of a process's many lanes, and if a target fails to answer twice in a row, all of its deliveries wait. Then one
//! delivery is tried, with a longer wait each time.
//!
//! While a secret is rotated, a receiver may know the old or the new one: if it refuses a delivery that is signed with the
//! new one, the delivery is signed with the old one and sent again at once. A header with both signatures would confuse
//! receivers that expect one.

use std::{cell::Cell, rc::Rc, time::Duration};

use bytes::Bytes;
use futures_util::{
    future::{Either, select},
    lock::Mutex,
    pin_mut,
};
use serde::Deserialize;
use serde_json::json;

use crate::backoff::Backoff;
use crate::http::{Body, Method, Request};
use crate::service::{
    crypto::Crypto,
    error::Error,
    host::Host,
    random::{hex, random},
    record::{Record, new_trace},
    remotes::redaction::Redaction,
    secrets::Owner,
    stop::Stop,
    store,
};

/// A claimed delivery.
#[derive(Deserialize)]
struct Delivery {
    seq: i64,
    event_id: String,
    #[serde(rename = "type")]
    kind: String,
    attempts: u32,
    target_id: String,
    url: String,
    /// Whom it is written for; `None` for programs.
    format: Option<String>,
    secret: String,
    previous_secret: Option<String>,
    /// The database's clock, which every worker shares; seconds since 1970.
    time: i64,
    is_large: bool,
}

/// The result of a failed delivery.
#[derive(Deserialize)]
struct PutBack {
    is_given_up: bool,
    /// How many deliveries were given up, including those that were never sent.
    given_up: u64,
    /// For how many seconds all deliveries to its target wait.
    target_waits: Option<u64>,
}

/// The value of `x-mesa-signature` for a delivery of `body` at `time`, in seconds since 1970.
///
/// # Errors
///
/// If the platform's cryptography fails.
pub async fn signature(crypto: &dyn Crypto, secret: &str, time: i64, body: &[u8]) -> Result<String, String> {
    let signed = [format!("{time}.").as_bytes(), body].concat();
    let mac = crypto.hmac_sha256(secret.as_bytes(), &signed).await?;
    Ok(format!("t={time},sha256={}", hex(&mac)))
}

/// Sends webhook deliveries, one at a time.
pub struct Deliveries {
    host: Rc<Host>,
    stop: Rc<Stop>,
    /// Locked while a delivery is claimed.
    claiming: Mutex<()>,
    /// How many large deliveries are being sent.
    large: Cell<usize>,
}

impl Deliveries {
    pub(crate) fn new(host: Rc<Host>, stop: Rc<Stop>) -> Self {
        Self { host, stop, claiming: Mutex::default(), large: Cell::default() }
    }

    /// Claims one due webhook delivery, reports the claim, and sends the delivery; false if none was due. A refused
    /// delivery is tried again later, for a day.
    ///
    /// # Errors
    ///
    /// If the database failed. A delivery whose end could not be stored is sent again when its lease expires.
    pub async fn deliver(&self, on_claimed: impl FnOnce()) -> Result<bool, Error> {
        if self.stop.is_stopping() {
            return Ok(false);
        }
        // One lane claims at a time, because the statement counts the deliveries in progress.
        let turn = self.claiming.lock().await;
        let lease = hex(&random::<16>());
        let large = LargeLane::take(&self.large);
        let params = json!({
            "lease": lease,
            "lease_seconds": LEASE.as_secs(),
            "at_once": AT_ONCE,
            "at_once_of_org": AT_ONCE_OF_ORGANIZATION,
            "takes_large": large.is_some(),
        });
        let sql = sql!("sql/webhook_claim.sql");
        let Some(delivery) = store::row::<Delivery>(self.host.database(), sql, params).await? else { return Ok(false) };
        drop(turn);
        let large = large.filter(|_| delivery.is_large);
        on_claimed();
        let public_url = (self.host.options.public_url)();
        let params = json!({"seq": delivery.seq, "lease": lease, "public_url": public_url.trim_end_matches('/')});
        let body = store::text(self.host.database(), sql!("sql/webhook_body.sql"), params).await?;
        // Its target was deleted meanwhile.
        let Some(body) = body else { return Ok(true) };
        let body = match &delivery.format {
            Some(format) => self.host.options.runtime.render(format, &body),
            None => body,
        };
        let started = self.host.now();
        let sent = self.send(&delivery, body.into()).await;
        drop(large);
        let duration_ms = self.host.milliseconds_since(started);
        let Delivery { event_id, kind, attempts, target_id, .. } = delivery;
        let tell = |status, error| {
            let (target_id, event_id, kind) = (target_id.clone(), event_id.clone(), kind.clone());
            let trace_id = new_trace();
            self.host.record(Record::Webhook {
                trace_id,
                target_id,
                event_id,
                kind,
                attempt: attempts,
                status,
                duration_ms,
                error,
            });
        };
        let Err(refusal) = sent else {
            let params = json!({"seq": delivery.seq, "lease": lease});
            store::row::<i64>(self.host.database(), sql!("sql/webhook_delivered.sql"), params).await?;
            tell("delivered", None);
            return Ok(true);
        };
        let params = json!({
            "seq": delivery.seq,
            "lease": lease,
            "first_wait": WAITS.first.as_secs(),
            "longest_wait": WAITS.longest.as_secs(),
            "tried_for": TRIED_FOR.as_secs(),
            "has_hung": matches!(refusal, NotDelivered::Silence),
        });
        let put_back: Option<PutBack> = store::row(self.host.database(), sql!("sql/webhook_retry.sql"), params).await?;
        let refusal = refusal.to_string();
        let is_given_up = put_back.as_ref().is_some_and(|end| end.is_given_up);
        let (status, end) = if is_given_up { ("given_up", "; given up") } else { ("refused", "") };
        self.host.log(&format!("webhook {target_id}: {kind} {event_id} attempt {attempts}: {refusal}{end}"));
        if let Some(PutBack { given_up, target_waits: Some(seconds), .. }) = put_back {
            let others = given_up.saturating_sub(u64::from(is_given_up));
            let lost = if others > 0 {
                format!(" {others} deliveries that waited for a day are given up.")
            } else {
                String::new()
            };
            self.host.log(&format!(
                "webhook {target_id} did not answer twice in a row; nothing is sent to it for {seconds} s.{lost}"
            ));
        }
        tell(status, Some(refusal));
        Ok(true)
    }

    /// Sends the delivery signed with the current secret. If the receiver refuses it, sends it signed with the previous
    /// secret. One time limit covers both.
    async fn send(&self, delivery: &Delivery, body: Bytes) -> Result<(), NotDelivered> {
        let sent = async {
            let present = self.post(delivery, &delivery.secret, &body).await;
            match (&present, &delivery.previous_secret) {
                (Err(NotDelivered::Status(400..500)), Some(previous)) => self.post(delivery, previous, &body).await,
                _ => present,
            }
        };
        let timeout = self.host.options.runtime.sleep(TIMEOUT);
        pin_mut!(sent, timeout);
        match select(sent, timeout).await {
            Either::Left((sent, _)) => sent,
            Either::Right(_) => Err(NotDelivered::Silence),
        }
    }

    async fn post(&self, delivery: &Delivery, sealed: &str, body: &Bytes) -> Result<(), NotDelivered> {
        let secret: String = self
            .host
            .secrets
            .open(sealed, Owner::target(&delivery.target_id))
            .await
            .map_err(|_| NotDelivered::Other(UNREADABLE.into()))?;
        // A receiver's answer or a runtime's error may repeat the request, and a receiver's URL may contain a token.
        let redaction = Redaction::of_secret(&secret).and(Redaction::of_query(&delivery.url));
        let signature = signature(&*self.host.options.crypto, &secret, delivery.time, body).await;
        let content_type = match delivery.format.as_deref() {
            Some("ntfy") => "text/plain; charset=utf-8",
            _ => "application/json",
        };
        let request = Request::new(Method::Post, delivery.url.as_str())
            .header("content-type", content_type)
            .header("x-mesa-signature", signature.map_err(NotDelivered::Other)?)
            .body(Body::Bytes(body.clone()));
        match self.host.options.webhook_http.send(request).await {
            Ok(response) if response.is_success() => Ok(()),
            Ok(response) => Err(NotDelivered::Status(response.status)),
            Err(error) => Err(NotDelivered::Other(redaction.text(&error.to_string()))),
        }
    }
}

/// Why a delivery did not arrive.
#[derive(Debug, thiserror::Error)]
enum NotDelivered {
    #[error("the receiver answered {0}")]
    Status(u16),
    #[error("no answer came within {} s", TIMEOUT.as_secs())]
    Silence,
    #[error("{0}")]
    Other(String),
}

/// A lane of this process for a large delivery.
struct LargeLane<'a>(&'a Cell<usize>);

impl<'a> LargeLane<'a> {
    /// `None` if there is no free lane.
    fn take(taken: &'a Cell<usize>) -> Option<Self> {
        (taken.get() < LARGE_AT_ONCE).then(|| {
            taken.set(taken.get() + 1);
            Self(taken)
        })
    }
}

impl Drop for LargeLane<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

const UNREADABLE: &str = "its secret cannot be read with this service's secret key; rotate it";
/// How long a receiver may take to answer. The limit covers both signatures.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Longer than a delivery takes.
pub(crate) const LEASE: Duration = Duration::from_secs(30);
/// How many deliveries to a target may be in progress.
const AT_ONCE: usize = 2;
/// The same for an organisation. A process has eight times as many lanes (`pkg/src/worker.ts`).
const AT_ONCE_OF_ORGANIZATION: usize = 8;
/// How many large deliveries a process sends at the same time, because it has several copies of a delivery in memory
/// meanwhile. An organisation may have one. `webhook_claim.sql` says which are large: those of a megabyte and more.
const LARGE_AT_ONCE: usize = 2;
/// How long a delivery waits for its next attempt, before jitter. `webhook_retry.sql` computes the wait, because it knows
/// how often a target did not answer in time.
pub(crate) const WAITS: Backoff = Backoff::doubling(Duration::from_secs(5), Duration::from_secs(60 * 60));
const TRIED_FOR: Duration = Duration::from_secs(24 * 60 * 60);
