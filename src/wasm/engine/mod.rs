//! The engine as a JavaScript function: a sync between two remotes, without a service.

mod arguments;
mod columns;
mod error;
pub mod list_refs;
mod remote;
mod settings;

use std::time::Duration;

use futures_util::{
    future::{Either, select},
    pin_mut,
};
use js_sys::{Function, Promise};
use tsify::Ts;
use wasm_bindgen::prelude::*;
use web_sys::AbortSignal;

use self::{
    arguments::{OPERATION, from_js, to_js},
    columns::columns,
    error::TookTooLong,
    remote::{SideFunctions, remote},
    settings::SyncSettings,
};
use crate::{
    sync::{self, Observer, Options, Progress},
    wasm::{
        abort::abortable,
        promise::promise,
        timer::{monotonic, timer},
    },
};

/// Syncs the refs that `settings` name from the source to the destination. With `plan_only` it changes nothing, and returns
/// the stats that a sync would have now. Resolves to the columns of the stats, see `columns`.
///
/// # Errors
///
/// If an argument is wrong. The promise rejects if the sync failed as a whole.
#[wasm_bindgen(js_name = runSync, unchecked_return_type = "Promise<[string, string, string, string, string, string]>")]
pub fn run_sync(
    settings: &Ts<SyncSettings>,
    #[wasm_bindgen(unchecked_param_type = "{ fetch: Function; credentials?: Function | undefined }")]
    source: &SideFunctions,
    #[wasm_bindgen(unchecked_param_type = "{ fetch: Function; credentials?: Function | undefined }")]
    destination: &SideFunctions,
    request_streams: bool,
    plan_only: bool,
    #[wasm_bindgen(unchecked_param_type = "((progress: Progress) => void) | undefined")] on_progress: Option<Function>,
    signal: Option<AbortSignal>,
) -> Result<Promise, JsValue> {
    let settings: SyncSettings = from_js(OPERATION, "request", &settings.js_value())?;
    let selection = settings.selection()?;
    let (policy, push_options) = (settings.policy()?, settings.push_options()?);
    let options = Options { observer: on_progress.map(observer).unwrap_or_default(), policy, push_options };
    let source = remote(&settings.source, &settings, source, request_streams);
    let destination = remote(&settings.destination, &settings, destination, request_streams);
    Ok(promise(abortable(OPERATION, signal, async move {
        let plan = async {
            match plan_only {
                true => sync::plan(&selection, &source, &destination, &options).await,
                false => sync::run(&selection, &source, &destination, &options).await,
            }
        };
        Ok(columns(before(settings.deadline(), plan).await??).into())
    })))
}

/// The result of `work`, or an error if it takes longer than this.
async fn before<T>(deadline: Option<Duration>, work: impl Future<Output = T>) -> Result<T, JsValue> {
    let Some(deadline) = deadline else { return Ok(work.await) };
    let timeout = timer(deadline);
    pin_mut!(work);
    match select(work, timeout).await {
        Either::Left((output, _)) => Ok(output),
        Either::Right(_) => Err(TookTooLong { seconds: deadline.as_secs_f64() }.into()),
    }
}

/// Calls `report` with progress.
fn observer(report: Function) -> Observer {
    Observer::new(monotonic, move |progress: Progress| {
        // Errors of the observer are ignored: they must not break a push half-way.
        let _ = report.call1(&JsValue::UNDEFINED, &to_js(&progress));
    })
}
