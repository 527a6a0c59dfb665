//! The interface to the process that runs the service.
//!
//! A [`Host`] has no state that a request changes, so any number of services can share one database.

use std::{cell::Cell, rc::Rc, time::Duration};

use futures_util::future::LocalBoxFuture;
use serde_json::Value;

use crate::http::HttpClient;
use crate::service::{crypto::Crypto, engine::Engine, record::Record, secrets::SecretKeys, store::Database};

/// Everything that the service needs from its process.
pub struct Options {
    /// Stores all state.
    pub database: Rc<dyn Database>,
    /// Stores the repositories.
    pub git: Rc<dyn GitHost>,
    /// Carries out syncs.
    pub engine: Rc<dyn Engine>,
    /// Sends webhooks.
    pub webhook_http: Rc<dyn HttpClient>,
    /// The service's public address. Webhooks use it in the names of repositories. Empty if it is not known yet.
    pub public_url: Box<dyn Fn() -> String>,
    /// The origins whose pages may call, such as `https://app.example.com`; `*` allows any origin.
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
    /// Starts even if no key can decrypt the stored secrets. These secrets must then be set again.
    pub accept_lost_key: bool,
    /// Time, calendars and a log.
    pub runtime: Rc<dyn Runtime>,
}

/// How many calls a credential may make.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RateLimit {
    /// Calls per second on average.
    pub per_second: f64,
    /// Calls at once, after a pause.
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
    /// How many runs may be in progress at once, over all processes that have the same limit. `None` means no limit.
    pub runs: Option<u32>,
    /// The same for one organisation.
    pub runs_per_organization: Option<u32>,
    /// Whether this worker has no access to hosted repositories. It then leaves their runs to others.
    pub only_origins: bool,
}

/// What a host answers when it has done something. An error is a message for the log.
pub type Done<'a, T> = LocalBoxFuture<'a, Result<T, String>>;

/// Stores bare Git repositories by the service's repository ids.
pub trait GitHost {
    /// Makes an empty repository whose `HEAD` is `default_branch`. Does nothing if it exists.
    fn create<'a>(&'a self, repo_id: &'a str, default_branch: &'a str) -> Done<'a, ()>;
    /// Removes a repository. Does nothing if there is none.
    fn remove<'a>(&'a self, repo_id: &'a str) -> Done<'a, ()>;
    /// Points `HEAD` at `branch`, which need not exist.
    fn set_head<'a>(&'a self, repo_id: &'a str, branch: &'a str) -> Done<'a, ()>;
    /// Why the repository's files cannot be used; `None` if this check finds nothing.
    fn damage<'a>(&'a self, repo_id: &'a str, look: Look) -> Done<'a, Option<String>>;
    /// Reads the whole repository. If it is damaged, recreates it from its intact parts. `None` if it is not damaged.
    fn repair<'a>(&'a self, repo_id: &'a str, default_branch: &'a str) -> Done<'a, Option<Repair>>;
    /// Whether a branch or tag contains a commit, or only the ref with this full name; `None` if the host cannot tell.
    fn has_commit<'a>(
        &'a self,
        repo_id: &'a str,
        commit_id: &'a str,
        ref_name: Option<&'a str>,
    ) -> Done<'a, Option<bool>>;
}

/// How thoroughly a host checks a repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// Whether the files exist that every repository has. Starts no process.
    Files,
    /// Also checks that every ref names an existing object, unless there are too many refs.
    RefsIfFew,
    /// The same for any number of refs.
    Refs,
}

/// A damaged repository that was recreated.
pub struct Repair {
    /// The damage.
    pub reason: String,
    /// The lost data: names of refs, or a text if the names are unknown.
    pub lost: Vec<String>,
    /// The new name of the damaged files, which the host keeps; `None` if nothing is left of them.
    pub kept: Option<String>,
}

/// Time, calendars and a log.
pub trait Runtime {
    /// Waits.
    fn sleep(&self, duration: Duration) -> LocalBoxFuture<'_, ()>;
    /// The time since any one moment, of a clock that only goes forward.
    fn now(&self) -> Duration;
    /// When a cron line comes next after a moment, in a time zone; `None` if it never does. Moments are milliseconds since
    /// 1970. The error says why the line or the time zone is not valid.
    fn next_tick(&self, cron: &str, time_zone: &str, after: i64) -> Result<Option<i64>, String>;
    /// The origin of a URL, as the URL standard serialises it: scheme, host and port; `None` if it is not a URL.
    fn web_origin(&self, url: &str) -> Option<String>;
    /// A text for people or monitors, made of this JSON: an event in the format `slack`, `discord` or `ntfy`, a `badge`, or
    /// `metrics` of repositories.
    fn render(&self, format: &str, json: &str) -> String;
    /// The text of `openapi.json`. It is a separate file because few people ask for it.
    fn openapi(&self) -> Done<'_, String>;
    /// Reads the payload of a hook's call: `{refs}` with the full names of the pushed refs, `{is_ping}`, `{field, error}` if it
    /// is not valid, and an empty object for other events.
    fn hook_refs(&self, event: &str, content_type: &str, body: &str) -> Value;
    /// Reports a problem to the operator.
    fn log(&self, line: &str);
    /// Reports a change to the operator.
    fn record(&self, record: &Record);
    /// Tells the workers that a run was queued, so that they need not wait for their next check.
    fn queued(&self);
}

/// The state that every part of the service uses.
pub struct Host {
    pub(crate) options: Options,
    pub(crate) secrets: SecretKeys,
    /// The steady time at the last look at the database's clock, in milliseconds since 1970, and the time of that look by this
    /// process's own clock.
    pub(crate) clock: Cell<Option<(i64, Duration)>>,
}

impl Host {
    pub(crate) fn new(options: Options) -> Self {
        let keys = SecretKeys::new(options.secret_key, options.other_secret_keys.clone(), options.crypto.clone());
        Self { options, secrets: keys, clock: Cell::default() }
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
