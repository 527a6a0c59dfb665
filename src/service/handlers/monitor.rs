//! The state of upstreams, for monitors and people: the freshness of one, its badge, and the metrics of an organisation's
//! repositories. The database has the facts. The badge and the metrics are no JSON, so they are not among the calls of the API.

use serde_json::{Value, json};

use crate::api::max_age_refusal;
use crate::http::{Body, Headers, Response};
use crate::service::{
    error::{Error, json_text},
    host::{Host, Look},
    http::{call::Params, page::parameter},
    store,
    worker::clock,
};

/// The path of the badge. It is public if the repository says so.
pub const BADGE: &str = "/{org}/{repo}/upstream/badge.svg";
/// The path of the metrics. No repository has the name `repos`.
pub const METRICS: &str = "/{org}/repos/metrics";

/// The answer to a request for one of them. `org_id`: the organisation of a caller who may read it; `None` for a caller without a
/// credential, who only sees public badges.
pub(crate) async fn answer(
    host: &Host,
    path: &str,
    params: &Params,
    query: &str,
    org_id: Option<&str>,
) -> Result<Response, Error> {
    let max_age = parameter(query, "max_age")?;
    if let Some(message) = max_age.as_deref().and_then(max_age_refusal) {
        return Err(Error::field("max_age", message));
    }
    let is_of_org = path == METRICS;
    let sql = if is_of_org { sql!("sql/metrics_of_org.sql") } else { sql!("sql/freshness_show.sql") };
    let asked = json!({
        "org": params.org,
        "org_id": org_id,
        "repo": params.repo,
        "max_age": max_age,
        "limit": MOST_REPOS,
        "steady": clock::steady(host).await?,
    });
    let row: Option<Value> = store::row(host.database(), sql, asked).await?;
    let Some(mut row) = row else {
        return Err(Error::NotFound("there is no such repository, or it has no public badge".into()));
    };
    let (format, kind, cache) = match (path, org_id) {
        (METRICS, _) => ("metrics", "text/plain; version=0.0.4; charset=utf-8", "no-store"),
        // A README shows it through a cache. The age on it is rounded up to minutes.
        (BADGE, None) => ("badge", "image/svg+xml; charset=utf-8", "public, max-age=30"),
        (BADGE, Some(_)) => ("badge", "image/svg+xml; charset=utf-8", "private, max-age=30"),
        _ => {
            let more = row["more"].take();
            if more["has_upstream"] != true {
                return Err(Error::UpstreamNotConfigured(params.repo.clone()));
            }
            if row["freshness"]["max_age"].is_null() {
                return Err(Error::field("max_age", "is required, because the upstream has none; such as 15m"));
            }
            if let Some(id) = more["hosted_id"].as_str() {
                let damage = host.options.git.damage(id, Look::Files).await;
                if !matches!(damage, Ok(None)) {
                    row["freshness"]["fresh"] = false.into();
                }
            }
            let status = if row["freshness"]["fresh"] == true { 200 } else { 503 };
            return Ok(json_text(status, row["freshness"].to_string()));
        }
    };
    let headers = Headers::from_iter([
        ("content-type", kind),
        ("cache-control", cache),
        ("content-security-policy", "default-src 'none'"),
    ]);
    let body = Body::Bytes(host.options.runtime.render(format, &row.to_string()).into());
    Ok(Response { status: 200, url: String::new(), headers, body })
}

/// Of how many repositories an organisation has metrics.
const MOST_REPOS: u32 = 10_000;
