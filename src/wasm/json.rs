//! Plain data across the boundary, by way of JSON.
//!
//! JSON, because it is the contract's own language: a key that is `undefined` is left out (where an update takes a null
//! as "remove", that difference counts), maps are plain objects, nulls are explicit. And because `serde_json` is in the
//! build already, this is smaller than a second serialiser.

use js_sys::JSON;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use tsify::{Ts, Tsify};
use wasm_bindgen::{JsCast, JsValue};

use crate::client::Error;

/// The object that a JavaScript caller passed as its request, taken apart field by field, so that an error names one.
pub(crate) struct Arguments {
    operation: &'static str,
    fields: Map<String, Value>,
}

impl Arguments {
    /// The fields of `object`.
    ///
    /// # Errors
    ///
    /// Where it is no plain object, or has a field that is not `known`: a misspelt `refGlobs` must not sync everything.
    pub(crate) fn new<T: Tsify<JsType: JsCast>>(
        operation: &'static str,
        object: &Ts<T>,
        known: &[&str],
    ) -> Result<Self, Error> {
        let refused = |field: &str, message: &str| Error::invalid_field(operation, field, message);
        let Value::Object(fields) = Self::whole(operation, "request", &object.js_value())? else {
            return Err(refused("request", "has to be an object"));
        };
        match fields.keys().find(|key| !known.contains(&key.as_str())) {
            Some(key) => Err(refused(key, &format!("is not a field of this request; it takes {}", known.join(", ")))),
            None => Ok(Self { operation, fields }),
        }
    }

    /// All of `data` as one shape; `name` is what an error calls it.
    pub(crate) fn whole<T: DeserializeOwned>(operation: &str, name: &str, data: &JsValue) -> Result<T, Error> {
        let text = JSON::stringify(data).ok();
        // `undefined` and functions have no JSON.
        let text = text.and_then(|text| text.dyn_ref::<js_sys::JsString>().map(String::from));
        let text = text.ok_or_else(|| Error::invalid_field(operation, name, "is missing or not plain data"))?;
        // From bytes, as answers are: a second kind of reader would be a second copy of every decoder.
        serde_json::from_slice(text.as_bytes())
            .map_err(|error| Error::invalid_field(operation, name, format!("is refused: {error}")))
    }

    /// A field that has to be there.
    pub(crate) fn required<T: DeserializeOwned>(&mut self, field: &str) -> Result<T, Error> {
        self.optional(field)?.ok_or_else(|| Error::invalid_field(self.operation, field, "is missing"))
    }

    /// A field that may be left out, or null.
    pub(crate) fn optional<T: DeserializeOwned>(&mut self, field: &str) -> Result<Option<T>, Error> {
        match self.fields.remove(field) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => serde_json::from_value(value).map(Some).map_err(|error| self.refused(field, &error)),
        }
    }

    /// What is left, as a shape whose fields are all optional.
    pub(crate) fn rest<T: DeserializeOwned>(self) -> Result<T, Error> {
        let whole = |fields| serde_json::from_value::<T>(Value::Object(fields));
        whole(self.fields.clone()).map_err(|error| {
            // One field alone fails as it does among the others.
            let alone = |(key, value): (&String, &Value)| {
                whole(Map::from_iter([(key.clone(), value.clone())])).err().map(|error| self.refused(key, &error))
            };
            self.fields.iter().find_map(alone).unwrap_or_else(|| self.refused("request", &error))
        })
    }

    fn refused(&self, field: &str, error: &serde_json::Error) -> Error {
        Error::invalid_field(self.operation, field, format!("is refused: {error}"))
    }
}

/// `value` as JavaScript's plain data.
pub(crate) fn to_js(value: &impl Serialize) -> Result<JsValue, JsValue> {
    let text = serde_json::to_string(value).map_err(|error| js_sys::Error::new(&error.to_string()))?;
    JSON::parse(&text)
}
