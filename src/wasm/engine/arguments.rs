//! Passes plain data between JavaScript and Rust as JSON.
//!
//! JSON leaves out a key that is `undefined`. It is also smaller than a second deserialiser, because `serde_json` is in the build
//! already.

use js_sys::JSON;
use serde::{Serialize, de::DeserializeOwned};
use wasm_bindgen::JsValue;

use crate::{error::Refusal, json_path};

/// Reads what a JavaScript caller passed; `name` is what an error calls the whole of it.
pub(super) fn from_js<T: DeserializeOwned>(
    operation: &'static str,
    name: &'static str,
    data: &JsValue,
) -> Result<T, Refusal> {
    // `undefined` and functions have no JSON. Cycles and `BigInt`s throw.
    let text = JSON::stringify(data).ok().and_then(|text| text.as_string());
    let text = text.ok_or_else(|| Refusal::of_field(operation, name, "is missing, or is not a plain object"))?;
    // From bytes: another kind of reader would add a second copy of every decoder.
    serde_json::from_slice(text.as_bytes()).map_err(|error| {
        let path = json_path::of_error(text.as_bytes(), &error);
        let field = if path.is_empty() { name } else { &path };
        let message = match json_path::missing_key(&error) {
            Some(_) => "is missing".to_owned(),
            None => format!("is refused: {}", json_path::message(&error)),
        };
        Refusal::of_field(operation, field, message)
    })
}

/// `value` as JavaScript's plain data.
pub(super) fn to_js(value: &impl Serialize) -> JsValue {
    let text = serde_json::to_string(value).expect("plain fields of ours are JSON");
    JSON::parse(&text).expect("it is JSON")
}

/// The operation's name in errors.
pub(super) const OPERATION: &str = "sync";
