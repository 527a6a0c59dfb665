//! What a process provides to the service, and what every part of the service works with.
//!
//! A [`Host`] has no state that a request changes, so any number of services can share one database.

use std::{rc::Rc, time::Duration};

use futures_util::future::LocalBoxFuture;

use crate::http::HttpClient;
use crate::service::{crypto::Crypto, engine::Engine, record::Record, secrets::SecretKeys, store::Database};

/// What the service needs of the process that runs it.
pub struct Options {
    /// Stores all state.
    pub database: Rc<dyn Database>,
    /// Stores the repositories.
    pub git: Rc<dyn GitHost>,
    /// Carries out syncs.
    pub engine: Rc<dyn Engine>,
    /// Sends webhooks.
    pub webhook_http: Rc<dyn HttpClient>,
    /// The service's public address. Webhooks use it in the names of repositories. Empty if it is not known (yet).
    pub public_url: Box<dyn Fn() -> String>,
    /// The origins whose pages may call, such as `https://app.example.com`; `*` is any.
    pub allowed_origins: Vec<String>,
    /// How many calls each credential may make.
    pub rate_limit: RateLimit,
    /// Whether to serve `/metrics`, to anyone who can reach it.
    pub metrics: bool,
    /// Which runs its worker may claim.
    pub limits: Limits,
    /// How long one attempt of a run may take.
    pub run_timeout: Duration,
    /// The platform's cryptography.
    pub crypto: Rc<dyn Crypto>,
    /// Encrypts stored secrets.
    pub secret_key: [u8; 32],
    /// Keys that only decrypt: earlier ones, and the next one.
    pub other_secret_keys: Vec<[u8; 32]>,
    /// Start even if no key can decrypt the stored secrets, which must then be set again.
    pub accept_lost_key: bool,
    /// Time, calendars and a log.
    pub runtime: Rc<dyn Runtime>,
}

/// How many calls a credential may make.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RateLimit {
    /// In the long run.
    pub per_second: f64,
    /// At once, after a pause.
    pub burst: f64,
}

impl Default for RateLimit {
    fn default() -> Self {
        Self { per_second: 100.0, burst: 3_000.0 }
    }
}

/// Which runs a worker may claim.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// How many runs may be in progress at once, over all processes that have the same limit. None is no limit.
    pub runs: Option<u32>,
    /// The same for one organisation.
    pub runs_per_organization: Option<u32>,
    /// Whether it cannot reach hosted repositories, and leaves their runs to others.
    pub only_origins: bool,
}

/// Stores bare Git repositories by the service's repository ids. A failure is told in words for the log.
pub trait GitHost {
    /// Makes an empty repository whose `HEAD` is `default_branch`. Does nothing if it exists.
    fn create<'a>(&'a self, repo_id: &'a str, default_branch: &'a str) -> LocalBoxFuture<'a, Result<(), String>>;
    /// Removes a repository. Does nothing if there is none.
    fn remove<'a>(&'a self, repo_id: &'a str) -> LocalBoxFuture<'a, Result<(), String>>;
    /// Points `HEAD` at `branch`, which need not exist.
    fn set_head<'a>(&'a self, repo_id: &'a str, branch: &'a str) -> LocalBoxFuture<'a, Result<(), String>>;
    /// Why the repository's files cannot be used. None if this look finds nothing.
    fn damage<'a>(&'a self, repo_id: &'a str, look: Look) -> LocalBoxFuture<'a, Result<Option<String>, String>>;
    /// Reads the whole repository. If it is damaged, makes it anew from its intact parts. None if nothing is wrong.
    fn repair<'a>(
        &'a self,
        repo_id: &'a str,
        default_branch: &'a str,
    ) -> LocalBoxFuture<'a, Result<Option<Repair>, String>>;
}

/// How closely a host looks at a repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// Whether the files exist that every repository has. Starts no process.
    Files,
    /// Also whether every ref names an existing object, unless there are so many refs that this takes long.
    RefsIfFew,
    /// The same for any number of refs.
    Refs,
}

/// A repository that was damaged and made anew.
pub struct Repair {
    /// What was wrong with it.
    pub reason: String,
    /// What could not be saved: names of refs, or words for what hid them.
    pub lost: Vec<String>,
    /// What the host calls the damaged files, which it keeps. None if nothing of them is left.
    pub kept: Option<String>,
}

/// Time, calendars and a log.
pub trait Runtime {
    /// Waits.
    fn sleep(&self, duration: Duration) -> LocalBoxFuture<'_, ()>;
    /// The time since any one moment, of a clock that only goes forward.
    fn now(&self) -> Duration;
    /// When a cron line comes next after a moment, in a time zone. None if it never does. Moments are milliseconds since
    /// 1970. An error tells in words that the line or the time zone is not valid.
    fn next_tick(&self, cron: &str, time_zone: &str, after: i64) -> Result<Option<i64>, String>;
    /// The origin of a URL, as the URL standard serialises it: scheme, host and port. None if it is not a URL.
    fn web_origin(&self, url: &str) -> Option<String>;
    /// The file `openapi.json`. It is a file of its own because few people ask for it.
    fn openapi(&self) -> LocalBoxFuture<'_, Result<String, String>>;
    /// Tells the operator of trouble.
    fn log(&self, line: &str);
    /// Tells the operator what was done.
    fn record(&self, record: &Record);
    /// A run was queued, so a worker need not wait for its next look.
    fn queued(&self);
}

/// What every part of the service works with.
pub struct Host {
    pub(crate) options: Options,
    pub(crate) secrets: SecretKeys,
}

impl Host {
    pub(crate) fn new(options: Options) -> Self {
        let keys = SecretKeys::new(options.secret_key, options.other_secret_keys.clone(), options.crypto.clone());
        Self { options, secrets: keys }
    }

    pub(crate) fn database(&self) -> &dyn Database {
        &*self.options.database
    }

    pub(crate) fn now(&self) -> Duration {
        self.options.runtime.now()
    }

    pub(crate) fn log(&self, line: &str) {
        self.options.runtime.log(line);
    }

    pub(crate) fn record(&self, record: Record) {
        self.options.runtime.record(&record);
    }

    pub(crate) fn milliseconds_since(&self, started: Duration) -> u64 {
        u64::try_from(self.now().saturating_sub(started).as_millis()).unwrap_or(u64::MAX)
    }
}
