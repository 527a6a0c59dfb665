//! Every `#[wasm_bindgen]` export, and the host objects that JavaScript passes in.
//!
//! Bindings only: one file for each JavaScript concept, and what both directions of HTTP need in [`http`].

mod http;
