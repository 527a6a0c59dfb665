//! Errors as JavaScript sees them: an `Error` with `name`, `code`, `retryable` and, where they are known, `status`,
//! `traceId`, `fields` and `retryAfter`. The package's TypeScript gives it the class that its `name` names.

use std::time::Duration;

use js_sys::{Array, Error as JsError, Reflect};
use wasm_bindgen::JsValue;

use super::json;
use crate::{client, model::FieldError};

/// What every layer's error can tell JavaScript.
pub(crate) trait Failure: std::error::Error {
    /// The JavaScript class.
    fn name(&self) -> &'static str {
        "RefsyncError"
    }
    /// A stable word for a program to act on.
    fn code(&self) -> &str;
    /// Whether the same call may succeed later.
    fn is_transient(&self) -> bool;
    /// The HTTP status, where an answer said it.
    fn status(&self) -> Option<u16> {
        None
    }
    /// What to quote to the operator.
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
pub(crate) fn into_js(failure: &impl Failure) -> JsValue {
    let error = JsError::new(&failure.to_string());
    let set = |key: &str, value: JsValue| {
        // An `Error` that was made just now takes any property.
        let _ = Reflect::set(&error, &key.into(), &value);
    };
    set("name", failure.name().into());
    set("code", failure.code().into());
    set("retryable", failure.is_transient().into());
    set("fields", json::to_js(&failure.fields()).unwrap_or_else(|_| Array::new().into()));
    if let Some(status) = failure.status() {
        set("status", status.into());
    }
    if let Some(trace_id) = failure.trace_id() {
        set("traceId", trace_id.into());
    }
    if let Some(wait) = failure.retry_after() {
        set("retryAfter", (wait.as_secs_f64() * 1000.0).into());
    }
    error.into()
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
