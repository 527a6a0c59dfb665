//! Finds the call for a path and a method.

use std::{cell::Cell, time::Duration};

use matchit::Router;

use crate::api::{CALLS, Call, CallName, Scope};
use crate::http::{Body, Headers, Method, Request, Response};
use crate::service::{
    auth,
    error::{Error, json},
    handlers::{
        ensure, hooks, keys, monitor, operator, org, page_sessions, policy, repos, sync_events, syncs, webhook_targets,
    },
    hosting::repository,
    http::{
        body,
        call::{Incoming, Params},
        page::split_url,
    },
    router::{Api, probes},
};

/// The path templates of the calls.
pub(crate) fn router() -> Router<&'static str> {
    let mut router = Router::new();
    let mut paths: Vec<&str> = CALLS.iter().map(|call| call.path).chain([monitor::BADGE, monitor::METRICS]).collect();
    paths.sort_unstable();
    paths.dedup();
    for path in paths {
        router.insert(format!("/v1{path}"), path).expect("the paths of the calls do not conflict");
    }
    router
}

/// `is_operator`: the caller is the operator, and needs no credential. `template` gets the template of the call's path.
pub(crate) async fn route(
    api: &Api,
    request: Request,
    is_operator: bool,
    template: &Cell<&'static str>,
) -> Result<Response, Error> {
    let host = &*api.host;
    let Request { method, url, headers, body } = request;
    let (path, query) = split_url(&url);
    let no_such_call = || Error::NotFound(format!("there is no call {} {path}", method.as_str()));
    if matches!(method, Method::Get | Method::Head)
        && let Some(answer) = probes::probe(api, method, path).await
    {
        return answer;
    }
    let runtime = host.options.runtime.clone();
    let body = body::until(async move { runtime.sleep(body::WITHIN).await }, body);
    if path == page_sessions::PATH && method == Method::Post {
        return Ok(json(201, &page_sessions::start(host, body).await?));
    }
    if let Some(id) = path.strip_prefix(hooks::PATH).filter(|id| id.starts_with("hook_")) {
        if method != Method::Post {
            return Err(Error::NotFound("a hook takes POST only: its caller is the upstream's host".into()));
        }
        return hooks::receive(host, id, &headers, body).await;
    }
    if is_operator && path == operator::ORGS {
        return operator::organizations(host, method, body).await;
    }
    let matched = api.router.at(path).map_err(|_| no_such_call())?;
    template.set(matched.value);
    let params = Params::decode(matched.params.iter()).ok_or_else(no_such_call)?;
    let wanted = if method == Method::Head { Method::Get } else { method };
    let declared = CALLS.iter().find(|call| call.path == *matched.value && call.method == wanted);
    let is_plain = wanted == Method::Get && [monitor::BADGE, monitor::METRICS].contains(matched.value);
    if !is_plain {
        accepts(&headers, declared)?;
    } else if *matched.value == monitor::BADGE && !is_operator && headers.get("authorization").is_none() {
        let badge = ["badge ", &params.org, "/", &params.repo].concat();
        api.rate_limiter.count(&badge, host.now()).map_err(Error::RateLimited)?;
        return monitor::answer(host, matched.value, &params, query, None).await;
    }
    let mut caller = if is_operator {
        operator::caller(host, &params.org).await?
    } else {
        auth::authenticate(host, &api.rate_limiter, &headers).await?
    };
    let scope = match declared {
        Some(call) => call.scope,
        None if is_plain => Some(Scope::Read),
        None => return Err(no_such_call()),
    };
    if let Some(needed) = scope {
        caller.require_org(&params.org)?;
        repository::require(host, &mut caller, needed, &params.repo).await?;
    }
    let declared = declared.filter(|call| call.name != CallName::ShowFreshness);
    let Some(declared) = declared else {
        // The scope was checked for this repository, and not for another one that has its name now.
        let repo = caller.only_repo_id.unwrap_or(params.repo);
        let params = Params { repo, ..params };
        return monitor::answer(host, matched.value, &params, query, Some(&caller.org.id)).await;
    };
    let credential = caller.credential.clone();
    let started = host.now();
    let call = Incoming { caller, params, query, headers: &headers, body, shares: &api.shares, stop: &api.stop };
    let status = declared.status;
    let mut response = match declared.name {
        CallName::Whoami => json(status, &org::whoami(&call)),
        CallName::ShowOrganization => json(status, &org::show(host, &call).await?),
        CallName::ListRepos => json(status, &repos::list(host, &call).await?),
        CallName::CreateRepo => json(status, &repos::create(host, call).await?),
        CallName::ShowRepo => json(status, &repos::show(host, &call).await?),
        CallName::UpdateRepo => json(status, &repos::update(host, call).await?),
        CallName::DeleteRepo => json(status, &repos::delete(host, &call).await?),
        CallName::ListSyncs => json(status, &syncs::list(host, &call).await?),
        CallName::CreateSync => syncs::create(host, call).await?,
        CallName::PlanSync => json(status, &syncs::plan(host, call).await?),
        CallName::ShowSync => json(status, &syncs::show(host, &call).await?),
        CallName::CancelSync => json(status, &syncs::cancel(host, &call).await?),
        CallName::FollowSync => sync_events::follow(host, &call).await?,
        CallName::ShowFreshness => unreachable!("it was answered above"),
        name @ (CallName::ListHeldRefs | CallName::ApproveHeldRefs | CallName::ListBackups | CallName::RestoreRef) => {
            policy::answer(host, name, call).await?
        }
        CallName::EnsureCommit => ensure::ensure(host, call).await?,
        name @ (CallName::CreateUpstreamHook | CallName::DeleteUpstreamHook) => {
            hooks::change(host, name, &call).await?
        }
        CallName::ListWebhookTargets => json(status, &webhook_targets::list(host, &call).await?),
        CallName::CreateWebhookTarget => json(status, &webhook_targets::create(host, call).await?),
        CallName::ShowWebhookTarget => json(status, &webhook_targets::show(host, &call).await?),
        CallName::UpdateWebhookTarget => json(status, &webhook_targets::update(host, call).await?),
        CallName::DeleteWebhookTarget => json(status, &webhook_targets::delete(host, &call).await?),
        CallName::RotateWebhookSecret => json(status, &webhook_targets::rotate_secret(host, &call).await?),
        CallName::ListApiKeys => json(status, &keys::list_api_keys(host, &call).await?),
        CallName::CreateApiKey => json(status, &keys::create_api_key(host, call).await?),
        CallName::RevokeApiKey => json(status, &keys::revoke_api_key(host, &call).await?),
        CallName::ListPublicKeys => json(status, &keys::list_public_keys(host, &call).await?),
        CallName::CreatePublicKey => json(status, &keys::create_public_key(host, call).await?),
        CallName::RevokePublicKey => json(status, &keys::revoke_public_key(host, &call).await?),
    };
    if let Body::Bytes(bytes) = &response.body {
        let worked = host.now().saturating_sub(started);
        let engine = if declared.name == CallName::PlanSync { worked } else { Duration::ZERO };
        api.charge(&credential, bytes.len(), engine);
    }
    if method == Method::Head {
        response.body = Body::Empty;
    }
    Ok(response)
}

/// Refuses a caller who does not accept the call's kind of answer.
fn accepts(headers: &Headers, declared: Option<&Call>) -> Result<(), Error> {
    let Some(accept) = headers.get("accept") else { return Ok(()) };
    let mut types = accept.split(',').map(|range| range.split(';').next().unwrap_or_default().trim());
    let streams = declared.is_some_and(|call| call.name == CallName::FollowSync);
    let kind = if streams { "text/event-stream" } else { "application/json" };
    let fits = |range: &str| {
        let range = range.to_ascii_lowercase();
        // Errors are JSON for every call.
        matches!(range.as_str(), "*/*" | "application/*" | "application/json") || range == kind
    };
    if accept.trim().is_empty() || types.any(fits) { Ok(()) } else { Err(Error::NotAcceptable) }
}
