//! Tests the bindings in a browser: the values and errors that cross the boundary between JavaScript and Rust.
//!
//! `wasm-pack test --headless --chrome --chromedriver /usr/bin/chromedriver -- --test web`

#![cfg(target_arch = "wasm32")]

mod page;

use js_sys::{JSON, Reflect};
use page::{Page, client, error_of, js, settings, settled, text};
use refsync::wasm::client::Client;
use tsify::Ts;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

/// A run in the form of the contract, with every null explicit.
const RUN: &str = r#"{"id":"s1","repo_id":"r1","direction":"pull","status":"queued","attempt":1,"ref_globs":{"branches":"release/*","tags":""},"stats":null,"error":null,"created_at":"2026-11-23T01:00:00Z","started_at":null,"finished_at":null}"#;

const DONE: &str = r#"{"id":"s1","repo_id":"r1","direction":"pull","status":"completed","attempt":2,"ref_globs":{"branches":"release/*","tags":""},"stats":{"refs":[{"name":"refs/heads/main","before":null,"after":"0123456789012345678901234567890123456789","outcome":"rejected","reason":"non_fast_forward","message":null},{"name":"refs/tags/v1","before":null,"after":"0123456789012345678901234567890123456789","outcome":"filtered","reason":"a_word_of_tomorrow","message":"no"}]},"error":null,"created_at":"2026-11-23T01:00:00Z","started_at":"2026-11-23T01:00:01Z","finished_at":"2026-11-23T01:00:02Z"}"#;

const REPO: &str = r#"{"id":"r1","org":"acme","name":"app","default_bookmark":"main","head_change_id":"zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz","upstream":null,"created_at":"2026-11-23T01:00:00Z","tags":{"team":"core"}}"#;

