//! Passes plain data between JavaScript and Rust as JSON.
//!
//! JSON fits the API's contract: a key that is `undefined` is left out, null stays null (an update means "remove" by it),
//! and maps are plain objects. It is also smaller than a second deserialiser, because `serde_json` is in the build already.

use js_sys::{JSON, Object};
use serde::{Serialize, de::DeserializeOwned};
use tsify::{Ts, Tsify};
use wasm_bindgen::{JsCast, JsValue};

use crate::{client::Error, json_path};

/// An argument of a JavaScript caller.
pub(crate) struct Arguments {
    operation: &'static str,
    /// The argument's name in errors.
    name: &'static str,
    text: String,
}

impl Arguments {
    /// A request.
    ///
    /// # Errors
    ///
    /// If it is not a plain object, or has a field that is not `known`: a misspelt `refGlobs` must not sync everything.
    pub(crate) fn new<T: Tsify<JsType: JsCast>>(
        operation: &'static str,
        object: &Ts<T>,
        known: &[&str],
    ) -> Result<Self, Error> {
        let object = object.js_value();
        let arguments = Self::whole(operation, "request", &object)?;
        if let Some(object) = object.dyn_ref::<Object>() {
            for key in Object::keys(object).iter().filter_map(|key| key.as_string()) {
                if !known.contains(&key.as_str()) {
                    return Err(Error::invalid_field(operation, &key, "is not a field of this request"));
                }
            }
        }
        Ok(arguments)
    }

    /// Any plain data. Errors call it `name`.
    pub(crate) fn whole(operation: &'static str, name: &'static str, data: &JsValue) -> Result<Self, Error> {
        // `undefined` and functions have no JSON. Cycles and `BigInt`s throw.
        let text = JSON::stringify(data).ok().and_then(|text| text.as_string());
        match text {
            Some(text) => Ok(Self { operation, name, text }),
            None => Err(Error::invalid_field(operation, name, "is missing or not plain data")),
        }
    }

    /// Decodes a `T` from its fields.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, Error> {
        // From bytes, like answers: another kind of reader would add a second copy of every decoder.
        serde_json::from_slice(self.text.as_bytes()).map_err(|error| self.refused(&error))
    }

    fn refused(&self, error: &serde_json::Error) -> Error {
        let field = json_path::of_error(self.text.as_bytes(), error);
        let field = if field.is_empty() { self.name } else { &field };
        let message = match json_path::missing_key(error) {
            Some(_) => "is missing".to_owned(),
            None => format!("is refused: {}", json_path::message(error)),
        };
        Error::invalid_field(self.operation, field, message)
    }
}

/// Turns `value` into plain JavaScript data.
pub(crate) fn to_js(value: &impl Serialize) -> Result<JsValue, JsValue> {
    let text = serde_json::to_string(value).map_err(|error| js_sys::Error::new(&error.to_string()))?;
    JSON::parse(&text)
}
