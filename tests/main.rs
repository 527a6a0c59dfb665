//! The Rust tests judge bytes and decisions: one binary, whose modules mirror `src`. The oracle is Git itself.

// wasm-pack builds every test; those of the bindings are in `web`, for a browser.
#![cfg(not(target_arch = "wasm32"))]

mod client;
mod clock;
mod fuzz;
mod git;
mod glob;
mod globs;
mod http;
mod json_path;
mod service;
mod support;
mod sync;
