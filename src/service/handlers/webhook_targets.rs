//! Webhook targets: the receivers of an organisation's events.

use std::collections::BTreeSet;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Serialize;
use serde_json::json;

use crate::api::{
    CreateWebhookTargetRequest, DeleteResult, EVENT_NAMES, FieldError, UpdateWebhookTargetRequest, Verbatim,
    WebhookFormat, WebhookTarget, WebhookTargetPage, WebhookTargetSecret,
};
use crate::service::{
    error::Error,
    host::Host,
    http::{body, call::Incoming, page::Page},
    names::name_refusal,
    random::{hex, random},
    remotes::upstream,
    secrets::Owner,
    store,
};

pub(crate) async fn create(host: &Host, call: Incoming<'_>) -> Result<Verbatim<WebhookTargetSecret>, Error> {
    let request: CreateWebhookTargetRequest = body::read(call.body).await?;
    let org_id = call.caller.org.id;
    let events = request.events.unwrap_or_else(|| vec!["push".into()]);
    let wish = Wish {
        url: Some(&request.url),
        name: request.name.as_deref(),
        events: Some(&events),
        repo_ids: request.repo_ids.as_deref(),
    };
    wish.check(host, &org_id).await?;
    let id = format!("wht_{}", hex(&random::<14>()));
    let secret = new_secret();
    let params = json!({
        "id": id,
        "org_id": org_id,
        "name": request.name,
        "url": request.url,
        "events": events,
        "repo_ids": request.repo_ids,
        "format": request.format,
        "secret": host.secrets.seal(&secret, Owner::target(&id)).await?,
        "max_targets": MAX_TARGETS,
    });
    let row: Option<Verbatim<WebhookTarget>> =
        store::row(host.database(), sql!("sql/webhook_target_add.sql"), params).await?;
    let too_many = || Error::Conflict(format!("the organisation has {MAX_TARGETS} webhook targets; delete one first"));
    Ok(row.ok_or_else(too_many)?.with("secret", secret))
}

pub(crate) async fn list(host: &Host, call: &Incoming<'_>) -> Result<Verbatim<WebhookTargetPage>, Error> {
    let page = Page::parse(call.query, LIST)?;
    let params = json!({"org_id": call.caller.org.id, "after": page.after, "limit": page.rows()});
    let sql = sql!("sql/webhook_target_list.sql");
    Ok(page.answer(store::rows(host.database(), sql, params).await?, LIST))
}

pub(crate) async fn show(host: &Host, call: &Incoming<'_>) -> Result<Verbatim<WebhookTarget>, Error> {
    let params = json!({"org_id": call.caller.org.id, "target_id": call.params.target_id});
    let row = store::row(host.database(), sql!("sql/webhook_target_show.sql"), params).await?;
    row.ok_or_else(|| no_such_target(call))
}

pub(crate) async fn update(host: &Host, mut call: Incoming<'_>) -> Result<Verbatim<WebhookTarget>, Error> {
    // An unknown target is reported before errors of the body.
    show(host, &call).await?;
    let request: UpdateWebhookTargetRequest = body::read(std::mem::take(&mut call.body)).await?;
    let wish = Wish {
        url: request.url.as_deref(),
        name: request.name.as_ref().and_then(Option::as_deref),
        events: request.events.as_deref(),
        repo_ids: request.repo_ids.as_ref().and_then(Option::as_deref),
    };
    wish.check(host, &call.caller.org.id).await?;
    let params = Changes {
        org_id: &call.caller.org.id,
        target_id: &call.params.target_id,
        url: request.url,
        events: request.events,
        name: request.name,
        repo_ids: request.repo_ids,
        format: request.format,
    };
    let row = store::row(host.database(), sql!("sql/webhook_target_update.sql"), params).await?;
    row.ok_or_else(|| no_such_target(&call))
}

/// Gives the target a new secret. Deliveries are signed with it. For one more day, a delivery that the receiver refuses is
/// sent again, signed with the previous secret.
pub(crate) async fn rotate_secret(host: &Host, call: &Incoming<'_>) -> Result<Verbatim<WebhookTargetSecret>, Error> {
    let secret = new_secret();
    let target_id = &call.params.target_id;
    let params = json!({
        "org_id": call.caller.org.id,
        "target_id": target_id,
        "secret": host.secrets.seal(&secret, Owner::target(target_id)).await?,
        "both_valid_seconds": BOTH_VALID_SECONDS,
    });
    let row: Option<Verbatim<WebhookTarget>> =
        store::row(host.database(), sql!("sql/webhook_target_rotate.sql"), params).await?;
    Ok(row.ok_or_else(|| no_such_target(call))?.with("secret", secret))
}

