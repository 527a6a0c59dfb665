//! Why a call failed. Errors that a program handles in the same way have the same kind.
//!
//! | kind | raised by | code |
//! | --- | --- | --- |
//! | [`InvalidRequest`](Error::InvalidRequest) | bad input, before any request; 400, 413 and the other 4xx | `INVALID_REQUEST` |
//! | [`Unauthenticated`](Error::Unauthenticated) | 401 | `UNAUTHENTICATED` |
//! | [`Forbidden`](Error::Forbidden) | 403 | `FORBIDDEN` |
//! | [`NotFound`](Error::NotFound) | 404 | `NOT_FOUND` |
//! | [`Conflict`](Error::Conflict) | 409 | `CONFLICT`, `UPSTREAM_NOT_CONFIGURED` |
//! | [`RateLimited`](Error::RateLimited) | 429 | `RATE_LIMITED` |
//! | [`Server`](Error::Server) | 5xx | `INTERNAL_ERROR` |
//! | [`Connection`](Error::Connection) | no answer: refused, lost, CORS | `CONNECTION_FAILED` |
//! | [`Timeout`](Error::Timeout) | no answer in time, a wait past its deadline; 408 | `TIMEOUT` |
//! | [`Aborted`](Error::Aborted) | the caller | `ABORTED` |
//! | [`InvalidResponse`](Error::InvalidResponse) | a 2xx that is not the promised shape | `INVALID_RESPONSE` |
//!
//! An error has the code of the answer's error body. If there is no error body, it has the table's code.

use std::time::Duration;

use crate::{
    api::{
        ErrorBody, FieldError,
        json_tree::Json,
        shape::{Fault, Mismatch, Others, Shaped},
    },
    error::{Aborted, Refusal},
    http,
};

/// Why a call failed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// The request is wrong. If our own check found this, there is no status; otherwise the service found it.
    #[error("{0}")]
    InvalidRequest(Box<Refusal>),
    /// The credential is missing or unknown.
    #[error("{0}")]
    Unauthenticated(Box<Refusal>),
    /// The credential does not allow the call.
    #[error("{0}")]
    Forbidden(Box<Refusal>),
    /// The organisation, repository or sync does not exist.
    #[error("{0}")]
    NotFound(Box<Refusal>),
    /// The state of the object does not allow the call: a name is taken, or a repository has no upstream.
    #[error("{0}")]
    Conflict(Box<Refusal>),
    /// Too many requests.
    #[error("{refusal}")]
    RateLimited {
        /// The service's answer.
        refusal: Box<Refusal>,
        /// How long the service asks to wait.
        retry_after: Option<Duration>,
    },
    /// The service failed.
    #[error("{refusal}")]
    Server {
        /// The service's answer.
        refusal: Box<Refusal>,
        /// How long the service asks to wait.
        retry_after: Option<Duration>,
    },
    /// There was no answer, or only a part of one.
    #[error("{operation}: {source}")]
    Connection {
        /// The call, for people.
        operation: String,
        /// The network's error.
        source: http::Error,
    },
    /// There was no answer in time, or a wait passed its deadline.
    #[error("{operation}: {message}")]
    Timeout {
        /// The call, for people.
        operation: String,
        /// The missing answer and its time limit.
        message: String,
        /// 408 if the server gave up.
        status: Option<u16>,
    },
    /// The caller cancelled the call.
    #[error(transparent)]
    Aborted(Aborted),
    /// The answer has a success status, but not the shape that the API promises.
    #[error("{operation}: expected {expected} from {url}, but {found}")]
    InvalidResponse {
        /// The call, for people.
        operation: String,
        /// The URL that answered.
        url: String,
        /// The status of the answer.
        status: u16,
        /// The expected shape, such as `a SyncRun`.
        expected: String,
        /// The error and its place.
        found: String,
    },
}

impl Error {
    /// A field that our own check refuses, before any request.
    pub fn invalid_field(operation: &str, field: &str, message: impl Into<String>) -> Self {
        Self::InvalidRequest(Box::new(Refusal::of_field(operation, field, message)))
    }

    /// An error in an argument, before any request. `name` is the argument's name in the error.
    pub(crate) fn argument(operation: &str, name: &str, mismatch: Mismatch) -> Self {
        let field = if mismatch.path.is_empty() { name } else { &mismatch.path };
        let message = match mismatch.fault {
            Fault::Unknown(_) => "is not a field of this request".to_owned(),
            fault => fault.to_string(),
        };
        Self::invalid_field(operation, field, message)
    }

