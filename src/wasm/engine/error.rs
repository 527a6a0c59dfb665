//! The engine's errors, as JavaScript sees them.

use std::fmt::Display;

use wasm_bindgen::JsValue;

use crate::{git, sync, wasm::error::thrown::Thrown};

/// The whole sync took longer than the caller allows.
#[derive(Debug, thiserror::Error)]
#[error(
    "sync: it took longer than the {seconds} s that it may take; what was pushed so far stays, and another sync goes on from there"
)]
pub(super) struct TookTooLong {
    pub(super) seconds: f64,
}

impl TookTooLong {
    /// A stable word for a program to act on.
    fn code(&self) -> &'static str {
        "timeout"
    }
}

impl From<TookTooLong> for JsValue {
    fn from(error: TookTooLong) -> Self {
        sync_error(&error, error.code(), true, None)
    }
}

impl From<sync::Error> for JsValue {
    fn from(error: sync::Error) -> Self {
        let side = match error {
            sync::Error::Source(_) => Some("source"),
            sync::Error::Destination(_) => Some("destination"),
            sync::Error::ObjectFormat { .. } | sync::Error::TooManyDeletions { .. } => None,
        };
        sync_error(&error, error.code(), error.is_transient(), side)
    }
}

impl From<git::Error> for JsValue {
    fn from(error: git::Error) -> Self {
        sync_error(&error, error.code(), error.is_transient(), None)
    }
}

/// An error of the class `SyncError`.
fn sync_error(message: &dyn Display, code: &str, retryable: bool, side: Option<&str>) -> JsValue {
    Thrown { name: "SyncError", code, retryable, side, ..Thrown::default() }.error(message)
}
