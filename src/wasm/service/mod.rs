//! The service as a JavaScript class; what it is made with is in `host`.
//!
//! A Git request is authorised here and handed on to the host as it is: its bytes never enter the wasm memory.

mod crypto;
mod engine;
mod exchange;
mod host;

use std::rc::Rc;

use js_sys::{Array, Function, Object, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};
use wasm_bindgen_futures::JsFuture;

use self::{
    crypto::HostCrypto,
    engine::HostEngine,
    exchange::{from_web_headers, from_web_request, into_web_response},
    host::{HostDatabase, HostGit, HostRuntime, JsGitHost},
};
use crate::{
    http::Method,
    service::{Limits, Options, Scope, Service, rate_limit::RateLimit, record::method_name},
    wasm::http::FetchClient,
};

/// The REST API, the Git access and the worker over a host's database and repositories.
#[wasm_bindgen(js_name = Service)]
pub struct JsService {
    service: Rc<Service>,
    git: JsGitHost,
}

#[wasm_bindgen(js_class = Service)]
impl JsService {
    /// Takes the package's `ServiceOptions`, `nextTick`, `crypto` and `engine`; fails where one is missing or of another kind.
    #[wasm_bindgen(constructor)]
    pub fn new(options: &Object) -> Result<Self, js_sys::Error> {
        let object = |name: &str| {
            let value = Reflect::get(options, &name.into()).unwrap_or(JsValue::UNDEFINED);
            if value.is_object() { Ok(value) } else { Err(type_error(&format!("Service: {name} must be an object"))) }
        };
        let function =
            |name: &str| Reflect::get(options, &name.into()).ok().and_then(|value| value.dyn_into::<Function>().ok());
        let flag = |name: &str| Reflect::get(options, &name.into()).is_ok_and(|value| value == true);
        let others =
            Reflect::get(options, &"previousSecretKeys".into()).ok().and_then(|keys| keys.dyn_into::<Array>().ok());
        let others = others.iter().flat_map(Array::iter).map(|key| key_bytes(key, "each of previousSecretKeys"));
        let git = object("git")?.unchecked_into::<JsGitHost>();
        let fetch = function("fetch").ok_or_else(|| type_error("Service: fetch must be a function"))?;
        let service = Service::new(Options {
            database: Rc::new(HostDatabase(object("database")?.unchecked_into())),
            git: Rc::new(HostGit(git.clone())),
            crypto: Rc::new(HostCrypto(object("crypto")?.unchecked_into())),
            engine: Rc::new(HostEngine(object("engine")?.unchecked_into())),
            webhook_http: Rc::new(FetchClient::new(fetch)),
            allowed_origins: Reflect::get(options, &"allowedOrigins".into())
                .ok()
                .and_then(|origins| origins.dyn_into::<Array>().ok())
                .map(|origins| origins.iter().filter_map(|origin| origin.as_string()).collect())
                .unwrap_or_default(),
            rate_limit: rate_limit(options)?,
            metrics: flag("metrics"),
            public_url: public_url(Reflect::get(options, &"publicUrl".into()).unwrap_or(JsValue::UNDEFINED)),
            limits: Limits {
                runs: limit(options, "maxRuns")?,
                runs_per_organization: limit(options, "maxRunsPerOrganization")?,
                only_origins: Reflect::get(options, &"onlyOrigins".into()).is_ok_and(|only| only == true),
            },
            secret_key: key_bytes(object("secretKey")?, "secretKey")?,
            other_secret_keys: others.collect::<Result<_, _>>()?,
            accept_lost_key: flag("acceptLostKey"),
            runtime: Rc::new(HostRuntime {
                log: function("log"),
                record: function("record"),
                on_queued: function("onQueued"),
                next_tick: function("nextTick").ok_or_else(|| type_error("Service: nextTick must be a function"))?,
            }),
        });
        Ok(Self { service: Rc::new(service), git })
    }

