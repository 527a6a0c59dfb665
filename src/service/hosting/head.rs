//! The heads of hosted repositories, as they are noted in the database: a list asks no Git process for each of its rows.
//!
//! A head is noted after a push and after a pull that may have moved it, and whenever one repository is asked for and its head is
//! not the noted one. While it is pushed to, a repository's head is not known, so that a process that is lost meanwhile
//! leaves none that is wrong.

use serde::de::IgnoredAny;

use crate::service::{Error, Service, store};

impl Service {
    /// Notes the commit that `HEAD` of a hosted repository names.
    pub(crate) async fn note_hosted_head(&self, repo_id: &str, head: Option<&str>) -> Result<(), Error> {
        self.store_head(repo_id, head, true).await
    }

    /// Notes that the head may change from now on.
    pub(crate) async fn forget_hosted_head(&self, repo_id: &str) -> Result<(), Error> {
        self.store_head(repo_id, None, false).await
    }

    /// Looks at the head of a hosted repository, and notes it. If that fails, its work is done all the same: the head is looked at
    /// again by the next list.
    pub async fn look_at_hosted_head(&self, repo_id: &str) {
        let looked = async {
            let head = self.commit_id(repo_id, "HEAD").await?;
            self.note_hosted_head(repo_id, head.as_deref()).await
        };
        if let Err(error) = looked.await {
            self.log(&format!("repository {repo_id}: its head: {error}"));
            if let Err(error) = self.forget_hosted_head(repo_id).await {
                self.log(&format!("repository {repo_id}: its head: {error}"));
            }
        }
    }

    async fn store_head(&self, repo_id: &str, head: Option<&str>, is_known: bool) -> Result<(), Error> {
        let params = vec![Some(repo_id.to_owned()), head.map(str::to_owned), Some(is_known.to_string())];
        store::row::<IgnoredAny>(self.database(), sql!("sql/repo_head.sql"), params).await?;
        Ok(())
    }
}
