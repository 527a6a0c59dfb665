//! From a path and a method to the call.

use std::time::Duration;

use matchit::Router;
use percent_encoding::percent_decode_str;

use crate::http::{Body, Headers, Method, Request, Response};
use crate::service::{
    auth::{self, Scope, page_sessions},
    error::{Error, json},
    handlers::{keys, operator, org, repos, sync_events, syncs, webhook_targets},
    hosting::repository,
    http::{
        api::Api,
        body,
        call::{Call, Params},
        openapi,
        page::split_url,
        probes,
    },
};

/// A path of the API.
#[derive(Clone, Copy)]
pub(crate) enum Route {
    Whoami,
    Organization,
    Repos,
    Repo,
    Syncs,
    Sync,
    Cancel,
    Plan,
    SyncEvents,
    WebhookTargets,
    WebhookTarget,
    RotateSecret,
    ApiKeys,
    ApiKey,
    PublicKeys,
    PublicKey,
}

pub(crate) fn router() -> Router<Route> {
    let mut router = Router::new();
    for (path, route) in [
        ("/v1/whoami", Route::Whoami),
        ("/v1/{org}", Route::Organization),
        ("/v1/{org}/repos", Route::Repos),
        ("/v1/{org}/{repo}", Route::Repo),
        ("/v1/{org}/{repo}/upstream/syncs", Route::Syncs),
        ("/v1/{org}/{repo}/upstream/syncs/{sync_id}", Route::Sync),
        ("/v1/{org}/{repo}/upstream/syncs/{sync_id}/cancel", Route::Cancel),
        ("/v1/{org}/{repo}/upstream/syncs/{sync_id}/events", Route::SyncEvents),
        ("/v1/{org}/{repo}/upstream/plan", Route::Plan),
        ("/v1/{org}/webhook-targets", Route::WebhookTargets),
        ("/v1/{org}/webhook-targets/{target_id}", Route::WebhookTarget),
        ("/v1/{org}/webhook-targets/{target_id}/rotate-secret", Route::RotateSecret),
        ("/v1/{org}/api-keys", Route::ApiKeys),
        ("/v1/{org}/api-keys/{key_id}", Route::ApiKey),
        ("/v1/{org}/public-keys", Route::PublicKeys),
        ("/v1/{org}/public-keys/{key_id}", Route::PublicKey),
    ] {
        router.insert(path, route).expect("the paths above do not conflict");
    }
    router
}

