//! Finds and notes damage in the files of hosted repositories. A pull recreates a damaged repository.
//!
//! A quick check of a repository finds damage that is visible now. Damage that only a full read can find is noted in the
//! database by a backup, a restore, or a failed run. If damage was noted, or if a pull fails in the repository, the pull
//! reads all of it. If it is damaged, its host recreates it, and the pull fills it.

use serde_json::json;

use crate::api::{Direction, Reason};
use crate::service::{
    engine::{EngineError, Side, Synced},
    error::Error,
    host::{Host, Look, Repair},
    hosting::repository::{Damage, RepoRow},
    queue::Claim,
    store,
};

/// Checks a hosted repository, notes the result, and returns its known damage.
pub(crate) async fn look(host: &Host, repo: &RepoRow, look: Look) -> Result<Option<String>, Error> {
    if repo.origin.is_some() {
        return Ok(None);
    }
    let found = host.options.git.damage(&repo.id, look).await.map_err(git_failed)?;
    let found = found.map(|reason| Damage { reason, is_plain: true });
    let known = match (&found, &repo.damage) {
        // If this quick check finds nothing, the damage may still exist.
        (None, Some(noted)) if !noted.is_plain || look == Look::Files => repo.damage.clone(),
        _ => found,
    };
    if known != repo.damage {
        store(host, &repo.id, known.as_ref()).await?;
    }
    Ok(known.map(|damage| damage.reason))
}

/// Whether damage in the repository may be the cause of a pull's end: the pull failed there, or refused a ref without a
/// reason that concerns the ref.
pub(crate) fn is_suspicious(claim: &Claim, result: &Result<Synced, EngineError>) -> bool {
    if claim.run.direction != Direction::Pull || claim.origin.is_some() {
        return false;
    }
    match result {
        Err(error) => error.side == Some(Side::Destination),
        Ok(synced) => synced.stats.refs.iter().any(|ref_| match ref_.reason {
            Some(Reason::RemoteRefused | Reason::MissingObjects | Reason::LeaseLost) => true,
            // A ref whose file names no commit is listed with an id of zeros.
            Some(Reason::NonFastForward) => ref_.after.bytes().all(|digit| digit == b'0'),
            _ => false,
        }),
    }
}

/// Reads the whole repository of a pull, and recreates it if it is damaged. Returns whether it was damaged. If this fails,
/// the run fails with its own error.
pub(crate) async fn was_damaged(host: &Host, claim: &Claim) -> bool {
    let repaired = repair(host, claim).await;
    repaired.unwrap_or_else(|error| {
        host.log(&format!("repository {}/{}: {error}", claim.org, claim.repo_name));
        false
    })
}

async fn repair(host: &Host, claim: &Claim) -> Result<bool, Error> {
    let repo_id = &claim.run.repo_id;
    let params = json!({"repo_id": repo_id});
    let branch: Option<String> = store::row(host.database(), sql!("sql/repo_default_bookmark.sql"), params).await?;
    let Some(branch) = branch else { return Ok(false) };
    let Some(Repair { reason, lost, kept }) = host.options.git.repair(repo_id, &branch).await.map_err(git_failed)?
    else {
        return Ok(false);
    };
    let kept = kept.map_or_else(String::new, |kept| format!("; the damaged files are kept as {kept}"));
    // A pull of all branches and tags brings back what the upstream has of it.
    let note = (!lost.is_empty())
        .then(|| Damage { reason: format!("it was recreated without the lost parts: {reason}"), is_plain: false });
    let named = lost.iter().take(MAX_NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    let lost_refs = match lost.len() {
        0 => "every ref is saved".to_owned(),
        count => format!("lost, {count} in all: {named}"),
    };
    let name = format!("{}/{}", claim.org, claim.repo_name);
    host.log(&format!("repository {name} ({repo_id}) was damaged and has been recreated: {reason}; {lost_refs}{kept}"));
    store(host, repo_id, note.as_ref()).await?;
    Ok(true)
}

/// Notes after a run what is known about the repository's files. After a pull of all branches and tags, nothing is damaged
/// any more. `may_be_noted`: whether damage may have been noted before. If not, other pulls need no statement.
pub(crate) async fn note_after_run(
    host: &Host,
    claim: &Claim,
    result: &Result<Synced, EngineError>,
    may_be_noted: bool,
) {
    if claim.origin.is_some() {
        return;
    }
    let run = &claim.run;
    let is_of_all = run.ref_globs.branches.to_string() == "*" && run.ref_globs.tags.to_string() == "*";
    let noted = match (run.direction, result) {
        (Direction::Pull, Ok(_)) if is_of_all && may_be_noted => store(host, &run.repo_id, None).await,
        (Direction::Push, result) if may_lack_objects(result) => note_found(host, &run.repo_id).await,
        _ => Ok(()),
    };
    if let Err(error) = noted {
        host.log(&format!("repository {}/{}: {error}", claim.org, claim.repo_name));
    }
}

async fn note_found(host: &Host, repo_id: &str) -> Result<(), Error> {
    let found = host.options.git.damage(repo_id, Look::Refs).await.map_err(git_failed)?;
    match found {
        None => Ok(()),
        Some(reason) => store(host, repo_id, Some(&Damage { reason, is_plain: true })).await,
    }
}

/// Notes the damage of a repository; `None` if it is intact again.
async fn store(host: &Host, repo_id: &str, damage: Option<&Damage>) -> Result<(), Error> {
    let params = json!({"repo_id": repo_id, "damage": damage});
    store::row::<String>(host.database(), sql!("sql/repo_damage.sql"), params).await?;
    Ok(())
}

/// Whether damage in the repository may be the cause of a push's end.
fn may_lack_objects(result: &Result<Synced, EngineError>) -> bool {
    match result {
        Err(error) => error.side == Some(Side::Source),
        Ok(synced) => synced.stats.refs.iter().any(|ref_| ref_.reason == Some(Reason::MissingObjects)),
    }
}

fn git_failed(error: String) -> Error {
    Error::Internal(format!("git: {error}"))
}

/// How many lost refs the log names.
const MAX_NAMED: usize = 20;
