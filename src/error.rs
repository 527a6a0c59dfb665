//! Errors that the client and the engine share: a refused request, and a call that its caller cancelled.

use crate::api::FieldError;

/// A refused request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{operation}: {message}")]
pub struct Refusal {
    /// The call, such as `get repository acme/app`.
    pub operation: String,
    /// The status of the answer; `None` if our own check refused it before any request.
    pub status: Option<u16>,
    /// A stable word in SCREAMING_SNAKE_CASE.
    pub code: String,
    /// The problem and how to fix it, as text for people.
    pub message: String,
    /// Each bad field and why it is bad.
    pub fields: Vec<FieldError>,
    /// The id to give to the operator; only with a 5xx.
    pub trace_id: Option<String>,
}

impl Refusal {
    /// A field that our own check refuses, before any request.
    pub fn of_field(operation: &str, field: &str, message: impl Into<String>) -> Self {
        let message = message.into();
        Self {
            operation: operation.to_owned(),
            status: None,
            code: "INVALID_REQUEST".into(),
            message: format!("{field} {message}"),
            fields: vec![FieldError { field: field.to_owned(), message }],
            trace_id: None,
        }
    }
}

/// The caller cancelled the call.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{operation}: aborted by the caller")]
pub struct Aborted {
    /// The call, for people.
    pub operation: String,
}

impl Aborted {
    /// A stable word for programs, in SCREAMING_SNAKE_CASE.
    pub fn code(&self) -> &'static str {
        "ABORTED"
    }
}
