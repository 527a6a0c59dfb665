//! The client as a JavaScript class. The package's TypeScript wraps it with namespaces and error classes.
//!
//! Every method takes its request as one object, then an optional `AbortSignal`, then an optional time for one try in
//! milliseconds. Its promise, or for bad input the call itself, fails with what
//! [`error`](crate::wasm::error) describes.

mod timer;
mod tree;

use std::{rc::Rc, time::Duration};

use futures_util::{FutureExt, future::LocalBoxFuture};
use js_sys::{Function, Object, Promise, Reflect};
use serde::Deserialize;
use tsify::{Ts, Tsify};
use wasm_bindgen::prelude::*;
use web_sys::AbortSignal;

use self::{
    timer::HostTimer,
    tree::{from_js, to_js},
};
use crate::{
    api::{
        CreateRepoRequest, CreateWebhookTargetRequest, SyncRun, SyncUpstreamRequest, UpdateRepoRequest,
        UpdateWebhookTargetRequest,
    },
    client::{
        self, Error, ListReposRequest, ListSyncsRequest, ListWebhookTargetsRequest, OrgPath, RepoPath, SyncPath,
        WaitOptions, WebhookTargetPath,
        json::Json,
        operations::{self, Operation},
        shape::{Key, Origin, Shape},
    },
    wasm::{abort::abortable, answer::AnswerClient, promise},
};

/// How a client is set up.
#[derive(Clone, Debug, Deserialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct ClientSettings {
    /// The API key. When left out: the variable `REFSYNC_API_KEY`, if the runtime has an environment.
    #[tsify(optional)]
    pub api_key: Option<String>,
    /// The API's address, with or without `/v1` at its end. When left out: the page's own origin in a browser, elsewhere the
    /// variable `REFSYNC_URL`.
    #[tsify(optional)]
    pub api_url: Option<String>,
    /// The organisation of calls that name none; asked from `/whoami`, once, when left out.
    #[tsify(optional)]
    pub org: Option<String>,
    /// How many times a failed call is tried again; 2 when left out.
    #[tsify(optional)]
    pub max_retries: Option<u32>,
    /// How long one try of a call may take, in milliseconds; 60 000 when left out.
    #[tsify(optional)]
    pub timeout: Option<f64>,
}

/// How a sync is waited for.
#[derive(Clone, Debug, Deserialize, Tsify)]
pub struct WaitTarget {
    /// The repository's name or id; the run's `repo_id` when left out.
    #[tsify(optional)]
    pub repo: Option<String>,
    /// The organisation's slug; the client's own when left out.
    #[tsify(optional)]
    pub org: Option<String>,
    /// How long to wait at most, in milliseconds; for ever when left out.
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
    /// An `InvalidRequestError` for a setting that cannot be.
    #[wasm_bindgen(constructor)]
    pub fn new(settings: &Ts<ClientSettings>, fetch: Function, is_browser: bool) -> Result<Self, JsValue> {
        const OPERATION: &str = "make a client";
        let given = settings.js_value();
        let mut settings = arguments(OPERATION, "request", &given, &SETTINGS)?;
        let [api_url, api_key] = ["apiUrl", "apiKey"].map(|key| settings.take_text(key).unwrap_or_default());
        let mut options = client::Options::new(api_url, api_key);
        options.org = settings.take_text("org");
        if let Some(Json::Number(retries)) = settings.of("maxRetries") {
            options.max_retries = retries.parse().unwrap_or(options.max_retries);
        }
        options.timeout = duration(OPERATION, timeout(&settings, &given))?.unwrap_or(options.timeout);
        options.user_agent = (!is_browser).then(|| concat!("refsync/", env!("CARGO_PKG_VERSION")).to_owned());
        if is_browser {
            // Of six connections to the host, for all tabs.
            options.event_streams = 1;
        }
        Ok(Self(client::Client::new(Rc::new(AnswerClient(fetch)), Rc::new(HostTimer), options)?))
    }

