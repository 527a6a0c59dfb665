//! Decodes a request's JSON body. Errors name the field and say what to do.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{
    FutureExt, StreamExt,
    future::{Either, select},
    stream::unfold,
};
use serde::de::DeserializeOwned;

use super::spelling::misspelt;
use crate::{
    api::{
        json_tree::Json,
        shape::{Fault, Mismatch, Others, Shape, Shaped},
    },
    http::{self, Body, ErrorKind},
    service::error::Error,
};

/// The most bytes of a JSON body.
pub const LIMIT: usize = 1 << 20;

/// How long a body of any size may take to arrive.
pub const WITHIN: Duration = Duration::from_secs(30);

/// The body. It fails with [`ErrorKind::Timeout`] when `over` ends. The time starts when the body is first read.
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
/// [`Error::TooLarge`] past [`LIMIT`], [`Error::TooSlow`] if it did not arrive in time, [`Error::Invalid`] if it is not the
/// JSON of a `T`.
pub async fn read<T: Shaped + DeserializeOwned>(body: Body) -> Result<T, Error> {
    decode(tree(body, &T::SHAPE).await?)
}

/// Reads a body of this shape. Not generic, because each copy would be a part of the service's build.
async fn tree(body: Body, shape: &'static Shape) -> Result<Json, Error> {
    checked(&bytes(body, LIMIT).await?, shape)
}

/// Parses a body. Keys that `T` does not have are ignored, unless it has `#[serde(deny_unknown_fields)]`. A key that is nearly
/// one of `T` is refused.
///
/// # Errors
///
/// [`Error::Invalid`], which never repeats a value, because it may be a secret in the wrong place.
pub fn parse<T: Shaped + DeserializeOwned>(bytes: &[u8]) -> Result<T, Error> {
    decode(checked(bytes, &T::SHAPE)?)
}

fn decode<T: DeserializeOwned>(tree: Json) -> Result<T, Error> {
    tree.decode().map_err(|error| Error::Internal(format!("a checked body does not decode: {error}")))
}

fn checked(bytes: &[u8], shape: &Shape) -> Result<Json, Error> {
    let mut tree = Json::parse(bytes)
        .map_err(|error| Error::field("body", format!("is not valid JSON ({error}); send a JSON object")))?;
    if let Some(path) = tree.repeated_key() {
        return Err(Error::field(told(path), "has a key twice; send each key once"));
    }
    if let Some((path, meant)) = misspelt(shape, &tree) {
        let is_top = !path.contains('.');
        let what = if is_top { "is not a field of this call" } else { "is an unknown field" };
        return Err(Error::field(told(path), format!("{what}; did you mean {meant}?")));
    }
    shape.check(&mut tree, Others::Keep).map_err(refusal)?;
    Ok(tree)
}

/// The bytes of a body that has at most `limit`.
pub(crate) async fn bytes(body: Body, limit: usize) -> Result<Bytes, Error> {
    body.bytes(limit).await.map_err(|error| match error.kind {
        ErrorKind::TooLarge => Error::TooLarge(limit),
        ErrorKind::Timeout => Error::TooSlow(WITHIN.as_secs()),
        _ => Error::field("body", format!("it broke off: {error}")),
    })
}

/// The error for what is wrong with a body.
fn refusal(Mismatch { path, fault }: Mismatch) -> Error {
    for remote in ["upstream", "origin"] {
        let auth = path.strip_prefix(remote).and_then(|rest| rest.strip_prefix(".auth"));
        if auth.is_some_and(|rest| rest.is_empty() || rest.starts_with('.')) {
            return Error::field(format!("{remote}.auth"), AUTH_SHAPES);
        }
    }
    let message = match (path.as_str(), &fault) {
        ("direction", Fault::Missing) => "is required: \"pull\" or \"push\"".into(),
        ("direction", _) => "must be \"pull\" (from the upstream) or \"push\" (to it)".into(),
        ("ref_globs", Fault::Wrong(why)) if why.ends_with("null") => {
            "must not be null; leave it out to sync all branches and tags".into()
        }
        ("expires_in_seconds", Fault::Wrong(_)) => SECONDS.into(),
        (_, Fault::Missing) => "is required".into(),
        (key, Fault::Unknown(known)) if !key.contains('.') => {
            format!("is not a field of this call, which has {known}")
        }
        _ => fault.to_string(),
    };
    Error::field(told(path), message)
}

/// The path of a field, in the form that errors use.
fn told(path: String) -> String {
    if path.is_empty() || path.len() > MAX_PATH { "body".into() } else { path }
}

/// The allowed values of `expires_in_seconds`, for errors.
pub(crate) const SECONDS: &str = "must be a whole number of seconds, from 1 to 315360000 (ten years)";
/// The most bytes of a field's path in an error.
const MAX_PATH: usize = 200;
const AUTH_SHAPES: &str = "must be {\"kind\":\"token\",\"token\":…,\"token_username\"?:…} or \
    {\"kind\":\"username_password\",\"username\":…,\"password\":…}, with strings, or null";
