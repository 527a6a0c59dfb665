//! Effects of a policy: the moves that it holds, and the backups of refs that it forced or deleted.
//!
//! A run reports each held move with the reason `held`. After the sync, the table `held` has exactly the moves of its refs. An
//! approval counts for the two ids of a move. If one of them changes, the new move waits again.
//!
//! A backup is a ref under `refs/refsync/backup/<object id>/`, see `backup_name` in `src/sync/policy.rs`: of the repository
//! if a pull made it, of the upstream if a push made it. The database only knows when each was made.

use serde_json::{Value, json};

use crate::api::{Direction, Reason, RefGlobs, SyncRunStats};
use crate::service::{
    engine::EngineError,
    error::Error,
    host::Host,
    hosting::head,
    queue::Claim,
    remotes::{self, Reached, origin},
    secrets::Unreadable,
    store,
};

/// Where the backups of one direction are.
pub(crate) struct Place<'a> {
    pub(crate) repo_id: &'a str,
    pub(crate) direction: Direction,
    pub(crate) remote: Reached,
}

/// The backups of a place: the API's `Backups` as JSON.
pub(crate) async fn list(host: &Host, place: &Place<'_>) -> Result<String, Error> {
    let listed = ask(host, place, json!({"verb": "list"})).await?;
    let params = json!({"repo_id": place.repo_id, "direction": place.direction, "listed": listed});
    Ok(store::text(host.database(), sql!("sql/backup_list.sql"), params).await?.unwrap_or_default())
}

/// Moves a ref back to the object of a backup, and keeps the present object as another backup. Returns the API's `Restored`
/// as JSON.
pub(crate) async fn restore(host: &Host, place: &Place<'_>, request: &Value) -> Result<String, Error> {
    let request = json!({"verb": "restore", "ref": request["ref"], "oid": request["oid"]});
    let answer = ask(host, place, request).await?;
    if let Some(refusal) = answer["refusal"].as_str() {
        return Err(Error::Conflict(refusal.to_owned()));
    }
    let Some(restored) = answer["restored"].as_str() else {
        return Err(Error::NotFound("there is no such backup; GET …/upstream/backups lists the backups".into()));
    };
    note(host, place, &answer["made"], &[]).await?;
    if place.remote.is_hosted() {
        head::look(host, place.repo_id).await;
    }
    Ok(restored.to_owned())
}

/// The repository, as a place of backups.
pub(crate) async fn repository(host: &Host, repo_id: &str) -> Result<Reached, Error> {
    let origin = origin::find(host, repo_id).await?;
    let unreadable = |message: &str| Error::Upstream { message: message.to_owned(), transient: false };
    origin::repository(host, repo_id, origin.as_ref()).await.map_err(unreadable)
}

/// Stores what a run has held and kept, and deletes old backups. The run must still have its lease. If this fails, the run
/// does not fail: its work is done.
pub(crate) async fn after_sync(host: &Host, claim: &Claim, stats: &SyncRunStats) {
    let made: Vec<&String> = stats.refs.iter().filter_map(|r| r.backup.as_ref()).collect();
    let keep_minutes = claim.policy.keep_minutes;
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
        "upstream_url": claim.upstream_url,
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
        let direction = claim.run.direction;
        let remote = match direction {
            Direction::Pull => repository(host, repo_id).await?,
            Direction::Push => {
                let unreadable = |error: Unreadable| Error::Upstream { message: error.to_string(), transient: false };
                let url = claim.upstream_url.as_deref().unwrap_or_default();
                remotes::remote(host, url, claim.upstream_auth.as_deref(), repo_id).await.map_err(unreadable)?
            }
        };
        let place = Place { repo_id, direction, remote };
        ask(host, &place, json!({"verb": "remove", "backups": old})).await?;
        note(host, &place, &Value::Null, &old).await
    };
    if let Err(error) = work.await {
        host.log(&format!("repository {repo_id}: held refs and backups: {error}"));
    }
}

/// Whether a branch or a tag names this commit, or the ref with this full name.
pub(crate) async fn is_tip(host: &Host, repo_id: &str, id: &str, ref_name: Option<&str>) -> Result<bool, Error> {
    let place = Place { repo_id, direction: Direction::Pull, remote: repository(host, repo_id).await? };
    let found = ask(host, &place, json!({"verb": "find", "oid": id, "ref": ref_name})).await?;
    Ok(found["is_there"] == true)
}

async fn note(host: &Host, place: &Place<'_>, made: &Value, removed: &[String]) -> Result<(), Error> {
    let params = json!({"repo_id": place.repo_id, "direction": place.direction, "made": made, "removed": removed});
    store::text(host.database(), sql!("sql/backup_note.sql"), params).await?;
    Ok(())
}

async fn ask(host: &Host, place: &Place<'_>, request: Value) -> Result<Value, Error> {
    let failed = |error: EngineError| Error::Upstream { message: error.message, transient: error.transient };
    let answer = remotes::backups(host, &place.remote, &request.to_string()).await.map_err(failed)?;
    Ok(serde_json::from_slice(answer.as_bytes()).unwrap_or_default())
}