    /// `GET /whoami`.
    #[wasm_bindgen(unchecked_return_type = "Promise<Whoami>")]
    pub fn whoami(&self, signal: Option<AbortSignal>, timeout: Option<f64>) -> Result<Promise, JsValue> {
        self.operate(&operations::WHOAMI, &Object::new(), signal, timeout)
    }

    /// `GET /{org}`.
    #[wasm_bindgen(unchecked_return_type = "Promise<Organization>")]
    pub fn organization(
        &self,
        request: &Ts<OrgPath>,
        signal: Option<AbortSignal>,
        timeout: Option<f64>,
    ) -> Result<Promise, JsValue> {
        self.operate(&operations::ORGANIZATION, &request.js_value(), signal, timeout)
    }

    /// `POST /{org}/repos`; the request may name its `org` besides.
    #[wasm_bindgen(js_name = createRepo, unchecked_return_type = "Promise<Repo>")]
    pub fn create_repo(
        &self,
        request: &Ts<CreateRepoRequest>,
        signal: Option<AbortSignal>,
        timeout: Option<f64>,
    ) -> Result<Promise, JsValue> {
        self.operate(&operations::CREATE_REPO, &request.js_value(), signal, timeout)
    }

    /// `GET /{org}/{repo}`.
    #[wasm_bindgen(unchecked_return_type = "Promise<Repo>")]
    pub fn repo(
        &self,
        request: &Ts<RepoPath>,
        signal: Option<AbortSignal>,
        timeout: Option<f64>,
    ) -> Result<Promise, JsValue> {
        self.operate(&operations::GET_REPO, &request.js_value(), signal, timeout)
    }

    /// `GET /{org}/repos`.
    #[wasm_bindgen(js_name = listRepos, unchecked_return_type = "Promise<RepoPage>")]
    pub fn list_repos(
        &self,
        request: &Ts<ListReposRequest>,
        signal: Option<AbortSignal>,
        timeout: Option<f64>,
    ) -> Result<Promise, JsValue> {
        self.operate(&operations::LIST_REPOS, &request.js_value(), signal, timeout)
    }

    /// `PATCH /{org}/{repo}`; the request names its `repo`, and perhaps its `org`, besides.
    #[wasm_bindgen(js_name = updateRepo, unchecked_return_type = "Promise<Repo>")]
    pub fn update_repo(
        &self,
        request: &Ts<UpdateRepoRequest>,
        signal: Option<AbortSignal>,
        timeout: Option<f64>,
    ) -> Result<Promise, JsValue> {
        self.operate(&operations::UPDATE_REPO, &request.js_value(), signal, timeout)
    }

    /// `DELETE /{org}/{repo}`.
    #[wasm_bindgen(js_name = deleteRepo, unchecked_return_type = "Promise<DeleteResult>")]
    pub fn delete_repo(
        &self,
        request: &Ts<RepoPath>,
        signal: Option<AbortSignal>,
        timeout: Option<f64>,
    ) -> Result<Promise, JsValue> {
        self.operate(&operations::DELETE_REPO, &request.js_value(), signal, timeout)
    }

    /// `POST /{org}/{repo}/upstream/syncs`.
    #[wasm_bindgen(js_name = syncUpstream, unchecked_return_type = "Promise<SyncRun>")]
    pub fn sync_upstream(
        &self,
        request: &Ts<SyncUpstreamRequest>,
        signal: Option<AbortSignal>,
        timeout: Option<f64>,
    ) -> Result<Promise, JsValue> {
        self.operate(&operations::SYNC_UPSTREAM, &request.js_value(), signal, timeout)
    }

    /// `GET /{org}/{repo}/upstream/syncs/{sync_id}`.
    #[wasm_bindgen(unchecked_return_type = "Promise<SyncRun>")]
    pub fn sync(
        &self,
        request: &Ts<SyncPath>,
        signal: Option<AbortSignal>,
        timeout: Option<f64>,
    ) -> Result<Promise, JsValue> {
        self.operate(&operations::GET_SYNC, &request.js_value(), signal, timeout)
    }

