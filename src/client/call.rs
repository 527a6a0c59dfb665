//! One call: the request, its tries, and the answer's decoding.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{
    FutureExt,
    future::{Either, LocalBoxFuture, select},
    pin_mut,
};
use serde::{Serialize, de::DeserializeOwned};

use super::{Client, Error, clock, json_path, retry};
use crate::http::{Body, Method, Request};

/// The largest answer that is read: the stats of some 300 000 refs.
const LARGEST_ANSWER: usize = 64 * 1024 * 1024;

/// A call that is ready to be sent, any number of times.
pub(super) struct Call {
    /// What is called, for errors: `get repository acme/app`.
    pub(super) operation: String,
    method: Method,
    url: String,
    json: Option<Bytes>,
}

/// A 2xx answer.
pub(super) struct Answer {
    operation: String,
    url: String,
    status: u16,
    content_type: String,
    body: Bytes,
    /// The server's clock, in milliseconds since 1970, where the answer tells it.
    pub(super) date: Option<i64>,
}

impl Call {
    pub(super) fn new(method: Method, operation: String, url: String) -> Self {
        Self { operation, method, url, json: None }
    }

    /// The same with `body` as JSON.
    pub(super) fn json(mut self, body: &impl Serialize) -> Self {
        self.json = Some(serde_json::to_vec(body).expect("the shapes have string keys only, so they are JSON").into());
        self
    }
}

impl Client {
    /// Sends a call that changes nothing more when it is repeated, with retries.
    pub(super) async fn repeatable(&self, call: &Call) -> Result<Answer, Error> {
        self.tries(call).await.0
    }

    /// The same, and whether the answer of an earlier try was lost, so that it may have done its work already.
    ///
    /// Boxed, as [`once`](Self::once) is: every method awaits one of them, and would else hold a copy of it.
    pub(super) fn tries<'a>(&'a self, call: &'a Call) -> LocalBoxFuture<'a, (Result<Answer, Error>, bool)> {
        let tries = async move {
            let (mut failures, mut lost) = (0, false);
            loop {
                let error = match self.once(call).await {
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

    /// Waits as long as `error` asks for, or gives `None` where it is final.
    pub(super) async fn back_off(&self, error: &Error, failures: u32) -> Option<()> {
        let delay = retry::delay(error, failures, self.options.max_retries, self.timer.random())?;
        self.timer.sleep(delay).await;
        Some(())
    }

    /// Sends a call once.
    pub(super) fn once<'a>(&'a self, call: &'a Call) -> LocalBoxFuture<'a, Result<Answer, Error>> {
        let exchange = self.exchange(call);
        let timeout = self.timer.sleep(self.timeout);
        let once = async move {
            pin_mut!(exchange);
            match select(exchange, timeout).await {
                Either::Left((answer, _)) => answer,
                Either::Right(_) => Err(Error::Timeout {
                    operation: call.operation.clone(),
                    message: format!("no complete answer from {} within {}", call.url, Seconds(self.timeout)),
                    status: None,
                }),
            }
        };
        once.boxed_local()
    }

    async fn exchange(&self, call: &Call) -> Result<Answer, Error> {
        let failed = |error| Error::from_http(&call.operation, error);
        let mut request = Request::new(call.method, &call.url)
            .header("accept", "application/json")
            .header("authorization", format!("Bearer {}", self.options.api_key));
        if let Some(agent) = &self.options.user_agent {
            request = request.header("user-agent", agent);
        }
        if let Some(json) = &call.json {
            request = request.header("content-type", "application/json").body(Body::Bytes(json.clone()));
        }
        let response = self.http.send(request).await.map_err(failed)?;
        let header = |name| response.headers.get(name);
        let date = header("date").and_then(clock::http_date);
        let retry_after = header("retry-after").and_then(|value| retry::retry_after(value, self.timer.now()));
        let content_type = header("content-type").unwrap_or("no content type").to_owned();
        let (status, is_success) = (response.status, response.is_success());
        let body = response.body.bytes(LARGEST_ANSWER).await.map_err(failed)?;
        if !is_success {
            return Err(Error::from_answer(&call.operation, &call.url, status, &body, retry_after));
        }
        let (operation, url) = (call.operation.clone(), call.url.clone());
        Ok(Answer { operation, url, status, content_type, body, date })
    }
}

impl Answer {
    /// The answer as `T`, which `expected` names with its article.
    pub(super) fn decode<T: DeserializeOwned>(&self, expected: &'static str) -> Result<T, Error> {
        serde_json::from_slice(&self.body).map_err(|error| self.invalid(expected, &error))
    }

    fn invalid(&self, expected: &'static str, error: &serde_json::Error) -> Error {
        Error::InvalidResponse {
            operation: self.operation.clone(),
            url: self.url.clone(),
            status: self.status,
            expected,
            found: match error.classify() {
                serde_json::error::Category::Data => match json_path::of_error(&self.body, error).as_str() {
                    "" => json_path::message(error),
                    path => format!("at {path}: {}", json_path::message(error)),
                },
                _ => format!("{} bytes of {} are not JSON: {error}", self.body.len(), self.content_type),
            },
        }
    }
}

/// A duration as a person reads it.
pub(super) struct Seconds(pub(super) Duration);

impl std::fmt::Display for Seconds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0.subsec_millis() {
            0 => write!(f, "{} s", self.0.as_secs()),
            _ => write!(f, "{} ms", self.0.as_millis()),
        }
    }
}
