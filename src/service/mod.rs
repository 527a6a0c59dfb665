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
//! A [`Service`] has three parts: the API answers calls, the worker does runs, and the deliveries send webhooks. Each owns only
//! its own state. They share the [`Host`], which the process provides. The operator's functions, such as
//! [`keys::make_api_key`](handlers::keys::make_api_key), need only the host.

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

use self::{delivery::Deliveries, host::Host, remotes::key_rotation, router::Api, stop::Stop, worker::Worker};

pub use self::{
    auth::{Caller, Scope},
    error::Error,
    host::{GitHost, Limits, Options, Runtime},
    store::{Database, Error as DatabaseError},
};

/// The service.
pub struct Service {
    /// The process, the database and everything else that the parts share.
    pub host: Rc<Host>,
    /// Answers calls.
    pub api: Api,
    /// Does runs.
    pub worker: Worker,
    deliveries: Deliveries,
    stop: Rc<Stop>,
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
