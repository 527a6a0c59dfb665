//! Errors as JavaScript sees them: an `Error` with `name`, `code`, `retryable` and, if known, `status`, `traceId`, `fields`
//! and `retryAfter`. The package's TypeScript turns it into the class of that `name`.

use std::time::Duration;

use js_sys::{Array, Error as JsError, Object};
use wasm_bindgen::JsValue;

use crate::{
    api::FieldError,
    error::{Aborted, Refusal},
    wasm::object::set,
};

/// The facts that every layer's error gives to JavaScript.
pub(crate) trait Throwable: std::error::Error {
    /// The JavaScript class.
    fn name(&self) -> &'static str {
        "RefsyncError"
    }
    /// A stable word for a program to act on.
    fn code(&self) -> &str;
    /// Whether the same call may succeed later.
    fn is_transient(&self) -> bool;
    /// The HTTP status, if there was an answer.
    fn status(&self) -> Option<u16> {
        None
    }
    /// The side of a sync that failed, if one did.
    fn side(&self) -> Option<&'static str> {
        None
    }
    /// The `trace_id` that the operator needs.
    fn trace_id(&self) -> Option<&str> {
        None
    }
    /// Each bad field of the request.
    fn fields(&self) -> &[FieldError] {
        &[]
    }
    /// How long to wait before the next request.
    fn retry_after(&self) -> Option<Duration> {
        None
    }
}

/// The JavaScript `Error` for it.
pub(crate) fn into_js(thrown: &dyn Throwable) -> JsValue {
    let error = JsError::new(&thrown.to_string());
    set(&error, "name", &thrown.name().into());
    set(&error, "code", &thrown.code().into());
    set(&error, "retryable", &thrown.is_transient().into());
    let fields = Array::new();
    for FieldError { field, message } in thrown.fields() {
        let entry = Object::new();
        set(&entry, "field", &field.into());
        set(&entry, "message", &message.into());
        fields.push(&entry);
    }
    set(&error, "fields", &fields.into());
    if let Some(status) = thrown.status() {
        set(&error, "status", &status.into());
    }
    if let Some(side) = thrown.side() {
        set(&error, "side", &side.into());
    }
    if let Some(trace_id) = thrown.trace_id() {
        set(&error, "traceId", &trace_id.into());
    }
    if let Some(wait) = thrown.retry_after() {
        set(&error, "retryAfter", &(wait.as_secs_f64() * 1000.0).into());
    }
    error.into()
}

impl Throwable for Refusal {
    fn name(&self) -> &'static str {
        "InvalidRequestError"
    }
    fn code(&self) -> &str {
        &self.code
    }
    fn is_transient(&self) -> bool {
        false
    }
    fn fields(&self) -> &[FieldError] {
        &self.fields
    }
}

impl Throwable for Aborted {
    fn name(&self) -> &'static str {
        "AbortError"
    }
    fn code(&self) -> &str {
        "ABORTED"
    }
    fn is_transient(&self) -> bool {
        false
    }
}

impl From<Refusal> for JsValue {
    fn from(refusal: Refusal) -> Self {
        into_js(&refusal)
    }
}
