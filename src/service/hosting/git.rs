//! Who may reach a repository over Git smart HTTP, and the repositories as the engine reaches them.
//!
//! Only the authorisation is done here: the bytes go straight between the listener and the host's Git.

use percent_encoding::percent_decode_str;

use crate::http::{Body, Headers, Method, Response};
use crate::service::{
    Error, Scope, Service, handlers::repos, http::page::split_url, queue::engine::EngineError, record::Exchange,
};

/// A Git request that is allowed.
#[derive(Debug, PartialEq, Eq)]
pub struct Allowed {
    /// The URL for the [`GitHost`](super::GitHost), by the repository's id.
    pub url: String,
    /// The id of the repository that is pushed to; [`Service::look_at_hosted_head`] is to be called when that has ended.
    pub pushed: Option<String>,
}

/// What a Git request is for.
#[derive(Debug, PartialEq, Eq)]
pub struct Target {
    /// The organisation.
    pub org: String,
    /// The repository's name, without `.git`.
    pub repo: String,
    /// What follows `.git/`, with its query.
    pub rest: &'static str,
    /// What it needs.
    pub scope: Scope,
}

impl Target {
    /// The target of a request to `/{org}/{repo}.git/…`; none where it is not one of smart HTTP's four.
    pub fn parse(method: Method, url: &str) -> Option<Self> {
        let (path, query) = split_url(url);
        let (repo_path, rest) = path.strip_prefix('/')?.split_once(".git/")?;
        let (org, repo) = repo_path.split_once('/').filter(|(_, repo)| !repo.contains('/'))?;
        let decode = |segment: &str| percent_decode_str(segment).decode_utf8().ok().map(std::borrow::Cow::into_owned);
        let (rest, scope) = match (method, rest, query) {
            (Method::Get, "info/refs", "service=git-upload-pack") => ("info/refs?service=git-upload-pack", Scope::Read),
            (Method::Get, "info/refs", "service=git-receive-pack") => {
                ("info/refs?service=git-receive-pack", Scope::Write)
            }
            (Method::Post, "git-upload-pack", "") => ("git-upload-pack", Scope::Read),
            (Method::Post, RECEIVE_PACK, "") => (RECEIVE_PACK, Scope::Write),
            _ => return None,
        };
        Some(Self { org: decode(org)?, repo: decode(repo)?, rest, scope })
    }
}

impl Service {
    /// Allows a Git request, or gives the answer that refuses it: plain text, which Git shows to its user, and what failed
    /// here, which that does not say.
    ///
    /// # Errors
    ///
    /// The refusal.
    pub async fn authorize_git(
        &self,
        exchange: &Exchange,
        method: Method,
        url: &str,
        headers: &Headers,
    ) -> Result<Allowed, (Response, Option<String>)> {
        self.allowed(method, url, headers).await.map_err(|error| {
            let cause = self.trace(exchange, &error);
            let status = error.status();
            let message = match &error {
                Error::Internal(_) => format!("something failed in the service; trace_id {}", exchange.trace_id),
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
            (Response { status, url: String::new(), headers, body }, cause)
        })
    }

    async fn allowed(&self, method: Method, url: &str, headers: &Headers) -> Result<Allowed, Error> {
        let target = Target::parse(method, url)
            .ok_or_else(|| Error::NotFound("this is no request of Git's smart HTTP protocol".into()))?;
        let mut caller = self.authenticate(headers).await?;
        caller.require_org(&target.org)?;
        self.require(&mut caller, target.scope, &target.repo).await?;
        let repo = repos::find(self, &caller, &target.repo).await?;
        if let Some(origin) = &repo.origin {
            let message = format!("the repository {} lives at {}; use that address", repo.name, origin.url);
            return Err(Error::NotFound(message));
        }
        let url = format!("{}/{}", local_url(&repo.id), target.rest);
        let pushed = (target.rest == RECEIVE_PACK).then_some(repo.id);
        if let Some(repo_id) = &pushed {
            self.forget_hosted_head(repo_id).await?;
        }
        Ok(Allowed { url, pushed })
    }

    /// The commit that a ref names, such as `HEAD`; none where there is no such ref, as `HEAD` of an empty repository.
    pub(crate) async fn commit_id(&self, repo_id: &str, ref_name: &str) -> Result<Option<String>, Error> {
        let failed = |error: EngineError| Error::Internal(format!("commit of {ref_name}: {error}"));
        let found = self.find_ref(&self.local_remote(repo_id), ref_name).await.map_err(failed)?;
        Ok(found.map(|found| found.id))
    }
}

const RECEIVE_PACK: &str = "git-receive-pack";

/// A repository's URL for the host's Git, which goes by the path alone.
pub(crate) fn local_url(repo_id: &str) -> String {
    format!("http://git.internal/{repo_id}.git")
}
