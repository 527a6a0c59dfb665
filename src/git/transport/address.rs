//! URLs: their origin, the target of a redirect, and hints for a URL that is not a repository's.

use crate::userinfo;

/// Scheme, host and port.
pub(super) fn origin(url: &str) -> &str {
    &url[..userinfo::authority(url).1]
}

/// The URL for a message: without credentials, and without a query or a fragment, which may hold secrets.
pub(super) fn shown(url: &str) -> String {
    let (url, _) = userinfo::split(url);
    url.split(['?', '#']).next().unwrap_or_default().to_owned()
}

/// The target of an answer's `Location` header ([RFC 9110, section 10.2.2]), for a message.
///
/// [RFC 9110, section 10.2.2]: https://www.rfc-editor.org/rfc/rfc9110#section-10.2.2
pub(super) fn redirected(from: &str, location: &str) -> String {
    let scheme = from.split("//").next().unwrap_or_default();
    shown(&match location {
        _ if location.contains("://") => location.to_owned(),
        _ if location.starts_with("//") => format!("{scheme}{location}"),
        _ if location.starts_with('/') => format!("{}{location}", origin(from)),
        _ => format!("{}/{location}", from.rsplit_once('/').map_or(from, |(folder, _)| folder)),
    })
}

/// A hint if the URL is the address of a web page about a repository, such as `https://github.com/o/r/tree/main`.
pub(super) fn hint(url: &str) -> Option<String> {
    let path = userinfo::authority(url).1;
    let page = PAGES.iter().filter_map(|page| url[path..].find(page)).filter(|at| *at > 0).min()?;
    Some(format!("this looks like the address of a page; the repository may be at {}", &url[..path + page]))
}

/// The parts that follow the repository's own path in page addresses of GitHub, GitLab, Gitea and Bitbucket.
const PAGES: [&str; 9] =
    ["/-/", "/tree/", "/blob/", "/src/", "/commit/", "/commits/", "/pull/", "/issues/", "/releases/"];
