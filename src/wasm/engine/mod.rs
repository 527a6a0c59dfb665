//! The engine as a JavaScript function: a sync between two remotes, without a service.

mod arguments;
mod columns;

use std::{rc::Rc, time::Duration};

use futures_util::{
    FutureExt,
    future::{Either, select},
    pin_mut,
};
use js_sys::{Function, Promise};
use serde::{Deserialize, Serialize};
use tsify::{Ts, Tsify};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::AbortSignal;

use self::{
    arguments::{from_js, to_js},
    columns::columns,
};
use crate::{
    api::Direction,
    error::Refusal,
    git::{self, Challenge, Credentials, Limits, Remote},
    glob::Glob,
    globs::Globs,
    sync::{self, Observer, Options, Policy, Progress, Request, Selection},
    wasm::{
        abort::abortable,
        error::throwable::{Throwable, into_js},
        fetch::{memory::MemoryLimit, streaming::FetchClient},
        monotonic::monotonic,
        promise::promise,
        timer::timer,
    },
};

/// A Git repository on a smart-HTTP server, and the credential for it.
#[derive(Clone, Deserialize, Tsify)]
pub struct RemoteSettings {
    /// Its URL, `http` or `https`; a user name and password in it are used and never shown.
    pub url: String,
    /// The user name, if the server needs a particular one.
    #[tsify(optional)]
    pub username: Option<String>,
    /// The password, or an access token.
    #[tsify(optional)]
    pub password: Option<String>,
}

/// The globs of a call. If a kind is left out, its refs take no part. At least one kind must be given.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GlobLists {
    branches: Option<Globs>,
    tags: Option<Globs>,
}

impl GlobLists {
    fn selection(self) -> Result<Selection, Refusal> {
        match self {
            Self { branches: None, tags: None } => {
                let refusal = "needs at least one of the keys branches and tags; leave ref_globs out to sync all refs";
                Err(Refusal::of_field(OPERATION, "ref_globs", refusal))
            }
            Self { branches, tags } => {
                Ok(Selection { branches: branches.unwrap_or_default(), tags: tags.unwrap_or_default() })
            }
        }
    }
}

/// A request to the engine: what to sync, and how.
#[derive(Clone, Deserialize, Tsify)]
#[serde(rename_all = "snake_case")]
pub struct SyncSettings {
    /// Where refs come from.
    pub source: RemoteSettings,
    /// Where refs go to.
    pub destination: RemoteSettings,
    /// Which refs take part. Default: all branches and tags.
    #[tsify(
        optional,
        type = "{ branches?: string | readonly string[] | undefined; tags?: string | readonly string[] | undefined }"
    )]
    pub ref_globs: Option<GlobLists>,
    /// Move diverged refs too. Their old commits are kept under `refs/refsync/backup/`. Default: off.
    #[serde(default)]
    #[tsify(optional)]
    pub force: bool,
    /// Delete refs that match the globs and that the source does not have, at most this many. Default: none.
    #[tsify(optional)]
    pub prune: Option<u32>,
    /// Move all refs or none: a rejected ref holds back all others. Default: off.
    #[serde(default)]
    #[tsify(optional)]
    pub atomic: bool,
    /// Globs of full ref names, such as `refs/heads/wip/*`. These refs are left out even if `ref_globs` matches them.
    #[serde(default)]
    #[tsify(optional, type = "string[]")]
    pub exclude: Vec<Glob>,
    /// Push options for the destination's hooks, as `git push --push-option` sends them. Default: none.
    #[serde(default)]
    #[tsify(optional)]
    pub push_options: Vec<String>,
    /// How long the whole sync may take, in milliseconds. Default: no limit.
    #[tsify(optional)]
    pub timeout: Option<f64>,
    /// How long a remote may be silent before the sync gives up, in milliseconds. Default: 120,000.
    #[tsify(optional)]
    pub stall_timeout: Option<f64>,
    /// The most bytes of a pack that are collected if the runtime cannot stream a request. Default: 256 MiB.
    #[tsify(optional)]
    pub collect_limit: Option<f64>,
    /// The fewest bytes that must come from a remote in `min_rate_time` of waiting. Default: 1,000. 0 allows any rate.
    #[tsify(optional)]
    pub min_rate_bytes: Option<f64>,
    /// The time for `min_rate`, in milliseconds. Default: 60,000.
    #[tsify(optional)]
    pub min_rate_time: Option<f64>,
    /// The most refs that a remote may list. Default: 1,000,000.
    #[tsify(optional)]
    pub max_refs: Option<f64>,
    /// The most commits that are read to prove that branches move forward. Default: 4,000,000.
    #[tsify(optional)]
    pub max_commits: Option<f64>,
    /// The most bytes of memory that the engine may have. Default: 2 GiB.
    #[tsify(optional)]
    pub max_memory: Option<f64>,
}

