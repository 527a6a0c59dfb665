//! The Rust tests: one binary, whose modules mirror `src`. Those of the bindings are in `web`, for a browser.

// wasm-pack builds every test.
#![cfg(not(target_arch = "wasm32"))]

mod client;