    /// `GET /{org}/{repo}/upstream/syncs`.
    #[wasm_bindgen(js_name = listSyncs, unchecked_return_type = "Promise<SyncRunPage>")]
    pub fn list_syncs(
        &self,
        request: &Ts<ListSyncsRequest>,
        signal: Option<AbortSignal>,
        timeout: Option<f64>,
    ) -> Result<Promise, JsValue> {
        self.operate(&operations::LIST_SYNCS, &request.js_value(), signal, timeout)
    }

    /// `POST /{org}/{repo}/upstream/plan`.
    #[wasm_bindgen(js_name = planSync, unchecked_return_type = "Promise<SyncRunStats>")]
    pub fn plan_sync(
        &self,
        request: &Ts<SyncUpstreamRequest>,
        signal: Option<AbortSignal>,
        timeout: Option<f64>,
    ) -> Result<Promise, JsValue> {
        self.operate(&operations::PLAN_UPSTREAM_SYNC, &request.js_value(), signal, timeout)
    }

    /// `POST /{org}/{repo}/upstream/syncs/{sync_id}/cancel`.
    #[wasm_bindgen(js_name = cancelSync, unchecked_return_type = "Promise<SyncRun>")]
    pub fn cancel_sync(
        &self,
        request: &Ts<SyncPath>,
        signal: Option<AbortSignal>,
        timeout: Option<f64>,
    ) -> Result<Promise, JsValue> {
        self.operate(&operations::CANCEL_SYNC, &request.js_value(), signal, timeout)
    }

    /// `POST /{org}/webhook-targets`; the request may name its `org` besides.
    #[wasm_bindgen(js_name = createWebhookTarget, unchecked_return_type = "Promise<WebhookTargetSecret>")]
    pub fn create_webhook_target(
        &self,
        request: &Ts<CreateWebhookTargetRequest>,
        signal: Option<AbortSignal>,
        timeout: Option<f64>,
    ) -> Result<Promise, JsValue> {
        self.operate(&operations::CREATE_WEBHOOK_TARGET, &request.js_value(), signal, timeout)
    }

    /// `GET /{org}/webhook-targets/{target_id}`.
    #[wasm_bindgen(js_name = webhookTarget, unchecked_return_type = "Promise<WebhookTarget>")]
    pub fn webhook_target(
        &self,
        request: &Ts<WebhookTargetPath>,
        signal: Option<AbortSignal>,
        timeout: Option<f64>,
    ) -> Result<Promise, JsValue> {
        self.operate(&operations::GET_WEBHOOK_TARGET, &request.js_value(), signal, timeout)
    }

    /// `GET /{org}/webhook-targets`.
    #[wasm_bindgen(js_name = listWebhookTargets, unchecked_return_type = "Promise<WebhookTargetPage>")]
    pub fn list_webhook_targets(
        &self,
        request: &Ts<ListWebhookTargetsRequest>,
        signal: Option<AbortSignal>,
        timeout: Option<f64>,
    ) -> Result<Promise, JsValue> {
        self.operate(&operations::LIST_WEBHOOK_TARGETS, &request.js_value(), signal, timeout)
    }

    /// `PATCH /{org}/webhook-targets/{target_id}`; the request names its `target_id`, and perhaps its `org`, besides.
    #[wasm_bindgen(js_name = updateWebhookTarget, unchecked_return_type = "Promise<WebhookTarget>")]
    pub fn update_webhook_target(
        &self,
        request: &Ts<UpdateWebhookTargetRequest>,
        signal: Option<AbortSignal>,
        timeout: Option<f64>,
    ) -> Result<Promise, JsValue> {
        self.operate(&operations::UPDATE_WEBHOOK_TARGET, &request.js_value(), signal, timeout)
    }

