//! The page's side: a `fetch` function that answers with the browser's own `Response`, and reading JavaScript values.

use js_sys::{Array, Function, JSON, Object, Promise, Reflect};
use refsync::wasm::client::{Client, ClientSettings};
use tsify::Ts;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

/// The behaviour of the page's `fetch`, and its requests.
pub(crate) struct Page(Object);

impl Page {
    /// It answers everything with this.
    pub(crate) fn answering(status: u16, body: &str) -> Self {
        let page = Self(Object::new());
        page.set("status", &status.into());
        page.set("body", &body.into());
        page.set("headers", &Object::new());
        page.set("aborted", &0.into());
        page.set("sent", &Array::new());
        page
    }

    pub(crate) fn set(&self, key: &str, value: &JsValue) {
        Reflect::set(&self.0, &key.into(), value).expect("a plain object takes any property");
    }

    pub(crate) fn number(&self, key: &str) -> f64 {
        Reflect::get(&self.0, &key.into()).ok().and_then(|value| value.as_f64()).expect("it is a number")
    }

    /// Method, URL and body of every request.
    pub(crate) fn sent(&self) -> Vec<String> {
        let sent: Array = Reflect::get(&self.0, &"sent".into()).expect("it was set").unchecked_into();
        sent.iter().map(|line| line.as_string().expect("it is a string")).collect()
    }

    pub(crate) fn fetch(&self) -> Function {
        let body = "
            const text = init.body === undefined ? '' : new TextDecoder().decode(init.body);
            this.sent.push(`${init.method} ${url} ${text}`);
            if (this.failure) return Promise.reject(this.failure);
            init.signal.addEventListener('abort', () => this.aborted++);
            if (this.hang) return new Promise(() => {});
            return Promise.resolve(new Response(this.body, { status: this.status, headers: this.headers }));";
        Function::new_with_args("url, init", body).bind0(&self.0)
    }
}

pub(crate) fn settings(url: &str) -> Ts<ClientSettings> {
    Ts::new_unchecked(js(&format!(r#"{{"apiKey":"key","apiUrl":"{url}","org":"acme"}}"#)))
}

pub(crate) fn client(page: &Page) -> Client {
    Client::new(&settings("https://h"), page.fetch(), true).expect("the settings are valid")
}

/// The value of a JSON text.
pub(crate) fn js(json: &str) -> JsValue {
    JSON::parse(json).expect("it is JSON")
}

/// The error of a call, whether it threw or rejected.
pub(crate) async fn settled(call: Result<Promise, JsValue>) -> Result<JsValue, JsValue> {
    JsFuture::from(call?).await
}

pub(crate) fn error_of(result: Result<JsValue, JsValue>) -> JsValue {
    result.expect_err("it has to fail")
}

/// A property that is a string.
pub(crate) fn text(object: &JsValue, key: &str) -> String {
    Reflect::get(object, &key.into()).ok().and_then(|value| value.as_string()).unwrap_or_default()
}

pub(crate) async fn pause(millis: i32) {
    let timer = Function::new_with_args("ms", "return new Promise((resolve) => setTimeout(resolve, ms))");
    let promise = timer.call1(&JsValue::UNDEFINED, &millis.into()).expect("a browser has timers");
    JsFuture::from(promise.unchecked_into::<Promise>()).await.expect("a timer does not fail");
}
