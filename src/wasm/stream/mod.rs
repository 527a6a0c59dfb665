//! The web's streams of bytes, from and to ours.

pub(super) mod from_readable;
#[cfg(any(feature = "engine", feature = "service"))]
pub(super) mod into_readable;
