//! The probes, which need no credential: `/healthz`, `/readyz`, and `/metrics` if the operator turns it on (it counts over
//! all organisations). The OpenAPI document needs none either.

use serde::{Deserialize, Serialize};
use serde_json::json as object;

use crate::http::{Body, Headers, Method, Response};
use crate::service::{
    error::{Error, json},
    host::Host,
    router::Api,
    store,
};

#[derive(Deserialize)]
struct Metrics {
    queued: u64,
    in_progress: u64,
    lost: u64,
    oldest: String,
    deliveries: u64,
    refused: u64,
    repos: u64,
}

/// The metrics count up to this many runs, deliveries and repositories. They estimate larger numbers.
const EXACT: u32 = 5000;

/// The result of a probe.
#[derive(Serialize)]
struct Status {
    status: &'static str,
}

/// The answer to `GET` or `HEAD` of a probe or of the OpenAPI document; `None` if the path is none of them.
pub(crate) async fn probe(api: &Api, method: Method, path: &str) -> Option<Result<Response, Error>> {
    match path {
        "/v1/openapi.json" => Some(openapi(&api.host, method).await),
        "/healthz" => Some(Ok(json(200, &Status { status: "ok" }))),
        "/readyz" => Some(Ok(readiness(api).await)),
        "/metrics" if api.host.options.metrics => Some(metrics(&api.host).await),
        _ => None,
    }
}

/// The OpenAPI document. The host loads it on demand; a test generates it from the shapes.
async fn openapi(host: &Host, method: Method) -> Result<Response, Error> {
    let headers = Headers::from_iter([("content-type", "application/json"), ("cache-control", "public, max-age=300")]);
    let body = if method == Method::Head {
        Body::Empty
    } else {
        let document = host.options.runtime.openapi().await;
        Body::Bytes(document.map_err(|why| Error::Internal(format!("openapi.json: {why}")))?.into())
    };
    Ok(Response { status: 200, url: String::new(), headers, body })
}

/// Whether the service can answer calls and do runs.
async fn readiness(api: &Api) -> Response {
    if api.stop.is_stopping() {
        return json(503, &Status { status: "stopping" });
    }
    let version: Result<Option<usize>, _> = store::row(api.host.database(), sql!("sql/schema_version.sql"), ()).await;
    match version {
        Ok(_) => json(200, &Status { status: "ready" }),
        Err(error) => {
            api.host.log(&format!("readyz: {error}"));
            json(503, &Status { status: "the database does not answer" })
        }
    }
}

/// Metrics in Prometheus's text format.
async fn metrics(host: &Host) -> Result<Response, Error> {
    let row: Option<Metrics> = store::row(host.database(), sql!("sql/metrics.sql"), object!({"exact": EXACT})).await?;
    let m = row.ok_or_else(|| Error::Internal("metrics: the database gave no row".into()))?;
    let gauges = [
        (
            "refsync_syncs_queued",
            "Queued runs, including those that wait for their next attempt.",
            m.queued.to_string(),
        ),
        ("refsync_syncs_in_progress", "Runs in progress.", m.in_progress.to_string()),
        ("refsync_syncs_lost", "Runs that lost their worker and wait for a new one.", m.lost.to_string()),
        ("refsync_syncs_oldest_ready_seconds", "How long the oldest run that is ready to start has waited.", m.oldest),
        ("refsync_webhook_deliveries_pending", "Deliveries in the outbox.", m.deliveries.to_string()),
        ("refsync_webhook_deliveries_refused", "Deliveries that were refused at least once.", m.refused.to_string()),
        ("refsync_repos", "Repositories.", m.repos.to_string()),
    ];
    let text: String = gauges
        .iter()
        .map(|(name, help, value)| format!("# HELP {name} {help}\n# TYPE {name} gauge\n{name} {value}\n"))
        .collect();
    let headers = [("content-type", "text/plain; version=0.0.4; charset=utf-8"), ("cache-control", "no-store")];
    let headers = Headers::from_iter(headers);
    Ok(Response { status: 200, url: String::new(), headers, body: Body::Bytes(text.into()) })
}
