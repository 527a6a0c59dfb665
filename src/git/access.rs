//! Credentials of a remote, and when a request is sent again.

use std::{cell::RefCell, rc::Rc, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};
use futures_util::future::LocalBoxFuture;

use super::ErrorKind;
use crate::http;

/// A user name and a password or token.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The user name.
    pub username: String,
    /// The password or token.
    pub password: String,
}

/// What a server says that wants credentials ([RFC 9110, section 11.3]).
///
/// [RFC 9110, section 11.3]: https://www.rfc-editor.org/rfc/rfc9110#section-11.3
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// The remote, without credentials.
    pub url: String,
    /// The scheme, such as `Basic`; empty where the server names none.
    pub scheme: String,
    /// What the credentials are for, in the server's words.
    pub realm: Option<String>,
}

/// The credentials of a remote, shared by all that speak with it, and who is asked for them.
#[derive(Clone, Default)]
pub(super) struct Access(Rc<State>);

#[derive(Default)]
struct State {
    authorization: RefCell<Option<String>>,
    ask: RefCell<Option<Rc<Ask>>>,
}

type Ask = dyn Fn(Challenge) -> LocalBoxFuture<'static, Option<Credentials>>;

impl Access {
    /// The same with these credentials.
    pub(super) fn with(&self, credentials: &Credentials) -> Self {
        Self(Rc::new(State {
            authorization: RefCell::new(Some(credentials.authorization())),
            ask: RefCell::new(self.0.ask.borrow().clone()),
        }))
    }

    /// The same, asking for credentials once they are missing.
    pub(super) fn asking(
        &self,
        ask: impl Fn(Challenge) -> LocalBoxFuture<'static, Option<Credentials>> + 'static,
    ) -> Self {
        let authorization = self.0.authorization.borrow().clone();
        Self(Rc::new(State { authorization: RefCell::new(authorization), ask: RefCell::new(Some(Rc::new(ask))) }))
    }

    /// The value of `Authorization`.
    pub(super) fn authorization(&self) -> Option<String> {
        self.0.authorization.borrow().clone()
    }

    /// Asks for credentials, the first time that it is called; whether there are any now that were not sent yet.
    pub(super) async fn ask(&self, url: &str, challenge: &str) -> bool {
        let Some(ask) = self.0.ask.take() else { return false };
        let Some(credentials) = ask(Challenge::parse(url, challenge)).await else { return false };
        self.0.authorization.replace(Some(credentials.authorization()));
        true
    }
}

impl Credentials {
    fn authorization(&self) -> String {
        format!("Basic {}", BASE64_STANDARD.encode(format!("{}:{}", self.username, self.password)))
    }
}

impl Challenge {
    /// From the header's value; of several challenges the first counts.
    fn parse(url: &str, header: &str) -> Self {
        let header = header.trim();
        let (scheme, parameters) = header.split_once(' ').unwrap_or((header, ""));
        let at = parameters.to_ascii_lowercase().find("realm=");
        let realm = at.map(|at| &parameters[at + "realm=".len()..]).map(|value| match value.strip_prefix('"') {
            Some(quoted) => quoted.split('"').next().unwrap_or_default(),
            None => value.split([',', ' ']).next().unwrap_or_default(),
        });
        Self { url: url.to_owned(), scheme: scheme.to_owned(), realm: realm.map(str::to_owned) }
    }
}

/// How long to wait before a request that changes nothing is sent again, or nothing where that would not help.
/// `failures` counts the tries that failed, from 1.
///
/// A lost connection counts too: one that was kept open and is closed by now fails so.
pub(super) fn wait_before_retry(error: &ErrorKind, failures: u32) -> Option<Duration> {
    let backoff = Duration::from_millis(500) * failures;
    let wait = match error {
        ErrorKind::Http(error) if error.kind == http::ErrorKind::Network && failures == 1 => Duration::ZERO,
        ErrorKind::Status { status: 429 | 503, retry_after, .. } => retry_after.unwrap_or(backoff).max(backoff),
        ErrorKind::Status { status: 500 | 502 | 504, .. } => backoff,
        _ => return None,
    };
    (failures <= MAX_RETRIES && wait <= LONGEST_WAIT).then_some(wait)
}

const MAX_RETRIES: u32 = 2;
/// A server that asks for more patience than this gets its error shown instead.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
