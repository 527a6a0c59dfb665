//! Compares derived shapes with serde's decoders. Both must accept and refuse the same JSON, and decode it to the same
//! value.

use refsync::api::{
    ApiKey, ApiKeySecret, CALLS, CallName, CreateApiKeyRequest, CreatePublicKeyRequest, CreateRepoRequest,
    CreateWebhookTargetRequest, DeleteResult, ErrorBody, Organization, PageRequest, PublicKeySecret, Repo, RepoPage,
    SyncRequest, SyncRun, SyncRunPage, SyncRunStats, UpdateRepoRequest, UpdateWebhookTargetRequest, WebhookTarget,
    WebhookTargetPage, WebhookTargetSecret, Whoami,
    json_tree::Json,
    shape::{Fault, Others, Shaped},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

fn run() -> Value {
    json!({"id": "s1", "repo_id": "r1", "direction": "pull", "status": "completed", "attempt": 2,
        "ref_globs": {"branches": "release/*", "tags": ""},
        "stats": {"refs": [
            {"name": "refs/heads/ü\"\n", "before": null, "after": "0", "outcome": "rejected",
                "reason": "non_fast_forward", "message": null},
            {"name": "refs/tags/v1", "before": "1", "after": "2", "outcome": "updated",
                "reason": "a_word_of_tomorrow", "message": "no", "message_index": 0}],
            "messages": [{"side": "destination", "text": "hello"}]},
        "counts": {"updated": 1, "unchanged": 2, "filtered": 3, "rejected": 4},
        "error": "e", "created_at": "2026-11-23T00:00:00Z", "started_at": "t", "finished_at": null})
}

fn repo() -> Value {
    json!({"id": "r1", "org": "acme", "name": "app", "default_bookmark": "main", "head_change_id": "z",
        "upstream": {"url": "https://h", "auth_kind": "token", "verified_at": "t", "behind": 2,
            "schedule": {"every": null, "cron": "0 3 * * *", "time_zone": "UTC", "direction": "push",
                "ref_globs": {"branches": "main", "tags": ""}, "next_at": "t"},
            "paused_at": "t", "pause_reason": "r",
            "latest_sync": run()},
        "origin": {"url": "https://o", "auth_kind": null},
        "created_at": "2026-11-23T00:00:00Z", "tags": {"team": "core"}, "damaged": "d", "warning": "w"})
}

/// Every text that differs from `value` in one place: a missing key or item, or a value of another kind.
fn neighbours(value: &Value) -> Vec<Value> {
    let mut all: Vec<Value> = [
        json!(null),
        json!(true),
        json!(7),
        json!(-7),
        json!(1.5),
        json!("x"),
        json!("[a"),
        json!([]),
        json!({}),
        json!(["x"]),
    ]
    .into();
    match value {
        Value::Object(map) => {
            // A derived decoder reads a list as the fields in their order, but JSON APIs do not allow this.
            all.retain(|other| !other.is_array());
            for (key, inner) in map {
                let mut without = map.clone();
                without.remove(key);
                all.push(Value::Object(without));
                for other in neighbours(inner) {
                    let mut changed = map.clone();
                    changed.insert(key.clone(), other);
                    all.push(Value::Object(changed));
                }
            }
            let mut more = map.clone();
            more.insert("tomorrow".into(), json!(1));
            all.push(Value::Object(more));
        }
        Value::Array(items) => {
            for (at, inner) in items.iter().enumerate() {
                for other in neighbours(inner) {
                    let mut changed = items.clone();
                    changed[at] = other;
                    all.push(Value::Array(changed));
                }
            }
        }
        _ => {}
    }
    all
}

/// Compares both on `example` and all its neighbours. If both accept a text, the values must be the same.
fn agree<T: DeserializeOwned + Serialize + Shaped>(example: &Value) {
    let mut accepted = 0;
    let cases = [vec![example.clone()], neighbours(example)].concat();
    for case in &cases {
        let derived = serde_json::from_value::<T>(case.clone());
        let mut tree = Json::parse(case.to_string().as_bytes()).expect("serde_json writes JSON");
        let checked = T::SHAPE.check(&mut tree, Others::Keep);
        assert_eq!(checked.is_ok(), derived.is_ok(), "{case}: {checked:?}, {:?}", derived.as_ref().err());
        if let Ok(derived) = derived {
            accepted += 1;
            let again: T = serde_json::from_str(&tree.encode()).expect("a checked tree decodes");
            let value = |t: &T| serde_json::to_value(t).expect("it is JSON");
            assert_eq!(value(&again), value(&derived), "{case}");
        }
    }
    assert!(accepted > 1 && accepted < cases.len(), "{accepted} of {} accepted tell nothing", cases.len());
}

#[test]
fn each_shape_says_what_its_type_says() {
    agree::<SyncRun>(&run());
    agree::<Repo>(&repo());
    agree::<RepoPage>(&json!({"next_cursor": "c", "has_more": true, "repos": [repo()]}));
    agree::<SyncRunPage>(&json!({"next_cursor": null, "has_more": false, "syncs": [run(), run()]}));
    agree::<Whoami>(&json!({"org": {"id": "o", "slug": "acme", "name": "Acme"}, "key_id": null, "scopes": ["read"]}));
    agree::<Organization>(&json!({"id": "o", "slug": "acme", "name": "Acme", "created_at": "t", "num_repos": 3}));
    agree::<SyncRunStats>(&run()["stats"]);
    let target = json!({"id": "wht_1", "name": "n", "url": "https://h", "events": ["push"], "repo_ids": ["r1"],
        "created_at": "t", "updated_at": "t"});
    agree::<WebhookTarget>(&target);
    agree::<WebhookTargetPage>(&json!({"next_cursor": null, "has_more": false, "webhook_targets": [target]}));
    let mut with_secret = target.clone();
    with_secret["secret"] = json!("whsec_1");
    agree::<WebhookTargetSecret>(&with_secret);
    agree::<DeleteResult>(&json!({"success": true}));
    agree::<ErrorBody>(&json!({"error": {"code": "C", "message": "m", "trace_id": "t",
            "details": {"fields": [{"field": "f", "message": "m"}]}}}));
}

#[test]
fn each_request_says_what_its_type_says() {
    let token = json!({"kind": "token", "token": "t", "token_username": "u"});
    let schedule = json!({"every": "15m", "cron": "c", "time_zone": "UTC", "direction": "push",
        "ref_globs": {"branches": "main", "tags": "v*"}});
    let remote = json!({"url": "https://h", "auth": token, "schedule": schedule});
    let origin = json!({"url": "https://h", "auth": {"kind": "username_password", "username": "u", "password": "p"}});
    let repo =
        json!({"name": "app", "default_bookmark": "main", "tags": {"a": "b"}, "upstream": remote, "origin": origin});
    agree::<CreateRepoRequest>(&repo);
    agree::<UpdateRepoRequest>(&repo);
    agree::<SyncRequest>(&json!({"direction": "pull", "ref_globs": {"branches": "main", "tags": "v*"}}));
    let target = json!({"url": "https://h", "name": "n", "events": ["push"], "repo_ids": ["r1"]});
    agree::<CreateWebhookTargetRequest>(&target);
    agree::<UpdateWebhookTargetRequest>(&target);
    let mut key = json!({"scope": "read", "name": "n", "repos": ["app"], "expires_in_seconds": 60});
    agree::<CreateApiKeyRequest>(&key);
    key["x"] = json!("x");
    agree::<CreatePublicKeyRequest>(&key);
}

#[test]
fn each_key_says_what_its_type_says() {
    let key = json!({"id": "k", "name": "n", "scope": "read", "repos": ["app"], "created_at": "t", "expires_at": "t",
        "last_used_at": "t", "api_key": "rs_", "x": "x", "private_key": "p"});
    agree::<ApiKey>(&key);
    agree::<ApiKeySecret>(&key);
    agree::<PublicKeySecret>(&key);
}

#[test]
fn a_number_has_the_bounds_of_its_schema() {
    for (limit, fits) in [("1", true), ("100", true), ("0", false), ("101", false), ("1.5", false), ("null", true)] {
        let mut tree = Json::parse(format!("{{\"limit\":{limit}}}").as_bytes()).expect("it is JSON");
        let checked = PageRequest::SHAPE.check(&mut tree, Others::Refuse).map_err(|mismatch| mismatch.to_string());
        let refusal = "limit must be a whole number from 1 to 100";
        assert_eq!(checked, if fits { Ok(()) } else { Err(refusal.into()) }, "{limit}");
    }
}

#[test]
fn every_call_is_found_by_its_name() {
    for call in CALLS {
        let name = serde_json::to_value(call.name).expect("it is a word");
        assert_eq!(name.as_str().and_then(CallName::parse), Some(call.name));
        assert_eq!(call.name.call().path, call.path);
        let path = call.path.split('/').filter(|segment| segment.starts_with('{')).count();
        assert_eq!(call.path_keys().len(), path, "{}", call.path);
    }
    assert_eq!(CallName::parse("CreateRepo"), None);
}

#[test]
fn a_null_that_is_left_out_becomes_explicit_and_a_key_of_tomorrow_is_kept() {
    let mut given = run();
    let refs = given["stats"]["refs"].as_array_mut().expect("it is a list");
    refs[0].as_object_mut().expect("it is an object").remove("message");
    given["weather"] = json!("fine");
    let mut tree = Json::parse(given.to_string().as_bytes()).expect("it is JSON");
    SyncRun::SHAPE.check(&mut tree, Others::Keep).expect("it is a SyncRun");
    let checked: Value = serde_json::from_str(&tree.encode()).expect("it is JSON");
    given["stats"]["refs"][0]["message"] = json!(null);
    assert_eq!(checked, given);
}

#[test]
fn a_callers_misspelt_key_is_refused_wherever_it_is() {
    for (request, path) in [
        (json!({"nmae": "x"}), "nmae"),
        (json!({"upstream": {"url": "u", "auht": null}}), "upstream.auht"),
        (json!({"upstream": {"url": "u", "auth": {"kind": "token", "token": "t", "user": "u"}}}), "upstream.auth.user"),
    ] {
        let mut tree = Json::parse(request.to_string().as_bytes()).expect("it is JSON");
        let mismatch = UpdateRepoRequest::SHAPE.check(&mut tree, Others::Refuse).expect_err(path);
        assert_eq!(mismatch.path, path);
        assert!(matches!(mismatch.fault, Fault::Unknown(_)), "{mismatch}");
    }
}

#[test]
fn json_is_read_as_serde_json_reads_it() {
    for text in [
        "null",
        " true ",
        "false",
        "0",
        "-0",
        "12",
        "-3.25e+10",
        "1E5",
        "\"\"",
        "[]",
        "{}",
        "[1,[2,{\"a\":[]}]]",
        r#""\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00""#,
        "{\"a\":1,\"b\":{\"c\":null}}",
        "\"ü€\u{1f600}\u{7f}\"",
        // Texts that are not valid.
        "",
        " ",
        "nul",
        "truee",
        "01",
        "1.",
        ".5",
        "+1",
        "-",
        "1e",
        "1e+",
        "\"",
        "\"\n\"",
        r#""\x""#,
        r#""\u12""#,
        r#""\ud800""#,
        r#""\ud800\u0041""#,
        r#""\udc00""#,
        "[",
        "[1",
        "[1,",
        "[1,]",
        "[,]",
        "{",
        "{\"a\"",
        "{\"a\":",
        "{\"a\":1,}",
        "{a:1}",
        "{1:1}",
        "[1]2",
        "\u{feff}1",
        "'a'",
    ] {
        let ours = Json::parse(text.as_bytes());
        let theirs = serde_json::from_str::<Value>(text);
        assert_eq!(ours.is_ok(), theirs.is_ok(), "{text:?}: {ours:?}");
        if let (Ok(ours), Ok(theirs)) = (ours, theirs) {
            assert_eq!(serde_json::from_str::<Value>(&ours.encode()).expect("it is JSON"), theirs, "{text:?}");
        }
    }
    assert!(Json::parse(b"\"\xff\"").is_err(), "JSON is UTF-8");
}

#[test]
fn a_text_cut_anywhere_is_refused_and_never_panics() {
    let text = repo().to_string();
    for end in 0..text.len() {
        assert!(Json::parse(&text.as_bytes()[..end]).is_err(), "cut at {end}");
    }
    assert!(Json::parse(text.as_bytes()).is_ok());
}

#[test]
fn depth_is_bounded() {
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    assert!(Json::parse(nested(64).as_bytes()).is_ok());
    assert!(Json::parse(nested(65).as_bytes()).is_err());
    assert!(Json::parse("[".repeat(1_000_000).as_bytes()).is_err());
}

proptest::proptest! {
    #[test]
    fn noise_is_judged_as_serde_json_judges_it(text in "[\\[\\]{}:,\"0-9a-e\\\\ .+\\-untrfls]{0,24}") {
        let ours = Json::parse(text.as_bytes());
        // We accept a number beyond the range of floats, because nobody computes with it here.
        if let Ok(theirs) = serde_json::from_str::<Value>(&text) {
            let again = ours.map(|json| json.encode());
            proptest::prop_assert_eq!(serde_json::from_str::<Value>(&again.expect(&text)).expect("it is JSON"), theirs);
        } else if let Err(error) = serde_json::from_str::<Value>(&text) && !error.to_string().contains("out of range") {
            proptest::prop_assert!(ours.is_err(), "{text}");
        }
    }
}
