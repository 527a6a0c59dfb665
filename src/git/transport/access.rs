//! Credentials of a remote, and when a request is sent again.

use std::{cell::RefCell, rc::Rc, time::Duration};

use base64ct::{Base64, Encoding};
use futures_util::future::LocalBoxFuture;

use crate::{
    backoff::Backoff,
    git::{challenge::scheme_and_realm, error::ErrorKind},
    http,
    userinfo::Userinfo,
};

/// A user name and a password or token.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The user name.
    pub username: String,
    /// The password or token.
    pub password: String,
}

/// A server's request for credentials ([RFC 9110, section 11.3]).
///
/// [RFC 9110, section 11.3]: https://www.rfc-editor.org/rfc/rfc9110#section-11.3
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// The remote, without credentials.
    pub url: String,
    /// The user name, if it is known already, for example from the URL.
    pub username: Option<String>,
    /// The scheme, such as `Basic`; empty if the server names none.
    pub scheme: String,
    /// What the credentials are for, in the server's words.
    pub realm: Option<String>,
}

/// The credentials of a remote, and the function that asks the user for them. All requests to the remote share them.
#[derive(Clone, Default)]
pub(super) struct Access(Rc<State>);

#[derive(Clone, Default)]
struct State {
    given: RefCell<Given>,
    ask: RefCell<Option<Rc<Ask>>>,
}

/// The parts of a credential that are known.
#[derive(Clone, Default)]
struct Given {
    username: Option<Vec<u8>>,
    password: Option<Vec<u8>>,
}

type Ask = dyn Fn(Challenge) -> LocalBoxFuture<'static, Option<Credentials>>;

impl Access {
    /// The credentials in a URL.
    pub(super) fn from_userinfo(Userinfo { username, password }: Userinfo) -> Self {
        let given = Given { username: Some(username), password };
        Self(Rc::new(State { given: RefCell::new(given), ask: RefCell::default() }))
    }

    /// The same, but with this user name and this password or token, if they are given.
    pub(super) fn with(&self, username: Option<&str>, password: Option<&str>) -> Self {
        let state = State::clone(&self.0);
        let bytes = |text: &str| trimmed(text).as_bytes().to_vec();
        let mut given = state.given.borrow_mut();
        given.username = username.map(bytes).or_else(|| given.username.take());
        given.password = password.map(bytes).or_else(|| given.password.take());
        drop(given);
        Self(Rc::new(state))
    }

    /// The same, but asks for credentials when they are missing.
    pub(super) fn asking(
        &self,
        ask: impl Fn(Challenge) -> LocalBoxFuture<'static, Option<Credentials>> + 'static,
    ) -> Self {
        let state = State::clone(&self.0);
        state.ask.replace(Some(Rc::new(ask)));
        Self(Rc::new(state))
    }

    /// The value of `Authorization`.
    pub(super) fn authorization(&self) -> Option<String> {
        self.0.given.borrow().authorization()
    }

    /// Finds other credentials after a server refused a request because of them. Returns whether there are credentials now
    /// that were not sent yet. The user is asked at most once.
    ///
    /// If the URL has a name and no password, the name may be a token. It was sent as a user name first, as Git does:
    /// GitHub and Gitea accept that. Now it is sent as a password: GitLab, Azure DevOps and Bitbucket accept that.
    pub(super) async fn find_others(&self, url: &str, challenge: &str) -> bool {
        let ask = self.0.ask.take();
        if let Some(ask) = ask
            && let Some(Credentials { username, password }) = ask(self.challenge(url, challenge)).await
        {
            let bytes = |text: String| Some(trimmed(&text).as_bytes().to_vec());
            self.0.given.replace(Given { username: bytes(username), password: bytes(password) });
            return true;
        }
        let mut given = self.0.given.borrow_mut();
        if given.password.is_none() {
            given.password = given.username.take();
            return given.password.is_some();
        }
        false
    }

    fn challenge(&self, url: &str, header: &str) -> Challenge {
        let username = self.0.given.borrow().username.as_deref().map(|name| String::from_utf8_lossy(name).into_owned());
        let (scheme, realm) = scheme_and_realm(header);
        Challenge { url: url.to_owned(), username, scheme, realm }
    }
}

impl Given {
    fn authorization(&self) -> Option<String> {
        if self.username.is_none() && self.password.is_none() {
            return None;
        }
        let username = self.username.as_deref().unwrap_or(b"git");
        let pair = [username, b":", self.password.as_deref().unwrap_or_default()].concat();
        Some(format!("Basic {}", Base64::encode_string(&pair)))
    }
}

/// Removes a byte order mark, and a line end with the blanks beside it: they come from a file or from copying. Other blanks
/// may belong to a password.
fn trimmed(text: &str) -> &str {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (blanks, rest) = text.split_at(text.len() - text.trim_start().len());
    let text = if blanks.contains(LINE_ENDS) { rest } else { text };
    let (rest, blanks) = text.split_at(text.trim_end().len());
    if blanks.contains(LINE_ENDS) { rest } else { text }
}

const LINE_ENDS: [char; 2] = ['\r', '\n'];

/// How long to wait before a read-only request is sent again; `None` if a new try would not help. `failures` is the number
/// of failed tries so far, at least 1.
///
/// A lost connection counts too: a kept-alive connection fails like this if the server has closed it meanwhile.
pub(super) fn wait_before_retry(error: &ErrorKind, failures: u32) -> Option<Duration> {
    let backoff = BACKOFF.after(failures);
    let wait = match error {
        ErrorKind::Http(error) if error.kind == http::ErrorKind::Network && failures == 1 => Duration::ZERO,
        ErrorKind::Status { status: 429 | 503, retry_after, .. } => retry_after.unwrap_or(backoff).max(backoff),
        ErrorKind::Status { status: 500 | 502 | 504, .. } => backoff,
        _ => return None,
    };
    (failures <= MAX_RETRIES && wait <= LONGEST_WAIT).then_some(wait)
}

const MAX_RETRIES: u32 = 2;
const BACKOFF: Backoff = Backoff::doubling(Duration::from_millis(500), Duration::from_secs(1));
/// If a server asks to wait for longer than this, its error is shown instead.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
