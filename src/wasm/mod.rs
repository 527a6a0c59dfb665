//! Every `#[wasm_bindgen]` export, and the host objects that JavaScript passes in.
//!
//! Bindings only: one file for each JavaScript concept, and what they share.

mod abort;
mod answer;
pub mod client;
#[cfg(feature = "full")]
pub mod engine;
pub(crate) mod error;
#[cfg(feature = "full")]
mod exchange;
mod failure;
#[cfg(feature = "full")]
pub(crate) mod http;
#[cfg(feature = "full")]
pub(crate) mod json;
#[cfg(feature = "full")]
mod service;
pub(crate) mod timer;
mod tree;
