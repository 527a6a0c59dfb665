//! The refs that a policy holds, and the backups that it made. The database builds the answers.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::api::{ApproveRequest, CallName, Direction, RefGlobs, RestoreRequest, SyncRequest, Verbatim};
use crate::http::Response;
use crate::service::{
    error::{Error, json_text},
    handlers::syncs,
    host::Host,
    hosting::{
        policy::{self, Place},
        repository::{self, RepoRow},
    },
    http::{body, call::Incoming, page::parameter},
    store,
};

/// One of these calls.
pub(crate) async fn answer(host: &Host, name: CallName, call: Incoming<'_>) -> Result<Response, Error> {
    let repo = repository::find(host, &call.caller, &call.params.repo).await?;
    let text = match name {
        CallName::ListBackups => {
            let direction = parameter(call.query, "direction")?;
            policy::list(host, &place(host, &repo, direction.as_deref()).await?).await?
        }
        CallName::RestoreRef => {
            let request: Verbatim<RestoreRequest> = body::read(call.body).await?;
            check(&request.0)?;
            let place = place(host, &repo, request.0["direction"].as_str()).await?;
            policy::restore(host, &place, &request.0).await?
        }
        _ => {
            let wanted = match name {
                CallName::ApproveHeldRefs => body::read::<Verbatim<ApproveRequest>>(call.body).await?.0,
                _ => json!({"refs": []}),
            };
            if name == CallName::ApproveHeldRefs && wanted["refs"][0].is_null() {
                return Err(Error::field("refs", "must name at least one move"));
            }
            held(host, &repo.id, &wanted["refs"]).await?
        }
    };
    Ok(json_text(200, text))
}

/// The place of the backups that syncs in this direction make.
async fn place<'a>(host: &Host, repo: &'a RepoRow, direction: Option<&str>) -> Result<Place<'a>, Error> {
    let (direction, remote) = match direction.unwrap_or("pull") {
        "pull" => (Direction::Pull, policy::repository(host, &repo.id).await?),
        "push" => {
            let request = SyncRequest { direction: Direction::Push, ref_globs: RefGlobs::default(), policy: None };
            (Direction::Push, syncs::upstream(host, repo, &request).await?.0)
        }
        _ => return Err(Error::field("direction", "must be pull or push")),
    };
    Ok(Place { repo_id: &repo.id, direction, remote })
}

/// The held moves, after these were approved.
async fn held(host: &Host, repo_id: &str, wanted: &Value) -> Result<String, Error> {
    #[derive(Deserialize)]
    struct Answer {
        at: Option<u32>,
        message: Option<String>,
        answer: String,
    }
    if wanted.as_array().is_some_and(|moves| moves.len() > MAX_MOVES) {
        return Err(Error::field("refs", format!("must name at most {MAX_MOVES} moves")));
    }
    let params = json!({"repo_id": repo_id, "refs": wanted});
    match store::row(host.database(), sql!("sql/held_approve.sql"), params).await? {
        Some(Answer { at: Some(at), message, .. }) => {
            Err(Error::field(format!("refs[{at}]"), message.unwrap_or_default()))
        }
        answer => Ok(answer.map(|answer: Answer| answer.answer).unwrap_or_default()),
    }
}

fn check(request: &Value) -> Result<(), Error> {
    let text = |key: &str| request[key].as_str().unwrap_or_default();
    let (name, oid) = (text("ref"), text("oid"));
    check_ref_name(name)?;
    check_object_id("oid", oid)
}

/// Refuses a text that is not the full name of a branch or a tag.
pub(crate) fn check_ref_name(name: &str) -> Result<(), Error> {
    let is_named = (name.starts_with("refs/heads/") || name.starts_with("refs/tags/"))
        && !name.contains(|c: char| c.is_control() || c == ' ');
    if is_named {
        return Ok(());
    }
    Err(Error::field("ref", "must be the full name of a branch or a tag, such as refs/heads/main"))
}

/// Refuses a text that is not an object id.
pub(crate) fn check_object_id(field: &str, id: &str) -> Result<(), Error> {
    if matches!(id.len(), 40 | 64) && id.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)) {
        return Ok(());
    }
    Err(Error::field(field, "must be an object id: 40 or 64 hexadecimal digits in lower case"))
}

const MAX_MOVES: usize = 1000;
