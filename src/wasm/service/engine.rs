//! The engine: `ServiceEngine` of the package's `service-engine.ts`.

use futures_util::FutureExt;
use js_sys::{Function, JsString, Promise};
use serde::{Serialize, de::DeserializeOwned};
use wasm_bindgen::{JsCast, JsValue, closure::Closure, prelude::wasm_bindgen};
use web_sys::{AbortController, AbortSignal};

use crate::{
    service::{
        engine::{Answered, Engine, EngineError, MAX_STATS_BYTES, RemoteRef, RemoteSettings, Side, Synced, Task},
        store::storable,
    },
    wasm::{abort_on_drop::AbortOnDrop, error::message::message, object::get, promise::settled},
};

#[wasm_bindgen]
extern "C" {
    pub(super) type JsEngine;
    #[wasm_bindgen(method, structural, catch)]
    fn sync(this: &JsEngine, task: &str, report: &Function, signal: &AbortSignal) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, structural, catch, js_name = findRef)]
    fn find_ref(this: &JsEngine, remote: &str, ref_name: &str) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, structural, catch)]
    fn backups(this: &JsEngine, remote: &str, request: &str) -> Result<Promise, JsValue>;
}

/// The package's engine.
pub(super) struct HostEngine(pub(super) JsEngine);

impl Engine for HostEngine {
    fn sync<'a>(&'a self, task: &'a Task, report: Box<dyn Fn(String)>) -> Answered<'a, Synced> {
        async move {
            let controller = AbortOnDrop(AbortController::new().map_err(|error| engine_error(&error))?);
            let report = Closure::wrap(report);
            let started = self.0.sync(&json(task), report.as_ref().unchecked_ref(), &controller.0.signal());
            let synced = settled(started).await.map_err(|error| engine_error(&error))?.unchecked_into::<JsString>();
            // Checked before the answer is copied into this memory, which never shrinks. The rest of the answer is a ref's
            // name.
            if synced.length() as usize > MAX_STATS_BYTES + MAX_REST {
                return Err(unusable(format!(
                    "the refs were synced, but their outcomes cannot be stored: they take more than {MAX_STATS_BYTES} bytes; \
                     narrow ref_globs, so that a run has fewer refs"
                )));
            }
            parsed(&String::from(synced))
        }
        .boxed_local()
    }

    fn find_ref<'a>(&'a self, remote: &'a RemoteSettings, ref_name: &'a str) -> Answered<'a, Option<RemoteRef>> {
        async move {
            let found = settled(self.0.find_ref(&json(remote), ref_name)).await;
            let found = found.map_err(|error| engine_error(&error))?.as_string();
            found.map(|text| parsed(&text)).transpose()
        }
        .boxed_local()
    }

    fn backups<'a>(&'a self, remote: &'a RemoteSettings, request: &'a str) -> Answered<'a, String> {
        async move {
            let answer = settled(self.0.backups(&json(remote), request)).await;
            Ok(answer.map_err(|error| engine_error(&error))?.as_string().unwrap_or_default())
        }
        .boxed_local()
    }
}

/// The engine's answer.
fn parsed<T: DeserializeOwned>(text: &str) -> Result<T, EngineError> {
    serde_json::from_slice(storable::json(text).as_bytes())
        .map_err(|error| unusable(format!("the engine's answer cannot be read: {error}")))
}

/// An error that another attempt would have again.
fn unusable(message: String) -> EngineError {
    EngineError { message, code: "unknown".into(), transient: false, side: None }
}

/// How many bytes an answer may have besides the stats.
const MAX_REST: usize = 64 * 1024;

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("it is made of strings")
}

/// From an error of the engine, which is mostly a `SyncError`.
fn engine_error(error: &JsValue) -> EngineError {
    EngineError {
        message: message(error),
        code: get(error, "code").as_string().unwrap_or_else(|| "unknown".into()),
        transient: get(error, "retryable") == true,
        side: match get(error, "side").as_string().as_deref() {
            Some("source") => Some(Side::Source),
            Some("destination") => Some(Side::Destination),
            _ => None,
        },
    }
}
