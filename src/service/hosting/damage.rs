//! Hosted repositories whose files are damaged: found, noted, and made anew by a pull.
//!
//! A look at a repository shows what is wrong with its files now. What takes a whole read to find is noted in the database: by a
//! backup, a restore, or a run that failed. A pull of a repository that was noted, or that fails in it, reads it whole, has its
//! host make it anew if it is damaged, and fills it.

use serde::{Deserialize, Serialize};

use crate::model::{Direction, Reason};
use crate::service::{
    Error, Service,
    handlers::repos,
    queue::{
        Claim,
        engine::{EngineError, Side, Synced},
    },
    store,
};

/// How closely a host looks at a repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// Whether the files are there that every repository has. Starts no process.
    Files,
    /// Also whether every ref names an object that is there, unless there are so many refs that this takes long.
    RefsIfFew,
    /// The same for any number of refs.
    Refs,
}

/// A repository that was damaged and made anew.
pub struct Repair {
    /// What was wrong with it.
    pub reason: String,
    /// What could not be saved: names of refs, or words for what hid them.
    pub lost: Vec<String>,
    /// What its host calls the damaged files, which are kept; none if nothing of them is left.
    pub kept: Option<String>,
}

/// What is noted of a repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Damage {
    /// What is wrong with its files.
    pub(crate) reason: String,
    /// Whether a look at the repository shows it, and shows when it is over.
    is_plain: bool,
}

impl Service {
    /// Looks at a hosted repository, notes what is found, and gives what is known to be wrong with it.
    pub(crate) async fn damage(&self, repo: &repos::Stored, look: Look) -> Result<Option<String>, Error> {
        if repo.origin.is_some() {
            return Ok(None);
        }
        let found = self.options.git.damage(&repo.id, look).await.map_err(git_failed)?;
        let found = found.map(|reason| Damage { reason, is_plain: true });
        let known = match (&found, &repo.damage) {
            // Damage is not over because this look is too short to see it.
            (None, Some(noted)) if !noted.is_plain || look == Look::Files => repo.damage.clone(),
            _ => found,
        };
        if known != repo.damage {
            self.note_damage(&repo.id, known.as_ref()).await?;
        }
        Ok(known.map(|damage| damage.reason))
    }

    /// Whether the end of a pull may come from damage in the repository: it failed there, or refused a ref without a reason that
    /// the ref explains.
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

    /// Has the repository of a pull read whole, and made anew if it is damaged. Whether it was. What fails here fails the run with
    /// what the run itself meets.
    pub(crate) async fn was_damaged(&self, claim: &Claim) -> bool {
        let repaired = self.repair(claim).await;
        repaired.unwrap_or_else(|error| {
            self.log(&format!("repository {}/{}: {error}", claim.org, claim.repo_name));
            false
        })
    }

    async fn repair(&self, claim: &Claim) -> Result<bool, Error> {
        let repo_id = &claim.run.repo_id;
        let params = vec![Some(repo_id.clone())];
        let branch: Option<String> = store::row(self.database(), sql!("sql/repo_default_bookmark.sql"), params).await?;
        let Some(branch) = branch else { return Ok(false) };
        let Some(Repair { reason, lost, kept }) =
            self.options.git.repair(repo_id, &branch).await.map_err(git_failed)?
        else {
            return Ok(false);
        };
        let kept = kept.map_or_else(String::new, |kept| format!("; the damaged files are kept as {kept}"));
        // A pull of all branches and tags brings back what the upstream has of it.
        let note = (!lost.is_empty())
            .then(|| Damage { reason: format!("it was made anew without what was lost: {reason}"), is_plain: false });
        let named = lost.iter().take(MAX_NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
        let lost_refs = match lost.len() {
            0 => "every ref is saved".to_owned(),
            count => format!("lost, {count} in all: {named}"),
        };
        let name = format!("{}/{}", claim.org, claim.repo_name);
        self.log(&format!("repository {name} ({repo_id}) was damaged and is made anew: {reason}; {lost_refs}{kept}"));
        self.note_damage(repo_id, note.as_ref()).await?;
        Ok(true)
    }

    /// Notes after a run what is known of the repository's files: nothing is wrong once a pull of all branches and tags has
    /// filled it. `may_be_noted`: whether there may be a note of damage, so that other pulls cost no statement.
    pub(crate) async fn settle_damage(&self, claim: &Claim, result: &Result<Synced, EngineError>, may_be_noted: bool) {
        if claim.origin.is_some() {
            return;
        }
        let run = &claim.run;
        let is_of_all = run.ref_globs.branches.to_string() == "*" && run.ref_globs.tags.to_string() == "*";
        let noted = match (run.direction, result) {
            (Direction::Pull, Ok(_)) if is_of_all && may_be_noted => self.note_damage(&run.repo_id, None).await,
            (Direction::Push, result) if may_lack_objects(result) => self.note_found(&run.repo_id).await,
            _ => Ok(()),
        };
        if let Err(error) = noted {
            self.log(&format!("repository {}/{}: {error}", claim.org, claim.repo_name));
        }
    }

    async fn note_found(&self, repo_id: &str) -> Result<(), Error> {
        let found = self.options.git.damage(repo_id, Look::Refs).await.map_err(git_failed)?;
        match found {
            None => Ok(()),
            Some(reason) => self.note_damage(repo_id, Some(&Damage { reason, is_plain: true })).await,
        }
    }

    /// Notes what is wrong with a repository; none if nothing is any more.
    async fn note_damage(&self, repo_id: &str, damage: Option<&Damage>) -> Result<(), Error> {
        let damage = damage.map(|damage| serde_json::to_string(damage).expect("damage is JSON"));
        let params = vec![Some(repo_id.to_owned()), damage];
        store::row::<String>(self.database(), sql!("sql/repo_damage.sql"), params).await?;
        Ok(())
    }
}

/// Whether the end of a push may come from damage in the repository that it reads.
fn may_lack_objects(result: &Result<Synced, EngineError>) -> bool {
    match result {
        Err(error) => error.side == Some(Side::Source),
        Ok(synced) => synced.stats.refs.iter().any(|ref_| ref_.reason == Some(Reason::MissingObjects)),
    }
}

fn git_failed(error: String) -> Error {
    Error::Internal(format!("git: {error}"))
}

/// How much of what is lost the log names.
const MAX_NAMED: usize = 20;
