//! The error body of the REST API.

use refsync_derive::Shape;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tsify::Tsify;

/// The body of every answer that is not 2xx.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
pub struct ErrorBody {
    /// The error.
    pub error: ApiError,
}

/// One error of the REST API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
pub struct ApiError {
    /// A stable word in SCREAMING_SNAKE_CASE, such as `NOT_FOUND`.
    pub code: String,
    /// The problem and how to fix it, as text for people.
    pub message: String,
    /// The bad fields of the request, if that is the problem.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    pub details: Option<ErrorDetails>,
    /// The id to give to the operator; only with a 5xx.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    pub trace_id: Option<String>,
}

/// More about an error.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
pub struct ErrorDetails {
    /// Each bad field and why it is bad. The default is none.
    #[serde(default)]
    pub fields: Vec<FieldError>,
}

/// A bad field of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
pub struct FieldError {
    /// The field's path in the request, such as `ref_globs.branches`.
    pub field: String,
    /// Why it is refused.
    pub message: String,
}
