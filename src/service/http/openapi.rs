//! The OpenAPI 3.1 document of the API, made from the shapes that it deals in.
//!
//! [`document`] makes it; what is served is a copy of that in the repository, so that neither the generator nor its work is
//! in the package, and which the host loads when somebody asks. A test compares the two.

use schemars::{JsonSchema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use crate::service::{error::Error, host::Runtime};
use crate::{
    api::{
        ApiKeyPage, ApiKeySecret, CreateApiKeyRequest, CreatePublicKeyRequest, CreateRepoRequest,
        CreateWebhookTargetRequest, DeleteResult, ErrorBody, Organization, PublicKeyPage, PublicKeySecret, Repo,
        RepoPage, SyncRequest, SyncRun, SyncRunPage, SyncRunStats, UpdateRepoRequest, UpdateWebhookTargetRequest,
        WebhookTarget, WebhookTargetPage, WebhookTargetSecret, Whoami,
    },
    http::{Body, Headers, Method, Response},
};

/// The document as it is served.
///
/// # Errors
///
/// Where the host cannot load it.
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
    let page = ["cursor", "limit"];
    let mut listed_repos = shapes.call("listRepos", "read", Answer::of::<RepoPage>(200), None, &page);
    push(
        &mut listed_repos,
        json!({"name": "tags", "in": "query", "schema": {"type": "string", "maxLength": 500},
        "description": "`key:value`, several with commas, or a JSON object: only repositories with these tags."}),
    );
    let run = shapes.answered.subschema_for::<SyncRun>().to_value();
    let mut events = shapes.call("followSync", "read", Answer::of::<SyncRun>(200), None, &[]);
    events["responses"]["200"] = json!({
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
    events["responses"]["204"] = json!({"description": "The run has ended, and all of its events were seen."});
    push(
        &mut events,
        json!({"name": "Last-Event-ID", "in": "header", "schema": {"type": "integer", "format": "int64"},
        "description": "Goes on after this event."}),
    );
    let mut session = shapes.call("startSession", "none", Answer::of::<ApiKeySecret>(201), None, &[]);
    session["description"] = json!(
        "Exchanges the code of the page's address, which works once, for a key that expires. No credential is needed."
    );
    session["security"] = json!([]);
    session["requestBody"] = json!({"required": true, "content": {"application/json": {"schema": {
        "type": "object", "properties": {"code": {"type": "string"}}, "required": ["code"], "additionalProperties": false,
    }}}});
    json!({
        "/openapi.json": {"get": {
            "operationId": "openapi",
            "summary": "This document; no credential is needed.",
            "security": [],
            "responses": {"200": {"description": "OK", "content": {"application/json": {"schema": {"type": "object"}}}}},
        }},
        "/sessions": {"post": session},
        "/whoami": {"get": shapes.call("whoami", "any", Answer::of::<Whoami>(200), None, &[])},
        "/{org}": at(&["org"], json!({
            "get": shapes.call("showOrganization", "read", Answer::of::<Organization>(200), None, &[]),
        })),
        "/{org}/repos": at(&["org"], json!({
            "get": listed_repos,
            "post": shapes.call("createRepo", "write", Answer::of::<Repo>(201), Ask::of::<CreateRepoRequest>(), &[]),
        })),
        "/{org}/{repo}": at(&["org", "repo"], json!({
            "get": shapes.call("showRepo", "read", Answer::of::<Repo>(200), None, &[]),
            "patch": shapes.call("updateRepo", "write", Answer::of::<Repo>(200), Ask::of::<UpdateRepoRequest>(), &[]),
            "delete": shapes.call("deleteRepo", "admin", Answer::of::<DeleteResult>(200), None, &[]),
        })),
        "/{org}/{repo}/upstream/syncs": at(&["org", "repo"], json!({
            "get": shapes.call("listSyncs", "read", Answer::of::<SyncRunPage>(200), None, &page),
            "post": shapes.call("createSync", "write", Answer::of::<SyncRun>(201), Ask::of::<SyncRequest>(), &[]),
        })),
        "/{org}/{repo}/upstream/plan": at(&["org", "repo"], json!({
            "post": shapes.call("planSync", "read", Answer::of::<SyncRunStats>(200), Ask::of::<SyncRequest>(), &[]),
        })),
        "/{org}/{repo}/upstream/syncs/{sync_id}": at(&["org", "repo", "sync_id"], json!({
            "get": shapes.call("showSync", "read", Answer::of::<SyncRun>(200), None, &[]),
        })),
        "/{org}/{repo}/upstream/syncs/{sync_id}/cancel": at(&["org", "repo", "sync_id"], json!({
            "post": shapes.call("cancelSync", "write", Answer::of::<SyncRun>(200), None, &[]),
        })),
        "/{org}/{repo}/upstream/syncs/{sync_id}/events": at(&["org", "repo", "sync_id"], json!({"get": events})),
        "/{org}/webhook-targets": at(&["org"], json!({
            "get": shapes.call("listWebhookTargets", "admin", Answer::of::<WebhookTargetPage>(200), None, &page),
            "post": shapes.call("createWebhookTarget", "admin", Answer::of::<WebhookTargetSecret>(201),
                Ask::of::<CreateWebhookTargetRequest>(), &[]),
        })),
        "/{org}/webhook-targets/{target_id}": at(&["org", "target_id"], json!({
            "get": shapes.call("showWebhookTarget", "admin", Answer::of::<WebhookTarget>(200), None, &[]),
            "patch": shapes.call("updateWebhookTarget", "admin", Answer::of::<WebhookTarget>(200),
                Ask::of::<UpdateWebhookTargetRequest>(), &[]),
            "delete": shapes.call("deleteWebhookTarget", "admin", Answer::of::<DeleteResult>(200), None, &[]),
        })),
        "/{org}/webhook-targets/{target_id}/rotate-secret": at(&["org", "target_id"], json!({
            "post": shapes.call("rotateWebhookSecret", "admin", Answer::of::<WebhookTargetSecret>(200), None, &[]),
        })),
        "/{org}/api-keys": at(&["org"], json!({
            "get": shapes.call("listApiKeys", "admin", Answer::of::<ApiKeyPage>(200), None, &page),
            "post": shapes.call("createApiKey", "admin", Answer::of::<ApiKeySecret>(201),
                Ask::of::<CreateApiKeyRequest>(), &[]),
        })),
        "/{org}/api-keys/{key_id}": at(&["org", "key_id"], json!({
            "delete": shapes.call("revokeApiKey", "admin", Answer::of::<DeleteResult>(200), None, &[]),
        })),
        "/{org}/public-keys": at(&["org"], json!({
            "get": shapes.call("listPublicKeys", "admin", Answer::of::<PublicKeyPage>(200), None, &page),
            "post": shapes.call("createPublicKey", "admin", Answer::of::<PublicKeySecret>(201),
                Ask::of::<CreatePublicKeyRequest>(), &[]),
        })),
        "/{org}/public-keys/{key_id}": at(&["org", "key_id"], json!({
            "delete": shapes.call("revokePublicKey", "admin", Answer::of::<DeleteResult>(200), None, &[]),
        })),
    })
}

/// A path with the parameters that stand in it.
fn at(names: &[&str], mut calls: Value) -> Value {
    calls["parameters"] = names.iter().map(|name| reference(name)).collect();
    calls
}

fn reference(parameter: &str) -> Value {
    json!({"$ref": format!("#/components/parameters/{parameter}")})
}

fn push(call: &mut Value, parameter: Value) {
    call["parameters"].as_array_mut().expect("every call has parameters").push(parameter);
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
            "description": "A `next_cursor` of this list; the newest items when left out."},
        "limit": {"name": "limit", "in": "query",
            "schema": {"type": "integer", "minimum": 1, "maximum": 100, "default": 50}},
    })
}

