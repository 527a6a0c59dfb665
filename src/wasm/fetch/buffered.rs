//! `fetch` as an [`HttpClient`] for calls with small bodies: the request is sent whole, and the answer is read as it comes.
//!
//! The engine's [`FetchClient`](super::streaming::FetchClient) streams both ways. A dashboard does not need that, and its
//! code would make the download larger.

use futures_util::{FutureExt, StreamExt, future::LocalBoxFuture};
use js_sys::{Function, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};

use super::request_init;
use crate::{
    http::{Body, Error, HttpClient, Request, Response},
    wasm::{
        abort_on_drop::AbortOnDrop, error::failure::failure, object::set, promise::settled,
        stream::from_readable::from_readable,
    },
};

/// A `fetch` function of the host.
pub(crate) struct AnswerClient(pub(crate) Function);

/// The headers of an answer that the crate reads.
const READ: [&str; 3] = ["content-type", "date", "retry-after"];

impl AnswerClient {
    async fn exchange(&self, request: Request) -> Result<Response, JsValue> {
        let guard = AbortOnDrop(web_sys::AbortController::new()?);
        let init = request_init(request.method, &request.headers, &guard.0.signal());
        if let Body::Bytes(bytes) = &request.body {
            set(&init, "body", &Uint8Array::from(bytes.as_ref()));
        }
        let started = self.0.call2(&JsValue::UNDEFINED, &request.url.as_str().into(), &init);
        let response = settled(started.map(JsCast::unchecked_into)).await?.unchecked_into::<web_sys::Response>();
        let headers = response.headers();
        let value = |name: &str| headers.get(name).ok().flatten();
        let headers = READ.into_iter().filter_map(|name| Some((name, value(name)?))).collect();
        let body = match response.body() {
            Some(body) => {
                let chunks = from_readable(&body).map(move |chunk| {
                    // The request is aborted if nobody reads the answer to its end.
                    let _ = &guard;
                    chunk
                });
                Body::Stream(chunks.boxed_local())
            }
            None => Body::Empty,
        };
        Ok(Response { status: response.status(), url: response.url(), headers, body })
    }
}

impl HttpClient for AnswerClient {
    fn send(&self, request: Request) -> LocalBoxFuture<'_, Result<Response, Error>> {
        async move { self.exchange(request).await.map_err(|error| failure(&error)) }.boxed_local()
    }
}
