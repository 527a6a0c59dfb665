//! Deliveries from the outbox, which the statement of each state change wrote: signed, at least once, in order for each
//! sync and each repository.
//!
//! ```text
//!  claim ──▶ POST, signed ──2xx──▶ delivered (the row is deleted)
//!    ▲            │
//!    └── backoff ─┴── anything else, for a day
//! ```
//!
//! While a secret is being rotated, a receiver may know the old one or the new one: what it refuses under the new one is
//! sent again at once under the old one. One header with both would be misread by those who look for one.

use std::time::Duration;

use futures_util::{
    future::{Either, select},
    pin_mut,
};
use serde::Deserialize;

use super::{
    Error, Service,
    crypto::Crypto,
    hex, random,
    record::{Record, new_trace},
    store,
};
use crate::http::{Body, Method, Request};

/// A delivery in one worker's hands.
#[derive(Deserialize)]
struct Delivery {
    seq: i64,
    event_id: String,
    #[serde(rename = "type")]
    kind: String,
    attempts: u32,
    target_id: String,
    url: String,
    secret: String,
    previous_secret: Option<String>,
    /// The database's clock, which every worker shares; seconds since 1970.
    time: i64,
    body: String,
}

/// The value of `x-mesa-signature` for a delivery of `body` at `time`, in seconds since 1970.
///
/// # Errors
///
/// What the platform's cryptography says.
pub async fn signature(crypto: &dyn Crypto, secret: &str, time: i64, body: &str) -> Result<String, String> {
    let mac = crypto.hmac_sha256(secret.as_bytes(), format!("{time}.{body}").as_bytes()).await?;
    Ok(format!("t={time},sha256={}", hex(&mac)))
}

impl Service {
    /// Claims one webhook delivery that is due and sends it; false where none was. One that is refused is tried again
    /// later, for a day.
    ///
    /// # Errors
    ///
    /// Where the database failed. A delivery whose end could not be stored is sent again when its lease expires.
    pub async fn deliver(&self) -> Result<bool, Error> {
        if self.stop.is_stopping() {
            return Ok(false);
        }
        let lease = hex(&random::<16>());
        let params = vec![
            Some(lease.clone()),
            Some(LEASE.as_secs().to_string()),
            Some((self.options.public_url)().trim_end_matches('/').to_owned()),
            Some(AT_ONCE.to_string()),
        ];
        let sql = sql!("sql/webhook_claim.sql");
        let Some(delivery) = store::row::<Delivery>(self.database(), sql, params).await? else { return Ok(false) };
        let held = vec![Some(delivery.seq.to_string()), Some(lease)];
        let started = self.options.runtime.now();
        let sent = self.send(&delivery).await;
        let duration_ms = self.milliseconds_since(started);
        let Delivery { event_id, kind, attempts, target_id, .. } = delivery;
        let tell = |status, error| {
            let (target_id, event_id, kind) = (target_id.clone(), event_id.clone(), kind.clone());
            let trace_id = new_trace();
            self.record(Record::Webhook {
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
            store::row::<i64>(self.database(), sql!("sql/webhook_delivered.sql"), held).await?;
            tell("delivered", None);
            return Ok(true);
        };
        let waits = [FIRST_WAIT, LONGEST_WAIT, TRIED_FOR].map(|wait| Some(wait.as_secs().to_string()));
        let params = [held, waits.to_vec()].concat();
        let given_up: Option<bool> = store::row(self.database(), sql!("sql/webhook_retry.sql"), params).await?;
        let (status, end) = if given_up == Some(true) { ("given_up", "; given up") } else { ("refused", "") };
        self.log(&format!("webhook {target_id}: {kind} {event_id} attempt {attempts}: {refusal}{end}"));
        tell(status, Some(refusal));
        Ok(true)
    }

    /// Sends it under the present secret and, where that is refused, under the one before it.
    async fn send(&self, delivery: &Delivery) -> Result<(), String> {
        let present = self.post(delivery, &delivery.secret).await;
        match (&present, &delivery.previous_secret) {
            (Err(Refusal::Status(400..500)), Some(previous)) => self.post(delivery, previous).await,
            _ => present,
        }
        .map_err(|refusal| refusal.to_string())
    }

    async fn post(&self, delivery: &Delivery, sealed: &str) -> Result<(), Refusal> {
        let secret: String =
            self.secrets.open(sealed, &delivery.target_id).await.map_err(|_| Refusal::Other(UNREADABLE.into()))?;
        let signature = signature(&*self.options.crypto, &secret, delivery.time, &delivery.body).await;
        let request = Request::new(Method::Post, delivery.url.as_str())
            .header("content-type", "application/json")
            .header("x-mesa-signature", signature.map_err(Refusal::Other)?)
            .body(Body::Bytes(delivery.body.clone().into()));
        let sent = self.options.webhook_http.send(request);
        let timeout = self.options.runtime.sleep(TIMEOUT);
        pin_mut!(sent, timeout);
        match select(sent, timeout).await {
            Either::Left((Ok(response), _)) if response.is_success() => Ok(()),
            Either::Left((Ok(response), _)) => Err(Refusal::Status(response.status)),
            Either::Left((Err(error), _)) => Err(Refusal::Other(error.to_string())),
            Either::Right(_) => Err(Refusal::Other(format!("no answer came within {} s", TIMEOUT.as_secs()))),
        }
    }
}

/// Why a delivery did not arrive.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error("the receiver answered {0}")]
    Status(u16),
    #[error("{0}")]
    Other(String),
}

const UNREADABLE: &str = "its secret cannot be read with this service's secret key; rotate it";
/// How long a receiver may take to answer.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Longer than two attempts under both secrets take.
const LEASE: Duration = Duration::from_secs(30);
/// How many deliveries a target may have under way.
const AT_ONCE: usize = 2;
const FIRST_WAIT: Duration = Duration::from_secs(5);
const LONGEST_WAIT: Duration = Duration::from_secs(60 * 60);
const TRIED_FOR: Duration = Duration::from_secs(24 * 60 * 60);
