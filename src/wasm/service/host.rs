//! The JavaScript objects that the host passes to the service.

use std::time::Duration;

use futures_util::{FutureExt, future::LocalBoxFuture};
use js_sys::{Array, Function, Object, Promise};
use serde_json::Value;
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};

use crate::{
    service::{
        Database, DatabaseError, GitHost, Runtime,
        host::{Done, Look, Repair},
        record::Record,
    },
    wasm::{
        error::message::message,
        object::get,
        promise::settled,
        timer::{monotonic, timer},
    },
};

#[wasm_bindgen]
extern "C" {
    /// `Database` of the package's `host.ts`.
    pub(super) type JsDatabase;
    #[wasm_bindgen(method, structural, catch)]
    fn query(this: &JsDatabase, sql: &str, params: Array) -> Result<Promise, JsValue>;

    /// `GitHost` of the package's `host.ts`.
    #[derive(Clone)]
    pub(super) type JsGitHost;
    #[wasm_bindgen(method, structural, catch)]
    fn create(this: &JsGitHost, repo_id: &str, default_branch: &str) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, structural, catch)]
    fn remove(this: &JsGitHost, repo_id: &str) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, structural, catch, js_name = setHead)]
    fn set_head(this: &JsGitHost, repo_id: &str, branch: &str) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, structural, catch)]
    fn damage(this: &JsGitHost, repo_id: &str, look: &str) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, structural, catch)]
    fn repair(this: &JsGitHost, repo_id: &str, default_branch: &str) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, structural, catch, js_name = hasCommit)]
    fn has_commit(this: &JsGitHost, repo_id: &str, commit_id: &str, ref_name: Option<&str>)
    -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, structural, catch)]
    pub(super) fn fetch(this: &JsGitHost, request: &web_sys::Request) -> Result<Promise, JsValue>;

    #[wasm_bindgen(js_namespace = console, js_name = error)]
    fn console_error(line: &str);
}

/// The host's database.
pub(super) struct HostDatabase(pub(super) JsDatabase);

impl Database for HostDatabase {
    fn query<'a>(
        &'a self,
        sql: &'a str,
        params: Vec<String>,
    ) -> LocalBoxFuture<'a, Result<Vec<String>, DatabaseError>> {
        async move {
            let params = params.into_iter().map(JsValue::from).collect::<Array>();
            let result = settled(self.0.query(sql, params)).await.map_err(|error| database_error(&error))?;
            let rows = get(&result, "rows");
            let rows = rows.dyn_into::<Array>().unwrap_or_default();
            rows.iter().map(|row| only_column(&row)).collect()
        }
        .boxed_local()
    }
}

/// A row's only column, as JSON text.
fn only_column(row: &JsValue) -> Result<String, DatabaseError> {
    let value: JsValue = Object::values(row.unchecked_ref::<Object>()).get(0);
    value.as_string().ok_or_else(|| DatabaseError {
        code: None,
        message: "a row's only column must be text; is a type parser or rowMode set on the database?".into(),
    })
}

fn database_error(error: &JsValue) -> DatabaseError {
    let code = get(error, "code").as_string();
    DatabaseError { code, message: message(error) }
}

/// The host's repositories.
pub(super) struct HostGit(pub(super) JsGitHost);

/// Awaits a promise of the host, and describes its failure.
async fn done(started: Result<Promise, JsValue>) -> Result<(), String> {
    settled(started).await.map(|_| ()).map_err(|error| message(&error))
}

