//! Why talking to a Git server failed: which operation, which remote, what happened.

use std::time::Duration;

use gix_object::bstr::ByteSlice;

use super::{challenge::offers_basic, limits::Exceeded};
use crate::http;

/// A failed operation on a remote.
#[derive(Debug, thiserror::Error)]
#[error("{operation} {url}: {kind}")]
pub struct Error {
    /// The operation.
    pub operation: Operation,
    /// The remote, without credentials.
    pub url: String,
    /// What happened.
    #[source]
    pub kind: ErrorKind,
}

/// An operation on a remote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Listing its refs.
    ListRefs,
    /// Fetching commits or objects from it.
    Fetch,
    /// Pushing to it.
    Push,
}

/// What happened.
#[derive(Debug, thiserror::Error)]
pub enum ErrorKind {
    /// No answer, or a broken one.
    #[error(transparent)]
    Http(#[from] http::Error),
    /// 401.
    #[error("{}", unauthorized_message(*.credentials_sent, .challenge))]
    Unauthorized {
        /// Whether credentials were sent.
        credentials_sent: bool,
        /// What the server asks for (`WWW-Authenticate`).
        challenge: String,
    },
    /// A sign-in page in the place of an answer.
    #[error(
        "the server answered with a sign-in page ({url}): {}",
        if *.credentials_sent { "it does not accept the user name and password or token, which may have expired" } else { "it wants a user name and password or a token" }
    )]
    SignIn {
        /// The page.
        url: String,
        /// Whether credentials were sent.
        credentials_sent: bool,
    },
    /// A redirect to another origin, which refuses access. Credentials belong to one origin and are not sent to another
    /// one.
    #[error("{}", elsewhere_message(.url, *.status, *.credentials_withheld))]
    Elsewhere {
        /// The target of the redirect.
        url: String,
        /// The answer at the target.
        status: u16,
        /// Whether there are credentials for the first origin.
        credentials_withheld: bool,
    },
    /// A redirect of a request that cannot be redirected.
    #[error("the server redirects the request to {url}; if the repository has moved, use its new address")]
    Redirected {
        /// Where it leads.
        url: String,
    },
    /// An answer that is encoded in a way that nobody asked for and that cannot be decoded.
    #[error(
        "the server sent the answer in the content encoding {0:?}, which is not supported; gzip, deflate and br are"
    )]
    Encoding(String),
    /// Any other status that is not 200; the text is what the server said, shortened.
    #[error("{}", status_message(*.status, .message, *.retry_after))]
    Status {
        /// The status.
        status: u16,
        /// What the server said.
        message: String,
        /// How long it asks to be left alone (`Retry-After`).
        retry_after: Option<Duration>,
    },
    /// What answers is not a Git server that speaks smart HTTP.
    #[error("this is not a Git repository on a smart-HTTP server: {0}")]
    NotGit(String),
    /// The answer breaks the protocol.
    #[error("the answer breaks Git's protocol: {0}")]
    Protocol(String),
    /// The server itself says that it cannot.
    #[error("the server says: {0}")]
    Remote(String),
    /// The source has no full history, so nothing can be proved from it.
    #[error("the repository is shallow or grafted: its history is incomplete and cannot be synced; unshallow it first")]
    Shallow,
    /// The server sent more than a limit allows.
    #[error("too much came from the server: {0}")]
    Exceeded(#[from] Exceeded),
    /// The server lacks a feature that we need.
    #[error("the server does not support {0}")]
    Unsupported(String),
}

