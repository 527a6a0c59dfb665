//! A remote, as JavaScript gives it.

use std::rc::Rc;

use futures_util::FutureExt;
use js_sys::{Function, Promise};
use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use super::{
    arguments::{OPERATION, from_js, to_js},
    settings::{RemoteSettings, SyncSettings},
};
use crate::{
    git::{Challenge, Credentials, Remote},
    wasm::fetch::{memory::MemoryLimit, streaming::FetchClient},
};

#[wasm_bindgen]
extern "C" {
    /// The functions that the engine calls for one side.
    pub type SideFunctions;

    /// The `fetch` for this side.
    #[wasm_bindgen(method, getter)]
    pub(super) fn fetch(this: &SideFunctions) -> Function;

    /// The function that is asked for credentials.
    #[wasm_bindgen(method, getter)]
    fn credentials(this: &SideFunctions) -> Option<Function>;
}

/// A side of a sync.
pub(super) fn remote(
    remote: &RemoteSettings,
    settings: &SyncSettings,
    functions: &SideFunctions,
    request_streams: bool,
) -> Remote {
    let mut http = FetchClient { request_streams, ..FetchClient::new(functions.fetch()) };
    if let Some(time) = settings.stall_timeout() {
        http.stall_timeout = time;
    }
    // Numbers saturate, which is fine for limits.
    if let Some(bytes) = settings.collect_limit.filter(|bytes| *bytes >= 0.0) {
        http.collect_limit = bytes as usize;
    }
    if let Some(bytes) = settings.max_memory.filter(|bytes| *bytes >= 0.0) {
        http.memory = MemoryLimit::new(bytes as usize);
    }
    connection(remote, http, functions).with_limits(settings.limits())
}

/// A remote that is reached so.
pub(super) fn connection(remote: &RemoteSettings, http: FetchClient, functions: &SideFunctions) -> Remote {
    let mut target = Remote::new(&remote.url, Rc::new(http));
    if let Some(ask) = functions.credentials() {
        target = target.asking(move |challenge| credentials(ask.clone(), challenge).boxed_local());
    }
    target.with_credentials(remote.username.as_deref(), remote.password.as_deref())
}

/// Asks the caller for credentials; `None` if it returns none or fails.
async fn credentials(ask: Function, challenge: Challenge) -> Option<Credentials> {
    let Challenge { url, username, scheme, realm } = challenge;
    let details = to_js(&Details { username, scheme, realm });
    let given = ask.call2(&JsValue::UNDEFINED, &url.into(), &details).ok()?;
    let given = JsFuture::from(Promise::resolve(&given)).await.ok()?;
    let given: Given = from_js(OPERATION, "credentials", &given).ok()?;
    Some(Credentials { username: given.username.unwrap_or_else(|| "git".into()), password: given.password })
}

/// A server's request for credentials, as JavaScript sees it.
#[derive(Serialize)]
struct Details {
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<String>,
    scheme: String,
    realm: Option<String>,
}

#[derive(Deserialize)]
struct Given {
    username: Option<String>,
    password: String,
}
