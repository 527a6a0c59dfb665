//! The calls that are not in [`CALLS`](crate::api::CALLS), because they take no credential or answer no JSON.

use serde_json::{Value, json};

use super::{component, refused};

/// The status badge. It is not in [`CALLS`], because it takes no credential and answers no JSON.
pub(super) fn badge() -> Value {
    json!({
        "parameters": [component("org"), component("repo")],
        "get": {
            "operationId": "showBadge",
            "summary": "Get the status badge",
            "description": "An image that says `fresh`, `stale`, `failing` or `never synced`, and the age. Without a `max_age`, it says \
                `synced` instead of `fresh`. If the upstream's `public_badge` is true, no credential is needed. Otherwise, the answer \
                without a credential is 404.\n\nScope: `read`.",
            "tags": ["Freshness"],
            "security": [{"apiKey": ["read"]}, {"accessToken": ["read"]}, {}],
            "responses": {
                "200": {"description": "The image.", "content": {"image/svg+xml": {"schema": {"type": "string"}, "example":
                    "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"120\" height=\"20\" role=\"img\" aria-label=\"mirror: fresh, 2 min\">…</svg>"}}},
                "401": refused("401"),
                "403": refused("403"),
                "404": refused("404"),
                "429": refused("429"),
            },
        },
    })
}

/// The metrics of repositories, which are text.
pub(super) fn metrics() -> Value {
    json!({
        "parameters": [component("org")],
        "get": {
            "operationId": "showMetrics",
            "summary": "Get metrics of repositories",
            "description": "Metrics of the newest 10,000 repositories that have an upstream, in Prometheus's text format: when each \
                was verified, its age, how many refs differ, and how the last sync ended.\n\nScope: `read`.",
            "tags": ["Freshness"],
            "security": [{"apiKey": ["read"]}, {"accessToken": ["read"]}],
            "responses": {
                "200": {"description": "The metrics.", "content": {"text/plain": {"schema": {"type": "string"}, "example":
                    "# TYPE refsync_upstream_behind_refs gauge\nrefsync_upstream_behind_refs{org=\"acme\",repo=\"app\"} 0\n"}}},
                "401": refused("401"),
                "403": refused("403"),
                "429": refused("429"),
            },
        },
    })
}

/// The call of a hook by an upstream's host.
pub(super) fn hook() -> Value {
    let header = |name: &str, description: &str, example: &str| json!({"name": name, "in": "header", "description": description, "example": example, "schema": {"type": "string"}});
    let answer = |description: &str, statuses: &[&str], example: Value| {
        let status = json!({"type": "string", "enum": statuses, "description": "What follows from the call."});
        let reason = json!({"type": "string", "description": "Why the call was ignored."});
        let (properties, required) = match example.get("reason") {
            Some(_) => (json!({"status": status, "reason": reason}), json!(["status", "reason"])),
            None => (json!({"status": status}), json!(["status"])),
        };
        let schema =
            json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false});
        json!({"description": description, "content": {"application/json": {"schema": schema, "example": example}}})
    };
    let payload = json!({"ref": "refs/heads/main"});
    let form = json!({"type": "object", "required": ["payload"], "properties": {
        "payload": {"type": "string", "description": "The event as JSON."},
    }});
    json!({
        "parameters": [{
            "name": "hook_id", "in": "path", "required": true, "example": "c5f2ed68c6763bb36412d6e441e7",
            "description": "The end of the hook's `url`.",
            "schema": {"type": "string", "pattern": "^[0-9a-f]{28}$"},
        }],
        "post": {
            "operationId": "callHook",
            "summary": "Call a hook",
            "description": "GitHub, GitLab, Gitea, Forgejo and Bitbucket make this call after a push. The body is the host's own \
                event, of at most 5 MiB, as JSON or in the field `payload` of a form. The call needs no credential, but one of \
                the headers must prove that its sender knows the hook's secret; otherwise the answer is 401. A push that touches \
                a ref of the schedule's `ref_globs` queues a pull.",
            "tags": ["Hooks"],
            "security": [],
            "parameters": [
                header("X-Hub-Signature-256", "GitHub, Gitea and Forgejo: `sha256=` and the HMAC-SHA256 of the body in hex, with \
                    the hook's secret. Bitbucket sends the same as `X-Hub-Signature`. `X-Gitea-Signature` and \
                    `X-Forgejo-Signature` without `sha256=` are also read.", &format!("sha256={}", "5f".repeat(32))),
                header("X-Gitlab-Token", "GitLab: the hook's secret.", "whsec_example"),
                header("X-GitHub-Event", "The host's name of the event. `X-Gitea-Event`, `X-Gitlab-Event` and `X-Event-Key` are \
                    also read.", "push"),
            ],
            "requestBody": {"required": true, "description": "The event.", "content": {
                "application/json": {"schema": {"type": "object"}, "example": payload},
                "application/x-www-form-urlencoded": {"schema": form, "example": {"payload": payload.to_string()}},
            }},
            "responses": {
                "200": answer("A pull is queued, or a test of the address is answered.", &["queued", "ok"],
                    json!({"status": "queued"})),
                "202": answer("The call was valid, but nothing follows from it.", &["ignored"],
                    json!({"status": "ignored", "reason": "it is no event of a push"})),
                "400": refused("400"),
                "401": refused("401"),
                "404": refused("404"),
                "408": refused("408"),
                "413": refused("413"),
                "500": refused("500"),
            },
        },
    })
}
