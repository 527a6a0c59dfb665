//! The web's `Request` and `Response`, which a JavaScript server deals in, from and to ours.

use std::{cell::RefCell, future::poll_fn, rc::Rc, task::Poll};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use js_sys::{Array, Object, Promise, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use wasm_bindgen_futures::JsFuture;

use super::promise;
use crate::{
    http::{Body, ByteStream, Error, ErrorKind, Headers, Method, Request, Response},
    wasm::failure::failure,
};

/// The request that a JavaScript server received.
pub(crate) fn from_web_request(request: &web_sys::Request) -> Result<Request, Error> {
    let method = Method::parse(&request.method())
        .ok_or_else(|| Error::new(ErrorKind::Invalid, format!("the method {} is not in use here", request.method())))?;
    let body = request.body().map_or(Body::Empty, |raw| Body::Stream(from_readable(&raw)));
    Ok(Request { method, url: request.url(), headers: from_web_headers(&request.headers()), body })
}

/// What reads a request's body; it cancels the rest where it is dropped before the end.
struct Reader(web_sys::ReadableStreamDefaultReader);

impl Drop for Reader {
    fn drop(&mut self) {
        // At its end there is nothing to cancel, and nobody hears of a failure.
        drop(JsFuture::from(self.0.cancel()));
    }
}

/// The chunks of a `ReadableStream` of `Uint8Array`s.
fn from_readable(raw: &web_sys::ReadableStream) -> ByteStream {
    let reader = Reader(raw.get_reader().unchecked_into());
    stream::unfold(reader, |reader| async {
        let chunk = match JsFuture::from(reader.0.read()).await {
            Ok(read) => {
                let get = |name: &str| Reflect::get(&read, &name.into()).unwrap_or(JsValue::UNDEFINED);
                if get("done") == true {
                    return None;
                }
                Ok(Bytes::from(get("value").unchecked_into::<Uint8Array>().to_vec()))
            }
            Err(error) => Err(failure(&error)),
        };
        Some((chunk, reader))
    })
    .boxed_local()
}

/// The `ReadableStream` of an answer that goes on. It polls as its reader asks, and drops the stream when that cancels.
fn into_readable(stream: ByteStream) -> Result<web_sys::ReadableStream, JsValue> {
    let stream = Rc::new(RefCell::new(Some(stream)));
    let pulled = stream.clone();
    let pull = move |controller: web_sys::ReadableStreamDefaultController| {
        let stream = pulled.clone();
        promise(async move {
            let next = poll_fn(|cx| match &mut *stream.borrow_mut() {
                Some(stream) => stream.poll_next_unpin(cx),
                None => Poll::Ready(None),
            });
            match next.await {
                Some(Ok(bytes)) => controller.enqueue_with_chunk(&Uint8Array::from(bytes.as_ref()))?,
                Some(Err(error)) => return Err(js_sys::Error::new(&error.message).into()),
                None => controller.close()?,
            }
            Ok(JsValue::UNDEFINED)
        })
    };
    let cancel = move || drop(stream.borrow_mut().take());
    let source = Object::new();
    let pull = Closure::<dyn Fn(web_sys::ReadableStreamDefaultController) -> Promise>::new(pull).into_js_value();
    Reflect::set(&source, &"pull".into(), &pull)?;
    Reflect::set(&source, &"cancel".into(), &Closure::<dyn Fn()>::new(cancel).into_js_value())?;
    web_sys::ReadableStream::new_with_underlying_source(&source)
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
            let body = into_readable(stream)?;
            web_sys::Response::new_with_opt_readable_stream_and_init(Some(&body), &init)
        }
    }
}
