//! Converts the web's `Request` and `Response` from and to the Rust types.

use futures_util::StreamExt;
use js_sys::{Array, Uint8Array};
use wasm_bindgen::JsValue;

use crate::{
    http::{Body, Error, ErrorKind, Headers, Method, Request, Response},
    wasm::stream::{from_readable::from_readable, into_readable::into_readable},
};

/// The request that a JavaScript server received.
pub(crate) fn from_web_request(request: &web_sys::Request) -> Result<Request, Error> {
    let method = Method::parse(&request.method())
        .ok_or_else(|| Error::new(ErrorKind::Invalid, format!("the method {} is not in use here", request.method())))?;
    let body = request.body().map_or(Body::Empty, |raw| Body::Stream(from_readable(&raw)));
    Ok(Request { method, url: request.url(), headers: from_web_headers(&request.headers()), body })
}

pub(crate) fn from_web_headers(headers: &web_sys::Headers) -> Headers {
    let text = |pair: &Array, at| pair.get(at).as_string().unwrap_or_default();
    Array::from(headers).iter().map(|pair| Array::from(&pair)).map(|pair| (text(&pair, 0), text(&pair, 1))).collect()
}

/// The response that a JavaScript server sends.
pub(crate) fn into_web_response(response: Response) -> Result<web_sys::Response, JsValue> {
    let headers = web_sys::Headers::new()?;
    for (name, value) in response.headers.iter() {
        headers.append(name, value)?;
    }
    let init = web_sys::ResponseInit::new();
    init.set_status(response.status);
    init.set_headers(&headers);
    match response.body {
        Body::Empty => web_sys::Response::new_with_opt_buffer_source_and_init(None, &init),
        Body::Bytes(bytes) => {
            web_sys::Response::new_with_opt_buffer_source_and_init(Some(&Uint8Array::from(bytes.as_ref())), &init)
        }
        Body::Stream(stream) => {
            let chunks = stream.map(|chunk| chunk.map(|bytes| Uint8Array::from(bytes.as_ref())));
            let body = into_readable(chunks)?;
            web_sys::Response::new_with_opt_readable_stream_and_init(Some(&body), &init)
        }
    }
}
