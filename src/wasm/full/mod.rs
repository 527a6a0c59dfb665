//! The engine and the service: what `refsync/engine` and `refsync/service` load.
//!
//! One file for each JavaScript concept, and what they share.

pub mod engine;
mod exchange;
pub(crate) mod http;
mod json;
pub mod service;