    /// The error for an answer that is not 2xx. `retry_after` is the value of its header.
    pub fn from_answer(operation: &str, url: &str, status: u16, body: &[u8], retry_after: Option<Duration>) -> Self {
        let mut refusal = Refusal {
            operation: operation.to_owned(),
            status: Some(status),
            code: default_code(status).into(),
            message: format!("{url} answered {status} without an error of this API; is it the API's address?"),
            fields: Vec::new(),
            trace_id: None,
        };
        if let Ok(mut body) = Json::parse(body)
            && ErrorBody::SHAPE.check(&mut body, Others::Keep).is_ok()
            && let Some(mut error) = body.take("error")
        {
            refusal.code = error.take_text("code").unwrap_or_default();
            refusal.message = error.take_text("message").unwrap_or_default();
            refusal.trace_id = error.take_text("trace_id");
            let fields = error.of("details").and_then(|details| details.of("fields"));
            let text = |field: &Json, key| field.text(key).unwrap_or_default().to_owned();
            let fields = fields.map(Json::items).unwrap_or_default().iter();
            refusal.fields =
                fields.map(|f| FieldError { field: text(f, "field"), message: text(f, "message") }).collect();
        }
        let refusal = Box::new(refusal);
        match status {
            401 => Self::Unauthenticated(refusal),
            403 => Self::Forbidden(refusal),
            404 => Self::NotFound(refusal),
            408 => Self::Timeout { operation: refusal.operation, message: refusal.message, status: Some(status) },
            409 => Self::Conflict(refusal),
            429 => Self::RateLimited { refusal, retry_after },
            400..=499 => Self::InvalidRequest(refusal),
            _ => Self::Server { refusal, retry_after },
        }
    }

    /// The error for a request without an answer.
    pub fn from_http(operation: &str, error: http::Error) -> Self {
        let operation = operation.to_owned();
        match error.kind {
            http::ErrorKind::Timeout => Self::Timeout { operation, message: error.message, status: None },
            http::ErrorKind::Aborted => Self::Aborted(Aborted { operation }),
            http::ErrorKind::Invalid => Self::invalid_field(&operation, "apiUrl", format!("is refused: {error}")),
            _ => Self::Connection { operation, source: error },
        }
    }

    /// The kind's name, which is also the name of its JavaScript class.
    pub fn name(&self) -> &'static str {
        match self {
            Self::InvalidRequest(_) => "InvalidRequestError",
            Self::Unauthenticated(_) => "UnauthenticatedError",
            Self::Forbidden(_) => "ForbiddenError",
            Self::NotFound(_) => "NotFoundError",
            Self::Conflict(_) => "ConflictError",
            Self::RateLimited { .. } => "RateLimitedError",
            Self::Server { .. } => "ServerError",
            Self::Connection { .. } => "ConnectionError",
            Self::Timeout { .. } => "TimeoutError",
            Self::Aborted(_) => "AbortError",
            Self::InvalidResponse { .. } => "InvalidResponseError",
        }
    }

    /// A stable word for programs, in SCREAMING_SNAKE_CASE.
    pub fn code(&self) -> &str {
        match self {
            Self::Connection { .. } => "CONNECTION_FAILED",
            Self::Timeout { .. } => "TIMEOUT",
            Self::Aborted(aborted) => aborted.code(),
            Self::InvalidResponse { .. } => "INVALID_RESPONSE",
            _ => self.refusal().map_or("", |refusal| &refusal.code),
        }
    }

    /// The status of the answer, if there was an answer.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Timeout { status, .. } => *status,
            Self::InvalidResponse { status, .. } => Some(*status),
            _ => self.refusal().and_then(|refusal| refusal.status),
        }
    }

    /// The id to give to the operator.
    pub fn trace_id(&self) -> Option<&str> {
        self.refusal().and_then(|refusal| refusal.trace_id.as_deref())
    }

    /// The bad fields of the request, if that is the problem.
    pub fn fields(&self) -> &[FieldError] {
        self.refusal().map_or(&[], |refusal| &refusal.fields)
    }

    /// How long the service asks to wait before the next request.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { retry_after, .. } | Self::Server { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// Whether the same call may succeed later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::RateLimited { .. } | Self::Server { .. } | Self::Timeout { .. } => true,
            Self::Connection { source, .. } => source.kind.is_transient(),
            _ => false,
        }
    }

    /// Whether the service may have done the work, although its answer did not arrive.
    pub fn is_answer_lost(&self) -> bool {
        self.is_transient() && !matches!(self, Self::RateLimited { .. })
    }

    fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::InvalidRequest(refusal)
            | Self::Unauthenticated(refusal)
            | Self::Forbidden(refusal)
            | Self::NotFound(refusal)
            | Self::Conflict(refusal)
            | Self::RateLimited { refusal, .. }
            | Self::Server { refusal, .. } => Some(refusal),
            _ => None,
        }
    }
}

/// The code of an answer without an error body, such as a proxy's answer.
fn default_code(status: u16) -> &'static str {
    match status {
        401 => "UNAUTHENTICATED",
        403 => "FORBIDDEN",
        404 => "NOT_FOUND",
        408 => "TIMEOUT",
        409 => "CONFLICT",
        429 => "RATE_LIMITED",
        400..=499 => "INVALID_REQUEST",
        _ => "INTERNAL_ERROR",
    }
}
