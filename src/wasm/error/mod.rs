//! Errors on their way to JavaScript, and from it.

pub(super) mod failure;
pub(super) mod message;
#[cfg(any(feature = "client", feature = "engine"))]
pub(super) mod thrown;