/// `is_operator`: whoever holds the data folder calls, and needs no credential.
pub(crate) async fn route(api: &Api, request: Request, is_operator: bool) -> Result<Response, Error> {
    let host = &*api.host;
    let Request { method, url, headers, body } = request;
    let (path, query) = split_url(&url);
    let no_such_call = || Error::NotFound(format!("there is no call {} {path}", method.as_str()));
    if path == "/v1/openapi.json" && matches!(method, Method::Get | Method::Head) {
        return openapi::response(&*host.options.runtime, method).await;
    }
    if matches!(method, Method::Get | Method::Head)
        && let Some(answer) = probes::probe(api, path).await
    {
        return answer;
    }
    let runtime = host.options.runtime.clone();
    let body = body::until(async move { runtime.sleep(body::WITHIN).await }, body);
    if path == page_sessions::PATH && method == Method::Post {
        return Ok(json(201, &page_sessions::start(host, body).await?));
    }
    if is_operator && path == operator::ORGS {
        return operator::organizations(host, method, body).await;
    }
    let matched = api.router.at(path).map_err(|_| no_such_call())?;
    let mut params = Params::default();
    for (name, raw) in matched.params.iter() {
        // A NUL, which PostgreSQL cannot hold, is in nothing's name.
        let value = percent_decode_str(raw).decode_utf8().ok().filter(|value| !value.contains('\0'));
        let value = value.ok_or_else(no_such_call)?.into_owned();
        match name {
            "org" => params.org = value,
            "repo" => params.repo = value,
            "target_id" => params.target_id = value,
            "key_id" => params.key_id = value,
            _ => params.sync_id = value,
        }
    }
    let route = *matched.value;
    accepts(&headers, route)?;
    let mut caller = if is_operator {
        operator::caller(host, &params.org).await?
    } else {
        auth::authenticate(host, &api.rate_limiter, &headers).await?
    };
    let needed = scope(route, method).ok_or_else(no_such_call)?;
    if !params.org.is_empty() {
        caller.require_org(&params.org)?;
        repository::require(host, &mut caller, needed, &params.repo).await?;
    }
    let credential = caller.credential.clone();
    let started = host.now();
    let call = Call { caller, params, query, headers: &headers, body, shares: &api.shares };
    let mut response = match (route, method) {
        (Route::Whoami, _) => json(200, &org::whoami(&call)),
        (Route::Organization, _) => json(200, &org::show(host, &call).await?),
        (Route::Repos, Method::Post) => json(201, &repos::create(host, call).await?),
        (Route::Repos, _) => json(200, &repos::list(host, &call).await?),
        (Route::Repo, Method::Patch) => json(200, &repos::update(host, call).await?),
        (Route::Repo, Method::Delete) => json(200, &repos::delete(host, &call).await?),
        (Route::Repo, _) => json(200, &repos::show(host, &call).await?),
        (Route::Syncs, Method::Post) => json(201, &syncs::create(host, call).await?),
        (Route::Syncs, _) => json(200, &syncs::list(host, &call).await?),
        (Route::Sync, _) => json(200, &syncs::show(host, &call).await?),
        (Route::Cancel, _) => json(200, &syncs::cancel(host, &call).await?),
        (Route::Plan, _) => json(200, &syncs::plan(host, call).await?),
        (Route::SyncEvents, _) => sync_events::follow(host, &call).await?,
        (Route::WebhookTargets, Method::Post) => json(201, &webhook_targets::create(host, call).await?),
        (Route::WebhookTargets, _) => json(200, &webhook_targets::list(host, &call).await?),
        (Route::WebhookTarget, Method::Patch) => json(200, &webhook_targets::update(host, call).await?),
        (Route::WebhookTarget, Method::Delete) => json(200, &webhook_targets::delete(host, &call).await?),
        (Route::WebhookTarget, _) => json(200, &webhook_targets::show(host, &call).await?),
        (Route::RotateSecret, _) => json(200, &webhook_targets::rotate_secret(host, &call).await?),
        (Route::ApiKeys, Method::Post) => json(201, &keys::create_api_key(host, call).await?),
        (Route::ApiKeys, _) => json(200, &keys::list_api_keys(host, &call).await?),
        (Route::ApiKey, _) => json(200, &keys::revoke_api_key(host, &call).await?),
        (Route::PublicKeys, Method::Post) => json(201, &keys::create_public_key(host, call).await?),
        (Route::PublicKeys, _) => json(200, &keys::list_public_keys(host, &call).await?),
        (Route::PublicKey, _) => json(200, &keys::revoke_public_key(host, &call).await?),
    };
    if let Body::Bytes(bytes) = &response.body {
        let worked = host.now().saturating_sub(started);
        let engine = if matches!(route, Route::Plan) { worked } else { Duration::ZERO };
        api.charge(&credential, bytes.len(), engine);
    }
    if method == Method::Head {
        response.body = Body::Empty;
    }
    Ok(response)
}

/// What a call needs; none where there is no such call.
fn scope(route: Route, method: Method) -> Option<Scope> {
    match (route, method) {
        (Route::Cancel, Method::Post) => Some(Scope::Write),
        (Route::Plan, Method::Post) => Some(Scope::Read),
        (Route::WebhookTargets | Route::ApiKeys | Route::PublicKeys, Method::Get | Method::Head | Method::Post)
        | (Route::ApiKey | Route::PublicKey, Method::Delete)
        | (Route::WebhookTarget, Method::Get | Method::Head | Method::Patch | Method::Delete)
        | (Route::RotateSecret, Method::Post) => Some(Scope::Admin),
        (Route::Cancel | Route::Plan | Route::RotateSecret | Route::ApiKey | Route::PublicKey, _) => None,
        (_, Method::Get | Method::Head) => Some(Scope::Read),
        (Route::Repos | Route::Syncs, Method::Post) | (Route::Repo, Method::Patch) => Some(Scope::Write),
        (Route::Repo, Method::Delete) => Some(Scope::Admin),
        _ => None,
    }
}

/// Refuses where the call's kind of answer is not wanted.
fn accepts(headers: &Headers, route: Route) -> Result<(), Error> {
    let Some(accept) = headers.get("accept") else { return Ok(()) };
    let mut types = accept.split(',').map(|range| range.split(';').next().unwrap_or_default().trim());
    let kind = if matches!(route, Route::SyncEvents) { "text/event-stream" } else { "application/json" };
    let fits = |range: &str| {
        let range = range.to_ascii_lowercase();
        // Errors are JSON for every call.
        matches!(range.as_str(), "*/*" | "application/*" | "application/json") || range == kind
    };
    if accept.trim().is_empty() || types.any(fits) { Ok(()) } else { Err(Error::NotAcceptable) }
}