impl Error {
    /// A stable word for a program to act on.
    pub fn code(&self) -> &'static str {
        match &self.kind {
            ErrorKind::Http(error) => match error.kind {
                http::ErrorKind::Network => "unreachable",
                http::ErrorKind::Timeout => "timeout",
                http::ErrorKind::TooSlow => "too_slow",
                http::ErrorKind::Aborted => "aborted",
                http::ErrorKind::AddressNotAllowed => "address_not_allowed",
                http::ErrorKind::TooLarge => "too_large",
                http::ErrorKind::Redirected => "redirected",
                http::ErrorKind::OutOfMemory => "out_of_memory",
                http::ErrorKind::Invalid => "invalid_url",
            },
            ErrorKind::Unauthorized { .. } | ErrorKind::SignIn { .. } => "unauthorized",
            ErrorKind::Elsewhere { .. } | ErrorKind::Redirected { .. } => "redirected",
            ErrorKind::Encoding(_) => "unsupported",
            ErrorKind::Status { status, .. } => match status {
                403 => "forbidden",
                408 | 504 => "timeout",
                404 | 410 => "not_found",
                413 => "too_large",
                429 => "rate_limited",
                500.. => "server_error",
                _ => "unexpected_status",
            },
            ErrorKind::NotGit(_) => "not_a_git_server",
            ErrorKind::Protocol(_) => "protocol_error",
            ErrorKind::Remote(_) => "remote_error",
            ErrorKind::Shallow => "shallow_source",
            ErrorKind::Exceeded(exceeded) => exceeded.code(),
            ErrorKind::Unsupported(_) => "unsupported",
        }
    }

    /// Whether the same operation may succeed later.
    pub fn is_transient(&self) -> bool {
        match &self.kind {
            ErrorKind::Http(error) => error.kind.is_transient(),
            ErrorKind::Status { status, .. } => matches!(status, 408 | 425 | 429 | 500..),
            ErrorKind::Protocol(_) => true, // An answer cut short looks like this.
            _ => false,
        }
    }
}

impl ErrorKind {
    /// What happened, in one line; and the server's words, which may have several lines.
    pub fn in_short(&self) -> (String, String) {
        match self {
            Self::Status { status, message, retry_after } => {
                (status_message(*status, "", *retry_after), message.clone())
            }
            Self::Remote(said) => {
                let mut lines = said.lines().filter(|line| !line.trim().is_empty());
                let first = lines.next().unwrap_or_default();
                (format!("the server says: {first}"), if lines.next().is_some() { said.clone() } else { String::new() })
            }
            other => (other.to_string(), String::new()),
        }
    }
}

impl std::fmt::Display for Operation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::ListRefs => "list the refs of",
            Self::Fetch => "fetch from",
            Self::Push => "push to",
        })
    }
}

/// The start of a text that a server sent, for a message. (A line may have 64 KiB.)
pub(super) fn quoted(text: &[u8]) -> String {
    let start = &text[..text.len().min(MAX_QUOTED)];
    let rest = text.len() - start.len();
    if rest == 0 { format!("{:?}", start.as_bstr()) } else { format!("{:?} and {rest} bytes more", start.as_bstr()) }
}

const MAX_QUOTED: usize = 100;

fn unauthorized_message(credentials_sent: bool, challenge: &str) -> String {
    let what = match credentials_sent {
        true => "the server refused the user name and password or token (401)",
        false => "the server wants a user name and password or a token (401)",
    };
    if offers_basic(challenge) {
        return what.to_owned();
    }
    let scheme = challenge.split([' ', ',']).next().unwrap_or_default();
    format!("{what}; it offers {scheme} only, and HTTP Basic authentication is all that is supported")
}

fn elsewhere_message(url: &str, status: u16, credentials_withheld: bool) -> String {
    let why = match credentials_withheld {
        true => "the user name and password or token were not sent there, because they are for another origin",
        false => "it wants a user name and password or a token",
    };
    format!("the server redirects to {url}, which answers {status}: {why}; use {url} as the address if you trust it")
}

fn status_message(status: u16, message: &str, retry_after: Option<Duration>) -> String {
    let meaning = match status {
        403 => "the server forbids it (403)".to_owned(),
        404 | 410 => format!("there is no such repository, or it is hidden from these credentials ({status})"),
        408 | 504 => format!("the server waited too long ({status})"),
        413 => "the server refuses a request of this size (413)".to_owned(),
        422 => "the server refuses the content of the request (422)".to_owned(),
        429 => match retry_after {
            Some(wait) => format!("the server asks for fewer requests (429), and to wait {} s", wait.as_secs()),
            None => "the server asks for fewer requests (429)".to_owned(),
        },
        451 => "the server may not serve this for legal reasons (451)".to_owned(),
        500.. => format!("the server failed ({status})"),
        _ => format!("the server answered with status {status}"),
    };
    if message.is_empty() { meaning } else { format!("{meaning}: {message}") }
}