    /// `DELETE /{org}/webhook-targets/{target_id}`.
    #[wasm_bindgen(js_name = deleteWebhookTarget, unchecked_return_type = "Promise<DeleteResult>")]
    pub fn delete_webhook_target(
        &self,
        request: &Ts<WebhookTargetPath>,
        signal: Option<AbortSignal>,
        timeout: Option<f64>,
    ) -> Result<Promise, JsValue> {
        self.operate(&operations::DELETE_WEBHOOK_TARGET, &request.js_value(), signal, timeout)
    }

    /// `POST /{org}/webhook-targets/{target_id}/rotate-secret`.
    #[wasm_bindgen(js_name = rotateWebhookSecret, unchecked_return_type = "Promise<WebhookTargetSecret>")]
    pub fn rotate_webhook_secret(
        &self,
        request: &Ts<WebhookTargetPath>,
        signal: Option<AbortSignal>,
        timeout: Option<f64>,
    ) -> Result<Promise, JsValue> {
        self.operate(&operations::ROTATE_WEBHOOK_SECRET, &request.js_value(), signal, timeout)
    }

    /// Follows a run until it has ended; `on_update` is called with every change, and what it throws ends the wait.
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
        let mut target = arguments(OPERATION, "request", &given, &TARGET)?;
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

impl Client {
    /// Any operation; `timeout` is how many milliseconds one try may take.
    fn operate(
        &self,
        operation: &'static Operation,
        request: &JsValue,
        signal: Option<AbortSignal>,
        timeout: Option<f64>,
    ) -> Result<Promise, JsValue> {
        let request = from_js(operation.verb(), "request", request)?;
        let client = match duration(operation.verb(), timeout)? {
            Some(timeout) => self.0.with_timeout(timeout),
            None => self.0.clone(),
        };
        let call = async move { to_js(&client.operate(operation, request).await?.json) };
        Ok(promise(operation.verb(), signal, call.boxed_local()))
    }
}

const SETTINGS: Shape = Shape::Object(&[
    Key::new("apiKey", Shape::Text),
    Key::new("apiUrl", Shape::Text),
    Key::optional("org", Shape::Text),
    Key::optional("maxRetries", Shape::Count),
    Key::optional("timeout", Shape::Number),
]);

const TARGET: Shape = Shape::Object(&[
    Key::optional("repo", Shape::Text),
    Key::optional("org", Shape::Text),
    Key::optional("timeout", Shape::Number),
]);

/// What a caller passed, of the shape that it has to have.
fn arguments(operation: &str, name: &str, data: &JsValue, shape: &Shape) -> Result<Json, Error> {
    let mut json = from_js(operation, name, data)?;
    shape.settle(&mut json, Origin::Caller).map_err(|mismatch| Error::argument(operation, name, mismatch))?;
    Ok(json)
}

/// The `timeout` of a request as the float that it is in JavaScript, which spares us a reader of floats.
fn timeout(settled: &Json, given: &JsValue) -> Option<f64> {
    settled.of("timeout")?;
    Reflect::get(given, &"timeout".into()).ok()?.as_f64()
}

/// A promise of `future`, which the signal ends.
fn promise(
    operation: &'static str,
    signal: Option<AbortSignal>,
    future: LocalBoxFuture<'static, Result<JsValue, JsValue>>,
) -> Promise {
    promise::promise(abortable(operation, signal, future))
}

/// Milliseconds of JavaScript.
fn duration(operation: &str, millis: Option<f64>) -> Result<Option<Duration>, Error> {
    let Some(millis) = millis else { return Ok(None) };
    match Duration::try_from_secs_f64(millis / 1000.0) {
        Ok(duration) if !duration.is_zero() => Ok(Some(duration)),
        _ => Err(Error::invalid_field(operation, "timeout", "has to be a positive number of milliseconds")),
    }
}
