//! Errors as JavaScript sees them: an `Error` with `name`, `code`, `retryable` and, if known, `status`, `traceId`, `fields`
//! and `retryAfter`. The package's TypeScript turns it into the class of that `name`.

use std::time::Duration;

use js_sys::{Array, Error as JsError, Object, Reflect};
use wasm_bindgen::JsValue;

use crate::{api::FieldError, client};

/// The facts that every layer's error gives to JavaScript.
pub(crate) trait Failure: std::error::Error {
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

/// The JavaScript `Error` of a failure.
pub(crate) fn into_js(failure: &dyn Failure) -> JsValue {
    let error = JsError::new(&failure.to_string());
    set(&error, "name", failure.name().into());
    set(&error, "code", failure.code().into());
    set(&error, "retryable", failure.is_transient().into());
    let fields = Array::new();
    for FieldError { field, message } in failure.fields() {
        let entry = Object::new();
        set(&entry, "field", field.into());
        set(&entry, "message", message.into());
        fields.push(&entry);
    }
    set(&error, "fields", fields.into());
    if let Some(status) = failure.status() {
        set(&error, "status", status.into());
    }
    if let Some(side) = failure.side() {
        set(&error, "side", side.into());
    }
    if let Some(trace_id) = failure.trace_id() {
        set(&error, "traceId", trace_id.into());
    }
    if let Some(wait) = failure.retry_after() {
        set(&error, "retryAfter", (wait.as_secs_f64() * 1000.0).into());
    }
    error.into()
}

/// Sets a property of a new object, which accepts any property.
fn set(object: &JsValue, key: &str, value: JsValue) {
    let _ = Reflect::set(object, &key.into(), &value);
}

impl Failure for client::Error {
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

impl From<client::Error> for JsValue {
    fn from(error: client::Error) -> Self {
        into_js(&error)
    }
}
