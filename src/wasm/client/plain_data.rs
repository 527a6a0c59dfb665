//! Passes plain data between JavaScript and Rust as JSON.
//!
//! JSON fits the API's contract: a key that is `undefined` is left out, null stays null (an update means "remove" by it),
//! and maps are plain objects.

use js_sys::JSON;
use wasm_bindgen::JsValue;

use crate::{api::json_tree::Json, client::Error};

/// An argument of a JavaScript caller. Errors call it `name`.
pub(crate) fn from_js(operation: &str, name: &str, data: &JsValue) -> Result<Json, Error> {
    // `undefined` and functions have no JSON. Cycles and `BigInt`s throw.
    let text = JSON::stringify(data).ok().and_then(|text| text.as_string());
    let json = text.and_then(|text| Json::parse(text.as_bytes()).ok());
    json.ok_or_else(|| Error::invalid_field(operation, name, "is missing, or is not a plain object"))
}

/// Turns the tree into plain JavaScript data.
pub(crate) fn to_js(json: &Json) -> Result<JsValue, JsValue> {
    JSON::parse(&json.encode())
}
