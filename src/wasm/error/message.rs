//! What an error of JavaScript says.

use wasm_bindgen::JsValue;

use crate::wasm::object::get;

/// The message of an error, or what was thrown in its place.
pub(crate) fn message(error: &JsValue) -> String {
    let message = get(error, "message").as_string().or_else(|| error.as_string());
    message.unwrap_or_else(|| "unknown error".into())
}
