//! Answers that are not Git's: refusals, redirects and web pages. Most of these pages ask the user to sign in.
//!
//! Servers that want credentials do not always say 401. Azure DevOps answers 203 with a page, and others redirect to a page
//! that answers 200.

use super::{address, excerpt::excerpt};
use crate::{
    git::error::ErrorKind,
    http::{Headers, Response},
    smart_http::{self, Service},
};

/// A request, and the head of an answer that is not Git's.
pub(super) struct Asked<'a> {
    /// Its URL.
    pub(super) url: &'a str,
    /// The URL that answered, after redirects.
    pub(super) answered_by: &'a str,
    /// Whether that URL has another origin than the one that the credentials are for.
    pub(super) is_elsewhere: bool,
    /// Whether there are credentials.
    pub(super) has_credentials: bool,
    /// Whether they were sent.
    pub(super) credentials_sent: bool,
}

/// The content type without its parameters, in lower case.
pub(super) fn media_type(headers: &Headers) -> String {
    let kind = headers.get("content-type").unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// Whether this may be an answer of Git's: a 200 that is not a web page, or a 203 with Git's own type. A proxy answers 203
/// if it has changed the answer.
pub(super) fn is_git(Response { status, headers, .. }: &Response) -> bool {
    let media_type = media_type(headers);
    match status {
        200 => !matches!(media_type.as_str(), "text/html" | "application/xhtml+xml"),
        203 => media_type.starts_with("application/x-git-"),
        _ => false,
    }
}

/// The encoding that the body still has. An encoding that `fetch` knows was decoded already.
pub(super) fn unknown_encoding(headers: &Headers) -> Option<&str> {
    let codings = headers.get("content-encoding").unwrap_or_default().split(',').map(str::trim);
    codings.filter(|name| !name.is_empty()).find(|name| !CODINGS.iter().any(|known| known.eq_ignore_ascii_case(name)))
}

/// Whether the answer ends when the connection ends, as in HTTP/1.0. Such a server may not support chunked requests.
pub(super) fn ends_by_closing(headers: &Headers) -> bool {
    let closes = headers.get("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
    closes && headers.get("content-length").is_none() && headers.get("transfer-encoding").is_none()
}

/// Interprets an answer that is not Git's. `start` is the start of its body.
pub(super) fn meaning(status: u16, headers: &Headers, start: &[u8], asked: &Asked<'_>) -> ErrorKind {
    let Asked { credentials_sent, .. } = *asked;
    match status {
        200 | 203 => page(status, headers, start, asked),
        // A browser hides a redirect: its status is 0.
        0 | 301 | 302 | 303 | 307 | 308 => {
            let url = headers.get("location").map(|location| address::redirected(asked.url, location));
            match url.unwrap_or_else(|| "another address".to_owned()) {
                url if is_sign_in(&url) => ErrorKind::SignIn { url, credentials_sent },
                url => ErrorKind::Redirected { url },
            }
        }
        401 | 403 | 404 if asked.is_elsewhere && (asked.has_credentials || status == 401) => {
            let url = smart_http::repository_of(asked.answered_by)
                .map_or_else(|| address::shown(asked.answered_by), str::to_owned);
            ErrorKind::Elsewhere { url, status, credentials_withheld: asked.has_credentials }
        }
        401 => {
            let mut challenge = String::new();
            for (_, value) in headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("www-authenticate")) {
                challenge.push_str(if challenge.is_empty() { "" } else { ", " });
                challenge.push_str(value);
            }
            ErrorKind::Unauthorized { credentials_sent, challenge }
        }
        status => {
            let message = excerpt(headers.get("content-type").unwrap_or_default(), start);
            // There is no clock here: a date is compared with the answer's own `Date`.
            ErrorKind::Status { status, message, retry_after: headers.retry_after(i64::MAX) }
        }
    }
}

/// Interprets a web page that came instead of Git's answer.
fn page(status: u16, headers: &Headers, start: &[u8], asked: &Asked<'_>) -> ErrorKind {
    let url = address::shown(asked.answered_by);
    let text = String::from_utf8_lossy(&start[..start.len().min(LOOKED_AT)]);
    let is_redirected = asked.answered_by != asked.url;
    if status == 203 || is_redirected && is_sign_in(&url) || has_word(&text, &PAGE_WORDS) {
        return ErrorKind::SignIn { url, credentials_sent: asked.credentials_sent };
    }
    ErrorKind::NotGit(format!(
        "it answers with a page ({} from {url}); if this is a sign-in page, the user name and password or token are missing \
         or have expired",
        media_type(headers)
    ))
}

/// Whether this is the address of a sign-in page, and not of Git's service in a repository with such a name.
fn is_sign_in(url: &str) -> bool {
    !Service::ALL.iter().any(|service| url.ends_with(service.name())) && has_word(url, &URL_WORDS)
}

fn has_word(text: &str, words: &[&str]) -> bool {
    let text = text.to_ascii_lowercase();
    words.iter().any(|word| text.contains(word))
}

/// The most bytes of such an answer that are read.
pub(super) const MAX_START: usize = 64 * 1024;
/// How many bytes of a page are searched for signs of a sign-in page: the title, or all of a small page. Another large page
/// may have a link to sign in further down.
const LOOKED_AT: usize = 4096;

const URL_WORDS: [&str; 9] = ["login", "logon", "signin", "sign_in", "sign-in", "/sso", "saml", "oauth", "/auth"];
const PAGE_WORDS: [&str; 8] = ["sign in", "signin", "sign-in", "log in", "log-in", "logon", ">login", "password"];

/// The encodings that every `fetch` decodes, and `zstd`, which some do.
const CODINGS: [&str; 6] = ["gzip", "x-gzip", "deflate", "br", "zstd", "identity"];
