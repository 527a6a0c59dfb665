//! The service as a JavaScript class. The objects that it needs are in `host`.
//!
//! A Git request is authorised here and passed to the host unchanged: its bytes never enter the wasm memory.

mod crypto;
mod engine;
mod exchange;
mod host;

use std::{rc::Rc, time::Duration};

use js_sys::{Array, Function, Object, Promise, Uint8Array};
use wasm_bindgen::{JsCast, JsValue, closure::Closure, prelude::wasm_bindgen};

use self::{
    crypto::HostCrypto,
    engine::HostEngine,
    exchange::{from_web_headers, from_web_request, into_web_response},
    host::{HostDatabase, HostGit, HostRuntime, JsGitHost},
};
use crate::{
    http::Method,
    service::{
        Error, Limits, Options, Scope, Service,
        handlers::{keys, operator, page_sessions},
        host::RateLimit,
        hosting::push,
        http::{
            exchange::{Exchange, method_name},
            page::split_url,
        },
        queue,
        store::migrate::migrate_to,
    },
    wasm::{
        error::message::message,
        fetch::buffered::AnswerClient,
        object::{get, set},
        promise::{promise, settled},
    },
};

/// The REST API, the Git access and the worker over a host's database and repositories.
#[wasm_bindgen(js_name = Service)]
pub struct JsService {
    service: Rc<Service>,
    git: JsGitHost,
    /// `watchedPush` of the package's `pushes.ts`.
    watched_push: Function,
}

#[wasm_bindgen(js_class = Service)]
impl JsService {
    /// Takes the package's `ServiceOptions`, and the functions and objects that the package adds to them. Fails if one is missing or has a
    /// wrong type.
    #[wasm_bindgen(constructor)]
    pub fn new(options: &Object) -> Result<Self, js_sys::Error> {
        let others = get(options, "previousSecretKeys").dyn_into::<Array>().unwrap_or_default();
        let others = others.iter().map(|key| key_bytes(key, "each of previousSecretKeys"));
        let origins = get(options, "allowedOrigins").dyn_into::<Array>().unwrap_or_default();
        let git = object(options, "git")?.unchecked_into::<JsGitHost>();
        let service = Service::new(Options {
            database: Rc::new(HostDatabase(object(options, "database")?.unchecked_into())),
            git: Rc::new(HostGit(git.clone())),
            crypto: Rc::new(HostCrypto(object(options, "crypto")?.unchecked_into())),
            engine: Rc::new(HostEngine(object(options, "engine")?.unchecked_into())),
            webhook_http: Rc::new(AnswerClient(function(options, "fetch")?)),
            allowed_origins: origins.iter().filter_map(|origin| origin.as_string()).collect(),
            rate_limit: rate_limit(options)?,
            metrics: get(options, "metrics") == true,
            public_url: public_url(get(options, "publicUrl")),
            limits: Limits {
                runs: limit(options, "maxRuns")?,
                runs_per_organization: limit(options, "maxRunsPerOrganization")?,
                only_origins: get(options, "onlyOrigins") == true,
            },
            run_timeout: run_timeout(options)?,
            secret_key: key_bytes(object(options, "secretKey")?, "secretKey")?,
            other_secret_keys: others.collect::<Result<_, _>>()?,
            accept_lost_key: get(options, "acceptLostKey") == true,
            runtime: Rc::new(HostRuntime {
                log: function(options, "log").ok(),
                record: function(options, "record").ok(),
                on_queued: function(options, "onQueued").ok(),
                openapi: function(options, "openapi")?,
                next_tick: function(options, "nextTick")?,
                hook_refs: function(options, "hookRefs")?,
                render: function(options, "render")?,
            }),
        });
        Ok(Self { service: Rc::new(service), git, watched_push: function(options, "watchedPush")? })
    }

    /// Brings the database's schema up to date.
    #[wasm_bindgen(unchecked_return_type = "Promise<void>")]
    pub fn migrate(&self) -> Promise {
        self.call(async |service| service.migrate().await.map(nothing))
    }

