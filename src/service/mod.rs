//! The REST API, its durable queue and its workers.
//!
//! ```text
//!  Request ─▶ routes ─▶ auth ─▶ org | repos | syncs | keys ─▶ store (one SQL statement) ─▶ Response
//!                                          │
//!                                 queue::enqueue …… queue::claim ─▶ worker (tick) ─▶ engine
//! ```
//!
//! Everything that a process needs of its surroundings comes in through [`Options`]: the database, the Git repositories, the
//! engine, cryptography, the way to webhook receivers, time and the log. A [`Service`] keeps nothing else, so that any
//! number of them can share one database.

#[macro_use]
pub mod store;

pub mod auth;
pub mod crypto;
pub mod delivery;
mod error;
pub mod handlers;
pub mod hosting;
pub mod http;
pub(crate) mod json;
pub mod names;
pub mod queue;
pub mod record;
pub mod remotes;

use std::{cell::Cell, rc::Rc, time::Duration};

use futures_util::{future::LocalBoxFuture, lock::Mutex};

pub use auth::{Caller, Scope};
pub use error::Error;
pub use queue::Limits;
pub use store::{Database, Error as DatabaseError, Param};

use crate::http::{HttpClient, Request, Response};

/// The service.
pub struct Service {
    options: Options,
    secrets: remotes::secrets::SecretKeys,
    router: matchit::Router<http::routes::Route>,
    stop: queue::stop::Stop,
    /// When the schedules were last looked at.
    schedules_at: Cell<Option<Duration>>,
    rate_limiter: http::rate_limit::RateLimiter,
    /// The streams of events that are open.
    streams: Rc<http::places::Places>,
    /// The plans that are under way.
    plans: Rc<http::places::Places>,
    /// When runs that lost too many workers were last looked for.
    gave_up_at: Cell<Duration>,
    /// What the database's clock said last, in milliseconds since 1970, and when it was asked.
    clock: Cell<Option<(i64, Duration)>>,
    /// Held while a webhook delivery is claimed.
    delivery_claims: Mutex<()>,
    /// How many large webhook deliveries are under way.
    large_deliveries: Cell<usize>,
}

/// What the service needs of its surroundings.
pub struct Options {
    /// Where its state lives.
    pub database: Rc<dyn Database>,
    /// Where the repositories live.
    pub git: Rc<dyn GitHost>,
    /// Who carries out syncs.
    pub engine: Rc<dyn queue::engine::Engine>,
    /// The way to webhook receivers.
    pub webhook_http: Rc<dyn HttpClient>,
    /// The service's address as others know it, which webhooks name repositories by; empty where that is not known (yet).
    pub public_url: Box<dyn Fn() -> String>,
    /// The origins whose pages may call, such as `https://app.example.com`; `*` is any.
    pub allowed_origins: Vec<String>,
    /// How many calls each credential may make.
    pub rate_limit: http::rate_limit::RateLimit,
    /// Whether `/metrics` is served, to anyone who can reach it.
    pub metrics: bool,
    /// What its worker may claim.
    pub limits: Limits,
    /// How long one attempt of a run may take.
    pub run_timeout: Duration,
    /// The platform's cryptography.
    pub crypto: Rc<dyn crypto::Crypto>,
    /// What seals stored secrets.
    pub secret_key: [u8; 32],
    /// What also opens them: the keys before, and the one to come.
    pub other_secret_keys: Vec<[u8; 32]>,
    /// Starts although no key opens what is stored, which then has to be set again.
    pub accept_lost_key: bool,
    /// Time, calendars, and a log.
    pub runtime: Rc<dyn Runtime>,
}

/// Where bare Git repositories live, by the service's repository ids. A failure is told in words for the log.
pub trait GitHost {
    /// Makes an empty repository whose `HEAD` is `default_branch`; does nothing where it exists.
    fn create<'a>(&'a self, repo_id: &'a str, default_branch: &'a str) -> LocalBoxFuture<'a, Result<(), String>>;
    /// Removes a repository; does nothing where there is none.
    fn remove<'a>(&'a self, repo_id: &'a str) -> LocalBoxFuture<'a, Result<(), String>>;
    /// Points `HEAD` at `branch`, which need not exist.
    fn set_head<'a>(&'a self, repo_id: &'a str, branch: &'a str) -> LocalBoxFuture<'a, Result<(), String>>;
    /// Why the repository's files cannot be used; none if this look finds nothing.
    fn damage<'a>(
        &'a self,
        repo_id: &'a str,
        look: hosting::damage::Look,
    ) -> LocalBoxFuture<'a, Result<Option<String>, String>>;
    /// Reads the whole repository, and makes it anew with what is whole of it if it is damaged. None if nothing is wrong.
    fn repair<'a>(
        &'a self,
        repo_id: &'a str,
        default_branch: &'a str,
    ) -> LocalBoxFuture<'a, Result<Option<hosting::damage::Repair>, String>>;
}

