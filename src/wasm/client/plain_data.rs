//! Plain data across the boundary, by way of JSON.
//!
//! JSON, because it is the contract's own language: a key that is `undefined` is left out (where an update takes a null
//! as "remove", that difference counts), maps are plain objects, nulls are explicit.

use js_sys::JSON;
use wasm_bindgen::JsValue;

use crate::{api::json_tree::Json, client::Error};

/// What a JavaScript caller passed as `name`, which is what an error calls the whole of it.
pub(crate) fn from_js(operation: &str, name: &str, data: &JsValue) -> Result<Json, Error> {
    // `undefined` and functions have no JSON; cycles and big integers throw.
    let text = JSON::stringify(data).ok().and_then(|text| text.as_string());
    let json = text.and_then(|text| Json::parse(text.as_bytes()).ok());
    json.ok_or_else(|| Error::invalid_field(operation, name, "is missing or not plain data"))
}

/// The tree as JavaScript's plain data.
pub(crate) fn to_js(json: &Json) -> Result<JsValue, JsValue> {
    JSON::parse(&json.encode())
}
