//! Web pages that a server sends instead of Git's data: mostly sign-in pages.
//!
//! Servers that want credentials do not always say 401. Azure DevOps answers 203 with a page, and others redirect to a page
//! that answers 200.

use super::{ErrorKind, address};
use crate::http::Response;

/// Whether this is a page. A 203 without Git's own content type is one, too.
pub(super) fn is_page(response: &Response) -> bool {
    let media_type = media_type(response);
    let is_git = media_type.starts_with("application/x-git-");
    matches!(media_type.as_str(), "text/html" | "application/xhtml+xml") || response.status == 203 && !is_git
}

/// The content type without its parameters, in lower case.
pub(super) fn media_type(response: &Response) -> String {
    let kind = response.headers.get("content-type").unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// What a page means that came instead of an answer. `at` is its URL.
pub(super) async fn meaning(response: Response, at: &str, is_redirected: bool, credentials_sent: bool) -> ErrorKind {
    let url = address::shown(at);
    let kind = media_type(&response);
    let is_sign_in = response.status == 203 || is_redirected && is_sign_in(&url) || {
        let start = response.body.start(LOOKED_AT).await;
        has_word(&String::from_utf8_lossy(&start), &PAGE_WORDS)
    };
    if is_sign_in {
        return ErrorKind::SignIn { url, credentials_sent };
    }
    ErrorKind::NotGit(format!(
        "it answers with a page ({kind} from {url}); if this is a sign-in page, the user name and password or token are \
         missing or have expired"
    ))
}

/// Whether the address is that of a sign-in page, and not of Git's service in a repository with such a name.
pub(super) fn is_sign_in(url: &str) -> bool {
    !url.ends_with("-pack") && has_word(url, &URL_WORDS)
}

fn has_word(text: &str, words: &[&str]) -> bool {
    let text = text.to_ascii_lowercase();
    words.iter().any(|word| text.contains(word))
}

/// How many bytes of a page are looked at: the title, or all of a small page. A large page of another kind may have a link to
/// sign in further down.
const LOOKED_AT: usize = 4096;

const URL_WORDS: [&str; 9] = ["login", "logon", "signin", "sign_in", "sign-in", "/sso", "saml", "oauth", "/auth"];
const PAGE_WORDS: [&str; 8] = ["sign in", "signin", "sign-in", "log in", "log-in", "logon", ">login", "password"];
