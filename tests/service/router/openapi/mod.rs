//! The generator of the API's OpenAPI 3.1 document. It is a part of the tests, because no build needs it: the service serves
//! the file that the test here compares with [`document`].
//!
//! The texts are the doc comments of `src/api`: of each row of the calls and of the events, and of each shape and field.

mod examples;
mod plain;
mod webhooks;

use schemars::{SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use self::examples::{Examples, content, spread};
use refsync::{
    api::{ApiKeySecret, CALLS, Call, CallName, ErrorBody, TAGS},
    http::Method,
    service::handlers::monitor,
};

#[test]
fn the_served_document_is_made_from_the_shapes() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/service/router/openapi/openapi.json");
    let made = format!("{:#}\n", document());
    if std::env::var_os("REFSYNC_UPDATE_OPENAPI").is_some() {
        std::fs::write(path, &made).expect("the checkout can be written to");
    }
    let served = std::fs::read_to_string(path).expect("it is in the repository");
    assert!(served == made, "run `REFSYNC_UPDATE_OPENAPI=1 cargo test openapi` and look at what changed");
}

/// Makes the document.
fn document() -> Value {
    let mut shapes = Shapes::new();
    let paths = paths(&mut shapes);
    let webhooks = webhooks::webhooks(&mut shapes.answered, &shapes.examples);
    let refusals = shapes.refusals();
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "refsync",
            "version": "1",
            "summary": "Keeps Git repositories and their upstreams in step.",
            "description": "The REST API of refsync. It is the sync part of the Mesa API: Mesa's public SDKs work with it. \
                Every answer that is not 2xx has an `ErrorBody`, whose `code` is a stable word. Times are RFC 3339 in UTC. \
                Lists are pages, newest first: pass `next_cursor` of a page as `cursor` to get the next one.",
            "license": {"name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0"},
            "contact": contact(),
        },
        "servers": [{"url": "/v1", "description": "The service that serves this document."}],
        "tags": tags(),
        "security": [{"apiKey": []}, {"accessToken": []}],
        "paths": paths,
        "webhooks": webhooks,
        "components": {
            "parameters": parameters(),
            "responses": refusals,
            "securitySchemes": {
                "apiKey": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "An API key. It has a scope: `read`, `write` or `admin`; each includes those before it. \
                        Each operation names the scope that it needs.",
                },
                "accessToken": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "An access token that an Ed25519 private key signed. The key must be registered, and the \
                        token lives four hours at most.",
                },
            },
        },
    });
    document["components"]["schemas"] = shapes.into_schemas(&document);
    document
}

/// The repository's address is in Cargo.toml, once it is known (`scripts/release/address.mjs`).
fn contact() -> Value {
    let mut contact = json!({"name": "The maintainers of refsync"});
    if let Some(repository) = option_env!("CARGO_PKG_REPOSITORY").filter(|url| !url.is_empty()) {
        contact["url"] = json!(format!("{repository}/issues"));
    }
    contact
}

fn tags() -> Value {
    let calls = TAGS.iter().map(|(name, lines)| (*name, text(lines)));
    let more = [
        (SERVICE, "The service itself.".to_owned()),
        (
            webhooks::TAG,
            "The events that webhook targets receive. A delivery is a POST with the event as JSON, signed in the header \
            `x-mesa-signature`. Each event is delivered at least once, and the events of a sync in their order."
                .to_owned(),
        ),
    ];
    calls.chain(more).map(|(name, description)| json!({"name": name, "description": description})).collect()
}

/// The lines of a doc comment as text.
fn text(lines: &[&str]) -> String {
    let lines: Vec<&str> = lines.iter().map(|line| line.trim()).collect();
    lines.join("\n").split("\n\n").map(|part| part.replace('\n', " ")).collect::<Vec<_>>().join("\n\n")
}

/// The summary and the details of a doc comment.
fn described(lines: &[&str]) -> (String, String) {
    let text = text(lines);
    let (summary, details) = text.split_once("\n\n").expect("a doc comment here has a summary and details");
    (summary.to_owned(), details.to_owned())
}

