//! Access to repositories over Git smart HTTP, and for the engine.
//!
//! This module only checks the permission. The bytes flow directly between the listener and the host's Git.

use percent_encoding::percent_decode_str;

use crate::http::{Body, Headers, Method, Response};
use crate::service::{
    auth::{self, Scope, rate_limit::RateLimiter},
    error::Error,
    host::Host,
    hosting::{head, repository},
    http::page::split_url,
    remotes::local_url,
};
use crate::smart_http::Service;

/// A Git request that is allowed.
#[derive(Debug, PartialEq, Eq)]
pub struct Allowed {
    /// The URL for the [`GitHost`](crate::service::host::GitHost), by the repository's id.
    pub url: String,
    /// The id of the pushed repository. Call [`note`](crate::service::hosting::push::note) after the push.
    pub pushed: Option<String>,
}

/// The target of a Git request.
#[derive(Debug, PartialEq, Eq)]
pub struct Target {
    /// The organisation.
    pub org: String,
    /// The repository's name, without `.git`.
    pub repo: String,
    /// The path after `.git/`, with its query.
    pub rest: &'static str,
    /// The required scope.
    pub scope: Scope,
}

impl Target {
    /// The target of a request to `/{org}/{repo}.git/…`; `None` if it is not one of smart HTTP's four requests.
    pub fn parse(method: Method, url: &str) -> Option<Self> {
        let (path, query) = split_url(url);
        let (repo_path, rest) = path.strip_prefix('/')?.split_once(".git/")?;
        let (org, repo) = repo_path.split_once('/').filter(|(_, repo)| !repo.contains('/'))?;
        let decode = |segment: &str| percent_decode_str(segment).decode_utf8().ok().map(std::borrow::Cow::into_owned);
        let asked = if query.is_empty() { rest.to_owned() } else { format!("{rest}?{query}") };
        let service_path = |service: Service| match method {
            Method::Get => Some(service.refs()),
            Method::Post => Some(service.name()),
            _ => None,
        };
        let service = Service::ALL.into_iter().find(|service| service_path(*service) == Some(asked.as_str()))?;
        let rest = service_path(service)?;
        let scope = match service {
            Service::UploadPack => Scope::Read,
            Service::ReceivePack => Scope::Write,
        };
        Some(Self { org: decode(org)?, repo: decode(repo)?, rest, scope })
    }
}

/// The answer that refuses a request: plain text, which Git shows to its user.
pub(crate) fn refusal(error: &Error, trace_id: &str) -> Response {
    let status = error.status();
    let message = match error {
        Error::Internal(_) => format!("internal error; give the operator this trace_id: {trace_id}"),
        Error::Unauthenticated(_) => "use an API key as the password, with any user name".to_owned(),
        other => other.to_string(),
    };
    let mut headers = Headers::from_iter([("content-type", "text/plain; charset=utf-8")]);
    if let Some(seconds) = error.retry_after() {
        headers.set("retry-after", seconds.to_string());
    }
    if status == 401 {
        headers.set("www-authenticate", "Basic realm=\"refsync\", charset=\"UTF-8\"");
    }
    let body = Body::Bytes(format!("{message}\n").into());
    Response { status, url: String::new(), headers, body }
}

/// Allows a request of Git's smart HTTP.
///
/// # Errors
///
/// Why it is refused.
pub(crate) async fn allowed(
    host: &Host,
    limiter: &RateLimiter,
    method: Method,
    url: &str,
    headers: &Headers,
) -> Result<Allowed, Error> {
    let target = Target::parse(method, url)
        .ok_or_else(|| Error::NotFound("this is not a request of Git's smart HTTP protocol".into()))?;
    let mut caller = auth::authenticate(host, limiter, headers).await?;
    caller.require_org(&target.org)?;
    repository::require(host, &mut caller, target.scope, &target.repo).await?;
    let repo = repository::find(host, &caller, &target.repo).await?;
    if let Some(origin) = &repo.origin {
        let message = format!("the repository {} is stored at {}; use that address", repo.name, origin.url);
        return Err(Error::NotFound(message));
    }
    let url = format!("{}/{}", local_url(&repo.id), target.rest);
    let pushed = (target.rest == Service::ReceivePack.name()).then_some(repo.id);
    if let Some(repo_id) = &pushed {
        head::forget(host, repo_id).await?;
    }
    Ok(Allowed { url, pushed })
}
