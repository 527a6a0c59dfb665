//! Judges bytes and decisions. The modules mirror `src/`; the oracle is Git itself.
#![cfg(not(target_arch = "wasm32"))]

mod git;
mod glob;
mod support;
mod sync;