fn paths(shapes: &mut Shapes) -> Value {
    let mut paths = json!({
        "/openapi.json": {"get": {
            "operationId": "openapi",
            "summary": "Get this document",
            "description": "No credential is needed.",
            "tags": [SERVICE],
            "security": [],
            "responses": {"200": {"description": "OK", "content": {"application/json": {"schema": {"type": "object"}}}}},
        }},
        "/sessions": {"post": shapes.session()},
    });
    paths[monitor::BADGE] = plain::badge();
    paths[monitor::METRICS] = plain::metrics();
    // Without `hook_`, the path would also fit calls such as `/{org}/repos`.
    paths["/hooks/hook_{hook_id}"] = plain::hook();
    for call in CALLS {
        let mut operation = shapes.call(call);
        match call.name {
            CallName::FollowSync => stream_events(&mut operation, &shapes.examples),
            CallName::CreateSync => may_wait(&mut operation),
            CallName::EnsureCommit => {
                operation["responses"]["202"] = operation["responses"]["200"].clone();
                operation["responses"]["202"]["description"] =
                    json!("The commit did not arrive: the time is over, or the pull failed.");
            }
            _ => {}
        }
        if call.name == CallName::ShowFreshness {
            let mut stale = operation["responses"]["200"].clone();
            stale["description"] =
                json!("The repository is not fresh. The body is the same; an error has another one.");
            operation["responses"]["503"] = stale;
        }
        let path = &mut paths[call.path];
        if call.parameters().next().is_some() {
            path["parameters"] = call.parameters().map(component).collect();
        }
        path[call.method.as_str().to_ascii_lowercase()] = operation;
    }
    paths
}

/// Turns the answer of `operation` into a stream of such answers.
fn stream_events(operation: &mut Value, examples: &Examples) {
    let run = operation["responses"]["200"]["content"]["application/json"]["schema"].take();
    operation["responses"]["200"] = json!({
        "description": "Server-sent events. Each status of the run is one event, with the SyncRun as its data. Between them come \
            `progress` events. The stream ends after a terminal status.",
        "content": {"text/event-stream": {"schema": {
            "type": "object",
            "properties": {
                "id": {"type": "string"},
                "event": {"enum": ["message", "progress"]},
                "data": {"type": "string", "contentMediaType": "application/json", "contentSchema": run},
            },
            "required": ["data"],
        }, "example": {"id": "3", "event": "message", "data": examples.of("answers", "followSync")[0].to_string()}}},
    });
    operation["responses"]["204"] = json!({"description": "The run has ended, and all of its events were seen."});
    push(
        operation,
        json!({"name": "Last-Event-ID", "in": "header", "schema": {"type": "integer", "format": "int64"},
        "description": "The `id` of the last event that was seen. The stream starts after it.", "example": 3}),
    );
}

/// Documents that the caller of `operation` may wait for the end of the run.
fn may_wait(operation: &mut Value) {
    operation["responses"]["201"]["headers"] = json!({"Preference-Applied": {
        "schema": {"type": "string", "pattern": "^wait=[0-9]+$"},
        "description": "How many seconds the call would have waited. Left out if it did not wait.",
    }});
    push(
        operation,
        json!({"name": "Prefer", "in": "header", "schema": {"type": "string", "pattern": "^wait=[0-9]+$"}, "example": "wait=30",
        "description": "`wait=` and a number of seconds, at most 300 (RFC 7240): the answer comes when the run has ended, or \
            after this time."}),
    );
}

fn component(parameter: &str) -> Value {
    json!({"$ref": format!("#/components/parameters/{parameter}")})
}

/// The answer of a refused call, by its status.
fn refused(status: &str) -> Value {
    json!({"$ref": format!("#/components/responses/refused_{status}")})
}

fn push(operation: &mut Value, parameter: Value) {
    operation["parameters"].as_array_mut().expect("every operation has parameters").push(parameter);
}

