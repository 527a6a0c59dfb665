//! Repositories that are stored on another Git server, their `origin`.
//!
//! The engine reaches them over HTTP, like upstreams. So a worker and `serve` need no shared file system. Everything else
//! works as with hosted repositories, except that this service does not serve them over Git.

use serde::Deserialize;
use serde_json::json;

use crate::service::{
    engine::RemoteRef,
    error::Error,
    host::Host,
    remotes::{self, Reached},
    secrets::Unreadable,
    store,
};

/// The stored origin of a repository.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct OriginRow {
    pub(crate) url: String,
    auth: Option<String>,
}

/// The repository's address for the engine: its origin, or in process through the host's Git.
///
/// # Errors
///
/// If the credential cannot be read.
pub(crate) async fn repository(
    host: &Host,
    repo_id: &str,
    origin: Option<&OriginRow>,
) -> Result<Reached, &'static str> {
    let Some(OriginRow { url, auth }) = origin else {
        return Ok(remotes::local_remote(repo_id));
    };
    remotes::remote(host, url, auth.as_deref(), &owner(repo_id)).await.map_err(|Unreadable| UNREADABLE)
}

/// The origin of a repository; `None` if the service hosts it.
pub(crate) async fn find(host: &Host, repo_id: &str) -> Result<Option<OriginRow>, Error> {
    let sql = sql!("sql/origin_show.sql");
    Ok(store::row(host.database(), sql, json!({"repo_id": repo_id})).await?)
}

/// Stores the origin's `HEAD` after a run, and returns it. If `HEAD` cannot be read, the run does not fail, because its
/// work is done.
pub(crate) async fn note_head(host: &Host, repo_id: &str, origin: &OriginRow) -> Option<RemoteRef> {
    let noted = async {
        let reached = repository(host, repo_id, Some(origin)).await?;
        let head = remotes::find_ref(host, &reached, "HEAD").await.map_err(|error| error.to_string())?;
        let id = head.as_ref().map(|head| head.id.clone());
        let params = json!({"repo_id": repo_id, "url": origin.url, "head": id});
        let sql = sql!("sql/origin_head.sql");
        store::row::<String>(host.database(), sql, params).await.map_err(|error| error.to_string())?;
        Ok::<_, String>(head)
    };
    noted.await.unwrap_or_else(|error| {
        host.log(&format!("repository {repo_id}: head of its origin: {error}"));
        None
    })
}

/// The owner that a credential is sealed for. The credential of the origin cannot be opened as the upstream's.
pub(crate) fn owner(repo_id: &str) -> String {
    format!("{repo_id}/origin")
}

const UNREADABLE: &str =
    "the stored origin credential cannot be read with this service's secret key; set origin.auth again";
