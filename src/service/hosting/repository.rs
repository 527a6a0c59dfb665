//! A repository's row in the database, and the check of access to it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::api::{Origin, Upstream};
use crate::service::{
    auth::{Caller, Scope, elsewhere, require_scope},
    error::Error,
    host::Host,
    hosting::policy,
    store,
};

/// A repository's row in the database. The change id of its head is not in the row; only the Git repository has it.
#[derive(Deserialize)]
pub(crate) struct RepoRow {
    pub(crate) id: String,
    pub(crate) org: String,
    pub(crate) name: String,
    pub(crate) default_bookmark: String,
    pub(crate) upstream: Option<Upstream>,
    pub(crate) origin: Option<Origin>,
    /// The commit that its `HEAD` named when it was last read.
    pub(crate) head: Option<String>,
    /// Whether the head is known. If the repository is on another server, this is the last head that was read there.
    pub(crate) head_is_known: bool,
    pub(crate) created_at: String,
    pub(crate) tags: BTreeMap<String, String>,
    /// The noted damage of its files.
    pub(crate) damage: Option<Damage>,
}

impl RepoRow {
    /// Whether a branch or tag of the repository contains a commit, or only the ref with this full name. If another Git
    /// server stores the repository, or if the host cannot search, only a commit that a ref names is found.
    pub(crate) async fn has_commit(&self, host: &Host, id: &str, ref_name: Option<&str>) -> Result<bool, Error> {
        if self.origin.is_none() {
            let found = host.options.git.has_commit(&self.id, id, ref_name).await;
            let found = found.map_err(|why| Error::Internal(format!("git: commits of {}: {why}", self.id)))?;
            if let Some(found) = found {
                return Ok(found);
            }
        }
        policy::is_tip(host, &self.id, id, ref_name).await
    }
}

/// The noted damage of a repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Damage {
    /// The damage, for people.
    pub(crate) reason: String,
    /// Whether a quick check can find this damage, and can see that it is gone.
    pub(crate) is_plain: bool,
}

/// The caller's repository with this id, or with this name in any case.
pub(crate) async fn find(host: &Host, caller: &Caller, repo: &str) -> Result<RepoRow, Error> {
    let no_such_repo =
        || Error::NotFound(format!("the organisation {} has no repository {}", caller.org.slug, repo.escape_default()));
    // A text that cannot be a name needs no query.
    if repo.len() > 100 || repo.contains('\0') {
        return Err(no_such_repo());
    }
    let params = json!({"org_id": caller.org.id, "repo": repo});
    let found: Option<RepoRow> = store::row(host.database(), sql!("sql/repo_show.sql"), params).await?;
    let found = found.ok_or_else(no_such_repo)?;
    caller.require_repo(&found.id)?;
    Ok(found)
}

/// Refuses a caller without this scope for the repository that the path names, or for the whole organisation if the path
/// names none. A grant is valid for the repository that was found, not for the path: the caller may then touch only that
/// repository.
///
/// # Errors
///
/// [`Error::Forbidden`], or the database's failure.
pub(crate) async fn require(host: &Host, caller: &mut Caller, needed: Scope, repo: &str) -> Result<(), Error> {
    let Some(access) = &caller.access else { return caller.require(needed) };
    if repo.is_empty() {
        return Err(elsewhere());
    }
    let found = match find(host, caller, repo).await {
        Err(Error::NotFound(_)) if !access.contains_key(&repo.to_ascii_lowercase()) => return Err(elsewhere()),
        other => other?,
    };
    require_scope(*access.get(&found.name.to_ascii_lowercase()).ok_or_else(elsewhere)?, needed)?;
    caller.only_repo_id = Some(found.id);
    Ok(())
}
