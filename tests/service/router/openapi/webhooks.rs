//! The webhooks of the document: one for each event that the service sends.

use schemars::SchemaGenerator;
use serde_json::{Map, Value, json};

use super::{
    described,
    examples::{Examples, content},
};
use refsync::api::EVENTS;

/// The tag of the webhooks.
pub(super) const TAG: &str = "Events";

/// The webhooks, by the event's type.
pub(super) fn webhooks(generator: &mut SchemaGenerator, examples: &Examples) -> Value {
    let webhooks = EVENTS.iter().map(|event| {
        let envelope = (event.schema)(generator).to_value();
        let schema = json!({"allOf": [envelope, {"properties": {"type": {"const": event.name}}}]});
        let (summary, details) = described(event.documentation);
        let post = json!({
            "operationId": event.name.replace('.', "_"),
            "summary": summary,
            "description": details,
            "tags": [TAG],
            "security": [],
            "parameters": [{"$ref": "#/components/parameters/x-mesa-signature"}],
            "requestBody": {
                "required": true,
                "content": content(&schema, &examples.of("events", event.name)),
            },
            "responses": {
                "2XX": {"description": "The receiver has accepted the event. The body does not matter."},
                "4XX": {"description": "The receiver has refused the event. It is sent again later, for a day."},
                "5XX": {"description": "The receiver has failed. The event is sent again later, for a day."},
            },
        });
        (event.name.to_owned(), json!({"post": post}))
    });
    Value::Object(webhooks.collect::<Map<_, _>>())
}

/// The header that signs a delivery.
pub(super) fn signature() -> Value {
    json!({
        "name": "x-mesa-signature",
        "in": "header",
        "required": true,
        "description": "`t=<unix seconds>,sha256=<hex>`. The second part is the HMAC-SHA256 of `<t>.<raw body>` with the \
            target's secret. Refuse an event whose time differs from your clock by more than 300 seconds.",
        "schema": {"type": "string", "pattern": "^t=[0-9]+,sha256=[0-9a-f]{64}$"},
        "example": format!("t=1790000000,sha256={}", "5f".repeat(32)),
    })
}