/// What a process has around it.
pub trait Runtime {
    /// Waits.
    fn sleep(&self, duration: Duration) -> LocalBoxFuture<'_, ()>;
    /// The time since any one moment, of a clock that only goes forward.
    fn now(&self) -> Duration;
    /// When a cron line comes next after a moment, in a time zone; none where it never does. Moments are milliseconds since
    /// 1970. A line or a time zone that is none is told in words.
    fn next_tick(&self, cron: &str, time_zone: &str, after: i64) -> Result<Option<i64>, String>;
    /// The origin of a URL, as the URL standard serialises it: scheme, host and port. None if it is not a URL.
    fn web_origin(&self, url: &str) -> Option<String>;
    /// The file `openapi.json`, which few ask for.
    fn openapi(&self) -> LocalBoxFuture<'_, Result<String, String>>;
    /// Tells the operator of trouble.
    fn log(&self, line: &str);
    /// Tells the operator what was done.
    fn record(&self, record: &record::Record);
    /// A run was queued, so that a worker need not wait for its next look.
    fn queued(&self);
}

impl Service {
    /// A service; [`Service::migrate`] comes before anything else.
    pub fn new(options: Options) -> Self {
        let secrets = remotes::secrets::SecretKeys::new(
            options.secret_key,
            options.other_secret_keys.clone(),
            options.crypto.clone(),
        );
        let rate_limiter = http::rate_limit::RateLimiter::new(options.rate_limit);
        Self {
            options,
            secrets,
            router: http::routes::router(),
            stop: queue::stop::Stop::default(),
            schedules_at: Cell::default(),
            rate_limiter,
            streams: http::places::Places::new("streams of events", MAX_STREAMS),
            plans: http::places::Places::new("plans", MAX_PLANS),
            gave_up_at: Cell::default(),
            clock: Cell::default(),
            delivery_claims: Mutex::default(),
            large_deliveries: Cell::default(),
        }
    }

    /// Brings the database's schema up to date, and what is sealed in it under the present secret key.
    ///
    /// # Errors
    ///
    /// Where the database fails, has a newer schema, or secrets that no key opens.
    pub async fn migrate(&self) -> Result<(), Error> {
        store::migrate(self.database()).await?;
        self.settle_keys().await
    }

    /// Brings the schema up to this version only, for a backup of it to be restored into.
    ///
    /// # Errors
    ///
    /// Where the database fails, or has a newer schema.
    pub async fn migrate_to(&self, version: u32) -> Result<(), Error> {
        Ok(store::migrate_to(self.database(), version).await?)
    }

    /// Takes up what a process left that was killed, without waiting for its leases to end. Only for one that knows that no
    /// other process works on this database.
    ///
    /// # Errors
    ///
    /// Where the database fails.
    pub async fn adopt(&self) -> Result<(), Error> {
        Ok(queue::adopt(self.database()).await?)
    }

    /// Makes an organisation where it is missing; a `name` renames it.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] where the slug may not be one, or that the database failed.
    pub async fn ensure_organization(&self, slug: &str, name: Option<&str>) -> Result<(), Error> {
        if let Some(refusal) = names::org_refusal(slug) {
            return Err(Error::field("slug", refusal));
        }
        let params = vec![Some(slug.to_ascii_lowercase()), name.map(str::to_owned)];
        let sql = sql!("sql/organization_ensure.sql");
        store::row::<crate::model::WhoamiOrg>(self.database(), sql, params).await?;
        Ok(())
    }

    /// Answers a request to `/v1/…`, or a probe.
    pub async fn handle(&self, request: Request) -> Response {
        self.answer(request, false).await
    }

    /// Answers a request of the operator, who needs no credential: to `/v1/{org}/…` as that organisation's admin, and to
    /// `/operator/orgs`. Nothing that comes from a network may get here.
    pub async fn handle_for_operator(&self, request: Request) -> Response {
        self.answer(request, true).await
    }

    async fn answer(&self, request: Request, is_operator: bool) -> Response {
        let exchange = self.begin(request.method.as_str(), &request.url, &request.headers);
        let mut cause = None;
        let origin = http::cors::allowed_origin(&request.headers, &self.options.allowed_origins);
        let preflight = origin.as_ref().and_then(|_| http::cors::preflight(&request));
        let mut response = match preflight {
            Some(response) => response,
            None => match self.route(request, is_operator).await {
                Ok(response) => response,
                Err(error) => {
                    cause = self.trace(&exchange, &error);
                    error.response(&exchange.trace_id)
                }
            },
        };
        if !self.options.allowed_origins.is_empty() {
            http::cors::allow(&mut response, origin);
        }
        self.end(exchange, response.status, cause);
        response
    }

    /// Stops working: runs in progress are handed back for another worker to take at once, and nothing more is claimed.
    /// Calls are answered as before.
    pub fn stop(&self) {
        self.stop.stop();
    }

    /// Logs what failed here, which the answer does not say; none where nothing did.
    fn trace(&self, exchange: &record::Exchange, error: &Error) -> Option<String> {
        let record::Exchange { trace_id, method, path, .. } = exchange;
        (error.status() >= 500).then(|| {
            self.log(&format!("trace_id={trace_id} {method} {path}: {error}"));
            error.to_string()
        })
    }

    fn log(&self, line: &str) {
        self.options.runtime.log(line);
    }

    fn database(&self) -> &dyn Database {
        &*self.options.database
    }
}

/// How many streams of events an organisation may have open in a process.
const MAX_STREAMS: usize = 200;
/// How many plans an organisation may have under way in a process.
const MAX_PLANS: usize = 8;

/// Bytes that nobody can guess.
fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("every runtime that we support has a source of randomness");
    bytes
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
