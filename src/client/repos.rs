//! Repositories: made, read, changed, deleted, and synced with their upstreams.

use super::{
    Client, Error, ListReposRequest, ListSyncsRequest, OrgPath, RepoPath, SyncPath, clock, requests::page_query,
};
use crate::{
    http::Method,
    model::{
        CreateRepoRequest, DeleteResult, Repo, RepoPage, SyncRun, SyncRunPage, SyncUpstreamRequest, UpdateRepoRequest,
    },
};

/// The calls below `/{org}/repos` and `/{org}/{repo}`.
pub struct Repos<'c> {
    pub(super) client: &'c Client,
}

impl Repos<'_> {
    /// Makes a repository. It is not repeated when its answer is lost.
    ///
    /// # Errors
    ///
    /// Also [`Error::Conflict`] for a name that is taken.
    pub async fn create(&self, path: &OrgPath, request: &CreateRepoRequest) -> Result<Repo, Error> {
        let verb = "create repository in";
        let call = self.client.org_call(Method::Post, verb, path.org.as_deref(), &["repos"], &[]).await?.json(request);
        let mut failures = 0;
        loop {
            let error = match self.client.once(&call).await {
                Ok(answer) => return answer.decode("a Repo"),
                Err(error) => error,
            };
            failures += 1;
            if error.is_answer_lost() || self.client.back_off(&error, failures).await.is_none() {
                return Err(error);
            }
        }
    }

    /// One repository.
    ///
    /// # Errors
    ///
    /// Also [`Error::NotFound`].
    pub async fn get(&self, path: &RepoPath) -> Result<Repo, Error> {
        let call = self.client.repo_call(Method::Get, "get repository", path, &[], &[]).await?;
        self.client.repeatable(&call).await?.decode("a Repo")
    }

    /// One page of an organisation's repositories, newest first.
    ///
    /// # Errors
    ///
    /// Also [`Error::NotFound`], for the organisation.
    pub async fn list(&self, request: &ListReposRequest) -> Result<RepoPage, Error> {
        let verb = "list repositories of";
        let query = page_query(verb, request.cursor.as_ref(), request.limit)?;
        let call = self.client.org_call(Method::Get, verb, request.org.as_deref(), &["repos"], &query).await?;
        self.client.repeatable(&call).await?.decode("a RepoPage")
    }

    /// Changes a repository; what the request leaves out stays.
    ///
    /// # Errors
    ///
    /// Also [`Error::NotFound`], and [`Error::Conflict`] for a name that is taken.
    pub async fn update(&self, path: &RepoPath, request: &UpdateRepoRequest) -> Result<Repo, Error> {
        let call = self.client.repo_call(Method::Patch, "update repository", path, &[], &[]).await?.json(request);
        match (self.client.tries(&call).await, &request.name) {
            // An earlier try renamed it, and its answer was lost.
            ((Err(Error::NotFound(refusal)), true), Some(name)) => {
                let renamed = RepoPath { repo: name.clone(), org: path.org.clone() };
                self.get(&renamed).await.map_err(|_| Error::NotFound(refusal))
            }
            ((answer, _), _) => answer?.decode("a Repo"),
        }
    }

    /// Deletes a repository with its refs and runs.
    ///
    /// # Errors
    ///
    /// Also [`Error::NotFound`].
    pub async fn delete(&self, path: &RepoPath) -> Result<DeleteResult, Error> {
        let call = self.client.repo_call(Method::Delete, "delete repository", path, &[], &[]).await?;
        match self.client.tries(&call).await {
            // An earlier try deleted it, and its answer was lost.
            (Err(Error::NotFound(_)), true) => Ok(DeleteResult { success: true }),
            (answer, _) => answer?.decode("a DeleteResult"),
        }
    }

    /// Asks for a sync with the upstream, and gives the run that does it, mostly still queued.
    ///
    /// # Errors
    ///
    /// Also [`Error::NotFound`], and [`Error::Conflict`] with `UPSTREAM_NOT_CONFIGURED`.
    pub async fn sync_upstream(&self, request: &SyncUpstreamRequest) -> Result<SyncRun, Error> {
        let client = self.client;
        let verb = format!("{} upstream of repository", request.sync.direction);
        let path = RepoPath { repo: request.repo.clone(), org: request.org.clone() };
        let call = client.repo_call(Method::Post, &verb, &path, &["upstream", "syncs"], &[]).await?;
        let call = call.json(&request.sync);
        let began = client.timer.now();
        let mut failures = 0;
        loop {
            let error = match client.once(&call).await {
                Ok(answer) => return answer.decode("a SyncRun"),
                Err(error) => error,
            };
            failures += 1;
            let may_repeat = client.back_off(&error, failures).await.is_some();
            if error.is_answer_lost() {
                match self.find_run(request, &path, began).await {
                    Ok(Some(run)) => return Ok(run),
                    Ok(None) => {}
                    // Whether the run exists is not known, so that a repeated POST could make a second one.
                    Err(_) => return Err(error),
                }
            }
            if !may_repeat {
                return Err(error);
            }
        }
    }

    /// One sync, asked for by its repository.
    ///
    /// # Errors
    ///
    /// Also [`Error::NotFound`].
    pub async fn upstream_sync(&self, path: &SyncPath) -> Result<SyncRun, Error> {
        self.client.syncs().get(path).await
    }

    /// One page of a repository's syncs, newest first.
    ///
    /// # Errors
    ///
    /// Also [`Error::NotFound`].
    pub async fn list_upstream_syncs(&self, request: &ListSyncsRequest) -> Result<SyncRunPage, Error> {
        self.client.syncs().list(request).await
    }

    /// The run that a POST made whose answer was lost.
    ///
    /// `began` is our clock when the call began. Our clock and the service's may differ, so what is compared is how long
    /// ago, by the `Date` of the service's own answer; only where a browser hides that header the clocks have to agree.
    async fn find_run(
        &self,
        request: &SyncUpstreamRequest,
        path: &RepoPath,
        began: i64,
    ) -> Result<Option<SyncRun>, Error> {
        let client = self.client;
        let newest = [("limit", "20".to_owned())];
        let call = client.repo_call(Method::Get, "list syncs of", path, &["upstream", "syncs"], &newest).await?;
        let answer = client.repeatable(&call).await?;
        let page: SyncRunPage = answer.decode("a SyncRunPage")?;
        let now = client.timer.now();
        // `Date` is cut to whole seconds.
        let since = answer.date.unwrap_or(now) - (now - began) - 1000;
        let made_since = |run: &SyncRun| clock::rfc3339(&run.created_at).is_some_and(|created| created >= since);
        let same = |run: &SyncRun| {
            run.direction == request.sync.direction && run.ref_globs == request.sync.ref_globs && made_since(run)
        };
        Ok(page.syncs.into_iter().find(same))
    }
}
