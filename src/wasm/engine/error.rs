//! The engine's errors, as JavaScript sees them.

use crate::{git, sync, wasm::error::throwable::Throwable};

/// The whole sync took longer than the caller allows.
#[derive(Debug, thiserror::Error)]
#[error(
    "sync: it took longer than the {seconds} s that it may take; what was pushed so far stays, and another sync goes on from there"
)]
pub(super) struct TookTooLong {
    pub(super) seconds: f64,
}

impl Throwable for TookTooLong {
    fn name(&self) -> &'static str {
        "SyncError"
    }
    fn code(&self) -> &str {
        "timeout"
    }
    fn is_transient(&self) -> bool {
        true
    }
}

impl Throwable for sync::Error {
    fn name(&self) -> &'static str {
        "SyncError"
    }
    fn code(&self) -> &str {
        self.code()
    }
    fn is_transient(&self) -> bool {
        self.is_transient()
    }
    fn side(&self) -> Option<&'static str> {
        match self {
            Self::Source(_) => Some("source"),
            Self::Destination(_) => Some("destination"),
            Self::ObjectFormat { .. } | Self::TooManyDeletions { .. } => None,
        }
    }
}

impl Throwable for git::Error {
    fn name(&self) -> &'static str {
        "SyncError"
    }
    fn code(&self) -> &str {
        self.code()
    }
    fn is_transient(&self) -> bool {
        self.is_transient()
    }
}
