//! The web's `Request` and `Response`, which a JavaScript server deals in, from and to ours.

use bytes::Bytes;
use futures_util::StreamExt;
use js_sys::Uint8Array;
use wasm_bindgen::{JsCast, JsValue};

use crate::{
    http::{Body, ByteStream, Error, ErrorKind, Headers, Method, Request, Response},
    wasm::{
        failure::failure,
        http::{Activity, readable},
    },
};

/// The request that a JavaScript server received.
pub(crate) fn from_web_request(request: &web_sys::Request) -> Result<Request, Error> {
    let method = Method::parse(&request.method())
        .ok_or_else(|| Error::new(ErrorKind::Invalid, format!("the method {} is not in use here", request.method())))?;
    let body = request.body().map_or(Body::Empty, |raw| Body::Stream(from_readable(raw)));
    Ok(Request { method, url: request.url(), headers: from_web_headers(&request.headers()), body })
}

/// The chunks of a `ReadableStream` of `Uint8Array`s.
fn from_readable(raw: web_sys::ReadableStream) -> ByteStream {
    wasm_streams::ReadableStream::from_raw(raw.unchecked_into())
        .into_stream()
        .map(|chunk| chunk.map(|c| Bytes::from(c.unchecked_into::<Uint8Array>().to_vec())).map_err(|e| failure(&e)))
        .boxed_local()
}

pub(crate) fn from_web_headers(headers: &web_sys::Headers) -> Headers {
    // gloo-net's iterator takes a clone: a `Headers` object is a reference.
    gloo_net::http::Headers::from_raw(headers.clone()).entries().collect()
}

/// The response that a JavaScript server sends.
pub(crate) fn into_web_response(response: Response) -> Result<web_sys::Response, JsValue> {
    let headers = gloo_net::http::Headers::new();
    for (name, value) in response.headers.iter() {
        headers.append(name, value);
    }
    let init = web_sys::ResponseInit::new();
    init.set_status(response.status);
    init.set_headers(&headers.into_raw());
    match response.body {
        Body::Empty => web_sys::Response::new_with_opt_buffer_source_and_init(None, &init),
        Body::Bytes(bytes) => {
            web_sys::Response::new_with_opt_buffer_source_and_init(Some(&Uint8Array::from(bytes.as_ref())), &init)
        }
        Body::Stream(stream) => {
            let body = readable(stream, Activity::default()).unchecked_into::<web_sys::ReadableStream>();
            web_sys::Response::new_with_opt_readable_stream_and_init(Some(&body), &init)
        }
    }
}
