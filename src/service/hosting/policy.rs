//! Effects of a policy: the moves that it holds, and the backups of refs that a pull forced or deleted.
//!
//! A run reports each held move with the reason `held`. After the sync, the table `held` has exactly the moves of its refs. An
//! approval counts for the two ids of a move. If one of them changes, the new move waits again.
//!
//! A backup is a ref of the repository, `refs/refsync/backup/<object id>/<name without refs/>`. The database only knows when
//! each was made.

use serde_json::{Value, json};

use crate::api::{Direction, Reason, RefGlobs, SyncRunStats};
use crate::service::{
    engine::EngineError,
    error::Error,
    host::Host,
    hosting::head,
    queue::Claim,
    remotes::{self, origin},
    store,
};

/// The backups of a repository: the API's `Backups` as JSON.
pub(crate) async fn list(host: &Host, repo_id: &str) -> Result<String, Error> {
    let listed = ask(host, repo_id, json!({"verb": "list"})).await?;
    let params = json!({"repo_id": repo_id, "listed": listed});
    Ok(store::text(host.database(), sql!("sql/backup_list.sql"), params).await?.unwrap_or_default())
}

/// Moves a ref back to the object of a backup, and keeps the present object as another backup. Returns the API's `Restored`
/// as JSON.
pub(crate) async fn restore(host: &Host, repo_id: &str, request: &Value) -> Result<String, Error> {
    let request = json!({"verb": "restore", "ref": request["ref"], "oid": request["oid"]});
    let answer = ask(host, repo_id, request).await?;
    if let Some(refusal) = answer["refusal"].as_str() {
        return Err(Error::Conflict(refusal.to_owned()));
    }
    let Some(restored) = answer["restored"].as_str() else {
        return Err(Error::NotFound("there is no such backup; GET …/upstream/backups lists the backups".into()));
    };
    note(host, repo_id, &answer["made"], &[]).await?;
    if origin::find(host, repo_id).await?.is_none() {
        head::look(host, repo_id).await;
    }
    Ok(restored.to_owned())
}

/// Stores what a run has held and kept, and deletes old backups. The run must still have its lease. If this fails, the run
/// does not fail: its work is done.
pub(crate) async fn after_sync(host: &Host, claim: &Claim, stats: &SyncRunStats) {
    let is_pull = claim.run.direction == Direction::Pull;
    let made: Vec<&String> = stats.refs.iter().filter_map(|r| r.backup.as_ref()).filter(|_| is_pull).collect();
    let keep_minutes = claim.policy.keep_minutes.filter(|_| is_pull);
    if !claim.policy.holds && made.is_empty() && keep_minutes.is_none() {
        return;
    }
    let (mut held, mut settled) = (Vec::new(), Vec::new());
    for r in &stats.refs {
        match r.reason {
            Some(Reason::Held) => held
                .push(json!({"name": r.name, "from": r.before, "to": r.source, "ahead": r.ahead, "behind": r.behind})),
            _ => settled.push(&r.name),
        }
    }
    let repo_id = &claim.run.repo_id;
    let params = json!({
        "sync_id": claim.run.id,
        "lease": claim.lease,
        "held": held,
        "settled": (claim.run.ref_globs != RefGlobs::default()).then_some(settled),
        "backups": made,
        "keep_minutes": keep_minutes,
    });
    let work = async {
        let old: Vec<String> = store::rows(host.database(), sql!("sql/policy_record.sql"), params).await?;
        if old.is_empty() {
            return Ok(());
        }
        ask(host, repo_id, json!({"verb": "remove", "backups": old})).await?;
        note(host, repo_id, &Value::Null, &old).await
    };
    if let Err(error) = work.await {
        host.log(&format!("repository {repo_id}: held refs and backups: {error}"));
    }
}

async fn note(host: &Host, repo_id: &str, made: &Value, removed: &[String]) -> Result<(), Error> {
    let params = json!({"repo_id": repo_id, "made": made, "removed": removed});
    store::text(host.database(), sql!("sql/backup_note.sql"), params).await?;
    Ok(())
}

async fn ask(host: &Host, repo_id: &str, request: Value) -> Result<Value, Error> {
    let origin = origin::find(host, repo_id).await?;
    let unreadable = |message: &str| Error::Upstream { message: message.to_owned(), transient: false };
    let reached = origin::repository(host, repo_id, origin.as_ref()).await.map_err(unreadable)?;
    let failed = |error: EngineError| Error::Upstream { message: error.message, transient: error.transient };
    let answer = remotes::backups(host, &reached, &request.to_string()).await.map_err(failed)?;
    Ok(serde_json::from_slice(answer.as_bytes()).unwrap_or_default())
}
