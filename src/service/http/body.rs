//! A request's JSON body, into the shape of the API or into errors that name the field and the remedy.

mod unique;

use std::time::Duration;

use bytes::Bytes;
use futures_util::{
    FutureExt, StreamExt,
    future::{Either, select},
    stream::unfold,
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use crate::service::{error::Error, json};
use crate::{
    api::UpstreamAuth,
    http::{self, Body, ErrorKind},
    json_path,
};

/// The most bytes of a JSON body.
pub const LIMIT: usize = 1 << 20;

/// How long a body may take to arrive, however large it is.
pub const WITHIN: Duration = Duration::from_secs(30);

/// The body, which ends in [`ErrorKind::Timeout`] once `over` is over. That is first looked at when the body is first read.
pub fn until(over: impl Future<Output = ()> + 'static, body: Body) -> Body {
    let Body::Stream(stream) = body else { return body };
    let over = over.boxed_local();
    let timely = unfold(Some((stream, over)), async |state| {
        let (mut stream, over) = state?;
        match select(stream.next(), over).await {
            Either::Left((chunk, over)) => Some((chunk?, Some((stream, over)))),
            Either::Right(_) => Some((Err(http::Error::new(ErrorKind::Timeout, "it took too long")), None)),
        }
    });
    Body::Stream(timely.boxed_local())
}

/// Reads a body.
///
/// # Errors
///
/// [`Error::TooLarge`] past [`LIMIT`], [`Error::TooSlow`] if it did not arrive in time, [`Error::Invalid`] if it is not the JSON that `T` wants.
pub async fn read<T: DeserializeOwned>(body: Body) -> Result<T, Error> {
    parse(&bytes(body).await?)
}

/// Reads a body that has no fields but these: where a misspelt one, were it left aside, would do more than was asked.
///
/// # Errors
///
/// As [`read`].
pub async fn read_strictly<T: DeserializeOwned>(body: Body, known: &[&str]) -> Result<T, Error> {
    let bytes = bytes(body).await?;
    let object = object(&bytes)?;
    if let Some(key) = object.keys().find(|key| !known.contains(&key.as_str())) {
        return Err(Error::field(key, format!("is not a field of this call, which has {}", known.join(", "))));
    }
    shaped(&bytes)
}

/// Parses a body.
///
/// # Errors
///
/// [`Error::Invalid`].
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Error> {
    object(bytes)?;
    shaped(bytes)
}

async fn bytes(body: Body) -> Result<Bytes, Error> {
    body.bytes(LIMIT).await.map_err(|error| match error.kind {
        ErrorKind::TooLarge => Error::TooLarge(LIMIT),
        ErrorKind::Timeout => Error::TooSlow(WITHIN.as_secs()),
        _ => Error::field("body", format!("it broke off: {error}")),
    })
}

/// The body as a JSON object, in which what should be an object is one.
fn object(bytes: &[u8]) -> Result<Map<String, Value>, Error> {
    let value: Value = serde_json::from_slice(bytes)
        .map_err(|error| Error::field("body", format!("is not valid JSON ({error}); send a JSON object")))?;
    // A tree keeps the second value of a key, and other readers take the first: the checks below would be of another value.
    if let Some(path) = unique::repeated_key(bytes) {
        let field = if path.is_empty() || path.len() > MAX_PATH { "body" } else { &path };
        return Err(Error::field(field, "has a key twice; send each key once"));
    }
    // Said here, for a reader would name a type of ours.
    for pointer in OBJECTS {
        if value.pointer(pointer).is_some_and(|part| !part.is_object() && !part.is_null()) {
            return Err(Error::field(pointer[1..].replace('/', "."), "must be an object"));
        }
    }
    if value.get("ref_globs").is_some_and(Value::is_null) {
        return Err(Error::field("ref_globs", "must not be null; leave it out to sync all branches and tags"));
    }
    for remote in ["upstream", "origin"] {
        // By itself, for serde quotes what it refuses, which is a secret here.
        let auth = value.get(remote).and_then(|remote| remote.get("auth")).filter(|auth| auth.is_object());
        if auth.is_some_and(|auth| UpstreamAuth::deserialize(auth).is_err()) {
            return Err(Error::field(format!("{remote}.auth"), AUTH_SHAPES));
        }
    }
    match value {
        Value::Object(object) => Ok(object),
        _ => Err(Error::field("body", "must be a JSON object")),
    }
}

/// From the text once more, not from the tree: every shape has one decoder in the package, and it is that of rows.
fn shaped<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Error> {
    json::from_slice(bytes).map_err(|error| {
        let missing = json_path::missing_key(&error);
        refusal(&json_path::of_error(bytes, &error), missing.as_deref(), unquoted(&json_path::message(&error)))
    })
}

/// Serde's words without the text that they quote, which may be a secret in the wrong place.
fn unquoted(message: &str) -> String {
    match (message.split_once(": string \""), message.rsplit_once("\", expected ")) {
        (Some((what, _)), Some((_, expected))) => format!("{what}: a string, expected {expected}"),
        _ => message.to_owned(),
    }
}

fn refusal(path: &str, missing: Option<&str>, message: String) -> Error {
    match (path, missing) {
        ("direction", Some(_)) => Error::field(path, "is required: \"pull\" or \"push\""),
        (_, Some(_)) => Error::field(path, "is required"),
        ("direction", None) => Error::field(path, "must be \"pull\" (from the upstream) or \"push\" (to it)"),
        ("expires_in_seconds", None) => Error::field(path, SECONDS),
        ("", None) => Error::field("body", message),
        (_, None) => Error::field(path, message),
    }
}

/// What should be an object, where it is there and not null.
const OBJECTS: [&str; 8] = [
    "/ref_globs",
    "/tags",
    "/upstream",
    "/upstream/auth",
    "/upstream/schedule",
    "/upstream/schedule/ref_globs",
    "/origin",
    "/origin/auth",
];

/// The most bytes of a path that is told.
const MAX_PATH: usize = 200;
const AUTH_SHAPES: &str = "must be {\"kind\":\"token\",\"token\":…,\"token_username\"?:…} or \
    {\"kind\":\"username_password\",\"username\":…,\"password\":…}, with strings, or null";

/// What `expires_in_seconds` must be.
pub(crate) const SECONDS: &str = "must be a whole number of seconds, from 1 to 315360000 (ten years)";