#[wasm_bindgen]
extern "C" {
    /// The functions that the engine calls for one side.
    pub type SideFunctions;

    /// The `fetch` for this side.
    #[wasm_bindgen(method, getter)]
    fn fetch(this: &SideFunctions) -> Function;

    /// The function that is asked for credentials.
    #[wasm_bindgen(method, getter)]
    fn credentials(this: &SideFunctions) -> Option<Function>;
}

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
    let selection = settings.ref_globs.clone().map(GlobLists::selection).transpose()?.unwrap_or_default();
    let request = Request { direction: Direction::Pull, selection };
    let source = remote(&settings.source, &settings, source, request_streams);
    let destination = remote(&settings.destination, &settings, destination, request_streams);
    let push_options = settings.push_options.clone();
    if push_options.iter().any(|option| option.contains(['\n', '\0']) || option.len() > MAX_PUSH_OPTION) {
        let refusal = "must be texts of at most 65000 bytes without line ends";
        return Err(Refusal::of_field(OPERATION, "push_options", refusal).into());
    }
    if let Some(at) = settings.exclude.iter().position(|glob| !sync::can_exclude(glob)) {
        let short = &settings.exclude[at];
        let refusal = format!(
            "matches no full ref name, and so would leave nothing out; write refs/heads/{short} for branches, refs/tags/{short} for tags"
        );
        return Err(Refusal::of_field(OPERATION, &format!("exclude[{at}]"), refusal).into());
    }
    let deadline = settings.timeout.filter(|ms| ms.is_finite() && *ms > 0.0);
    let policy = Policy {
        force: settings.force,
        prune: settings.prune,
        atomic: settings.atomic,
        exclude: settings.exclude.clone(),
    };
    let options = Options { observer: on_progress.map(observer).unwrap_or_default(), policy, push_options };
    Ok(promise(abortable(OPERATION, signal, async move {
        let plan = async {
            match plan_only {
                true => sync::plan(request, &destination, &source, &options).await,
                false => sync::run(request, &destination, &source, &options).await,
            }
        };
        Ok(columns(before(deadline, plan).await?.map_err(|error| into_js(&error))?).into())
    })))
}

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
        let (_, refs) = remote.list_refs(&[prefix.as_str().into()]).await.map_err(|error| into_js(&error))?;
        let is_asked_for = |r: &git::Ref| !whole || r.name == prefix.as_str();
        let shown = refs.into_iter().filter(is_asked_for).map(|git::Ref { name, id, symref_target, .. }| ShownRef {
            name: name.to_string(),
            id: id.to_string(),
            symref_target: symref_target.map(|target| target.to_string()),
        });
        let shown = serde_json::to_string(&shown.collect::<Vec<_>>()).expect("texts are JSON");
        Ok(shown.into())
    }))
}

/// A ref as JavaScript sees it.
#[derive(Serialize)]
struct ShownRef {
    name: String,
    id: String,
    symref_target: Option<String>,
}

/// The result of `work`, or an error if it takes longer than this many milliseconds.
async fn before<T>(deadline: Option<f64>, work: impl Future<Output = T>) -> Result<T, JsValue> {
    let Some(milliseconds) = deadline else { return Ok(work.await) };
    let timeout = timer(duration(milliseconds));
    pin_mut!(work);
    match select(work, timeout).await {
        Either::Left((output, _)) => Ok(output),
        Either::Right(_) => Err(into_js(&TookTooLong { seconds: milliseconds / 1000.0 })),
    }
}