    /// Takes over the runs that a killed process left in progress, without waiting for their leases.
    #[wasm_bindgen(unchecked_return_type = "Promise<void>")]
    pub fn adopt(&self) -> Promise {
        self.call(async |service| Ok(queue::adopt(service.host.database()).await.map(nothing)?))
    }

    /// Brings the schema up to this version only.
    #[wasm_bindgen(js_name = migrateTo, unchecked_return_type = "Promise<void>")]
    pub fn migrate_to(&self, version: u32) -> Promise {
        self.call(async move |service| Ok(migrate_to(service.host.database(), version).await.map(nothing)?))
    }

    /// Makes an organisation if it does not exist.
    #[wasm_bindgen(js_name = ensureOrganization, unchecked_return_type = "Promise<void>")]
    pub fn ensure_organization(&self, slug: String, name: Option<String>) -> Promise {
        self.call(async move |service| {
            operator::ensure_organization(&service.host, &slug, name.as_deref()).await.map(nothing)
        })
    }

    /// Makes an API key and returns it. It cannot be shown again.
    ///
    /// # Errors
    ///
    /// If the scope is unknown.
    #[wasm_bindgen(js_name = createApiKey, unchecked_return_type = "Promise<string>")]
    pub fn create_api_key(&self, org: String, scope: String, name: Option<String>) -> Result<Promise, js_sys::Error> {
        let scope =
            Scope::parse(&scope).ok_or_else(|| type_error("createApiKey: the scope must be read, write or admin"))?;
        Ok(self.call(async move |service| {
            Ok(keys::make_api_key(&service.host, &org, scope, name.as_deref()).await?.into())
        }))
    }

    /// Makes a sign-in code for the page's address.
    #[wasm_bindgen(js_name = createPageCode, unchecked_return_type = "Promise<string>")]
    pub fn create_page_code(&self, org: String) -> Promise {
        self.call(async move |service| Ok(page_sessions::create_code(&service.host, &org).await?.into()))
    }

    /// Makes a private key that signs access tokens, and returns it. It cannot be shown again.
    #[wasm_bindgen(js_name = createPrivateKey, unchecked_return_type = "Promise<string>")]
    pub fn create_private_key(&self, org: String, name: Option<String>) -> Promise {
        self.call(async move |service| Ok(keys::make_private_key(&service.host, &org, name.as_deref()).await?.into()))
    }

    /// Registers the public key of a private key that somebody else keeps.
    #[wasm_bindgen(js_name = registerPublicKey, unchecked_return_type = "Promise<void>")]
    pub fn register_public_key(&self, org: String, x: String, name: Option<String>) -> Promise {
        self.call(async move |service| {
            keys::register_public_key(&service.host, &org, &x, name.as_deref()).await.map(nothing)
        })
    }

    /// Answers a request of the REST API or of Git's smart HTTP.
    #[wasm_bindgen(unchecked_return_type = "Promise<Response>")]
    pub fn fetch(&self, request: web_sys::Request) -> Promise {
        let (service, git, watched_push) = (self.service.clone(), self.git.clone(), self.watched_push.clone());
        promise(async move {
            let url = request.url();
            let (path, _) = split_url(&url);
            if !path.starts_with("/v1/") && path.contains(".git/") {
                return Ok(fetch_git(&service, &git, &watched_push, &request).await?.into());
            }
            answer(&service, &request, false).await
        })
    }

    /// Answers a request of the operator, which needs no credential.
    #[wasm_bindgen(js_name = operatorFetch, unchecked_return_type = "Promise<Response>")]
    pub fn operator_fetch(&self, request: web_sys::Request) -> Promise {
        let service = self.service.clone();
        promise(async move { answer(&service, &request, true).await })
    }

