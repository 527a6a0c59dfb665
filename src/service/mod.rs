//! The REST API, its durable queue and its workers.
//!
//! ```text
//!  Request ─▶ Api: route ─▶ auth ─▶ a handler ─▶ store (one SQL statement) ─▶ Response
//!                                       │
//!                              queue::enqueue …… queue::claim ─▶ Worker ─▶ engine
//!                                       │                          │
//!                                       └── outbox row             └── outbox row ─▶ Deliveries ─▶ receiver
//! ```
//!
//! [`Service`] is a façade over three parts: the API answers calls, the worker does runs, and the deliveries send webhooks.
//! Each owns only its own state. They share the [`Host`], which the process provides.

#[macro_use]
pub mod store;

pub mod auth;
pub mod crypto;
pub mod delivery;
pub mod engine;
pub mod error;
pub mod handlers;
pub mod host;
pub mod hosting;
pub mod http;
pub mod names;
pub mod queue;
mod random;
pub mod record;
pub mod remotes;
pub mod router;
pub mod secrets;
mod stop;
pub mod worker;

use std::rc::Rc;

use self::{
    delivery::Deliveries,
    handlers::{keys, operator, page_sessions},
    host::Host,
    hosting::push,
    http::exchange::Exchange,
    remotes::key_rotation,
    router::Api,
    stop::Stop,
    worker::Worker,
};

pub use self::{
    auth::{Caller, Scope},
    error::Error,
    host::{GitHost, Limits, Options, Runtime},
    store::{Database, Error as DatabaseError},
};
use crate::http::{Headers, Request, Response};

/// The service.
pub struct Service {
    host: Rc<Host>,
    stop: Rc<Stop>,
    /// Answers calls.
    pub api: Api,
    worker: Worker,
    deliveries: Deliveries,
}

impl Service {
    /// A service. Call [`Service::migrate`] before anything else.
    pub fn new(options: Options) -> Self {
        let host = Rc::new(Host::new(options));
        let stop = Rc::new(Stop::default());
        Self {
            api: Api::new(host.clone(), stop.clone()),
            worker: Worker::new(host.clone(), stop.clone()),
            deliveries: Deliveries::new(host.clone(), stop.clone()),
            host,
            stop,
        }
    }

    /// Updates the database's schema, and encrypts the stored secrets with the present secret key.
    ///
    /// # Errors
    ///
    /// If the database fails, has a newer schema, or holds secrets that no key can decrypt.
    pub async fn migrate(&self) -> Result<(), Error> {
        store::migrate::migrate(self.host.database()).await?;
        key_rotation::run(&self.host).await
    }

    /// Updates the schema to this version only. A backup of that version can then be restored.
    ///
    /// # Errors
    ///
    /// If the database fails, or has a newer schema.
    pub async fn migrate_to(&self, version: u32) -> Result<(), Error> {
        Ok(store::migrate::migrate_to(self.host.database(), version).await?)
    }

    /// Takes over the runs of a killed process at once, without waiting for their leases to end. Call this only if no other process
    /// works on this database.
    ///
    /// # Errors
    ///
    /// If the database fails.
    pub async fn adopt(&self) -> Result<(), Error> {
        Ok(queue::adopt(self.host.database()).await?)
    }

    /// Creates an organisation if it does not exist. A `name` renames it.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if the slug is not allowed, or the database's failure.
    pub async fn ensure_organization(&self, slug: &str, name: Option<&str>) -> Result<(), Error> {
        operator::ensure_organization(&self.host, slug, name).await
    }

    /// Makes an API key. This is the only time that it is shown.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if there is no such organisation, or the database's failure.
    pub async fn create_api_key(&self, org: &str, scope: Scope, name: Option<&str>) -> Result<String, Error> {
        keys::make_api_key(&self.host, org, scope, name).await
    }

    /// Makes a code for the page's address.
    ///
    /// # Errors
    ///
    /// As [`Service::create_api_key`].
    pub async fn create_page_code(&self, org: &str) -> Result<String, Error> {
        page_sessions::create_code(&self.host, org).await
    }

    /// Makes a private key that signs access tokens. This is the only time that it is shown.
    ///
    /// # Errors
    ///
    /// As [`Service::create_api_key`].
    pub async fn create_private_key(&self, org: &str, name: Option<&str>) -> Result<String, Error> {
        keys::make_private_key(&self.host, org, name).await
    }

    /// Registers an Ed25519 public key, given as a JWK's `x`. Its private key signs access tokens for this organisation.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if it is not such a key, and as [`Service::create_api_key`].
    pub async fn register_public_key(&self, org: &str, x: &str, name: Option<&str>) -> Result<(), Error> {
        keys::register_public_key(&self.host, org, x, name).await
    }

    /// Answers a request to `/v1/…`, or a probe.
    pub async fn handle(&self, request: Request) -> Response {
        self.api.answer(request, false).await
    }

    /// Answers a request of the operator, who needs no credential: to `/v1/{org}/…` as that organisation's admin, and to
    /// `/operator/orgs`. Requests from a network must never get here.
    pub async fn handle_for_operator(&self, request: Request) -> Response {
        self.api.answer(request, true).await
    }

    /// Starts the record of a call; [`Service::end`] ends it.
    pub fn begin(&self, method: &'static str, url: &str, headers: &Headers) -> Exchange {
        Exchange::begin(&self.host, method, url, headers)
    }

    /// Records how a call was answered.
    pub fn end(&self, exchange: Exchange, status: u16, error: Option<String>) {
        exchange.end(&self.host, status, error);
    }

    /// Notes a push into a hosted repository, see [`push::note`].
    pub async fn note_push(&self, repo_id: &str, updates: &str) {
        push::note(&self.host, repo_id, updates).await;
    }

    /// Claims one run and does it, see [`Worker::tick`].
    ///
    /// # Errors
    ///
    /// If the database fails.
    pub async fn tick(&self, on_claimed: impl FnOnce(), is_last_lane: bool) -> Result<bool, Error> {
        self.worker.tick(on_claimed, is_last_lane).await
    }

    /// Claims one webhook delivery and sends it, see [`Deliveries::deliver`].
    ///
    /// # Errors
    ///
    /// If the database fails.
    pub async fn deliver(&self, on_claimed: impl FnOnce()) -> Result<bool, Error> {
        // All lanes of the worker may wait for silent upstreams. Deliveries never wait long.
        self.worker.look().await;
        self.deliveries.deliver(on_claimed).await
    }

    /// Stops working. Hands back the runs in progress, so that another worker can take them at once, and claims nothing
    /// more. Calls are still answered.
    pub fn stop(&self) {
        self.stop.stop();
    }
}
