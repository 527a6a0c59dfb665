//! The examples of the document. `scripts/samples/openapi.mjs` records them from a real service.

use serde_json::{Map, Value, json};

use refsync::{
    http::Body,
    service::{Error, http::body},
};

/// The recorded requests, answers, refusals and events.
pub(super) struct Examples(Value);

impl Examples {
    pub(super) fn read() -> Self {
        Self(serde_json::from_str(include_str!("examples.json")).expect("examples.json is JSON"))
    }

    /// The examples of `group` (`requests`, `answers` or `events`) with this name, or with this name and a variant after a
    /// dot.
    pub(super) fn of(&self, group: &str, name: &str) -> Vec<&Value> {
        let is_wanted = |key: &str| key.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
        let recorded = self.0[group].as_object().into_iter().flatten();
        recorded.filter(|(key, _)| is_wanted(key)).map(|(_, value)| value).collect()
    }

    /// The body of a refusal with this status.
    pub(super) fn refusal(&self, status: &str) -> Value {
        if let Some(recorded) = self.0["errors"].get(status) {
            return recorded.clone();
        }
        // The recorder cannot cause these.
        let error = match status {
            "408" => Error::TooSlow(30),
            "413" => Error::TooLarge(body::LIMIT),
            "429" => Error::RateLimited(12),
            "503" => Error::Upstream {
                message: "upstream: list refs https://github.com/acme/app.git: the server answered 503".into(),
                transient: true,
            },
            _ => Error::Internal(String::new()),
        };
        let Body::Bytes(body) = error.response("5f1c7e0a94d24bb1").body else {
            unreachable!("an error is sent at once")
        };
        serde_json::from_slice(&body).expect("an error body is JSON")
    }
}

/// JSON of a media type: its schema, and the examples.
pub(super) fn content(schema: &Value, examples: &[&Value]) -> Value {
    let mut media = json!({"schema": schema});
    match examples {
        [] => {}
        [example] => media["example"] = (*example).clone(),
        several => {
            let named = several.iter().enumerate();
            media["examples"] = named
                .map(|(at, value)| (format!("example_{}", at + 1), json!({"value": value})))
                .collect::<Map<_, _>>()
                .into();
        }
    }
    json!({"application/json": media})
}

/// Gives each shape that `example` of `schema` contains an example, unless it has one.
pub(super) fn spread(schemas: &mut Map<String, Value>, schema: &Value, example: &Value) {
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        let Some(target) = schemas.get_mut(name) else { return };
        let is_object = target["type"] == "object" || target.get("oneOf").is_some() && example.is_object();
        if is_object && example.is_object() && target.get("examples").is_none() {
            target["examples"] = json!([example]);
        }
        let target = target.clone();
        return spread(schemas, &target, example);
    }
    for alternative in ["anyOf", "allOf", "oneOf"].iter().filter_map(|key| schema[key].as_array()).flatten() {
        if !example.is_null() {
            spread(schemas, alternative, example);
        }
    }
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        if let Some(value) = example.get(name) {
            spread(schemas, property, value);
        }
    }
    for item in example.as_array().into_iter().flatten() {
        spread(schemas, &schema["items"], item);
    }
}