fn parameters() -> Value {
    let path = |name: &str, description: &str, example: &str| {
        json!({"name": name, "in": "path", "required": true, "description": description, "example": example,
            "schema": {"type": "string", "minLength": 1, "maxLength": 100}})
    };
    json!({
        "org": path("org", "The organisation's slug or id.", "acme"),
        "repo": path("repo", "The repository's name in any case, or its id.", "app"),
        "sync_id": path("sync_id", "The sync's id.", "sync_01a21d4496439b3d7cf9aea67fbc"),
        "target_id": path("target_id", "The webhook target's id.", "wht_695ade043287436d1b8a60cdc6ed"),
        "key_id": path("key_id", "The key's id.", "key_a5fee113358fb04ed430139a"),
        "cursor": {"name": "cursor", "in": "query", "schema": {"type": "string", "maxLength": 200},
            "description": "A `next_cursor` of this list. Default: the newest items."},
        "direction": {"name": "direction", "in": "query",
            "schema": {"type": "string", "enum": ["pull", "push"], "default": "pull"},
            "description": "The syncs that made the backups: pulls keep them in the repository, pushes at the upstream."},
        "tags": {"name": "tags", "in": "query", "schema": {"type": "string", "maxLength": 500},
            "example": "team:web",
            "description": "`key:value`, several with commas, or a JSON object: only repositories with these tags."},
        "max_age": {"name": "max_age", "in": "query", "schema": {"type": "string", "pattern": "^[0-9]{1,7}[mhd]$"},
            "example": "15m",
            "description": "The highest age that is fresh: a whole number and `m`, `h` or `d`, from `1m` to `365d`. Default: the \
                upstream's `max_age`."},
        "x-mesa-signature": webhooks::signature(),
        "limit": {"name": "limit", "in": "query", "description": "How many items a page has at most.",
            "schema": {"type": "integer", "minimum": 1, "maximum": 100, "default": 50}},
    })
}

/// Collects the shapes that calls refer to: request shapes as they are decoded, answer shapes as they are encoded.
struct Shapes {
    asked: SchemaGenerator,
    answered: SchemaGenerator,
    examples: Examples,
}

impl Shapes {
    fn new() -> Self {
        let settings = || SchemaSettings::draft2020_12().with(|s| s.definitions_path = "/components/schemas".into());
        Self {
            asked: settings().for_deserialize().into(),
            answered: settings().for_serialize().into(),
            examples: Examples::read(),
        }
    }

    fn call(&mut self, call: &'static Call) -> Value {
        let has_body = call.method != Method::Get && !call.takes.keys().is_empty();
        // A query is documented in the parameters, not among the schemas.
        let mut query = SchemaGenerator::default();
        let asked = if has_body { &mut self.asked } else { &mut query };
        let [takes, gives] = call.name.schemas(asked, &mut self.answered).map(|schema| schema.to_value());
        let id = json!(call.name);
        let mut operation = self.operation(id.as_str().unwrap_or_default(), call.status, &gives);
        let (tag, documentation) = call.name.documentation();
        let (summary, details) = described(documentation);
        let scope = call.scope.map(|scope| scope.as_str());
        let needs =
            scope.map_or_else(|| "Every valid credential may do this.".into(), |scope| format!("Scope: `{scope}`."));
        operation["summary"] = json!(summary);
        operation["description"] = json!(format!("{details}\n\n{needs}"));
        operation["tags"] = json!([tag]);
        let scopes: Vec<&str> = scope.into_iter().collect();
        operation["security"] = json!([{"apiKey": scopes}, {"accessToken": scopes}]);
        if has_body {
            let examples = self.examples.of("requests", id.as_str().unwrap_or_default());
            operation["requestBody"] = json!({"required": true, "content": content(&takes, &examples)});
        } else {
            let is_in_path = |name: &str| name == "org" || call.parameters().any(|parameter| parameter == name);
            let names = call.takes.keys().iter().map(|key| key.name).filter(|name| !is_in_path(name));
            operation["parameters"] = names.map(component).collect();
        }
        operation
    }

    /// Exchanges the code of the page's address for a key. It is not in [`CALLS`], because it takes no credential.
    fn session(&mut self) -> Value {
        const ID: &str = "startSession";
        let key = self.answered.subschema_for::<ApiKeySecret>().to_value();
        let mut session = self.operation(ID, 201, &key);
        session["summary"] = json!("Start a session of the page");
        session["description"] = json!(
            "Exchanges the code of the page's address, which works once, for a key that expires. No credential is needed."
        );
        session["tags"] = json!([SERVICE]);
        session["security"] = json!([]);
        let body = json!({
            "type": "object",
            "properties": {"code": {"type": "string", "description": "The code of the page's address."}},
            "required": ["code"],
            "additionalProperties": false,
        });
        session["requestBody"] =
            json!({"required": true, "content": content(&body, &self.examples.of("requests", ID))});
        session
    }