pub(crate) async fn delete(host: &Host, call: &Incoming<'_>) -> Result<DeleteResult, Error> {
    let params = json!({"org_id": call.caller.org.id, "target_id": call.params.target_id});
    let row: Option<String> = store::row(host.database(), sql!("sql/webhook_target_remove.sql"), params).await?;
    row.map(|_| DeleteResult { success: true }).ok_or_else(|| no_such_target(call))
}

/// The parameters of `webhook_target_update.sql`.
#[derive(Serialize)]
struct Changes<'a> {
    org_id: &'a str,
    target_id: &'a str,
    url: Option<String>,
    events: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<Option<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    repo_ids: Option<Option<Vec<String>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    format: Option<Option<Verbatim<WebhookFormat>>>,
}

/// The requested state of a target. `None` fields do not change.
struct Wish<'a> {
    url: Option<&'a str>,
    name: Option<&'a str>,
    events: Option<&'a [String]>,
    repo_ids: Option<&'a [String]>,
}

impl Wish<'_> {
    /// Checks the request, and names every bad field.
    async fn check(&self, host: &Host, org_id: &str) -> Result<(), Error> {
        let mut refusals = Vec::new();
        let mut check = |field: &str, refusal: Option<String>| {
            refusals.extend(refusal.map(|message| FieldError { field: field.to_owned(), message }));
        };
        check("url", self.url.and_then(url_refusal));
        check("name", self.name.and_then(name_refusal));
        check("events", self.events.and_then(events_refusal));
        check("repo_ids", self.repo_ids.and_then(repo_ids_refusal));
        if refusals.is_empty()
            && let Some(repo_ids) = self.repo_ids
        {
            let params = json!({"org_id": org_id, "repo_ids": repo_ids});
            let unknown: Option<String> = store::row(host.database(), sql!("sql/repo_ids_unknown.sql"), params).await?;
            refusals.extend(unknown.map(|id| FieldError {
                field: "repo_ids".into(),
                message: format!("the organisation has no repository with the id {id}"),
            }));
        }
        if refusals.is_empty() { Ok(()) } else { Err(Error::Invalid(refusals)) }
    }
}

/// Why deliveries may not be posted to `url`; `None` if they may. The address is checked later, when connecting.
pub fn url_refusal(url: &str) -> Option<String> {
    let (before_query, query) = url.split_once('?').unwrap_or((url, ""));
    if url.len() > 2048 || !query.bytes().all(|b| b.is_ascii_graphic() && b != b'\\' && b != b'#') {
        return Some(
            "must be an http or https URL of at most 2048 bytes, percent-encoded and without a fragment".into(),
        );
    }
    match upstream::parse(before_query) {
        Ok(parsed) if parsed.auth.is_some() => {
            Some("must not have a user name or password; deliveries are signed with the target's secret".into())
        }
        Ok(_) => None,
        Err(refusal) => Some(refusal),
    }
}

/// Why these may not be a target's events; `None` if they may.
pub fn events_refusal(events: &[String]) -> Option<String> {
    if events.is_empty() {
        return Some("must name at least one event".into());
    }
    if let Some(unknown) = events.iter().find(|event| !is_event(event)) {
        return Some(format!("{} is not an event; use one of: {}", unknown.escape_default(), EVENT_NAMES.join(", ")));
    }
    let distinct: BTreeSet<&String> = events.iter().collect();
    (distinct.len() < events.len()).then(|| "must name no event twice".into())
}

/// Whether this event exists. It is one that this service sends, or another event of the public API.
fn is_event(name: &str) -> bool {
    let public = name.strip_prefix("bookmark.").or_else(|| name.strip_prefix("change."));
    let is_word =
        |rest: &str| (1..=50).contains(&rest.len()) && rest.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    EVENT_NAMES.contains(&name) || public.is_some_and(is_word)
}

fn repo_ids_refusal(repo_ids: &[String]) -> Option<String> {
    let fits = |id: &String| (1..=100).contains(&id.len()) && !id.contains('\0');
    if (1..=MAX_REPO_IDS).contains(&repo_ids.len()) && repo_ids.iter().all(fits) {
        return None;
    }
    Some(format!("must have 1 to {MAX_REPO_IDS} repository ids; null is the whole organisation"))
}

/// A new secret for the signatures of webhooks and hooks.
pub(crate) fn new_secret() -> String {
    format!("whsec_{}", URL_SAFE_NO_PAD.encode(random::<32>()))
}

fn no_such_target(call: &Incoming<'_>) -> Error {
    let (org, id) = (&call.caller.org.slug, call.params.target_id.escape_default());
    Error::NotFound(format!("the organisation {org} has no webhook target {id}"))
}

const LIST: &str = "webhook_targets";
const MAX_TARGETS: usize = 100;
const MAX_REPO_IDS: usize = 250;
/// How long the previous secret stays valid after a rotation.
const BOTH_VALID_SECONDS: u32 = 24 * 60 * 60;
