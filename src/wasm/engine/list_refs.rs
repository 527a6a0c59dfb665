//! The refs of a remote: listed, and moved without a source.

use js_sys::Promise;
use serde::Serialize;
use tsify::Ts;
use wasm_bindgen::prelude::*;

use super::{
    arguments::from_js,
    remote::{SideFunctions, connection},
    settings::{RemoteSettings, approved},
};
use crate::{
    git::Ref,
    sync::{self, Move},
    wasm::{fetch::streaming::FetchClient, promise::promise},
};

/// The refs of a remote that start with `prefix`, or the ref with exactly that name if `whole`. Resolves to the JSON text
/// of a list of `{name, id, symref_target}`. `symref_target` is the target of a symbolic ref, if the remote tells it.
///
/// # Errors
///
/// If an argument is wrong. The promise rejects if the refs could not be listed.
#[wasm_bindgen(js_name = listRefs, unchecked_return_type = "Promise<string>")]
pub fn list_refs(
    settings: &Ts<RemoteSettings>,
    #[wasm_bindgen(unchecked_param_type = "{ fetch: Function; credentials?: Function | undefined }")]
    functions: &SideFunctions,
    prefix: String,
    whole: bool,
) -> Result<Promise, JsValue> {
    let settings: RemoteSettings = from_js("listRefs", "request", &settings.js_value())?;
    let remote = connection(&settings, FetchClient::new(functions.fetch()), functions);
    Ok(promise(async move {
        let (_, refs) = remote.list_refs(&[prefix.as_str().into()]).await?;
        let is_asked_for = |r: &Ref| !whole || r.name == prefix.as_str();
        let shown = refs.into_iter().filter(is_asked_for).map(|Ref { name, id, symref_target, .. }| ShownRef {
            name: name.to_string(),
            id: id.to_string(),
            symref_target: symref_target.map(|target| target.to_string()),
        });
        let shown = serde_json::to_string(&shown.collect::<Vec<_>>()).expect("texts are JSON");
        Ok(shown.into())
    }))
}

/// Moves refs of a remote to objects that it has, all or none. Each line is `old-id new-id name`, as in a push; an id of zeros
/// stands for no ref. Resolves to the refusal, or to `undefined` if all refs have moved.
///
/// # Errors
///
/// If an argument is wrong. The promise rejects if the remote cannot be reached.
#[wasm_bindgen(js_name = moveRefs, unchecked_return_type = "Promise<string | undefined>")]
pub fn move_refs(
    settings: &Ts<RemoteSettings>,
    #[wasm_bindgen(unchecked_param_type = "{ fetch: Function; credentials?: Function | undefined }")]
    functions: &SideFunctions,
    lines: &str,
) -> Result<Promise, JsValue> {
    let settings: RemoteSettings = from_js("moveRefs", "request", &settings.js_value())?;
    let remote = connection(&settings, FetchClient::new(functions.fetch()), functions);
    let moves: Vec<Move> = lines.lines().filter_map(approved).collect();
    Ok(promise(async move {
        let refusal = sync::move_refs(&remote, &moves).await?;
        Ok(refusal.map_or(JsValue::UNDEFINED, JsValue::from))
    }))
}

/// A ref as JavaScript sees it.
#[derive(Serialize)]
struct ShownRef {
    name: String,
    id: String,
    symref_target: Option<String>,
}