    /// Claims one run, calls `on_claimed`, and works the run to its end; false if nothing was ready. `is_last_lane`: takes no run
    /// if its upstream's host or, among several organisations, its organisation has a run in progress.
    #[wasm_bindgen(unchecked_return_type = "Promise<boolean>")]
    pub fn tick(&self, on_claimed: Option<Function>, is_last_lane: bool) -> Promise {
        self.call(async move |service| Ok(service.worker.tick(told(on_claimed), is_last_lane).await?.into()))
    }

    /// Hands back the runs in progress, and claims no more work.
    pub fn stop(&self) {
        self.service.stop();
    }

    /// Claims one due webhook delivery, calls `on_claimed`, and sends it; false if none was due.
    #[wasm_bindgen(unchecked_return_type = "Promise<boolean>")]
    pub fn deliver(&self, on_claimed: Option<Function>) -> Promise {
        self.call(async move |service| Ok(service.deliver(told(on_claimed)).await?.into()))
    }
}

impl JsService {
    fn call(&self, call: impl AsyncFnOnce(&Service) -> Result<JsValue, Error> + 'static) -> Promise {
        let service = self.service.clone();
        promise(async move { call(&service).await.map_err(|error| failure(&error).into()) })
    }
}

/// Calls a function that is only informed of a claim. Its errors do not end the claimed work.
fn told(on_claimed: Option<Function>) -> impl FnOnce() {
    move || {
        if let Some(on_claimed) = on_claimed {
            drop(on_claimed.call0(&JsValue::UNDEFINED));
        }
    }
}

fn nothing(_: ()) -> JsValue {
    JsValue::UNDEFINED
}

async fn answer(service: &Service, request: &web_sys::Request, is_operator: bool) -> Result<JsValue, JsValue> {
    let response = match from_web_request(request) {
        Ok(request) => service.api.answer(request, is_operator).await,
        Err(error) => Error::NotFound(error.message).response(""),
    };
    Ok(into_web_response(response)?.into())
}

async fn fetch_git(
    service: &Rc<Service>,
    git: &JsGitHost,
    watched_push: &Function,
    request: &web_sys::Request,
) -> Result<web_sys::Response, JsValue> {
    let headers = from_web_headers(&request.headers());
    let exchange = Exchange::begin(&service.host, method_name(&request.method()), &request.url(), &headers);
    // An unknown method becomes `OPTIONS`, which `authorize_git` refuses.
    let method = Method::parse(&request.method()).unwrap_or(Method::Options);
    let allowed = match service.api.authorize_git(&exchange, method, &request.url(), &headers).await {
        Ok(allowed) => allowed,
        Err((refusal, cause)) => {
            exchange.end(&service.host, refusal.status, cause);
            return into_web_response(refusal);
        }
    };
    let request = redirected(request, &allowed.url)?;
    let answered = match allowed.pushed {
        Some(repo_id) => {
            let service = service.clone();
            let on_pushed = Closure::once_into_js(move |updates: String| {
                promise(async move {
                    push::note(&service.host, &repo_id, &updates).await;
                    Ok(JsValue::UNDEFINED)
                })
            });
            let started = watched_push.call3(&JsValue::UNDEFINED, git, &request, &on_pushed);
            settled(started.map(JsCast::unchecked_into)).await
        }
        None => settled(git.fetch(&request)).await,
    };
    let answered = answered
        .and_then(|answer| answer.dyn_into().map_err(|_| type_error("git.fetch must return a Response").into()));
    let cause = answered.as_ref().err().map(message);
    exchange.end(&service.host, answered.as_ref().map_or(500, web_sys::Response::status), cause);
    answered
}

fn object(options: &Object, name: &str) -> Result<JsValue, js_sys::Error> {
    let value = get(options, name);
    if value.is_object() { Ok(value) } else { Err(type_error(&format!("Service: {name} must be an object"))) }
}

fn function(options: &Object, name: &str) -> Result<Function, js_sys::Error> {
    get(options, name).dyn_into().map_err(|_| type_error(&format!("Service: {name} must be a function")))
}