    /// Brings the database's schema up to date.
    pub async fn migrate(&self) -> Result<(), js_sys::Error> {
        self.service.migrate().await.map_err(|error| failure(&error))
    }

    /// Takes up what a killed process left.
    pub async fn adopt(&self) -> Result<(), js_sys::Error> {
        self.service.adopt().await.map_err(|error| failure(&error))
    }

    /// Brings the schema up to this version only.
    #[wasm_bindgen(js_name = migrateTo)]
    pub async fn migrate_to(&self, version: u32) -> Result<(), js_sys::Error> {
        self.service.migrate_to(version).await.map_err(|error| failure(&error))
    }

    /// Makes an organisation where it is missing.
    #[wasm_bindgen(js_name = ensureOrganization)]
    pub async fn ensure_organization(&self, slug: String, name: Option<String>) -> Result<(), js_sys::Error> {
        self.service.ensure_organization(&slug, name.as_deref()).await.map_err(|error| failure(&error))
    }

    /// Makes an API key and gives it, for the only time.
    #[wasm_bindgen(js_name = createApiKey)]
    pub async fn create_api_key(
        &self,
        org: String,
        scope: String,
        name: Option<String>,
    ) -> Result<String, js_sys::Error> {
        let scope = Scope::ALL.into_iter().find(|known| known.as_str() == scope);
        let scope = scope.ok_or_else(|| type_error("createApiKey: the scope must be read, write or admin"))?;
        self.service.create_api_key(&org, scope, name.as_deref()).await.map_err(|error| failure(&error))
    }

    /// Makes a private key that signs access tokens and gives it, for the only time.
    #[wasm_bindgen(js_name = createPrivateKey)]
    pub async fn create_private_key(&self, org: String, name: Option<String>) -> Result<String, js_sys::Error> {
        self.service.create_private_key(&org, name.as_deref()).await.map_err(|error| failure(&error))
    }

    /// Registers the public key of somebody's private key.
    #[wasm_bindgen(js_name = registerPublicKey)]
    pub async fn register_public_key(&self, org: String, x: String, name: Option<String>) -> Result<(), js_sys::Error> {
        self.service.register_public_key(&org, &x, name.as_deref()).await.map_err(|error| failure(&error))
    }

    /// Answers a request of the REST API or of Git's smart HTTP.
    pub async fn fetch(&self, request: web_sys::Request) -> Result<web_sys::Response, JsValue> {
        let url = request.url();
        let (path, _) = crate::service::page::split_url(&url);
        if !path.starts_with("/v1/") && path.contains(".git/") {
            return self.fetch_git(&request).await;
        }
        let response = match from_web_request(&request) {
            Ok(request) => self.service.handle(request).await,
            Err(error) => crate::service::Error::NotFound(error.message).response(""),
        };
        into_web_response(response)
    }

    async fn fetch_git(&self, request: &web_sys::Request) -> Result<web_sys::Response, JsValue> {
        let headers = from_web_headers(&request.headers());
        let exchange = self.service.begin(method_name(&request.method()), &request.url(), &headers);
        // Any method but the two of Git's protocol is refused in there.
        let method = Method::parse(&request.method()).unwrap_or(Method::Options);
        let allowed = match self.service.authorize_git(&exchange, method, &request.url(), &headers).await {
            Ok(allowed) => allowed,
            Err((refusal, cause)) => {
                self.service.end(exchange, refusal.status, cause);
                return into_web_response(refusal);
            }
        };
        let answered = self.ask_git(&redirected(request, &allowed.url)?).await;
        let cause = answered.as_ref().err().map(message);
        self.service.end(exchange, answered.as_ref().map_or(500, web_sys::Response::status), cause);
        answered
    }

    async fn ask_git(&self, request: &web_sys::Request) -> Result<web_sys::Response, JsValue> {
        let response = JsFuture::from(self.git.fetch(request)?).await?;
        response.dyn_into().map_err(|_| type_error("git.fetch must give a Response").into())
    }

