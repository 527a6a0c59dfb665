//! The typed client of the sync REST API.
//!
//! [`Client::call`] makes any call of the API ([`CALLS`](crate::api::CALLS)). The object of a call is a repository's name
//! or id. The organisation is the call's own, else the client's ([`Options::org`]). If neither is set, the client asks
//! `/whoami` once.
//!
//! **Retries.** A call that changes nothing when it is repeated (every GET, PATCH and DELETE) is retried after 408, 429,
//! 5xx and a lost connection, see [`retry`]. A POST is repeated only if that cannot do the work twice:
//!
//! - After a 429: the service has done nothing.
//! - A sync whose answer was lost: the client first looks for the run among the newest runs of its repository. It has the
//!   same direction and globs, and it was made since the call began. The client sends the POST again only if the service has
//!   no such run.
//! - A cancellation and a plan: a second call does nothing more.
//!
//! The client does not repeat the creation of a repository or a webhook target, or the rotation of a secret. If the answer
//! is lost, the caller gets the error.
//!
//! **Cancellation.** Dropping a future aborts its requests.
//!
//! ```no_run
//! # async fn example(http: std::rc::Rc<dyn refsync::http::HttpClient>, timer: std::rc::Rc<dyn refsync::client::Timer>)
//! # -> Result<(), refsync::client::Error> {
//! use refsync::{api::{CallName, json_tree::Json}, client::{Client, Error, Options, WaitOptions}};
//!
//! let client = Client::new(http, timer, Options::new("https://sync.example.com", "rs_key"))?;
//! let request = Json::parse(br#"{"repo": "app", "direction": "pull"}"#).expect("it is JSON");
//! let run = client.call(CallName::CreateSync, request).await?;
//! let run = client.wait(run, &WaitOptions::default(), |_| Ok::<_, Error>(())).await?;
//! # Ok(())
//! # }
//! ```

mod call;
mod errors;
pub mod event_stream;
mod exchange;
mod follow;
pub mod retry;
pub mod url;
mod wait;

use std::{cell::RefCell, rc::Rc, time::Duration};

use futures_util::{
    FutureExt,
    future::{LocalBoxFuture, Shared},
};

use crate::{
    api::{CallName, json_tree::Json},
    http::HttpClient,
};
use follow::Following;

pub use errors::Error;
pub use follow::{FIRST_POLL, LONGEST_POLL};
pub use wait::WaitOptions;

/// The host's clock and random numbers.
pub trait Timer {
    /// Ends after `duration`.
    fn sleep(&self, duration: Duration) -> LocalBoxFuture<'static, ()>;
    /// The time, in milliseconds since 1970 in UTC.
    fn now(&self) -> i64;
    /// Milliseconds since any one moment, from a clock that only goes forward.
    fn monotonic(&self) -> i64 {
        self.now()
    }
    /// A random number, at least 0 and below 1. It need not be secret.
    fn random(&self) -> f64;
}

/// The settings of a client.
#[derive(Clone)]
pub struct Options {
    /// The API's address. It may end in `/v1`.
    pub api_url: String,
    /// The API key.
    pub api_key: String,
    /// The organisation of calls that name none. If left out, the client asks `/whoami`.
    pub org: Option<String>,
    /// How many times a failed call is retried.
    pub max_retries: u32,
    /// How long one try of a call may take.
    pub timeout: Duration,
    /// The `User-Agent` header. Leave it out in a browser, because there it causes a CORS preflight for every call.
    pub user_agent: Option<String>,
    /// How many runs are followed with the service's events at the same time; the others are polled. Use a small number in
    /// a browser: over HTTP/1.1 it opens six connections to a host, for all of its tabs together.
    pub event_streams: u32,
}

impl Options {
    /// The defaults: 2 retries, 60 seconds for one try, no user agent, eight streams of events.
    ///
    /// The address has no default: a key must only go to a server that its owner named.
    pub fn new(api_url: impl Into<String>, api_key: impl Into<String>) -> Self {
        Self {
            api_url: api_url.into(),
            api_key: api_key.into(),
            org: None,
            max_retries: 2,
            timeout: Duration::from_secs(60),
            user_agent: None,
            event_streams: 8,
        }
    }
}

/// A client of the API. A clone shares everything with its original.
#[derive(Clone)]
pub struct Client {
    http: Rc<dyn HttpClient>,
    timer: Rc<dyn Timer>,
    options: Rc<Options>,
    timeout: Duration,
    own_org: OrgLookup,
    following: Rc<Following>,
}

/// The organisation that `/whoami` names. The first call that needs it asks; other calls wait for that answer.
type OrgLookup = Rc<RefCell<Option<Shared<LocalBoxFuture<'static, Result<String, Error>>>>>>;

impl Client {
    /// A client that sends through `http`.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidRequest`] if the address is not an `http` or `https` URL, or if the key cannot be sent in a header.
    pub fn new(http: Rc<dyn HttpClient>, timer: Rc<dyn Timer>, mut options: Options) -> Result<Self, Error> {
        const OPERATION: &str = "make a client";
        options.api_url = url::base(&options.api_url).map_err(|e| Error::invalid_field(OPERATION, "apiUrl", e))?;
        if options.api_key.is_empty() || !options.api_key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Error::invalid_field(OPERATION, "apiKey", "has to be printable ASCII without spaces"));
        }
        let timeout = options.timeout;
        Ok(Self { http, timer, options: Rc::new(options), timeout, own_org: Rc::default(), following: Rc::default() })
    }

    /// The same client, with `timeout` for one try of a call.
    #[must_use]
    pub fn with_timeout(&self, timeout: Duration) -> Self {
        Self { timeout, ..self.clone() }
    }

    /// The organisation of a call. `asked` is the organisation that the call names.
    fn org<'a>(&'a self, verb: &'a str, asked: Option<&'a str>) -> LocalBoxFuture<'a, Result<String, Error>> {
        let org = async move {
            if let Some(org) = asked.or(self.options.org.as_deref()) {
                url::check_segment(org).map_err(|e| Error::invalid_field(verb, "org", e))?;
                return Ok(org.to_owned());
            }
            let lookup = self.own_org.borrow_mut().get_or_insert_with(|| self.look_up_org()).clone();
            let org = lookup.await;
            if org.is_err() {
                // The next call asks again.
                self.own_org.take();
            }
            org
        };
        org.boxed_local()
    }

    fn look_up_org(&self) -> Shared<LocalBoxFuture<'static, Result<String, Error>>> {
        // Without the cell: a future in the cell that holds the cell would keep itself alive.
        let client = Self { own_org: Rc::default(), ..self.clone() };
        let slug = async move {
            let answer = client.call(CallName::Whoami, Json::Object(Vec::new())).await?;
            Ok(answer.of("org").and_then(|org| org.text("slug")).unwrap_or_default().to_owned())
        };
        slug.boxed_local().shared()
    }
}
