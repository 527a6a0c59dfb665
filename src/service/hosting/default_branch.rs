//! Sets the default branch of a repository after a pull. It follows the upstream's `HEAD`, unless a request has named it.
//!
//! | the default branch | after a pull |
//! | --- | --- |
//! | not requested | the branch that the upstream's `HEAD` names, if that branch is here |
//! | not requested, and that branch is not here | it stays if it is here; else `main`, `master` or the first branch by name |
//! | requested | it stays; if it is not here, the run says so |
//! | unknown, because an older version stored it | it stays if it is here; else as if it was not requested |
//!
//! The second row covers all of these cases: the upstream's `HEAD` is missing or detached, the globs leave out its branch,
//! or its branch was rejected.
//!
//! If another server stores the repository, its `HEAD` is only noted, and not changed.

use std::collections::HashMap;

use crate::api::{Direction, SyncRunRef};
use crate::service::{
    engine::{RemoteRef, Synced},
    error::Error,
    host::Host,
    hosting::{change_id, head},
    names,
    queue::{Claim, DefaultBranch, NewDefaultBranch},
};

/// The decision on the default branch after a pull.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Nothing.
    Keep,
    /// Another branch becomes the default.
    Take {
        /// Its short name.
        name: String,
        /// The run's message.
        message: String,
    },
    /// Nothing, but the run has a message.
    Tell(String),
}

/// Decides on the default branch of a repository that the service hosts. `head` is the short name of the branch that the
/// upstream's `HEAD` names. `here` are branches of the repository, by name; it must contain `current` and `head` if they
/// exist.
pub fn decide(current: &DefaultBranch, head: Option<&str>, here: &[&str]) -> Decision {
    let is_here = |name: &str| here.binary_search(&name).is_ok();
    let head = head.filter(|head| is_here(head));
    let stays = current.asked_for != Some(false);
    if is_here(&current.name) && (stays || head.is_none_or(|head| head == current.name)) {
        return Decision::Keep;
    }
    let likely = ["main", "master"].into_iter().find(|name| is_here(name)).or_else(|| here.first().copied());
    let better = head.or(likely);
    let old = &current.name;
    match (current.asked_for, better) {
        (Some(true), _) => {
            let change = better
                .map_or_else(String::new, |name| format!(" or default_bookmark is changed, for example to {name}"));
            Decision::Tell(format!(
                "The default branch is {old}, and the repository has no such branch. A clone checks out nothing until the branch exists{change}."
            ))
        }
        (_, None) => Decision::Keep,
        (_, Some(name)) => {
            let message = match head {
                Some(_) => format!("The default branch is now {name}, as at the upstream. It was {old}."),
                None => format!(
                    "The default branch is now {name}. It was {old}, which is not here, and HEAD of the upstream names no branch that is here. Change default_bookmark if another branch should be the default."
                ),
            };
            Decision::Take { name: name.to_owned(), message }
        }
    }
}

/// Decides on the default branch of a repository on another server, whose `HEAD` names the branch `head`.
pub fn decide_elsewhere(current: &DefaultBranch, head: Option<&str>) -> Decision {
    let old = &current.name;
    match head {
        None => Decision::Keep,
        Some(name) if name == old => Decision::Keep,
        Some(name) if current.asked_for == Some(true) => Decision::Tell(format!(
            "The default branch is {old}, but HEAD of the origin names {name}. Only that server can change it; or change default_bookmark to {name}."
        )),
        Some(name) => Decision::Take {
            name: name.to_owned(),
            message: format!("The default branch is now {name}, as at the origin. It was {old}."),
        },
    }
}

/// Decides on the default branch after a pull, and points `HEAD` of a hosted repository at it. Returns the values that are
/// still to be stored, and the run's message. If this fails, the default branch stays, because the pull itself has
/// completed.
pub(crate) async fn follow_upstream(
    host: &Host,
    claim: &Claim,
    synced: &Synced,
    origin_head: Option<&RemoteRef>,
) -> (Option<NewDefaultBranch>, Option<String>) {
    if claim.run.direction != Direction::Pull {
        return (None, None);
    }
    let decided = match &claim.origin {
        Some(_) => Ok(decide_elsewhere_at(&claim.default_branch, origin_head)),
        None => decide_here(host, claim, synced).await,
    };
    let repo_id = &claim.run.repo_id;
    match decided {
        Ok((Decision::Keep, _)) => (None, None),
        Ok((Decision::Tell(message), _)) => (None, Some(message)),
        Ok((Decision::Take { name, message }, commit)) => {
            if claim.origin.is_none()
                && let Err(error) = host.options.git.set_head(repo_id, &name).await
            {
                host.log(&format!("git: point HEAD of {repo_id} at {name}: {error}"));
                let message = format!(
                    "The default branch should be {name} now, but HEAD could not be moved to it. The service's log says why."
                );
                return (None, Some(message));
            }
            let head_change_id = change_id::derive(commit.as_deref());
            (Some(NewDefaultBranch { name, head_change_id }), Some(message))
        }
        Err(error) => {
            host.log(&format!("repository {repo_id}: default branch after a pull: {error}"));
            (None, None)
        }
    }
}

/// Points `HEAD` at what is stored, if a pull has pointed it at something else: a request has
/// named another branch meanwhile.
pub(crate) async fn correct_head(host: &Host, repo_id: &str, pointed_at: &str, stored: &str) {
    if pointed_at != stored
        && let Err(error) = host.options.git.set_head(repo_id, stored).await
    {
        host.log(&format!("git: point HEAD of {repo_id} at {stored}: {error}"));
    }
}

/// The decision, and the commit of the new default branch.
async fn decide_here(host: &Host, claim: &Claim, synced: &Synced) -> Result<(Decision, Option<String>), Error> {
    let mut here: HashMap<&str, String> = synced.stats.refs.iter().filter_map(branch_here).collect();
    let current = &claim.default_branch;
    let head = synced.head.as_deref().and_then(|head| head.strip_prefix(HEADS));
    // A branch that a request could not name does not become the default branch.
    let head = head.filter(|head| names::branch_refusal(head).is_none());
    for name in [Some(current.name.as_str()), head].into_iter().flatten() {
        if !here.contains_key(name)
            && let Some(commit) = head::commit_id(host, &claim.run.repo_id, &format!("{HEADS}{name}")).await?
        {
            here.insert(name, commit);
        }
    }
    let mut names: Vec<&str> = here.keys().copied().filter(|name| names::branch_refusal(name).is_none()).collect();
    names.sort_unstable();
    let decision = decide(current, head, &names);
    let commit = match &decision {
        Decision::Take { name, .. } => here.get(name.as_str()).cloned(),
        _ => None,
    };
    Ok((decision, commit))
}

fn decide_elsewhere_at(current: &DefaultBranch, head: Option<&RemoteRef>) -> (Decision, Option<String>) {
    let branch = head.and_then(|head| head.symref_target.as_deref()?.strip_prefix(HEADS));
    (decide_elsewhere(current, branch), head.map(|head| head.id.clone()))
}

/// The short name and the commit of a branch that the repository has after the run.
fn branch_here(r: &SyncRunRef) -> Option<(&str, String)> {
    let name = r.name.strip_prefix(HEADS)?;
    r.after.bytes().any(|digit| digit != b'0').then(|| (name, r.after.clone()))
}

const HEADS: &str = "refs/heads/";
