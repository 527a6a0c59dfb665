//! Hooks: the addresses that the hosts of upstreams call after a push.
//!
//! A call needs no credential. It is signed with the hook's secret, in the header of the host that sends it:
//!
//! | header | value | sent by |
//! | --- | --- | --- |
//! | `X-Hub-Signature-256` | `sha256=` and the HMAC-SHA256 of the body in hex | GitHub, Gitea, Forgejo |
//! | `X-Hub-Signature` | the same | Bitbucket |
//! | `X-Gitea-Signature`, `X-Forgejo-Signature` | the HMAC-SHA256 of the body in hex | Gitea, Forgejo |
//! | `X-Gitlab-Token` | the secret | GitLab |
//!
//! The host's process reads the payload (`pkg/src/service/hook.ts`). If the hook does not exist, the same work is done as
//! for a wrong signature.

use serde_json::{Value, json};

use crate::api::CallName;
use crate::glob::Glob;
use crate::http::{Body, Headers, Response};
use crate::service::{
    auth::equal_in_constant_time,
    error::{self, Error},
    handlers::webhook_targets::new_secret,
    host::Host,
    hosting::repository,
    http::{body, call::Incoming},
    random::{hex, random},
    secrets::Owner,
    store,
};

/// The start of a hook's path; the rest is its id.
pub(crate) const PATH: &str = "/v1/hooks/";

/// Makes or deletes the hook of a repository's upstream.
pub(crate) async fn change(host: &Host, name: CallName, call: &Incoming<'_>) -> Result<Response, Error> {
    let repo = repository::find(host, &call.caller, &call.params.repo).await?;
    if name == CallName::DeleteUpstreamHook {
        let params = json!({"repo_id": repo.id});
        let removed = store::text(host.database(), sql!("sql/hook_remove.sql"), params).await?;
        removed.ok_or_else(|| Error::NotFound(format!("the upstream of {} has no hook", repo.name)))?;
        return Ok(error::json_text(200, r#"{"success":true}"#.into()));
    }
    let secret = new_secret();
    let params = json!({
        "repo_id": repo.id,
        "hook_id": format!("hook_{}", hex(&random::<14>())),
        "secret": host.secrets.seal(&secret, Owner::target(&owner(&repo.id))).await?,
    });
    let id: Option<String> = store::row(host.database(), sql!("sql/hook_make.sql"), params).await?;
    let id = id.ok_or(Error::UpstreamNotConfigured(repo.name))?;
    let url = address(host, &[PATH, &id].concat());
    Ok(error::json_text(201, json!({"url": url, "secret": secret}).to_string()))
}

/// The whole address of a path of this service.
pub(crate) fn address(host: &Host, path: &str) -> String {
    let public_url = (host.options.public_url)();
    [public_url.trim_end_matches('/'), path].concat()
}

/// Answers a call of a hook.
pub(crate) async fn receive(host: &Host, id: &str, headers: &Headers, body: Body) -> Result<Response, Error> {
    let body = body::bytes(body, LIMIT).await?;
    let row = store::text(host.database(), sql!("sql/hook_show.sql"), json!({"hook_id": id})).await?;
    let row: Option<Value> = row.and_then(|row| serde_json::from_slice(row.as_bytes()).ok());
    let text = |key: &str| row.as_ref().and_then(|row| row[key].as_str());
    let (sealed, repo_id) = (text("secret").unwrap_or(NO_SECRET), text("repo_id").unwrap_or_default());
    let opened = host.secrets.open::<String>(sealed, Owner::target(&owner(repo_id))).await;
    let secret = opened.unwrap_or_else(|_| hex(&random::<32>()));
    let is_genuine = is_signed(host, &secret, headers, &body).await?;
    let Some(row) = &row else {
        return Err(Error::NotFound("there is no such hook; make one with POST …/upstream/hook".into()));
    };
    if !is_genuine {
        return Err(Error::Unauthenticated(
            "the signature is missing or wrong; enter the hook's secret as the secret of the webhook, with SHA-256",
        ));
    }
    let header = |name| headers.get(name).unwrap_or_default();
    let event = EVENT_HEADERS.iter().find_map(|name| headers.get(name)).unwrap_or_default();
    let told = host.options.runtime.hook_refs(event, header("content-type"), &String::from_utf8_lossy(&body));
    if let Some(message) = told["error"].as_str() {
        return Err(Error::field(told["field"].as_str().unwrap_or_default(), message));
    }
    if told["is_ping"] == true {
        return Ok(error::json_text(200, r#"{"status":"ok"}"#.into()));
    }
    let Some(refs) = told["refs"].as_array() else { return Ok(ignored("it is no event of a push")) };
    if !refs.iter().filter_map(Value::as_str).any(|name| is_selected(&row["ref_globs"], name)) {
        return Ok(ignored("the schedule's ref_globs do not select a ref of this push"));
    }
    if row["is_paused"] == true {
        return Ok(ignored("the upstream is paused, see its pause_reason"));
    }
    if row["is_queued"] == false {
        let params = json!({"repo_id": repo_id});
        store::text(host.database(), sql!("sql/trigger_pull.sql"), params).await?;
        host.options.runtime.queued();
    }
    Ok(error::json_text(200, r#"{"status":"queued"}"#.into()))
}

fn ignored(reason: &str) -> Response {
    error::json_text(202, format!(r#"{{"status":"ignored","reason":"{reason}"}}"#))
}

/// Whether the globs select this ref, given by its full name.
fn is_selected(globs: &Value, name: &str) -> bool {
    [("refs/heads/", "branches"), ("refs/tags/", "tags")].iter().any(|(kind, key)| {
        let glob = globs[key].as_str().and_then(|glob| glob.parse::<Glob>().ok());
        name.strip_prefix(kind).is_some_and(|short| glob.is_some_and(|glob| glob.matches(short)))
    })
}

/// Whether one of the hosts' headers proves that the sender knows the secret.
async fn is_signed(host: &Host, secret: &str, headers: &Headers, body: &[u8]) -> Result<bool, Error> {
    let mac = host.options.crypto.hmac_sha256(secret.as_bytes(), body).await.map_err(Error::Internal)?;
    let mac = hex(&mac);
    let signed = SIGNATURES.iter().any(|(name, prefix)| {
        let sent = headers.get(name).and_then(|value| value.trim().strip_prefix(prefix));
        sent.is_some_and(|sent| equal_in_constant_time(&sent.to_ascii_lowercase(), &mac))
    });
    Ok(signed || headers.get("x-gitlab-token").is_some_and(|token| equal_in_constant_time(token.trim(), secret)))
}

/// The owner that the secret is sealed for.
fn owner(repo_id: &str) -> String {
    format!("{repo_id}/hook")
}

/// The most bytes of a payload. GitHub lists up to 2,048 commits.
const LIMIT: usize = 5 << 20;
/// A text of a sealed secret's form. No key opens it, which takes as long as a wrong key.
const NO_SECRET: &str = "v1.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
const EVENT_HEADERS: [&str; 4] = ["x-github-event", "x-gitea-event", "x-gitlab-event", "x-event-key"];
const SIGNATURES: [(&str, &str); 4] = [
    ("x-hub-signature-256", "sha256="),
    ("x-hub-signature", "sha256="),
    ("x-gitea-signature", ""),
    ("x-forgejo-signature", ""),
];
