//! `fetch` as an [`HttpClient`] for calls with small bodies: the request is sent whole, the answer collected as it comes.
//!
//! The engine's [`FetchClient`](crate::wasm::full::http::FetchClient) streams both ways. A dashboard has no use for that, and would
//! load it all the same.

use futures_util::{FutureExt, future::LocalBoxFuture};
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

/// The largest answer that is read: the stats of some 300 000 refs.
const LARGEST: usize = 64 * 1024 * 1024;

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
        let mut body = Vec::new();
        if let Some(stream) = response.body() {
            let reader = stream.get_reader().unchecked_into::<ReadableStreamDefaultReader>();
            loop {
                let chunk = JsFuture::from(reader.read()).await?;
                let chunk = Reflect::get(&chunk, &"value".into())?;
                // There is none at the end.
                let Some(chunk) = chunk.dyn_ref::<Uint8Array>() else { break };
                if body.len() + chunk.length() as usize > LARGEST {
                    return Err(js_sys::Error::new("the answer has more than 64 MiB").into());
                }
                let start = body.len();
                body.resize(start + chunk.length() as usize, 0);
                chunk.copy_to(&mut body[start..]);
            }
        }
        Ok(Response { status: response.status(), url: response.url(), headers, body: Body::Bytes(body.into()) })
    }
}

impl HttpClient for AnswerClient {
    fn send(&self, request: Request) -> LocalBoxFuture<'_, Result<Response, Error>> {
        async move { self.exchange(request).await.map_err(|error| failure(&error)) }.boxed_local()
    }
}
