//! Plain objects of JavaScript.

use js_sys::Reflect;
use wasm_bindgen::JsValue;

/// A property; `undefined` if it is not there, or cannot be read.
pub(crate) fn get(object: &JsValue, key: &str) -> JsValue {
    Reflect::get(object, &key.into()).unwrap_or(JsValue::UNDEFINED)
}

/// Sets a property of an object that was made just now, which takes any.
pub(crate) fn set(object: &JsValue, key: &str, value: &JsValue) {
    let _ = Reflect::set(object, &key.into(), value);
}
