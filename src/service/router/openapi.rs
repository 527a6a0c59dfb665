//! The OpenAPI 3.1 document of the API, generated from its shapes.
//!
//! [`document`] generates it. The service serves a copy from the repository, which the host loads on demand, so the package
//! does not contain the generator. A test compares both.

use schemars::{SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use crate::service::{error::Error, host::Runtime};
use crate::{
    api::{ApiKeySecret, CALLS, Call, CallName, ErrorBody},
    http::{Body, Headers, Method, Response},
};

/// The document in the form that the service sends.
///
/// # Errors
///
/// If the host cannot load it.
pub(crate) async fn response(runtime: &dyn Runtime, method: Method) -> Result<Response, Error> {
    let headers = [("content-type", "application/json"), ("cache-control", "public, max-age=300")];
    let body = match method {
        Method::Head => Body::Empty,
        _ => {
            Body::Bytes(runtime.openapi().await.map_err(|why| Error::Internal(format!("openapi.json: {why}")))?.into())
        }
    };
    Ok(Response { status: 200, url: String::new(), headers: Headers::from_iter(headers), body })
}

/// Makes the document.
pub fn document() -> Value {
    let mut shapes = Shapes::new();
    let paths = paths(&mut shapes);
    let parameters = parameters();
    let refusals = shapes.refusals();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "refsync",
            "version": "1",
            "description": "Keeps Git repositories and their upstreams in step: the sync part of the Mesa API.",
            "license": {"name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0"},
        },
        "servers": [{"url": "/v1"}],
        "security": [{"credential": []}],
        "paths": paths,
        "components": {
            "schemas": shapes.into_schemas(),
            "parameters": parameters,
            "responses": refusals,
            "securitySchemes": {"credential": {
                "type": "http",
                "scheme": "bearer",
                "description": "An API key, or an access token that an Ed25519 private key signed.",
            }},
        },
    })
}

