//! The client's errors, as JavaScript sees them.

use wasm_bindgen::JsValue;

use crate::{client::Error, wasm::error::thrown::Thrown};

impl From<Error> for JsValue {
    fn from(error: Error) -> Self {
        let thrown = Thrown {
            name: error.name(),
            code: error.code(),
            retryable: error.is_transient(),
            status: error.status(),
            side: None,
            trace_id: error.trace_id(),
            fields: error.fields(),
            retry_after: error.retry_after(),
        };
        thrown.error(&error)
    }
}
