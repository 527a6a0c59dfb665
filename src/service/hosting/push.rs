//! The effects of a push into a hosted repository: its new head, the event `push`, and a push to the upstream if the
//! upstream's `on_push` says so.

use serde_json::json;

use crate::service::{
    host::Host,
    hosting::head,
    store::{self, storable},
};

/// Notes a push. `updates` has the moved refs, as the JSON text of an array of `{ref, before, after}`, or `null` if they are
/// not known. A failure here does not fail the push.
pub async fn note(host: &Host, repo_id: &str, updates: &str) {
    head::look(host, repo_id).await;
    follow(host, repo_id, updates).await;
}

/// Notes refs that a pull has moved. The push to the upstream moves nothing unless the repository has more than the
/// upstream. So it causes no other pull.
pub(crate) async fn follow_pull(host: &Host, repo_id: &str) {
    follow(host, repo_id, "null").await;
}

async fn follow(host: &Host, repo_id: &str, updates: &str) {
    let params = json!({"repo_id": repo_id});
    let updates = storable::json(updates).into_owned();
    match store::text_with_json(host.database(), sql!("sql/trigger_push.sql"), params, updates).await {
        Ok(added) if added.as_deref() == Some("true") => host.options.runtime.queued(),
        Ok(_) => {}
        Err(error) => host.log(&format!("repository {repo_id}: its push: {error}")),
    }
}
