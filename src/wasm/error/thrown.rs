//! Errors as JavaScript sees them: an `Error` with `name`, `code`, `retryable` and, if known, `status`, `side`, `traceId`,
//! `fields` and `retryAfter`. The package's TypeScript turns it into the class of that `name`.

use std::{fmt::Display, time::Duration};

use js_sys::{Array, Error as JsError, Object};
use wasm_bindgen::JsValue;

use crate::{
    api::FieldError,
    error::{Aborted, Refusal},
    wasm::object::set,
};

/// What JavaScript gets to know of an error.
#[derive(Default)]
pub(crate) struct Thrown<'a> {
    /// The JavaScript class.
    pub(crate) name: &'a str,
    /// A stable word for a program to act on.
    pub(crate) code: &'a str,
    /// Whether the same call may succeed later.
    pub(crate) retryable: bool,
    /// The HTTP status, if there was an answer.
    pub(crate) status: Option<u16>,
    /// The side of a sync that failed, if one did.
    pub(crate) side: Option<&'a str>,
    /// The `trace_id` that the operator needs.
    pub(crate) trace_id: Option<&'a str>,
    /// Each bad field of the request.
    pub(crate) fields: &'a [FieldError],
    /// How long to wait before the next request.
    pub(crate) retry_after: Option<Duration>,
}

impl Thrown<'_> {
    /// The JavaScript `Error` with this message.
    pub(crate) fn error(self, message: &dyn Display) -> JsValue {
        let error = JsError::new(&message.to_string());
        set(&error, "name", &self.name.into());
        set(&error, "code", &self.code.into());
        set(&error, "retryable", &self.retryable.into());
        let fields = Array::new();
        for FieldError { field, message } in self.fields {
            let entry = Object::new();
            set(&entry, "field", &field.into());
            set(&entry, "message", &message.into());
            fields.push(&entry);
        }
        set(&error, "fields", &fields.into());
        if let Some(status) = self.status {
            set(&error, "status", &status.into());
        }
        if let Some(side) = self.side {
            set(&error, "side", &side.into());
        }
        if let Some(trace_id) = self.trace_id {
            set(&error, "traceId", &trace_id.into());
        }
        if let Some(wait) = self.retry_after {
            set(&error, "retryAfter", &(wait.as_secs_f64() * 1000.0).into());
        }
        error.into()
    }
}

impl From<Refusal> for JsValue {
    fn from(error: Refusal) -> Self {
        let Refusal { code, fields, .. } = &error;
        Thrown { name: "InvalidRequestError", code, fields, ..Thrown::default() }.error(&error)
    }
}

impl From<Aborted> for JsValue {
    fn from(error: Aborted) -> Self {
        Thrown { name: "AbortError", code: error.code(), ..Thrown::default() }.error(&error)
    }
}
