//! The heads of hosted repositories, stored in the database, so that a list needs no Git process for each row.
//!
//! A head is stored after a push, and after a pull that may have moved it. It is also stored if a `GET` of the repository
//! finds a new head. During a push the stored head is cleared: if the process dies meanwhile, no wrong head remains.

use crate::service::{engine::EngineError, error::Error, host::Host, remotes, store};
use serde::de::IgnoredAny;
use serde_json::json;

/// Notes the commit that `HEAD` of a hosted repository names.
pub(crate) async fn note(host: &Host, repo_id: &str, head: Option<&str>) -> Result<(), Error> {
    store_head(host, repo_id, head, true).await
}

/// Notes that the head may change from now on.
pub(crate) async fn forget(host: &Host, repo_id: &str) -> Result<(), Error> {
    store_head(host, repo_id, None, false).await
}

/// Reads the head of a hosted repository, and stores it. A failure here does not fail the push or pull: the next list reads
/// the head again.
pub async fn look(host: &Host, repo_id: &str) {
    let looked = async {
        let head = commit_id(host, repo_id, "HEAD").await?;
        note(host, repo_id, head.as_deref()).await
    };
    if let Err(error) = looked.await {
        host.log(&format!("repository {repo_id}: its head: {error}"));
        if let Err(error) = forget(host, repo_id).await {
            host.log(&format!("repository {repo_id}: its head: {error}"));
        }
    }
}

async fn store_head(host: &Host, repo_id: &str, head: Option<&str>, is_known: bool) -> Result<(), Error> {
    let params = json!({"repo_id": repo_id, "head": head, "is_known": is_known});
    store::row::<IgnoredAny>(host.database(), sql!("sql/repo_head.sql"), params).await?;
    Ok(())
}

/// The commit that a ref such as `HEAD` names; `None` if there is no such ref. An empty repository has no `HEAD` commit.
pub(crate) async fn commit_id(host: &Host, repo_id: &str, ref_name: &str) -> Result<Option<String>, Error> {
    let failed = |error: EngineError| Error::Internal(format!("commit of {ref_name}: {error}"));
    let found = remotes::find_ref(host, &remotes::local_remote(repo_id), ref_name).await.map_err(failed)?;
    Ok(found.map(|found| found.id))
}
