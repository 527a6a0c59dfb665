//! The reasons to refuse a call, and the error answer: the contract's error body with its status and code.

use crate::{
    api::{ApiError, ErrorBody, ErrorDetails, FieldError},
    http::{Body, Headers, Response},
    service::store,
};

/// Why a call is refused.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Fields of the request are wrong; 400.
    #[error("the request is not valid: {}", .0.iter().map(|f| format!("{}: {}", f.field, f.message)).collect::<Vec<_>>().join("; "))]
    Invalid(Vec<FieldError>),
    /// The credential is missing or unknown; 401.
    #[error("{0}")]
    Unauthenticated(&'static str),
    /// The credential does not allow the call; 403.
    #[error("{0}")]
    Forbidden(String),
    /// The object does not exist; 404.
    #[error("{0}")]
    NotFound(String),
    /// The caller does not accept JSON; 406.
    #[error("the Accept header refuses application/json, and this call has no other answer")]
    NotAcceptable,
    /// The body did not arrive in time; 408.
    #[error("the body did not arrive within {0} s")]
    TooSlow(u64),
    /// It conflicts with the current state; 409.
    #[error("{0}")]
    Conflict(String),
    /// The repository has no upstream; 409.
    #[error("the repository {0} has no upstream; set one with PATCH {{\"upstream\": {{\"url\": …}}}} first")]
    UpstreamNotConfigured(String),
    /// The body is too large; 413.
    #[error("the body has more than {0} bytes")]
    TooLarge(usize),
    /// The credential made too many calls; 429.
    #[error("too many calls with this credential; wait {0} s")]
    RateLimited(u32),
    /// The organisation has too many of something in progress; 429.
    #[error("this organisation has {most} {what} under way, which is the most; try again when one of them has ended")]
    Busy {
        /// The name of these things, in the plural.
        what: &'static str,
        /// The limit.
        most: usize,
    },
    /// The upstream failed: 503 if it may work later, 409 if something must be changed first.
    #[error("{message}")]
    Upstream {
        /// The side that failed, and its message.
        message: String,
        /// Whether the same call may succeed later.
        transient: bool,
    },
    /// The service failed; 500. The text is only for the operator's log.
    #[error("{0}")]
    Internal(String),
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        Self::Internal(error.to_string())
    }
}

impl Error {
    /// One bad field.
    pub fn field(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldError { field: field.into(), message: message.into() }])
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        match self {
            Self::Invalid(_) => 400,
            Self::Unauthenticated(_) => 401,
            Self::Forbidden(_) => 403,
            Self::NotFound(_) => 404,
            Self::NotAcceptable => 406,
            Self::TooSlow(_) => 408,
            Self::Conflict(_) | Self::UpstreamNotConfigured(_) => 409,
            Self::TooLarge(_) => 413,
            Self::RateLimited(_) | Self::Busy { .. } => 429,
            Self::Upstream { transient: false, .. } => 409,
            Self::Upstream { transient: true, .. } => 503,
            Self::Internal(_) => 500,
        }
    }

    /// The stable word.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "INVALID_REQUEST",
            Self::Unauthenticated(_) => "UNAUTHENTICATED",
            Self::Forbidden(_) => "FORBIDDEN",
            Self::NotFound(_) => "NOT_FOUND",
            Self::NotAcceptable => "NOT_ACCEPTABLE",
            Self::TooSlow(_) => "TIMEOUT",
            Self::Conflict(_) => "CONFLICT",
            Self::UpstreamNotConfigured(_) => "UPSTREAM_NOT_CONFIGURED",
            Self::TooLarge(_) => "PAYLOAD_TOO_LARGE",
            Self::RateLimited(_) | Self::Busy { .. } => "RATE_LIMITED",
            Self::Upstream { transient: false, .. } => "UPSTREAM_FAILED",
            Self::Upstream { transient: true, .. } => "UPSTREAM_UNAVAILABLE",
            Self::Internal(_) => "INTERNAL_ERROR",
        }
    }

    /// The body of the answer. A 5xx has `trace_id`. The body never contains the cause of a 500.
    pub(crate) fn body(self, trace_id: &str) -> ErrorBody {
        let (status, code) = (self.status(), self.code().to_owned());
        let message = match &self {
            Self::Internal(_) => "internal error; give the operator this trace_id".to_owned(),
            other => other.to_string(),
        };
        let details = match self {
            Self::Invalid(fields) => Some(ErrorDetails { fields }),
            _ => None,
        };
        let trace_id = (status >= 500).then(|| trace_id.to_owned());
        ErrorBody { error: ApiError { code, message, details, trace_id } }
    }

    /// The answer of the REST API.
    pub fn response(self, trace_id: &str) -> Response {
        let (status, retry_after) = (self.status(), self.retry_after());
        let mut response = json(status, &self.body(trace_id));
        if status == 401 {
            response.headers.set("www-authenticate", "Bearer");
        }
        if let Some(seconds) = retry_after {
            response.headers.set("retry-after", seconds.to_string());
        }
        response
    }

    /// The seconds until the call may be made again, if known.
    pub(crate) fn retry_after(&self) -> Option<u32> {
        match self {
            Self::RateLimited(seconds) => Some(*seconds),
            Self::Busy { .. } => Some(5),
            _ => None,
        }
    }
}

/// A JSON answer.
pub(crate) fn json(status: u16, body: &impl serde::Serialize) -> Response {
    json_text(status, serde_json::to_string(body).expect("the API's shapes have string keys and finite numbers only"))
}

/// An answer whose body is this JSON text.
pub(crate) fn json_text(status: u16, body: String) -> Response {
    let headers = Headers::from_iter([("content-type", "application/json"), ("cache-control", "no-store")]);
    Response { status, url: String::new(), headers, body: Body::Bytes(body.into()) }
}