/// The whole sync took longer than the caller allows.
#[derive(Debug, thiserror::Error)]
#[error(
    "sync: it took longer than the {seconds} s that it may take; what was pushed so far stays, and another sync goes on from there"
)]
struct TookTooLong {
    seconds: f64,
}

impl Throwable for TookTooLong {
    fn name(&self) -> &'static str {
        "SyncError"
    }
    fn code(&self) -> &str {
        "timeout"
    }
    fn is_transient(&self) -> bool {
        true
    }
}

fn remote(
    remote: &RemoteSettings,
    settings: &SyncSettings,
    functions: &SideFunctions,
    request_streams: bool,
) -> Remote {
    let mut http = FetchClient { request_streams, ..FetchClient::new(functions.fetch()) };
    if let Some(milliseconds) = settings.stall_timeout.filter(|ms| ms.is_finite() && *ms > 0.0) {
        http.stall_timeout = duration(milliseconds);
    }
    // Numbers saturate, which is fine for limits.
    if let Some(bytes) = settings.collect_limit.filter(|bytes| *bytes >= 0.0) {
        http.collect_limit = bytes as usize;
    }
    if let Some(bytes) = settings.max_memory.filter(|bytes| *bytes >= 0.0) {
        http.memory = MemoryLimit::new(bytes as usize);
    }
    connection(remote, http, functions).with_limits(limits(settings))
}

fn connection(remote: &RemoteSettings, http: FetchClient, functions: &SideFunctions) -> Remote {
    let mut target = Remote::new(&remote.url, Rc::new(http));
    if let Some(ask) = functions.credentials() {
        target = target.asking(move |challenge| credentials(ask.clone(), challenge).boxed_local());
    }
    with_credential(target, remote)
}

fn limits(settings: &SyncSettings) -> Limits {
    let mut limits = Limits::default();
    if let Some(refs) = settings.max_refs.filter(|refs| *refs >= 0.0) {
        limits.refs = refs as usize;
    }
    if let Some(commits) = settings.max_commits.filter(|commits| *commits >= 0.0) {
        limits.commits = commits as usize;
    }
    if let Some(bytes) = settings.min_rate_bytes {
        limits.min_rate.bytes = bytes as u64;
    }
    if let Some(time) = settings.min_rate_time {
        limits.min_rate.time = duration(time);
    }
    limits
}

/// This many milliseconds; no limit if the number is too large.
fn duration(milliseconds: f64) -> Duration {
    Duration::try_from_secs_f64(milliseconds / 1000.0).unwrap_or(Duration::MAX)
}

fn with_credential(target: Remote, RemoteSettings { username, password, .. }: &RemoteSettings) -> Remote {
    target.with_credentials(username.as_deref(), password.as_deref())
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

/// The operation's name in errors.
const OPERATION: &str = "sync";
/// The most bytes of a push option, so that it fits into a packet line.
const MAX_PUSH_OPTION: usize = 65_000;

/// Calls `report` with progress.
fn observer(report: Function) -> Observer {
    Observer::new(monotonic, move |progress: Progress| {
        // Errors of the observer are ignored: they must not break a push half-way.
        let _ = report.call1(&JsValue::UNDEFINED, &to_js(&progress));
    })
}

impl Throwable for sync::Error {
    fn name(&self) -> &'static str {
        "SyncError"
    }
    fn code(&self) -> &str {
        self.code()
    }
    fn is_transient(&self) -> bool {
        self.is_transient()
    }
    fn side(&self) -> Option<&'static str> {
        match self {
            Self::Source(_) => Some("source"),
            Self::Destination(_) => Some("destination"),
            Self::ObjectFormat { .. } | Self::TooManyDeletions { .. } => None,
        }
    }
}

impl Throwable for git::Error {
    fn name(&self) -> &'static str {
        "SyncError"
    }
    fn code(&self) -> &str {
        self.code()
    }
    fn is_transient(&self) -> bool {
        self.is_transient()
    }
}
