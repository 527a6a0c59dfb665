//! The Rust tests check bytes and decisions. They are one binary, and their modules mirror `src`. Git itself gives the
//! expected results.

// wasm-pack builds every test. The tests of the bindings are in `web`, for a browser.
#![cfg(not(target_arch = "wasm32"))]

mod backoff;
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
