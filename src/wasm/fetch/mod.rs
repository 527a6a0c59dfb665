//! `fetch` as an [`HttpClient`](crate::http::HttpClient): for small bodies, and for packs.

#[cfg(any(feature = "client", feature = "service"))]
pub(super) mod buffered;
#[cfg(feature = "engine")]
pub(super) mod memory;
mod request_init;
#[cfg(feature = "engine")]
pub(super) mod streaming;
