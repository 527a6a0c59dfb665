//! The engine that the package passes in: `ServiceEngine` of its `service-engine.ts`.

use futures_util::{FutureExt, future::LocalBoxFuture};
use js_sys::{Function, Promise, Reflect};
use serde::Serialize;
use wasm_bindgen::{JsCast, JsValue, closure::Closure, prelude::wasm_bindgen};
use web_sys::{AbortController, AbortSignal};

use super::message;
use crate::{
    model::SyncRunStats,
    service::{
        engine::{Engine, EngineError, Remote, Side, Task},
        json,
    },
    wasm::{failure::AbortOnDrop, promise::settled},
};

#[wasm_bindgen]
extern "C" {
    pub(super) type JsEngine;
    #[wasm_bindgen(method, structural, catch)]
    fn sync(this: &JsEngine, task: &str, report: &Function, signal: &AbortSignal) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, structural, catch, js_name = refId)]
    fn ref_id(this: &JsEngine, remote: &str, ref_name: &str) -> Result<Promise, JsValue>;
}

/// The package's engine.
pub(super) struct HostEngine(pub(super) JsEngine);

impl Engine for HostEngine {
    fn sync<'a>(
        &'a self,
        task: &'a Task,
        report: Box<dyn Fn(String)>,
    ) -> LocalBoxFuture<'a, Result<SyncRunStats, EngineError>> {
        async move {
            let controller = AbortOnDrop(AbortController::new().map_err(|error| engine_error(&error))?);
            let report = Closure::wrap(report);
            let started = self.0.sync(&json(task), report.as_ref().unchecked_ref(), &controller.0.signal());
            let stats = settled(started).await.map_err(|error| engine_error(&error))?.as_string().unwrap_or_default();
            json::from_slice(stats.as_bytes()).map_err(|error| EngineError {
                message: format!("the engine's stats cannot be read: {error}"),
                code: "unknown".into(),
                transient: false,
                side: None,
            })
        }
        .boxed_local()
    }

    fn ref_id<'a>(
        &'a self,
        remote: &'a Remote,
        ref_name: &'a str,
    ) -> LocalBoxFuture<'a, Result<Option<String>, EngineError>> {
        async move {
            let found = settled(self.0.ref_id(&json(remote), ref_name)).await;
            Ok(found.map_err(|error| engine_error(&error))?.as_string())
        }
        .boxed_local()
    }
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("it is made of strings")
}

/// From what the engine throws: a `SyncError`, mostly.
fn engine_error(error: &JsValue) -> EngineError {
    let get = |name: &str| Reflect::get(error, &name.into()).unwrap_or(JsValue::UNDEFINED);
    EngineError {
        message: message(error),
        code: get("code").as_string().unwrap_or_else(|| "unknown".into()),
        transient: get("retryable") == true,
        side: match get("side").as_string().as_deref() {
            Some("source") => Some(Side::Source),
            Some("destination") => Some(Side::Destination),
            _ => None,
        },
    }
}
