//! A request's JSON body, into the shape of the API or into errors that name the field and the remedy.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Error;
use crate::http::{Body, ErrorKind};

/// The most bytes of a JSON body.
pub const LIMIT: usize = 1 << 20;

/// Reads a body.
///
/// # Errors
///
/// [`Error::TooLarge`] past [`LIMIT`], [`Error::Invalid`] where it is not the JSON that `T` wants.
pub async fn read<T: DeserializeOwned>(body: Body) -> Result<T, Error> {
    let bytes = body.bytes(LIMIT).await.map_err(|error| match error.kind {
        ErrorKind::TooLarge => Error::TooLarge(LIMIT),
        _ => Error::field("body", format!("it broke off: {error}")),
    })?;
    parse(&bytes)
}

/// Reads a body that has no fields but these: where a misspelt one, were it left aside, would do more than was asked.
///
/// # Errors
///
/// As [`read`].
pub async fn read_strictly<T: DeserializeOwned>(body: Body, known: &[&str]) -> Result<T, Error> {
    let value: Value = read(body).await?;
    let unknown = value.as_object().and_then(|object| object.keys().find(|key| !known.contains(&key.as_str())));
    if let Some(key) = unknown {
        return Err(Error::field(key, format!("is not a field of this call, which has {}", known.join(", "))));
    }
    shaped(value)
}

/// Parses a body.
///
/// # Errors
///
/// [`Error::Invalid`].
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Error> {
    let value: Value = serde_json::from_slice(bytes)
        .map_err(|error| Error::field("body", format!("is not valid JSON ({error}); send a JSON object")))?;
    shaped(value)
}

fn shaped<T: DeserializeOwned>(value: Value) -> Result<T, Error> {
    if !value.is_object() {
        return Err(Error::field("body", "must be a JSON object"));
    }
    // Serde would also take an array for an object, its values in order.
    for pointer in
        ["/ref_globs", "/tags", "/upstream", "/upstream/auth", "/upstream/schedule", "/upstream/schedule/ref_globs"]
    {
        if value.pointer(pointer).is_some_and(|part| !part.is_object() && !part.is_null()) {
            return Err(Error::field(pointer[1..].replace('/', "."), "must be an object"));
        }
    }
    if value.get("ref_globs").is_some_and(Value::is_null) {
        return Err(Error::field("ref_globs", "must not be null; leave it out to sync all branches and tags"));
    }
    serde_path_to_error::deserialize(value)
        .map_err(|error| refusal(&error.path().to_string(), &error.inner().to_string()))
}

fn refusal(path: &str, message: &str) -> Error {
    if path.starts_with("upstream.auth") {
        // Serde quotes the value that it refuses, which is a secret here.
        return Error::field("upstream.auth", AUTH_SHAPES);
    }
    if path.trim_start_matches('.') == "direction" {
        return Error::field("direction", "must be \"pull\" (from the upstream) or \"push\" (to it)");
    }
    let path = if path == "." { "" } else { path };
    if let Some(missing) = message.strip_prefix("missing field `").and_then(|rest| rest.split('`').next()) {
        let field = if path.is_empty() { missing.to_owned() } else { format!("{path}.{missing}") };
        let remedy = if missing == "direction" { "is required: \"pull\" or \"push\"" } else { "is required" };
        return Error::field(field, remedy);
    }
    Error::field(if path.is_empty() { "body" } else { path }, message)
}

const AUTH_SHAPES: &str = "must be {\"kind\":\"token\",\"token\":…,\"token_username\"?:…} or \
    {\"kind\":\"username_password\",\"username\":…,\"password\":…}, with strings, or null";
