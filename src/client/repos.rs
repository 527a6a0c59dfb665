//! Repositories: made, read, changed, deleted, and synced with their upstreams.

use super::{
    Client, Error, ListReposRequest, ListSyncsRequest, OrgPath, RepoPath, SyncPath,
    json::Json,
    operate::arguments,
    operations::{CREATE_REPO, DELETE_REPO, GET_REPO, LIST_REPOS, PLAN_UPSTREAM_SYNC, SYNC_UPSTREAM, UPDATE_REPO},
};
use crate::api::{
    CreateRepoRequest, DeleteResult, Repo, RepoPage, SyncRun, SyncRunPage, SyncRunStats, SyncUpstreamRequest,
    UpdateRepoRequest,
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
        Ok(self.client.operate(&CREATE_REPO, both(arguments(path), arguments(request))).await?.decode())
    }

    /// One repository.
    ///
    /// # Errors
    ///
    /// Also [`Error::NotFound`].
    pub async fn get(&self, path: &RepoPath) -> Result<Repo, Error> {
        Ok(self.client.operate(&GET_REPO, arguments(path)).await?.decode())
    }

    /// One page of an organisation's repositories, newest first.
    ///
    /// # Errors
    ///
    /// Also [`Error::NotFound`], for the organisation.
    pub async fn list(&self, request: &ListReposRequest) -> Result<RepoPage, Error> {
        Ok(self.client.operate(&LIST_REPOS, arguments(request)).await?.decode())
    }

    /// Changes a repository; what the request leaves out stays.
    ///
    /// # Errors
    ///
    /// Also [`Error::NotFound`], and [`Error::Conflict`] for a name that is taken.
    pub async fn update(&self, path: &RepoPath, request: &UpdateRepoRequest) -> Result<Repo, Error> {
        Ok(self.client.operate(&UPDATE_REPO, both(arguments(path), arguments(request))).await?.decode())
    }

    /// Deletes a repository with its refs and runs.
    ///
    /// # Errors
    ///
    /// Also [`Error::NotFound`].
    pub async fn delete(&self, path: &RepoPath) -> Result<DeleteResult, Error> {
        Ok(self.client.operate(&DELETE_REPO, arguments(path)).await?.decode())
    }

    /// Asks for a sync with the upstream, and gives the run that does it, mostly still queued.
    ///
    /// # Errors
    ///
    /// Also [`Error::NotFound`], and [`Error::Conflict`] with `UPSTREAM_NOT_CONFIGURED`.
    pub async fn sync_upstream(&self, request: &SyncUpstreamRequest) -> Result<SyncRun, Error> {
        Ok(self.client.operate(&SYNC_UPSTREAM, arguments(request)).await?.decode())
    }

    /// The stats that a sync would give now; nothing is changed, and no run is made.
    ///
    /// # Errors
    ///
    /// Also [`Error::NotFound`], and [`Error::Conflict`] with `UPSTREAM_NOT_CONFIGURED`, or with `UPSTREAM_FAILED` where a
    /// side cannot be read.
    pub async fn plan_upstream_sync(&self, request: &SyncUpstreamRequest) -> Result<SyncRunStats, Error> {
        Ok(self.client.operate(&PLAN_UPSTREAM_SYNC, arguments(request)).await?.decode())
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
}

/// The fields of two requests that JavaScript passes as one.
pub(super) fn both(first: Json, second: Json) -> Json {
    match (first, second) {
        (Json::Object(first), Json::Object(second)) => Json::Object([first, second].concat()),
        (other, _) => other,
    }
}