impl GitHost for HostGit {
    fn create<'a>(&'a self, repo_id: &'a str, default_branch: &'a str) -> Done<'a, ()> {
        done(self.0.create(repo_id, default_branch)).boxed_local()
    }

    fn remove<'a>(&'a self, repo_id: &'a str) -> Done<'a, ()> {
        done(self.0.remove(repo_id)).boxed_local()
    }

    fn set_head<'a>(&'a self, repo_id: &'a str, branch: &'a str) -> Done<'a, ()> {
        done(self.0.set_head(repo_id, branch)).boxed_local()
    }

    fn damage<'a>(&'a self, repo_id: &'a str, look: Look) -> Done<'a, Option<String>> {
        async move {
            if !self.has("damage") {
                return Ok(None);
            }
            let look = match look {
                Look::Files => "files",
                Look::RefsIfFew => "refs-if-few",
                Look::Refs => "refs",
            };
            let found = settled(self.0.damage(repo_id, look)).await.map_err(|error| message(&error))?;
            Ok(found.as_string())
        }
        .boxed_local()
    }

    fn repair<'a>(&'a self, repo_id: &'a str, default_branch: &'a str) -> Done<'a, Option<Repair>> {
        async move {
            if !self.has("repair") {
                return Ok(None);
            }
            let done = settled(self.0.repair(repo_id, default_branch)).await.map_err(|error| message(&error))?;
            if !done.is_object() {
                return Ok(None);
            }
            let field = |name: &str| get(&done, name);
            let lost = field("lost").dyn_into::<Array>().unwrap_or_default();
            Ok(Some(Repair {
                reason: field("reason").as_string().unwrap_or_default(),
                lost: lost.iter().filter_map(|name| name.as_string()).collect(),
                kept: field("kept").as_string(),
            }))
        }
        .boxed_local()
    }

    fn has_commit<'a>(
        &'a self,
        repo_id: &'a str,
        commit_id: &'a str,
        ref_name: Option<&'a str>,
    ) -> Done<'a, Option<bool>> {
        async move {
            if !self.has("hasCommit") {
                return Ok(None);
            }
            let found =
                settled(self.0.has_commit(repo_id, commit_id, ref_name)).await.map_err(|error| message(&error))?;
            Ok(Some(found == true))
        }
        .boxed_local()
    }
}

impl HostGit {
    /// Whether the host has this optional method.
    fn has(&self, method: &str) -> bool {
        get(&self.0, method).is_function()
    }
}

/// The host's clock and log, from `ServiceOptions`.
pub(super) struct HostRuntime {
    pub(super) log: Option<Function>,
    pub(super) record: Option<Function>,
    pub(super) next_tick: Function,
    pub(super) hook_refs: Function,
    /// `(format: string, json: string) => string`.
    pub(super) render: Function,
    pub(super) on_queued: Option<Function>,
    /// `() => Promise<string>`.
    pub(super) openapi: Function,
}

impl Runtime for HostRuntime {
    fn sleep(&self, duration: Duration) -> LocalBoxFuture<'_, ()> {
        timer(duration).boxed_local()
    }

    fn now(&self) -> Duration {
        Duration::from_secs_f64((monotonic() / 1000.0).max(0.0))
    }

    fn next_tick(&self, cron: &str, time_zone: &str, after: i64) -> Result<Option<i64>, String> {
        let next = self.next_tick.call3(&JsValue::UNDEFINED, &cron.into(), &time_zone.into(), &(after as f64).into());
        Ok(next.map_err(|error| message(&error))?.as_f64().map(|next| next as i64))
    }

    fn web_origin(&self, url: &str) -> Option<String> {
        web_sys::Url::new(url).ok().map(|url| url.origin())
    }

    fn openapi(&self) -> Done<'_, String> {
        async {
            let document = settled(self.openapi.call0(&JsValue::UNDEFINED).map(JsCast::unchecked_into)).await;
            Ok(document.map_err(|error| message(&error))?.as_string().unwrap_or_default())
        }
        .boxed_local()
    }

    fn hook_refs(&self, event: &str, content_type: &str, body: &str) -> Value {
        let told = self.hook_refs.call3(&JsValue::UNDEFINED, &event.into(), &content_type.into(), &body.into());
        let told = told.ok().and_then(|told| told.as_string()).unwrap_or_default();
        serde_json::from_slice(told.as_bytes()).unwrap_or_default()
    }

    fn render(&self, format: &str, json: &str) -> String {
        let text = self.render.call2(&JsValue::UNDEFINED, &format.into(), &json.into());
        text.ok().and_then(|text| text.as_string()).unwrap_or_default()
    }

    // A log function that throws must not fail the operation that it logs.
    fn log(&self, line: &str) {
        if let Some(log) = &self.log {
            drop(log.call1(&JsValue::UNDEFINED, &line.into()));
        }
        match &self.record {
            Some(_) => self.record(&Record::Trouble { message: line.to_owned() }),
            None if self.log.is_none() => console_error(&format!("refsync: {line}")),
            None => {}
        }
    }

    fn record(&self, record: &Record) {
        let Some(function) = &self.record else { return };
        let json = serde_json::to_string(record).expect("a record is JSON");
        if let Ok(object) = js_sys::JSON::parse(&json) {
            drop(function.call1(&JsValue::UNDEFINED, &object));
        }
    }

    fn queued(&self) {
        if let Some(on_queued) = &self.on_queued
            && let Err(error) = on_queued.call0(&JsValue::UNDEFINED)
        {
            self.log(&format!("onQueued: {}", message(&error)));
        }
    }
}