    fn operation(&self, id: &str, status: u16, gives: &Value) -> Value {
        let name = gives["$ref"].as_str().and_then(|path| path.rsplit('/').next()).unwrap_or_default();
        let description = &self.answered.definitions()[name]["description"];
        let mut operation = json!({
            "operationId": id,
            "parameters": [],
            "responses": {
                status.to_string(): {
                    "description": description,
                    "content": content(gives, &self.examples.of("answers", id)),
                },
            },
        });
        for (status, _) in REFUSALS {
            operation["responses"][*status] = refused(status);
        }
        operation
    }

    fn refusals(&mut self) -> Value {
        let schema = self.answered.subschema_for::<ErrorBody>().to_value();
        let refusals = REFUSALS.iter().map(|(status, description)| {
            let content = content(&schema, &[&self.examples.refusal(status)]);
            let mut refusal = json!({"description": description, "content": content});
            let header = match *status {
                "401" => Some((
                    "WWW-Authenticate",
                    json!({"type": "string", "const": "Bearer"}),
                    "The scheme of the credential.",
                )),
                "429" => Some(("Retry-After", json!({"type": "integer", "minimum": 0}), "How many seconds to wait.")),
                _ => None,
            };
            if let Some((name, schema, description)) = header {
                refusal["headers"] = json!({name: {"schema": schema, "description": description}});
            }
            (format!("refused_{status}"), refusal)
        });
        Value::Object(refusals.collect())
    }

    /// The schemas, each with an example that `document` contains.
    fn into_schemas(mut self, document: &Value) -> Value {
        let mut schemas: Map<String, Value> = self.answered.take_definitions(true);
        schemas.extend(self.asked.take_definitions(true));
        spread_all(&mut schemas, document);
        // Sorted by name, so that the file does not depend on the order of calls.
        let sorted: std::collections::BTreeMap<_, _> = schemas.into_iter().collect();
        json!(sorted)
    }
}

/// Finds every media type in `part` of the document, and gives its examples to the schemas.
fn spread_all(schemas: &mut Map<String, Value>, part: &Value) {
    match part {
        Value::Object(fields) => {
            if let Some(schema) = fields.get("schema") {
                let named = fields.get("examples").and_then(Value::as_object);
                let several = named.into_iter().flat_map(Map::values).filter_map(|example| example.get("value"));
                for example in fields.get("example").into_iter().chain(several) {
                    spread(schemas, schema, example);
                }
            }
            fields.values().for_each(|field| spread_all(schemas, field));
        }
        Value::Array(items) => items.iter().for_each(|item| spread_all(schemas, item)),
        _ => {}
    }
}

/// The tag of the calls that are not among [`CALLS`].
const SERVICE: &str = "Service";
const REFUSALS: &[(&str, &str)] = &[
    ("400", "The request is not valid (`INVALID_REQUEST`). `details.fields` names each bad field."),
    ("401", "The credential is missing or not valid (`UNAUTHENTICATED`)."),
    ("403", "The credential does not allow the call (`FORBIDDEN`)."),
    ("404", "The object does not exist (`NOT_FOUND`)."),
    ("406", "The `Accept` header refuses the answer's content type (`NOT_ACCEPTABLE`)."),
    ("408", "The body did not arrive within 30 seconds (`TIMEOUT`)."),
    (
        "409",
        "The current state does not allow the call (`CONFLICT`, `UPSTREAM_NOT_CONFIGURED`, or `UPSTREAM_FAILED` if the \
        upstream must be changed first).",
    ),
    ("413", "The body is too large (`PAYLOAD_TOO_LARGE`)."),
    ("429", "Too many calls (`RATE_LIMITED`). `Retry-After` has the seconds to wait."),
    ("500", "The service failed (`INTERNAL_ERROR`). Give the `trace_id` to the operator."),
    ("503", "The upstream is temporarily unavailable (`UPSTREAM_UNAVAILABLE`), or the service is."),
];
