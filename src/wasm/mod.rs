//! Every `#[wasm_bindgen]` export, and the host objects that JavaScript passes in. It has only bindings: a folder for each
//! build of the package, and the files that the builds share.

#[cfg(any(feature = "client", feature = "engine"))]
mod abort;
mod abort_on_drop;
#[cfg(feature = "client")]
pub mod client;
#[cfg(feature = "engine")]
pub mod engine;
mod error;
mod fetch;
mod object;
mod promise;
#[cfg(feature = "service")]
pub mod service;
mod stream;
mod timer;
