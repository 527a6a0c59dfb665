//! Every `#[wasm_bindgen]` export, and the host objects that JavaScript passes in.
//!
//! Bindings only: one file for each JavaScript concept, and what both directions of HTTP need in [`http`].

mod abort;
pub mod client;
#[cfg(feature = "full")]
pub mod engine;
pub(crate) mod error;
pub(crate) mod http;
pub(crate) mod json;
#[cfg(feature = "full")]
mod service;
pub(crate) mod timer;
