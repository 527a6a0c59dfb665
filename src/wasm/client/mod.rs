//! The client as a JavaScript class. The package's TypeScript wraps it with namespaces and error classes.
//!
//! A promise, or the method itself for bad input, fails with an error as in [`error`](crate::wasm::error::thrown).

mod error;
mod plain_data;
mod timer;

use std::{rc::Rc, time::Duration};

use futures_util::{FutureExt, future::LocalBoxFuture};
use js_sys::{Function, Promise, Reflect};
use refsync_derive::Shape;
use serde::Deserialize;
use tsify::{Ts, Tsify};
use wasm_bindgen::prelude::*;
use web_sys::AbortSignal;

use self::{
    plain_data::{from_js, to_js},
    timer::HostTimer,
};
use crate::{
    api::{
        CallName, SyncRun,
        json_tree::Json,
        shape::{Others, Shaped},
    },
    client::{self, Error, WaitOptions},
    wasm::{abort::abortable, fetch::buffered::AnswerClient, promise},
};

/// The settings of a client.
#[derive(Clone, Debug, Deserialize, Shape, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct ClientSettings {
    /// The API key. If left out: the variable `REFSYNC_API_KEY`, if the runtime has an environment.
    #[tsify(optional)]
    pub api_key: Option<String>,
    /// The API's address, with or without `/v1` at its end. If left out: the page's own origin in a browser, and the
    /// variable `REFSYNC_URL` elsewhere.
    #[tsify(optional)]
    pub api_url: Option<String>,
    /// The organisation of calls that name none. If left out, the client asks `/whoami` once.
    #[tsify(optional)]
    pub org: Option<String>,
    /// How many times a failed call is tried again. Default: 2.
    #[tsify(optional)]
    pub max_retries: Option<u32>,
    /// How long one try of a call may take, in milliseconds. Default: 60,000.
    #[tsify(optional)]
    pub timeout: Option<f64>,
}

/// Options for waiting for a sync.
#[derive(Clone, Debug, Deserialize, Shape, Tsify)]
pub struct WaitTarget {
    /// The repository's name or id. Default: the run's `repo_id`.
    #[tsify(optional)]
    pub repo: Option<String>,
    /// The organisation's slug. Default: the client's organisation.
    #[tsify(optional)]
    pub org: Option<String>,
    /// How long to wait at most, in milliseconds. Default: no limit.
    #[tsify(optional)]
    pub timeout: Option<f64>,
}

/// A client of the sync REST API.
#[wasm_bindgen(js_name = WasmClient)]
pub struct Client(client::Client);

#[wasm_bindgen(js_class = WasmClient)]
impl Client {
    /// A client that sends through `fetch`, with a `User-Agent` where the host is not a browser.
    ///
    /// # Errors
    ///
    /// An `InvalidRequestError` for an invalid setting.
    #[wasm_bindgen(constructor)]
    pub fn new(settings: &Ts<ClientSettings>, fetch: Function, is_browser: bool) -> Result<Self, JsValue> {
        const OPERATION: &str = "make a client";
        let given = settings.js_value();
        let mut settings = arguments::<ClientSettings>(OPERATION, "request", &given)?;
        let [api_url, api_key] = ["apiUrl", "apiKey"].map(|key| settings.take_text(key).unwrap_or_default());
        let mut options = client::Options::new(api_url, api_key);
        options.org = settings.take_text("org");
        if let Some(Json::Number(retries)) = settings.of("maxRetries") {
            options.max_retries = retries.parse().unwrap_or(options.max_retries);
        }
        options.timeout = duration(OPERATION, timeout(&settings, &given))?.unwrap_or(options.timeout);
        options.user_agent = (!is_browser).then(|| concat!("refsync/", env!("CARGO_PKG_VERSION")).to_owned());
        if is_browser {
            // A browser has six connections to a host, for all tabs.
            options.event_streams = 1;
        }
        Ok(Self(client::Client::new(Rc::new(AnswerClient(fetch)), Rc::new(HostTimer), options)?))
    }

    /// Makes a call of the API; `timeout` is how many milliseconds one try may take.
    #[wasm_bindgen(unchecked_return_type = "Promise<unknown>")]
    pub fn call(
        &self,
        #[wasm_bindgen(unchecked_param_type = "CallName")] name: &str,
        #[wasm_bindgen(unchecked_param_type = "object")] request: &JsValue,
        signal: Option<AbortSignal>,
        timeout: Option<f64>,
    ) -> Result<Promise, JsValue> {
        let name =
            CallName::parse(name).ok_or_else(|| Error::invalid_field("call", "name", "is no call of the API"))?;
        let task = name.call().task();
        let request = from_js(task, "request", request)?;
        let client = match duration(task, timeout)? {
            Some(timeout) => self.0.with_timeout(timeout),
            None => self.0.clone(),
        };
        let answer = async move { to_js(&client.call(name, request).await?) };
        Ok(promise(task, signal, answer.boxed_local()))
    }

    /// Follows a run until it has ended. `on_update` is called with every change. If it throws, the wait ends with its
    /// error.
    #[wasm_bindgen(js_name = waitForSync, unchecked_return_type = "Promise<SyncRun>")]
    pub fn wait_for_sync(
        &self,
        run: &Ts<SyncRun>,
        target: &Ts<WaitTarget>,
        on_update: Option<Function>,
        signal: Option<AbortSignal>,
    ) -> Result<Promise, JsValue> {
        const OPERATION: &str = "wait for sync";
        let run = from_js(OPERATION, "run", &run.js_value())?;
        let given = target.js_value();
        let mut target = arguments::<WaitTarget>(OPERATION, "request", &given)?;
        let timeout = duration(OPERATION, timeout(&target, &given))?;
        let options = WaitOptions { repo: target.take_text("repo"), org: target.take_text("org"), timeout };
        let on_update = move |run: &Json| match &on_update {
            Some(callback) => callback.call1(&JsValue::UNDEFINED, &to_js(run)?).map(|_| ()),
            None => Ok(()),
        };
        let client = self.0.clone();
        let wait = async move { to_js(&client.wait(run, &options, on_update).await?) };
        Ok(promise(OPERATION, signal, wait.boxed_local()))
    }
}

/// What a caller passed, of the shape that it has to have.
fn arguments<T: Shaped>(operation: &str, name: &str, data: &JsValue) -> Result<Json, Error> {
    let mut json = from_js(operation, name, data)?;
    T::SHAPE.check(&mut json, Others::Refuse).map_err(|mismatch| Error::argument(operation, name, mismatch))?;
    Ok(json)
}

/// The `timeout` of a request as the float that it is in JavaScript, which spares us a reader of floats.
fn timeout(checked: &Json, given: &JsValue) -> Option<f64> {
    checked.of("timeout")?;
    Reflect::get(given, &"timeout".into()).ok()?.as_f64()
}

/// A promise of `future`. The signal cancels it.
fn promise(
    operation: &'static str,
    signal: Option<AbortSignal>,
    future: LocalBoxFuture<'static, Result<JsValue, JsValue>>,
) -> Promise {
    promise::promise(abortable(operation, signal, future))
}

/// Milliseconds from JavaScript.
fn duration(operation: &str, millis: Option<f64>) -> Result<Option<Duration>, Error> {
    let Some(millis) = millis else { return Ok(None) };
    match Duration::try_from_secs_f64(millis / 1000.0) {
        Ok(duration) if !duration.is_zero() => Ok(Some(duration)),
        _ => Err(Error::invalid_field(operation, "timeout", "has to be a positive number of milliseconds")),
    }
}