fn paths(shapes: &mut Shapes) -> Value {
    let mut paths = json!({
        "/openapi.json": {"get": {
            "operationId": "openapi",
            "summary": "This document; no credential is needed.",
            "security": [],
            "responses": {"200": {"description": "OK", "content": {"application/json": {"schema": {"type": "object"}}}}},
        }},
        "/sessions": {"post": shapes.session()},
    });
    for call in CALLS {
        let mut operation = shapes.call(call);
        if call.name == CallName::FollowSync {
            stream_events(&mut operation);
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
fn stream_events(operation: &mut Value) {
    let run = operation["responses"]["200"]["content"]["application/json"]["schema"].take();
    operation["responses"]["200"] = json!({
        "description": "Server-sent events. Each status of the run is one whose data is the SyncRun; `progress` events come \
            in between. The stream ends after a terminal status.",
        "content": {"text/event-stream": {"schema": {
            "type": "object",
            "properties": {
                "id": {"type": "string"},
                "event": {"enum": ["message", "progress"]},
                "data": {"type": "string", "contentMediaType": "application/json", "contentSchema": run},
            },
            "required": ["data"],
        }}},
    });
    operation["responses"]["204"] = json!({"description": "The run has ended, and all of its events were seen."});
    push(
        operation,
        json!({"name": "Last-Event-ID", "in": "header", "schema": {"type": "integer", "format": "int64"},
        "description": "Goes on after this event."}),
    );
}

fn component(parameter: &str) -> Value {
    json!({"$ref": format!("#/components/parameters/{parameter}")})
}

fn push(operation: &mut Value, parameter: Value) {
    operation["parameters"].as_array_mut().expect("every operation has parameters").push(parameter);
}

fn parameters() -> Value {
    let path = |name: &str, description: &str| {
        json!({"name": name, "in": "path", "required": true, "description": description,
            "schema": {"type": "string", "minLength": 1, "maxLength": 100}})
    };
    json!({
        "org": path("org", "The organisation's slug or id."),
        "repo": path("repo", "The repository's name in any case, or its id."),
        "sync_id": path("sync_id", "The sync's id."),
        "target_id": path("target_id", "The webhook target's id."),
        "key_id": path("key_id", "The key's id."),
        "cursor": {"name": "cursor", "in": "query", "schema": {"type": "string", "maxLength": 200},
            "description": "A `next_cursor` of this list. Default: the newest items."},
        "tags": {"name": "tags", "in": "query", "schema": {"type": "string", "maxLength": 500},
            "description": "`key:value`, several with commas, or a JSON object: only repositories with these tags."},
        "limit": {"name": "limit", "in": "query",
            "schema": {"type": "integer", "minimum": 1, "maximum": 100, "default": 50}},
    })
}

/// Collects the shapes that calls refer to: request shapes as they are decoded, answer shapes as they are encoded.
struct Shapes {
    asked: SchemaGenerator,
    answered: SchemaGenerator,
}

impl Shapes {
    fn new() -> Self {
        let settings = || SchemaSettings::draft2020_12().with(|s| s.definitions_path = "/components/schemas".into());
        Self { asked: settings().for_deserialize().into(), answered: settings().for_serialize().into() }
    }

    fn call(&mut self, call: &'static Call) -> Value {
        let has_body = call.method != Method::Get && !call.takes.keys().is_empty();
        // A query is documented in the parameters, not among the schemas.
        let mut query = SchemaGenerator::default();
        let asked = if has_body { &mut self.asked } else { &mut query };
        let [takes, gives] = call.name.schemas(asked, &mut self.answered).map(|schema| schema.to_value());
        let scope = call.scope.map_or("any", |scope| scope.as_str());
        let mut operation = self.operation(&json!(call.name), scope, call.status, &gives);
        if has_body {
            operation["requestBody"] = json!({"required": true, "content": {"application/json": {"schema": takes}}});
        } else {
            let is_in_path = |name: &str| name == "org" || call.parameters().any(|parameter| parameter == name);
            let names = call.takes.keys().iter().map(|key| key.name).filter(|name| !is_in_path(name));
            operation["parameters"] = names.map(component).collect();
        }
        operation
    }

    /// Exchanges the code of the page's address for a key. It is not in [`CALLS`], because it takes no credential.
    fn session(&mut self) -> Value {
        let key = self.answered.subschema_for::<ApiKeySecret>().to_value();
        let mut session = self.operation(&json!("startSession"), "none", 201, &key);
        session["description"] = json!(
            "Exchanges the code of the page's address, which works once, for a key that expires. No credential is needed."
        );
        session["security"] = json!([]);
        session["requestBody"] = json!({"required": true, "content": {"application/json": {"schema": {
            "type": "object", "properties": {"code": {"type": "string"}}, "required": ["code"], "additionalProperties": false,
        }}}});
        session
    }

    fn operation(&self, id: &Value, scope: &str, status: u16, gives: &Value) -> Value {
        let mut operation = json!({
            "operationId": id,
            "description": format!("Scope: {scope}."),
            "parameters": [],
            "responses": {
                status.to_string(): {"description": "Done.", "content": {"application/json": {"schema": gives}}},
            },
        });
        for (status, _) in REFUSALS {
            operation["responses"][*status] = json!({"$ref": format!("#/components/responses/refused_{status}")});
        }
        operation
    }

    fn refusals(&mut self) -> Value {
        let schema = self.answered.subschema_for::<ErrorBody>().to_value();
        let refusals = REFUSALS.iter().map(|(status, description)| {
            let content = json!({"application/json": {"schema": schema}});
            (format!("refused_{status}"), json!({"description": description, "content": content}))
        });
        Value::Object(refusals.collect())
    }

    fn into_schemas(mut self) -> Value {
        let mut schemas: Map<String, Value> = self.answered.take_definitions(true);
        schemas.extend(self.asked.take_definitions(true));
        // Sorted by name, so that the file does not depend on the order of calls.
        let sorted: std::collections::BTreeMap<_, _> = schemas.into_iter().collect();
        json!(sorted)
    }
}

const REFUSALS: &[(&str, &str)] = &[
    ("400", "The request is not valid; `details.fields` names each bad field."),
    ("401", "The credential is missing or not valid."),
    ("403", "The credential is not enough."),
    ("404", "There is no such thing."),
    ("406", "JSON is not accepted."),
    ("409", "It clashes with what is there."),
    ("408", "The body did not arrive within 30 seconds."),
    ("413", "The body is larger than a megabyte."),
    ("429", "The credential makes too many calls; `Retry-After` says when the next may come."),
    ("500", "Something failed in the service; quote the `trace_id`."),
    ("503", "The upstream or the service is temporarily unavailable."),
];
