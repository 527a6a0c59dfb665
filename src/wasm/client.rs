//! The client as a JavaScript class. The package's TypeScript wraps it with namespaces and error classes.
//!
//! Every method takes its request as one object, then an optional `AbortSignal`, then an optional time for one try in
//! milliseconds. Its promise, or for bad input the
//! call itself, fails with what [`error`](super::error) describes.

use std::{rc::Rc, time::Duration};

use futures_util::FutureExt;
use js_sys::{Function, Promise};
use serde::Deserialize;
use tsify::{Ts, Tsify};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::future_to_promise;
use web_sys::AbortSignal;

use super::{
    abort::abortable,
    http::FetchClient,
    json::{Arguments, to_js},
    timer::HostTimer,
};
use crate::{
    client::{self, Error, ListReposRequest, ListSyncsRequest, OrgPath, RepoPath, SyncPath, WaitOptions},
    model::{CreateRepoRequest, SyncRequest, SyncRun, SyncUpstreamRequest, UpdateRepoRequest},
};

/// How a client is set up.
#[derive(Clone, Debug, Deserialize, Tsify)]
#[serde(rename_all = "camelCase")]
pub struct ClientSettings {
    /// The API key.
    pub api_key: String,
    /// The API's address, with or without `/v1` at its end; `https://api.mesa.dev/v1` when left out.
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
        let known = ["apiKey", "apiUrl", "org", "maxRetries", "timeout"];
        let settings: ClientSettings = Arguments::new(OPERATION, settings, &known)?.read()?;
        let mut options = client::Options::new(settings.api_key);
        options.api_url = settings.api_url.unwrap_or(options.api_url);
        options.org = settings.org;
        options.max_retries = settings.max_retries.unwrap_or(options.max_retries);
        options.timeout = duration(OPERATION, settings.timeout)?.unwrap_or(options.timeout);
        options.user_agent = (!is_browser).then(|| concat!("refsync/", env!("CARGO_PKG_VERSION")).to_owned());
        Ok(Self(client::Client::new(Rc::new(FetchClient::new(fetch)), Rc::new(HostTimer), options)?))
    }

    /// `GET /whoami`.
    #[wasm_bindgen(unchecked_return_type = "Promise<Whoami>")]
    pub fn whoami(&self, signal: Option<AbortSignal>, timeout: Option<f64>) -> Result<Promise, JsValue> {
        const OPERATION: &str = "whoami";
        let client = self.client(OPERATION, timeout)?;
        Ok(promise(OPERATION, signal, async move { to_js(&client.whoami().await?) }))
    }

    /// `GET /{org}`.
    #[wasm_bindgen(unchecked_return_type = "Promise<Organization>")]
    pub fn organization(
        &self,
        request: &Ts<OrgPath>,
        signal: Option<AbortSignal>,
        timeout: Option<f64>,
    ) -> Result<Promise, JsValue> {
        const OPERATION: &str = "get organization";
        let path: OrgPath = Arguments::new(OPERATION, request, &["org"])?.read()?;
        let client = self.client(OPERATION, timeout)?;
        Ok(promise(OPERATION, signal, async move { to_js(&client.organization(&path).await?) }))
    }

    /// `POST /{org}/repos`; the request may name its `org` besides.
    #[wasm_bindgen(js_name = createRepo, unchecked_return_type = "Promise<Repo>")]
    pub fn create_repo(
        &self,
        request: &Ts<CreateRepoRequest>,
        signal: Option<AbortSignal>,
        timeout: Option<f64>,
    ) -> Result<Promise, JsValue> {
        const OPERATION: &str = "create repository";
        let known = ["org", "name", "default_bookmark", "tags", "upstream"];
        let fields = Arguments::new(OPERATION, request, &known)?;
        let (path, request): (OrgPath, CreateRepoRequest) = (fields.read()?, fields.read()?);
        let client = self.client(OPERATION, timeout)?;
        Ok(promise(OPERATION, signal, async move { to_js(&client.repos().create(&path, &request).await?) }))
    }

    /// `GET /{org}/{repo}`.
    #[wasm_bindgen(unchecked_return_type = "Promise<Repo>")]
    pub fn repo(
        &self,
        request: &Ts<RepoPath>,
        signal: Option<AbortSignal>,
        timeout: Option<f64>,
    ) -> Result<Promise, JsValue> {
        const OPERATION: &str = "get repository";
        let path: RepoPath = Arguments::new(OPERATION, request, &["repo", "org"])?.read()?;
        let client = self.client(OPERATION, timeout)?;
        Ok(promise(OPERATION, signal, async move { to_js(&client.repos().get(&path).await?) }))
    }

    /// `GET /{org}/repos`.
    #[wasm_bindgen(js_name = listRepos, unchecked_return_type = "Promise<RepoPage>")]
    pub fn list_repos(
        &self,
        request: &Ts<ListReposRequest>,
        signal: Option<AbortSignal>,
        timeout: Option<f64>,
    ) -> Result<Promise, JsValue> {
        const OPERATION: &str = "list repositories";
        let fields = Arguments::new(OPERATION, request, &["org", "cursor", "limit"])?;
        let request: ListReposRequest = fields.read()?;
        let client = self.client(OPERATION, timeout)?;
        Ok(promise(OPERATION, signal, async move { to_js(&client.repos().list(&request).await?) }))
    }

    /// `PATCH /{org}/{repo}`; the request names its `repo`, and perhaps its `org`, besides.
    #[wasm_bindgen(js_name = updateRepo, unchecked_return_type = "Promise<Repo>")]
    pub fn update_repo(
        &self,
        request: &Ts<UpdateRepoRequest>,
        signal: Option<AbortSignal>,
        timeout: Option<f64>,
    ) -> Result<Promise, JsValue> {
        const OPERATION: &str = "update repository";
        let known = ["repo", "org", "name", "default_bookmark", "tags", "upstream"];
        let fields = Arguments::new(OPERATION, request, &known)?;
        let (path, request): (RepoPath, UpdateRepoRequest) = (fields.read()?, fields.read()?);
        let client = self.client(OPERATION, timeout)?;
        Ok(promise(OPERATION, signal, async move { to_js(&client.repos().update(&path, &request).await?) }))
    }

    /// `DELETE /{org}/{repo}`.
    #[wasm_bindgen(js_name = deleteRepo, unchecked_return_type = "Promise<DeleteResult>")]
    pub fn delete_repo(
        &self,
        request: &Ts<RepoPath>,
        signal: Option<AbortSignal>,
        timeout: Option<f64>,
    ) -> Result<Promise, JsValue> {
        const OPERATION: &str = "delete repository";
        let path: RepoPath = Arguments::new(OPERATION, request, &["repo", "org"])?.read()?;
        let client = self.client(OPERATION, timeout)?;
        Ok(promise(OPERATION, signal, async move { to_js(&client.repos().delete(&path).await?) }))
    }

    /// `POST /{org}/{repo}/upstream/syncs`.
    #[wasm_bindgen(js_name = syncUpstream, unchecked_return_type = "Promise<SyncRun>")]
    pub fn sync_upstream(
        &self,
        request: &Ts<SyncUpstreamRequest>,
        signal: Option<AbortSignal>,
        timeout: Option<f64>,
    ) -> Result<Promise, JsValue> {
        const OPERATION: &str = "sync upstream";
        let fields = Arguments::new(OPERATION, request, &["repo", "org", "direction", "ref_globs"])?;
        let (RepoPath { repo, org }, sync): (RepoPath, SyncRequest) = (fields.read()?, fields.read()?);
        let request = SyncUpstreamRequest { repo, org, sync };
        let client = self.client(OPERATION, timeout)?;
        Ok(promise(OPERATION, signal, async move { to_js(&client.repos().sync_upstream(&request).await?) }))
    }

    /// `GET /{org}/{repo}/upstream/syncs/{sync_id}`.
    #[wasm_bindgen(unchecked_return_type = "Promise<SyncRun>")]
    pub fn sync(
        &self,
        request: &Ts<SyncPath>,
        signal: Option<AbortSignal>,
        timeout: Option<f64>,
    ) -> Result<Promise, JsValue> {
        const OPERATION: &str = "get sync";
        let path: SyncPath = Arguments::new(OPERATION, request, &["repo", "sync_id", "org"])?.read()?;
        let client = self.client(OPERATION, timeout)?;
        Ok(promise(OPERATION, signal, async move { to_js(&client.syncs().get(&path).await?) }))
    }

    /// `GET /{org}/{repo}/upstream/syncs`.
    #[wasm_bindgen(js_name = listSyncs, unchecked_return_type = "Promise<SyncRunPage>")]
    pub fn list_syncs(
        &self,
        request: &Ts<ListSyncsRequest>,
        signal: Option<AbortSignal>,
        timeout: Option<f64>,
    ) -> Result<Promise, JsValue> {
        const OPERATION: &str = "list syncs";
        let fields = Arguments::new(OPERATION, request, &["repo", "org", "cursor", "limit"])?;
        let request: ListSyncsRequest = fields.read()?;
        let client = self.client(OPERATION, timeout)?;
        Ok(promise(OPERATION, signal, async move { to_js(&client.syncs().list(&request).await?) }))
    }

    /// Polls a run until it has ended; `on_update` is called with every change, and what it throws ends the wait.
    #[wasm_bindgen(js_name = waitForSync, unchecked_return_type = "Promise<SyncRun>")]
    pub fn wait_for_sync(
        &self,
        run: &Ts<SyncRun>,
        target: &Ts<WaitTarget>,
        on_update: Option<Function>,
        signal: Option<AbortSignal>,
    ) -> Result<Promise, JsValue> {
        const OPERATION: &str = "wait for sync";
        let run: SyncRun = Arguments::whole(OPERATION, "run", &run.js_value())?.read()?;
        let target: WaitTarget = Arguments::new(OPERATION, target, &["repo", "org", "timeout"])?.read()?;
        let timeout = duration(OPERATION, target.timeout)?;
        let options = WaitOptions { repo: target.repo, org: target.org, timeout };
        let on_update = move |run: &SyncRun| match &on_update {
            Some(callback) => callback.call1(&JsValue::UNDEFINED, &to_js(run)?).map(|_| ()),
            None => Ok(()),
        };
        let client = self.0.clone();
        let wait = async move { to_js(&client.syncs().wait(&run, &options, on_update).await?) };
        Ok(promise(OPERATION, signal, wait))
    }

    /// The inner client, with `timeout` milliseconds for one try.
    fn client(&self, operation: &str, timeout: Option<f64>) -> Result<client::Client, Error> {
        Ok(match duration(operation, timeout)? {
            Some(timeout) => self.0.with_timeout(timeout),
            None => self.0.clone(),
        })
    }
}

/// A promise of `future`. All calls share one kind of future, because each kind costs its own copy of the machinery.
fn promise(
    operation: &'static str,
    signal: Option<AbortSignal>,
    future: impl Future<Output = Result<JsValue, JsValue>> + 'static,
) -> Promise {
    future_to_promise(abortable(operation, signal, future.boxed_local()))
}

/// Milliseconds of JavaScript.
fn duration(operation: &str, millis: Option<f64>) -> Result<Option<Duration>, Error> {
    let Some(millis) = millis else { return Ok(None) };
    match Duration::try_from_secs_f64(millis / 1000.0) {
        Ok(duration) if !duration.is_zero() => Ok(Some(duration)),
        _ => Err(Error::invalid_field(operation, "timeout", "has to be a positive number of milliseconds")),
    }
}
