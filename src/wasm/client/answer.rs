//! `fetch` as an [`HttpClient`] for calls with small bodies: the request is sent whole, the answer read as it comes.
//!
//! The engine's [`FetchClient`](crate::wasm::http::FetchClient) streams both ways. A dashboard has no use for that, and would
//! load it all the same.

use bytes::Bytes;
use futures_util::{FutureExt, StreamExt, future::LocalBoxFuture, stream};
use js_sys::{Function, Object, Promise, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::ReadableStreamDefaultReader;

use crate::{
    http::{Body, Error, HttpClient, Method, Request, Response},
    wasm::failure::{AbortOnDrop, failure},
};

/// A `fetch` function of the host.
pub(crate) struct AnswerClient(pub(crate) Function);

/// The headers of an answer that anybody asks for.
const READ: [&str; 3] = ["content-type", "date", "retry-after"];

impl AnswerClient {
    async fn exchange(&self, request: Request) -> Result<Response, JsValue> {
        let guard = AbortOnDrop(web_sys::AbortController::new()?);
        let headers = Object::new();
        for (name, value) in request.headers.iter() {
            Reflect::set(&headers, &name.into(), &value.into())?;
        }
        let init = Object::new();
        Reflect::set(&init, &"method".into(), &request.method.as_str().into())?;
        Reflect::set(&init, &"headers".into(), &headers)?;
        Reflect::set(&init, &"signal".into(), &guard.0.signal())?;
        // A redirected POST would lose its body.
        let redirect = if request.method == Method::Get { "follow" } else { "error" };
        Reflect::set(&init, &"redirect".into(), &redirect.into())?;
        if let Body::Bytes(bytes) = &request.body {
            Reflect::set(&init, &"body".into(), &Uint8Array::from(bytes.as_ref()))?;
        }
        let promise = self.0.call2(&JsValue::UNDEFINED, &request.url.as_str().into(), &init)?;
        let response = JsFuture::from(promise.unchecked_into::<Promise>()).await?;
        let response = response.unchecked_into::<web_sys::Response>();
        let headers = response.headers();
        let value = |name: &str| headers.get(name).ok().flatten();
        let headers = READ.into_iter().filter_map(|name| Some((name, value(name)?))).collect();
        let body = match response.body() {
            Some(stream) => Body::Stream(
                stream::unfold(Some((stream.get_reader().unchecked_into(), guard)), |source| async move {
                    let (reader, guard) = source?;
                    match read(&reader).await {
                        Ok(chunk) => Some((Ok(chunk?), Some((reader, guard)))),
                        Err(error) => Some((Err(failure(&error)), None)),
                    }
                })
                .boxed_local(),
            ),
            None => Body::Empty,
        };
        Ok(Response { status: response.status(), url: response.url(), headers, body })
    }
}

/// The next chunk of a body; none at its end.
async fn read(reader: &ReadableStreamDefaultReader) -> Result<Option<Bytes>, JsValue> {
    let chunk = JsFuture::from(reader.read()).await?;
    let chunk = Reflect::get(&chunk, &"value".into())?;
    Ok(chunk.dyn_ref::<Uint8Array>().map(|chunk| chunk.to_vec().into()))
}

impl HttpClient for AnswerClient {
    fn send(&self, request: Request) -> LocalBoxFuture<'_, Result<Response, Error>> {
        async move { self.exchange(request).await.map_err(|error| failure(&error)) }.boxed_local()
    }
}
