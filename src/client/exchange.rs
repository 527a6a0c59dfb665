//! One request of a call: its tries, and the check of its answer.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{
    FutureExt,
    future::{Either, LocalBoxFuture, select},
    pin_mut,
};

use super::{Client, Error, retry};
use crate::{
    api::{Call, CallName, json_tree::Json, shape::Others},
    clock,
    http::{self, Body, Request, Response},
};

/// The largest answer that is read: the stats of some 300 000 refs.
pub(super) const LARGEST_ANSWER: usize = 64 * 1024 * 1024;

/// The request of a call. It can be sent any number of times.
pub(super) struct Outgoing {
    /// The call, for errors: `get repository acme/app`.
    pub(super) operation: String,
    pub(super) url: String,
    pub(super) json: Option<Bytes>,
    pub(super) call: &'static Call,
}

/// A 2xx answer with the promised shape.
pub(super) struct Answer {
    pub(super) json: Json,
    /// The server's clock, in milliseconds since 1970, if the answer has it.
    pub(super) date: Option<i64>,
}

impl Client {
    /// Sends a call that may be repeated, with retries. Also returns whether the answer of an earlier try was lost: that
    /// try may have done its work already.
    ///
    /// Boxed, like [`once`](Self::once): several places await it, and each of them would hold a copy of its state.
    pub(super) fn tries<'a>(&'a self, outgoing: &'a Outgoing) -> LocalBoxFuture<'a, (Result<Answer, Error>, bool)> {
        let tries = async move {
            let (mut failures, mut lost) = (0, false);
            loop {
                let error = match self.once(outgoing).await {
                    Ok(answer) => return (Ok(answer), lost),
                    Err(error) => error,
                };
                failures += 1;
                if self.back_off(&error, failures).await.is_none() {
                    return (Err(error), lost);
                }
                lost |= error.is_answer_lost();
            }
        };
        tries.boxed_local()
    }

    /// Waits as long as `error` asks for; `None` if the error is final.
    pub(super) async fn back_off(&self, error: &Error, failures: u32) -> Option<()> {
        let delay = retry::delay(error, failures, self.options.max_retries, self.timer.random())?;
        self.timer.sleep(delay).await;
        Some(())
    }

    /// Sends a call once.
    pub(super) fn once<'a>(&'a self, outgoing: &'a Outgoing) -> LocalBoxFuture<'a, Result<Answer, Error>> {
        let exchange = self.exchange(outgoing);
        let timeout = self.timer.sleep(self.timeout);
        let once = async move {
            pin_mut!(exchange);
            match select(exchange, timeout).await {
                Either::Left((answer, _)) => answer,
                Either::Right(_) => Err(Error::Timeout {
                    operation: outgoing.operation.clone(),
                    message: format!("no complete answer from {} within {}", outgoing.url, Seconds(self.timeout)),
                    status: None,
                }),
            }
        };
        once.boxed_local()
    }

    async fn exchange(&self, outgoing: &Outgoing) -> Result<Answer, Error> {
        let failed = |error| Error::from_http(&outgoing.operation, error);
        let response = self.send(outgoing, &[("accept", "application/json")]).await.map_err(failed)?;
        let header = |name| response.headers.get(name);
        let date = header("date").and_then(clock::http_date);
        let retry_after = response.headers.retry_after(self.timer.now());
        let content_type = header("content-type").unwrap_or("no content type").to_owned();
        let (status, is_success) = (response.status, response.is_success());
        let body = response.body.bytes(LARGEST_ANSWER).await.map_err(failed)?;
        // The status of this answer is for monitors. An error has another shape.
        if status == 503
            && outgoing.call.name == CallName::ShowFreshness
            && let Ok(mut json) = Json::parse(&body)
            && outgoing.call.gives.check(&mut json, Others::Keep).is_ok()
        {
            return Ok(Answer { json, date });
        }
        if !is_success {
            return Err(Error::from_answer(&outgoing.operation, &outgoing.url, status, &body, retry_after));
        }
        let answer = outgoing.call.answer;
        let invalid = |found| Error::InvalidResponse {
            operation: outgoing.operation.clone(),
            url: outgoing.url.clone(),
            status,
            expected: [if answer.starts_with(['A', 'O']) { "an " } else { "a " }, answer].concat(),
            found,
        };
        let mut json = Json::parse(&body)
            .map_err(|error| invalid(format!("{} bytes of {content_type} are not JSON: {error}", body.len())))?;
        outgoing.call.gives.check(&mut json, Others::Keep).map_err(|mismatch| invalid(mismatch.to_string()))?;
        Ok(Answer { json, date })
    }
}

impl Client {
    /// Sends a call with these headers and the headers of every call.
    pub(super) fn send<'a>(
        &'a self,
        outgoing: &Outgoing,
        headers: &[(&str, &str)],
    ) -> LocalBoxFuture<'a, Result<Response, http::Error>> {
        let mut request = Request::new(outgoing.call.method, &outgoing.url);
        request.headers = headers.iter().copied().collect();
        request = request.header("authorization", format!("Bearer {}", self.options.api_key));
        if let Some(agent) = &self.options.user_agent {
            request = request.header("user-agent", agent);
        }
        if let Some(json) = &outgoing.json {
            request = request.header("content-type", "application/json").body(Body::Bytes(json.clone()));
        }
        self.http.send(request)
    }
}

/// A duration as text for people.
pub(super) struct Seconds(pub(super) Duration);

impl std::fmt::Display for Seconds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Not `as_millis`: the code that prints its 128 bits is large.
        match self.0.subsec_millis() {
            0 => write!(f, "{} s", self.0.as_secs()),
            millis => write!(f, "{} ms", self.0.as_secs() * 1000 + u64::from(millis)),
        }
    }
}