    /// Claims one run, calls `on_claimed`, and works the run to its end; false where nothing was ready.
    pub async fn tick(&self, on_claimed: Option<Function>) -> Result<bool, js_sys::Error> {
        let tell = || {
            // Whoever only wants to know of the claim must not be able to end the run.
            if let Some(on_claimed) = on_claimed {
                drop(on_claimed.call0(&JsValue::UNDEFINED));
            }
        };
        self.service.tick(tell).await.map_err(|error| failure(&error))
    }

    /// Hands back the runs in progress, and claims nothing more.
    pub fn stop(&self) {
        self.service.stop();
    }

    /// Claims one webhook delivery that is due and sends it; false where none was.
    pub async fn deliver(&self) -> Result<bool, js_sys::Error> {
        self.service.deliver().await.map_err(|error| failure(&error))
    }
}

/// A secret key's bytes.
fn key_bytes(key: JsValue, name: &str) -> Result<[u8; 32], js_sys::Error> {
    let bytes = key.dyn_into::<Uint8Array>().ok().and_then(|key| <[u8; 32]>::try_from(key.to_vec()).ok());
    bytes.ok_or_else(|| type_error(&format!("Service: {name} must be a Uint8Array of 32 bytes")))
}

/// The option `publicUrl`, a text or a function that gives it once it is known.
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
    let given = Reflect::get(options, &"rateLimit".into()).unwrap_or(JsValue::UNDEFINED);
    if given.is_undefined() {
        return Ok(RateLimit::default());
    }
    let number = |name: &str| Reflect::get(&given, &name.into()).ok().and_then(|value| value.as_f64());
    match (number("perSecond"), number("burst")) {
        (Some(per_second), Some(burst)) if per_second > 0.0 && burst >= 1.0 => Ok(RateLimit { per_second, burst }),
        _ => Err(type_error("Service: rateLimit must be { perSecond, burst }, above 0 and at least 1")),
    }
}

/// A limit, which is a whole number above 0, or none.
fn limit(options: &Object, name: &str) -> Result<Option<u32>, js_sys::Error> {
    let given = Reflect::get(options, &name.into()).unwrap_or(JsValue::UNDEFINED);
    match given.as_f64() {
        None if given.is_undefined() => Ok(None),
        Some(number) if (1.0..=MAX_LIMIT).contains(&number) && number.fract() == 0.0 => Ok(Some(number as u32)),
        _ => Err(type_error(&format!("Service: {name} must be a whole number from 1 to {MAX_LIMIT}"))),
    }
}

/// More runs than this at the same time are no limit.
const MAX_LIMIT: f64 = 10_000.0;

/// The same request to another URL, without its credential; its body goes on as the stream that it is.
fn redirected(request: &web_sys::Request, url: &str) -> Result<web_sys::Request, JsValue> {
    let headers = web_sys::Headers::new_with_headers(&request.headers())?;
    headers.delete("authorization")?;
    let init = web_sys::RequestInit::new();
    init.set_method(&request.method());
    init.set_headers(&headers);
    init.set_signal(Some(&request.signal()));
    if let Some(body) = request.body() {
        init.set_body(&body);
        Reflect::set(&init, &"duplex".into(), &"half".into())?;
    }
    web_sys::Request::new_with_str_and_init(url, &init)
}

fn message(error: &JsValue) -> String {
    let message = Reflect::get(error, &"message".into()).ok().and_then(|message| message.as_string());
    message.or_else(|| error.as_string()).unwrap_or_else(|| "it failed without a message".into())
}

/// An error with the `code` of the API, for callers of the class itself.
fn failure(error: &crate::service::Error) -> js_sys::Error {
    let thrown = js_sys::Error::new(&error.to_string());
    // A plain property of a fresh object can always be set.
    let _ = Reflect::set(&thrown, &"code".into(), &error.code().into());
    thrown
}

fn type_error(message: &str) -> js_sys::Error {
    js_sys::TypeError::new(message).unchecked_into()
}
