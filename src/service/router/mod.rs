//! The API: answers each request, and records it.

mod probes;
mod routes;

use std::{rc::Rc, time::Duration};

use matchit::Router;

use crate::http::{Headers, Method, Request, Response};
use crate::service::{
    auth::rate_limit::RateLimiter,
    host::Host,
    hosting::git::{self, Allowed},
    http::{call::Shares, cors, exchange::Exchange},
    stop::Stop,
};

/// Answers calls.
pub struct Api {
    pub(crate) host: Rc<Host>,
    pub(crate) stop: Rc<Stop>,
    pub(crate) router: Router<&'static str>,
    pub(crate) rate_limiter: RateLimiter,
    pub(crate) shares: Shares,
}

impl Api {
    pub(crate) fn new(host: Rc<Host>, stop: Rc<Stop>) -> Self {
        let rate_limiter = RateLimiter::new(host.options.rate_limit);
        Self { host, stop, router: routes::router(), rate_limiter, shares: Shares::default() }
    }

    /// Answers a request to `/v1/…`, or a probe.
    ///
    /// `is_operator`: its caller is the operator, who has the data folder and needs no credential. Every organisation's calls are
    /// then answered as to its admin, and so is `/operator/orgs`. Requests from a network are never the operator's.
    pub async fn answer(&self, request: Request, is_operator: bool) -> Response {
        let host = &*self.host;
        let exchange = Exchange::begin(host, request.method.as_str(), &request.url, &request.headers);
        let origin = cors::allowed_origin(&request.headers, &host.options.allowed_origins);
        let preflight = origin.as_ref().and_then(|_| cors::preflight(&request));
        let (mut response, cause) = match preflight {
            Some(response) => (response, None),
            None => match routes::route(self, request, is_operator, &exchange.route).await {
                Ok(response) => (response, None),
                Err(error) => {
                    let cause = exchange.log_cause(host, &error);
                    (error.response(&exchange.trace_id), cause)
                }
            },
        };
        if !host.options.allowed_origins.is_empty() {
            cors::allow(&mut response, origin);
        }
        exchange.end(host, response.status, cause);
        response
    }

    /// Allows a request of Git's smart HTTP, or returns the answer that refuses it, and the cause for the log.
    ///
    /// # Errors
    ///
    /// The refusal.
    pub async fn authorize_git(
        &self,
        exchange: &Exchange,
        method: Method,
        url: &str,
        headers: &Headers,
    ) -> Result<Allowed, (Response, Option<String>)> {
        exchange.route.set("git");
        let allowed = git::allowed(&self.host, &self.rate_limiter, method, url, headers).await;
        allowed.map_err(|error| (git::refusal(&error, &exchange.trace_id), exchange.log_cause(&self.host, &error)))
    }

    /// Counts the work of a call: the bytes of its answer, and the time of the engine.
    pub(crate) fn charge(&self, credential: &str, bytes: usize, engine: Duration) {
        let calls = (bytes / BYTES_OF_A_CALL) as f64 + (engine.as_secs_f64() / SECONDS_OF_A_CALL).floor();
        if calls > 0.0 {
            self.rate_limiter.charge(credential, calls, self.host.now());
        }
    }
}

/// This many bytes of an answer count as another call.
const BYTES_OF_A_CALL: usize = 50_000;
/// This much of an engine's time counts as another call.
const SECONDS_OF_A_CALL: f64 = 0.1;
