//! The client as a JavaScript class. The package's TypeScript wraps it with namespaces and error classes.
//!
//! Every method takes its request as one object, then an optional `AbortSignal`, then an optional time for one try in
//! milliseconds. It rejects with what [`error`](super::error) describes.

use std::{rc::Rc, time::Duration};

use js_sys::Function;
use serde::Serialize;
use tsify::{Ts, Tsify};
use wasm_bindgen::prelude::*;
use web_sys::AbortSignal;

use super::{
    abort::abortable,
    http::FetchClient,
    json::{Arguments, to_ts},
    timer::HostTimer,
};
use crate::{
    client::{self, Error, ListReposRequest, ListSyncsRequest, OrgPath, RepoPath, SyncPath, WaitOptions},
    model::{
        CreateRepoRequest, DeleteResult, Organization, Repo, RepoPage, SyncRequest, SyncRun, SyncRunPage,
        SyncUpstreamRequest, UpdateRepoRequest, Whoami,
    },
};

/// How a client is set up.
#[derive(Clone, Debug, Serialize, Tsify)]
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
#[derive(Clone, Debug, Serialize, Tsify)]
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
        let mut settings = Arguments::new(OPERATION, &settings.js_value(), &known)?;
        let mut options = client::Options::new(settings.required::<String>("apiKey")?);
        if let Some(url) = settings.optional("apiUrl")? {
            options.api_url = url;
        }
        options.org = settings.optional("org")?;
        if let Some(max) = settings.optional("maxRetries")? {
            options.max_retries = max;
        }
        if let Some(timeout) = duration(OPERATION, settings.optional("timeout")?)? {
            options.timeout = timeout;
        }
        options.user_agent = (!is_browser).then(|| concat!("refsync/", env!("CARGO_PKG_VERSION")).to_owned());
        Ok(Self(client::Client::new(Rc::new(FetchClient::new(fetch)), Rc::new(HostTimer), options)?))
    }

    /// `GET /whoami`.
    pub async fn whoami(&self, signal: Option<AbortSignal>, timeout: Option<f64>) -> Result<Ts<Whoami>, JsValue> {
        const OPERATION: &str = "whoami";
        self.call(OPERATION, signal, timeout, async |client| client.whoami().await).await
    }

    /// `GET /{org}`.
    pub async fn organization(
        &self,
        request: Ts<OrgPath>,
        signal: Option<AbortSignal>,
        timeout: Option<f64>,
    ) -> Result<Ts<Organization>, JsValue> {
        const OPERATION: &str = "get organization";
        let org = Arguments::new(OPERATION, &request.js_value(), &["org"])?.optional("org")?;
        self.call(OPERATION, signal, timeout, async |client| client.organization(&OrgPath { org }).await).await
    }

    /// `POST /{org}/repos`; the request may name its `org` besides.
    #[wasm_bindgen(js_name = createRepo)]
    pub async fn create_repo(
        &self,
        request: Ts<CreateRepoRequest>,
        signal: Option<AbortSignal>,
        timeout: Option<f64>,
    ) -> Result<Ts<Repo>, JsValue> {
        const OPERATION: &str = "create repository";
        let known = ["org", "name", "default_bookmark", "tags", "upstream"];
        let mut fields = Arguments::new(OPERATION, &request.js_value(), &known)?;
        let path = OrgPath { org: fields.optional("org")? };
        let request: CreateRepoRequest = fields.rest()?;
        self.call(OPERATION, signal, timeout, async |client| client.repos().create(&path, &request).await).await
    }

    /// `GET /{org}/{repo}`.
    #[wasm_bindgen(js_name = repo)]
    pub async fn repo(
        &self,
        request: Ts<RepoPath>,
        signal: Option<AbortSignal>,
        timeout: Option<f64>,
    ) -> Result<Ts<Repo>, JsValue> {
        const OPERATION: &str = "get repository";
        let path = repo_path(&mut Arguments::new(OPERATION, &request.js_value(), &["repo", "org"])?)?;
        self.call(OPERATION, signal, timeout, async |client| client.repos().get(&path).await).await
    }

    /// `GET /{org}/repos`.
    #[wasm_bindgen(js_name = listRepos)]
    pub async fn list_repos(
        &self,
        request: Ts<ListReposRequest>,
        signal: Option<AbortSignal>,
        timeout: Option<f64>,
    ) -> Result<Ts<RepoPage>, JsValue> {
        const OPERATION: &str = "list repositories";
        let mut fields = Arguments::new(OPERATION, &request.js_value(), &["org", "cursor", "limit"])?;
        let request = ListReposRequest {
            org: fields.optional("org")?,
            cursor: fields.optional("cursor")?,
            limit: fields.optional("limit")?,
        };
        self.call(OPERATION, signal, timeout, async |client| client.repos().list(&request).await).await
    }

    /// `PATCH /{org}/{repo}`; the request names its `repo`, and perhaps its `org`, besides.
    #[wasm_bindgen(js_name = updateRepo)]
    pub async fn update_repo(
        &self,
        request: Ts<UpdateRepoRequest>,
        signal: Option<AbortSignal>,
        timeout: Option<f64>,
    ) -> Result<Ts<Repo>, JsValue> {
        const OPERATION: &str = "update repository";
        let known = ["repo", "org", "name", "default_bookmark", "tags", "upstream"];
        let mut fields = Arguments::new(OPERATION, &request.js_value(), &known)?;
        let path = repo_path(&mut fields)?;
        let request: UpdateRepoRequest = fields.rest()?;
        self.call(OPERATION, signal, timeout, async |client| client.repos().update(&path, &request).await).await
    }

    /// `DELETE /{org}/{repo}`.
    #[wasm_bindgen(js_name = deleteRepo)]
    pub async fn delete_repo(
        &self,
        request: Ts<RepoPath>,
        signal: Option<AbortSignal>,
        timeout: Option<f64>,
    ) -> Result<Ts<DeleteResult>, JsValue> {
        const OPERATION: &str = "delete repository";
        let path = repo_path(&mut Arguments::new(OPERATION, &request.js_value(), &["repo", "org"])?)?;
        self.call(OPERATION, signal, timeout, async |client| client.repos().delete(&path).await).await
    }

    /// `POST /{org}/{repo}/upstream/syncs`.
    #[wasm_bindgen(js_name = syncUpstream)]
    pub async fn sync_upstream(
        &self,
        request: Ts<SyncUpstreamRequest>,
        signal: Option<AbortSignal>,
        timeout: Option<f64>,
    ) -> Result<Ts<SyncRun>, JsValue> {
        const OPERATION: &str = "sync upstream";
        let known = ["repo", "org", "direction", "ref_globs"];
        let mut fields = Arguments::new(OPERATION, &request.js_value(), &known)?;
        let RepoPath { repo, org } = repo_path(&mut fields)?;
        let direction = fields.required("direction")?;
        let sync = SyncRequest { direction, ref_globs: fields.optional("ref_globs")?.unwrap_or_default() };
        let request = SyncUpstreamRequest { repo, org, sync };
        self.call(OPERATION, signal, timeout, async |client| client.repos().sync_upstream(&request).await).await
    }

    /// `GET /{org}/{repo}/upstream/syncs/{sync_id}`.
    #[wasm_bindgen(js_name = sync)]
    pub async fn sync(
        &self,
        request: Ts<SyncPath>,
        signal: Option<AbortSignal>,
        timeout: Option<f64>,
    ) -> Result<Ts<SyncRun>, JsValue> {
        const OPERATION: &str = "get sync";
        let mut fields = Arguments::new(OPERATION, &request.js_value(), &["repo", "sync_id", "org"])?;
        let RepoPath { repo, org } = repo_path(&mut fields)?;
        let path = SyncPath { repo, org, sync_id: fields.required("sync_id")? };
        self.call(OPERATION, signal, timeout, async |client| client.syncs().get(&path).await).await
    }

    /// `GET /{org}/{repo}/upstream/syncs`.
    #[wasm_bindgen(js_name = listSyncs)]
    pub async fn list_syncs(
        &self,
        request: Ts<ListSyncsRequest>,
        signal: Option<AbortSignal>,
        timeout: Option<f64>,
    ) -> Result<Ts<SyncRunPage>, JsValue> {
        const OPERATION: &str = "list syncs";
        let mut fields = Arguments::new(OPERATION, &request.js_value(), &["repo", "org", "cursor", "limit"])?;
        let RepoPath { repo, org } = repo_path(&mut fields)?;
        let (cursor, limit) = (fields.optional("cursor")?, fields.optional("limit")?);
        let request = ListSyncsRequest { repo, org, cursor, limit };
        self.call(OPERATION, signal, timeout, async |client| client.syncs().list(&request).await).await
    }

    /// Polls a run until it has ended; `on_update` is called with every change, and what it throws ends the wait.
    #[wasm_bindgen(js_name = waitForSync)]
    pub async fn wait_for_sync(
        &self,
        run: Ts<SyncRun>,
        target: Ts<WaitTarget>,
        on_update: Option<Function>,
        signal: Option<AbortSignal>,
    ) -> Result<Ts<SyncRun>, JsValue> {
        const OPERATION: &str = "wait for sync";
        let run: SyncRun = Arguments::whole(OPERATION, "run", &run.js_value())?;
        let mut fields = Arguments::new(OPERATION, &target.js_value(), &["repo", "org", "timeout"])?;
        let timeout = duration(OPERATION, fields.optional("timeout")?)?;
        let options = WaitOptions { repo: fields.optional("repo")?, org: fields.optional("org")?, timeout };
        let on_update = |run: &SyncRun| match &on_update {
            Some(callback) => callback.call1(&JsValue::UNDEFINED, &to_ts(run)?.into()).map(|_| ()),
            None => Ok(()),
        };
        abortable(OPERATION, signal, async {
            let run = self.0.syncs().wait(&run, &options, on_update).await?;
            to_ts(&run)
        })
        .await
    }
}

impl Client {
    /// Does one call of the inner client.
    async fn call<T: Tsify<JsType: JsCast> + Serialize>(
        &self,
        operation: &'static str,
        signal: Option<AbortSignal>,
        timeout: Option<f64>,
        call: impl AsyncFnOnce(client::Client) -> Result<T, Error>,
    ) -> Result<Ts<T>, JsValue> {
        let client = match duration(operation, timeout)? {
            Some(timeout) => self.0.with_timeout(timeout),
            None => self.0.clone(),
        };
        abortable(operation, signal, async { to_ts(&call(client).await?) }).await
    }
}

fn repo_path(fields: &mut Arguments) -> Result<RepoPath, Error> {
    Ok(RepoPath { repo: fields.required("repo")?, org: fields.optional("org")? })
}

/// Milliseconds of JavaScript.
fn duration(operation: &str, millis: Option<f64>) -> Result<Option<Duration>, Error> {
    let Some(millis) = millis else { return Ok(None) };
    match Duration::try_from_secs_f64(millis / 1000.0) {
        Ok(duration) if !duration.is_zero() => Ok(Some(duration)),
        _ => Err(Error::invalid_field(operation, "timeout", "has to be a positive number of milliseconds")),
    }
}