/// Collects the shapes that calls refer to: what is asked with as it is read, what is answered as it is written.
struct Shapes {
    asked: SchemaGenerator,
    answered: SchemaGenerator,
}

type Schema = fn(&mut SchemaGenerator) -> Value;

/// The shape of a request's body.
struct Ask(Schema);

/// The status and shape of an answer.
struct Answer(u16, Schema);

impl Ask {
    fn of<T: JsonSchema>() -> Option<Self> {
        Some(Self(|generator| generator.subschema_for::<T>().to_value()))
    }
}

impl Answer {
    fn of<T: JsonSchema>(status: u16) -> Self {
        Self(status, |generator| generator.subschema_for::<T>().to_value())
    }
}

impl Shapes {
    fn new() -> Self {
        let settings = || SchemaSettings::draft2020_12().with(|s| s.definitions_path = "/components/schemas".into());
        Self { asked: settings().for_deserialize().into(), answered: settings().for_serialize().into() }
    }

    fn call(&mut self, id: &str, scope: &str, answer: Answer, ask: Option<Ask>, parameters: &[&str]) -> Value {
        let Answer(status, schema) = answer;
        let content = |schema: Value| json!({"application/json": {"schema": schema}});
        let answered = content(schema(&mut self.answered));
        let mut call = json!({
            "operationId": id,
            "description": format!("Scope: {scope}."),
            "parameters": parameters.iter().map(|name| reference(name)).collect::<Value>(),
            "responses": {
                status.to_string(): {"description": "Done.", "content": answered},
            },
        });
        for (status, _) in REFUSALS {
            call["responses"][*status] = json!({"$ref": format!("#/components/responses/refused_{status}")});
        }
        if let Some(Ask(schema)) = ask {
            call["requestBody"] = json!({"required": true, "content": content(schema(&mut self.asked))});
        }
        call
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
        // By name, so that the file is the same whichever shape was met first.
        let sorted: std::collections::BTreeMap<_, _> = schemas.into_iter().collect();
        json!(sorted)
    }
}

const REFUSALS: &[(&str, &str)] = &[
    ("400", "The request is not valid; `details.fields` names each bad field."),
    ("401", "There is no credential, or it is not good."),
    ("403", "The credential is not enough."),
    ("404", "There is no such thing."),
    ("406", "JSON is not accepted."),
    ("409", "It clashes with what is there."),
    ("408", "The body did not arrive within 30 seconds."),
    ("413", "The body is larger than a megabyte."),
    ("429", "The credential makes too many calls; `Retry-After` says when the next may come."),
    ("500", "Something failed in the service; quote the `trace_id`."),
    ("503", "The upstream or the service is away for now."),
];