/// A secret key's bytes.
fn key_bytes(key: JsValue, name: &str) -> Result<[u8; 32], js_sys::Error> {
    let bytes = key.dyn_into::<Uint8Array>().ok().and_then(|key| <[u8; 32]>::try_from(key.to_vec()).ok());
    bytes.ok_or_else(|| type_error(&format!("Service: {name} must be a Uint8Array of 32 bytes")))
}

/// The option `publicUrl`: a text, or a function that returns it when it is known.
fn public_url(given: JsValue) -> Box<dyn Fn() -> String> {
    match given.dyn_into::<Function>() {
        Ok(function) => Box::new(move || {
            function.call0(&JsValue::UNDEFINED).ok().and_then(|url| url.as_string()).unwrap_or_default()
        }),
        Err(text) => {
            let text = text.as_string().unwrap_or_default();
            Box::new(move || text.clone())
        }
    }
}

/// The option `rateLimit`, `{ perSecond, burst }`.
fn rate_limit(options: &Object) -> Result<RateLimit, js_sys::Error> {
    let given = get(options, "rateLimit");
    if given.is_undefined() {
        return Ok(RateLimit::default());
    }
    let number = |name: &str| get(&given, name).as_f64();
    match (number("perSecond"), number("burst")) {
        (Some(per_second), Some(burst)) if per_second > 0.0 && burst >= 1.0 => Ok(RateLimit { per_second, burst }),
        _ => Err(type_error("Service: rateLimit must be { perSecond, burst }, above 0 and at least 1")),
    }
}

/// A limit, which is a whole number above 0; `None` if left out.
fn limit(options: &Object, name: &str) -> Result<Option<u32>, js_sys::Error> {
    let given = get(options, name);
    match given.as_f64() {
        None if given.is_undefined() => Ok(None),
        Some(number) if (1.0..=MAX_LIMIT).contains(&number) && number.fract() == 0.0 => Ok(Some(number as u32)),
        _ => Err(type_error(&format!("Service: {name} must be a whole number from 1 to {MAX_LIMIT}"))),
    }
}

/// How long one attempt of a run may take. Default: an hour.
fn run_timeout(options: &Object) -> Result<Duration, js_sys::Error> {
    let given = get(options, "runTimeout");
    match given.as_f64() {
        None if given.is_undefined() => Ok(Duration::from_secs(3600)),
        Some(milliseconds) if milliseconds > 0.0 => {
            Ok(Duration::from_secs_f64((milliseconds / 1000.0).min(MAX_TIMEOUT)))
        }
        _ => Err(type_error("Service: runTimeout must be milliseconds, above 0")),
    }
}

/// The longest run timeout in seconds: a year.
const MAX_TIMEOUT: f64 = 365.0 * 86_400.0;
/// The largest limit. More runs than this never work at the same time.
const MAX_LIMIT: f64 = 10_000.0;

/// The same request to another URL, without its credential. Its body stays a stream.
fn redirected(request: &web_sys::Request, url: &str) -> Result<web_sys::Request, JsValue> {
    let headers = web_sys::Headers::new_with_headers(&request.headers())?;
    headers.delete("authorization")?;
    let init = web_sys::RequestInit::new();
    init.set_method(&request.method());
    init.set_headers(&headers);
    init.set_signal(Some(&request.signal()));
    if let Some(body) = request.body() {
        init.set_body(&body);
        set(&init, "duplex", &"half".into());
    }
    web_sys::Request::new_with_str_and_init(url, &init)
}

/// An error with the `code` of the API, for callers of the class itself.
fn failure(error: &Error) -> js_sys::Error {
    let thrown = js_sys::Error::new(&error.to_string());
    set(&thrown, "code", &error.code().into());
    thrown
}

fn type_error(message: &str) -> js_sys::Error {
    js_sys::TypeError::new(message).unchecked_into()
}