#[wasm_bindgen_test]
async fn a_run_keeps_its_nulls_and_its_words_on_the_way_through() {
    for json in [RUN, DONE] {
        let page = Page::answering(200, json);
        let request = js(r#"{"repo":"app","sync_id":"s1"}"#);
        let run = settled(client(&page).call("showSync", &request, None, None)).await.expect("it is a SyncRun");
        assert_eq!(String::from(JSON::stringify(&run).expect("it is plain data")), json);
    }
}

#[wasm_bindgen_test]
async fn labels_are_a_plain_object() {
    let page = Page::answering(200, REPO);
    let repo = settled(client(&page).call("showRepo", &js(r#"{"repo":"app"}"#), None, None)).await;
    let repo = repo.expect("it is a Repo");
    assert_eq!(text(&Reflect::get(&repo, &"tags".into()).expect("it is an object"), "team"), "core");
}

#[wasm_bindgen_test]
async fn globs_are_normalised_as_the_contract_says() {
    for (globs, sent) in [
        ("", r#"{"branches":"*","tags":"*"}"#),
        (r#","ref_globs":{"branches":"main"}"#, r#"{"branches":"main","tags":""}"#),
        (r#","ref_globs":{"tags":"v*"}"#, r#"{"branches":"","tags":"v*"}"#),
        (r#","ref_globs":{"branches":"","tags":""}"#, r#"{"branches":"","tags":""}"#),
    ] {
        let page = Page::answering(201, RUN);
        let request = js(&format!(r#"{{"repo":"app","direction":"push"{globs}}}"#));
        let run = settled(client(&page).call("createSync", &request, None, None)).await;
        assert!(run.is_ok(), "{globs}");
        assert_eq!(
            page.sent(),
            [format!(r#"POST https://h/v1/acme/app/upstream/syncs {{"direction":"push","ref_globs":{sent}}}"#)]
        );
    }
}

#[wasm_bindgen_test]
async fn an_update_tells_omitted_from_undefined_from_null() {
    let url = r#"url: "https://g/r.git""#;
    for (change, sent) in [
        (String::new(), "{}".to_owned()),
        ("upstream: undefined".into(), "{}".into()),
        ("upstream: null".into(), r#"{"upstream":null}"#.into()),
        (format!("upstream: {{ {url} }}"), r#"{"upstream":{"url":"https://g/r.git"}}"#.into()),
        (format!("upstream: {{ {url}, auth: undefined }}"), r#"{"upstream":{"url":"https://g/r.git"}}"#.into()),
        (format!("upstream: {{ {url}, auth: null }}"), r#"{"upstream":{"url":"https://g/r.git","auth":null}}"#.into()),
        (
            format!(r#"upstream: {{ {url}, auth: {{ kind: "token", token: "t" }} }}"#),
            r#"{"upstream":{"url":"https://g/r.git","auth":{"kind":"token","token":"t"}}}"#.into(),
        ),
        ("tags: { a: null, b: 'c' }".into(), r#"{"tags":{"a":null,"b":"c"}}"#.into()),
    ] {
        let page = Page::answering(200, REPO);
        let request = js_sys::eval(&format!("({{ repo: 'app', {change} }})")).expect("it is an object");
        let repo = settled(client(&page).call("updateRepo", &request, None, None)).await;
        assert!(repo.is_ok(), "{change}");
        assert_eq!(page.sent(), [format!("PATCH https://h/v1/acme/app {sent}")], "{change}");
    }
}

#[wasm_bindgen_test]
async fn bad_input_names_its_field_and_sends_nothing() {
    for (request, field) in [
        ("undefined", "request"),
        ("null", "request"),
        ("7", "request"),
        ("({ repo: 1n })", "request"),
        ("({})", "repo"),
        ("({ repo: 5, direction: 'pull' })", "repo"),
        ("({ repo: '', direction: 'pull' })", "repo"),
        ("({ repo: '..', direction: 'pull' })", "repo"),
        ("({ repo: 'app' })", "direction"),
        ("({ repo: 'app', direction: 'sideways' })", "direction"),
        ("({ repo: 'app', direction: 'pull', ref_globs: {} })", "ref_globs"),
        ("({ repo: 'app', direction: 'pull', ref_globs: { branches: '[a' } })", "ref_globs.branches"),
        ("({ repo: 'app', direction: 'pull', ref_globs: { branch: 'a' } })", "ref_globs.branch"),
        ("({ repo: 'app', direction: 'pull', refGlobs: { branches: 'main' } })", "refGlobs"),
    ] {
        let page = Page::answering(201, RUN);
        let value = js_sys::eval(request).expect("it is a JavaScript value");
        let thrown = settled(client(&page).call("createSync", &value, None, None)).await;
        let error = error_of(thrown);
        assert_eq!(text(&error, "name"), "InvalidRequestError", "{request}: {}", text(&error, "message"));
        assert_eq!(text(&error, "code"), "INVALID_REQUEST", "{request}");
        let fields = Reflect::get(&error, &"fields".into()).expect("an error is an object");
        let first = js_sys::Array::from(&fields).get(0);
        assert_eq!(text(&first, "field"), field, "{request}: {}", text(&error, "message"));
        assert!(page.sent().is_empty(), "{request} must not be sent");
    }
}

#[wasm_bindgen_test]
async fn bad_settings_are_refused() {
    for (settings, field) in [
        ("({ apiUrl: 'https://h/v1' })", "apiKey"),
        ("({ apiUrl: 'https://h/v1', apiKey: 'a b' })", "apiKey"),
        // The package uses the page's origin. It has no built-in address of another server.
        ("({ apiKey: 'k' })", "apiUrl"),
        ("({ apiKey: 'k', apiUrl: 'ftp://h' })", "apiUrl"),
        ("({ apiUrl: 'https://h/v1', apiKey: 'k', timeout: -1 })", "timeout"),
        ("({ apiUrl: 'https://h/v1', apiKey: 'k', maxRetries: 'two' })", "maxRetries"),
        ("({ apiUrl: 'https://h/v1', apiKey: 'k', retries: 2 })", "retries"),
    ] {
        let value = js_sys::eval(settings).expect("it is a JavaScript value");
        let page = Page::answering(200, REPO);
        let error = error_of(Client::new(&Ts::new_unchecked(value), page.fetch(), true).map(|_| JsValue::NULL));
        assert!(
            text(&error, "message").starts_with(&format!("make a client: {field} ")),
            "{}",
            text(&error, "message")
        );
    }
}

#[wasm_bindgen_test]
async fn an_answer_that_refuses_becomes_an_error_with_all_it_says() {
    let body = r#"{"error":{"code":"UPSTREAM_NOT_CONFIGURED","message":"it has no upstream","trace_id":"t-9","details":{"fields":[{"field":"direction","message":"why"}]}}}"#;
    let page = Page::answering(409, body);
    let request = js(r#"{"repo":"app","direction":"pull"}"#);
    let error = error_of(settled(client(&page).call("createSync", &request, None, None)).await);
    assert!(error.is_instance_of::<js_sys::Error>());
    assert_eq!(text(&error, "name"), "ConflictError");
    assert_eq!(text(&error, "code"), "UPSTREAM_NOT_CONFIGURED");
    assert_eq!(text(&error, "traceId"), "t-9");
    assert_eq!(text(&error, "message"), "pull upstream of repository acme/app: it has no upstream");
    let property = |key: &str| Reflect::get(&error, &key.into()).expect("an error is an object");
    assert_eq!(property("status").as_f64(), Some(409.0));
    assert_eq!(property("retryable").as_bool(), Some(false));
    let fields = JSON::stringify(&property("fields")).expect("it is plain data");
    assert_eq!(String::from(fields), r#"[{"field":"direction","message":"why"}]"#);
}

#[wasm_bindgen_test]
async fn a_rate_limit_says_how_long_in_milliseconds() {
    let page = Page::answering(429, r#"{"error":{"code":"RATE_LIMITED","message":"slower"}}"#);
    page.set("headers", &js(r#"{"retry-after":"120"}"#));
    let error = error_of(settled(client(&page).call("showRepo", &js(r#"{"repo":"app"}"#), None, None)).await);
    assert_eq!(text(&error, "name"), "RateLimitedError");
    let wait = Reflect::get(&error, &"retryAfter".into()).expect("an error is an object");
    assert_eq!(wait.as_f64(), Some(120_000.0));
}

#[wasm_bindgen_test]
async fn a_fetch_that_fails_is_tried_three_times_and_names_its_cause() {
    let page = Page::answering(200, REPO);
    page.set("failure", &js_sys::TypeError::new("Failed to fetch"));
    let error = error_of(settled(client(&page).call("showRepo", &js(r#"{"repo":"app"}"#), None, None)).await);
    assert_eq!((text(&error, "name"), text(&error, "code")), ("ConnectionError".into(), "CONNECTION_FAILED".into()));
    assert_eq!(text(&error, "message"), "get repository acme/app: Failed to fetch");
    assert_eq!(page.sent().len(), 3, "two retries");
}

#[wasm_bindgen_test]
async fn the_browsers_own_fetch_reaches_the_page_that_serves_the_tests() {
    // wasm-bindgen-test's server answers every unknown path with a page that is not an API.
    let origin = js_sys::eval("location.origin").expect("a page has one").as_string().expect("it is a string");
    let fetch = js_sys::eval("(url, init) => fetch(url, init)").expect("it is a function").unchecked_into();
    let client = Client::new(&settings(&origin), fetch, true).expect("the settings are valid");
    let error = error_of(settled(client.call("showRepo", &js(r#"{"repo":"app"}"#), None, None)).await);
    assert_eq!(text(&error, "name"), "NotFoundError", "{}", text(&error, "message"));
}

#[wasm_bindgen_test]
async fn an_abort_ends_the_call_its_fetch_and_keeps_its_reason() {
    let page = Page::answering(200, REPO);
    page.set("hang", &JsValue::TRUE);
    let controller = web_sys::AbortController::new().expect("a browser has it");
    let call = client(&page).call("showRepo", &js(r#"{"repo":"app"}"#), Some(controller.signal()), None);
    // The fetch has to be in progress.
    page::pause(20).await;
    assert_eq!(page.sent().len(), 1);
    controller.abort_with_reason(&"the user left".into());
    let error = error_of(settled(call).await);
    assert_eq!((text(&error, "name"), text(&error, "code")), ("AbortError".into(), "ABORTED".into()));
    assert_eq!(text(&error, "cause"), "the user left");
    assert_eq!(page.number("aborted"), 1.0, "the page's fetch was told");
}

#[wasm_bindgen_test]
async fn a_signal_that_has_aborted_sends_nothing() {
    let page = Page::answering(200, REPO);
    let request = js(r#"{"repo":"app"}"#);
    let error =
        error_of(settled(client(&page).call("showRepo", &request, Some(web_sys::AbortSignal::abort()), None)).await);
    assert_eq!(text(&error, "name"), "AbortError");
    assert!(page.sent().is_empty());
}

#[wasm_bindgen_test]
async fn a_call_that_takes_too_long_times_out() {
    let page = Page::answering(200, REPO);
    page.set("hang", &JsValue::TRUE);
    let client = client(&page);
    let started = js_sys::Date::now();
    let request = js(r#"{"repo":"app"}"#);
    let error = error_of(settled(client.call("showRepo", &request, None, Some(30.0))).await);
    assert_eq!((text(&error, "name"), text(&error, "code")), ("TimeoutError".into(), "TIMEOUT".into()));
    assert!(js_sys::Date::now() - started < 5_000.0, "three tries of 30 ms and two waits of at most 1.5 s together");
    assert_eq!(page.number("aborted"), 3.0, "each try was aborted");
}

#[wasm_bindgen_test]
async fn a_wait_reads_the_events_of_a_run() {
    let page = Page::answering(200, &format!("id: 1\ndata: {RUN}\n\nid: 2\ndata: {DONE}\n\n"));
    page.set("headers", &js(r#"{"content-type":"text/event-stream"}"#));
    let (run, target) = (Ts::new_unchecked(js(RUN)), Ts::new_unchecked(js("{}")));
    let seen = js_sys::Array::new();
    let note = js_sys::Function::new_with_args("run", "this.push(run.status)").bind0(&seen);
    let ended = settled(client(&page).wait_for_sync(&run, &target, Some(note), None)).await.expect("it ends");
    assert_eq!(String::from(JSON::stringify(&ended).expect("it is plain data")), DONE);
    assert_eq!(String::from(seen.join(",")), "completed");
    assert_eq!(page.sent(), ["GET https://h/v1/acme/r1/upstream/syncs/s1/events "]);
    assert_eq!(page.number("aborted"), 1.0, "nothing of the stream stays open");
}

#[wasm_bindgen_test]
async fn a_wait_tells_every_change_and_ends_with_the_run() {
    let page = Page::answering(200, DONE);
    let run = Ts::new_unchecked(js(RUN));
    let seen = js_sys::Array::new();
    let note = js_sys::Function::new_with_args("run", "this.push(run.status)").bind0(&seen);
    let target = Ts::new_unchecked(js("{}"));
    let ended = settled(client(&page).wait_for_sync(&run, &target, Some(note), None)).await.expect("it ends");
    assert_eq!(String::from(JSON::stringify(&ended).expect("it is plain data")), DONE);
    assert_eq!(String::from(seen.join(",")), "completed");
    let sync = "GET https://h/v1/acme/r1/upstream/syncs/s1";
    assert_eq!(page.sent(), [format!("{sync}/events "), format!("{sync} ")], "what is no stream of events is polled");
}

#[wasm_bindgen_test]
async fn what_a_callback_throws_ends_the_wait_unchanged() {
    let page = Page::answering(200, DONE);
    let thrower = js_sys::Function::new_with_args("run", "throw new RangeError('enough')");
    let (run, target) = (Ts::new_unchecked(js(RUN)), Ts::new_unchecked(js("{}")));
    let error = error_of(settled(client(&page).wait_for_sync(&run, &target, Some(thrower), None)).await);
    assert!(error.is_instance_of::<js_sys::RangeError>());
}

#[wasm_bindgen_test]
async fn a_wait_past_its_timeout_is_a_timeout_error() {
    let page = Page::answering(200, RUN);
    let (run, target) = (Ts::new_unchecked(js(RUN)), Ts::new_unchecked(js(r#"{"timeout":100}"#)));
    let error = error_of(settled(client(&page).wait_for_sync(&run, &target, None, None)).await);
    assert_eq!(text(&error, "name"), "TimeoutError");
    assert!(text(&error, "message").contains("within 100 ms"), "{}", text(&error, "message"));
}
