//! The client's errors, as JavaScript sees them.

use std::time::Duration;

use wasm_bindgen::JsValue;

use crate::{
    api::FieldError,
    client::Error,
    wasm::error::throwable::{Throwable, into_js},
};

impl Throwable for Error {
    fn name(&self) -> &'static str {
        self.name()
    }
    fn code(&self) -> &str {
        self.code()
    }
    fn is_transient(&self) -> bool {
        self.is_transient()
    }
    fn status(&self) -> Option<u16> {
        self.status()
    }
    fn trace_id(&self) -> Option<&str> {
        self.trace_id()
    }
    fn fields(&self) -> &[FieldError] {
        self.fields()
    }
    fn retry_after(&self) -> Option<Duration> {
        self.retry_after()
    }
}

impl From<Error> for JsValue {
    fn from(error: Error) -> Self {
        into_js(&error)
    }
}
