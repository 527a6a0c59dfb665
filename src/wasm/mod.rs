//! Every `#[wasm_bindgen]` export, and the host objects that JavaScript passes in.
//!
//! Bindings only: one file for each JavaScript concept, and what they share.

mod abort;
pub mod client;
#[cfg(feature = "full")]
pub mod engine;
pub(crate) mod error;
#[cfg(feature = "full")]
mod exchange;
pub(crate) mod http;
pub(crate) mod json;
#[cfg(feature = "full")]
mod service;
pub(crate) mod timer;
