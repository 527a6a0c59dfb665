//! `fetch` as an [`HttpClient`](crate::http::HttpClient): for small bodies, and for packs.

#[cfg(any(feature = "client", feature = "service"))]
pub(super) mod buffered;
#[cfg(feature = "engine")]
pub(super) mod memory;
#[cfg(feature = "engine")]
pub(super) mod streaming;

use js_sys::Object;
use web_sys::AbortSignal;

use crate::{
    http::{Headers, Method},
    wasm::object::set,
};

/// A `RequestInit` without a body.
fn request_init(method: Method, headers: &Headers, signal: &AbortSignal) -> Object {
    let fields = Object::new();
    for (name, value) in headers.iter() {
        set(&fields, name, &value.into());
    }
    let init = Object::new();
    set(&init, "method", &method.as_str().into());
    set(&init, "headers", &fields);
    set(&init, "signal", signal);
    // A redirected POST would lose its body. And with "error", Node does not keep a copy of a streamed body.
    set(&init, "redirect", &if method == Method::Get { "follow" } else { "error" }.into());
    init
}
