use std::{future::poll_fn, task::Poll};

use bytes::Bytes;
use futures_executor::block_on;
use futures_util::{StreamExt, stream};
use refsync::{
    api::{CreateWebhookTargetRequest, SyncRequest, UpdateRepoRequest, UpstreamAuth},
    http::Body,
    service::{Error, http::body},
};

fn refused_field(error: &Error) -> &str {
    match error {
        Error::Invalid(fields) => &fields[0].field,
        other => panic!("{other} is not about a field"),
    }
}

#[test]
fn names_the_bad_field_by_its_path() {
    for (json, field) in [
        ("", "body"),
        ("{", "body"),
        ("[]", "body"),
        (r#"{"direction":"pull","ref_globs":{}}"#, "ref_globs"),
        (r#"{"direction":"pull","ref_globs":{"tags":1}}"#, "ref_globs.tags"),
        (r#"{"direction":"sideways"}"#, "direction"),
        ("{}", "direction"),
    ] {
        let error = body::parse::<SyncRequest>(json.as_bytes()).expect_err(json);
        assert_eq!(refused_field(&error), field, "{json}");
    }
}

#[test]
fn a_misspelt_key_is_refused_with_the_right_spelling_and_other_keys_are_ignored() {
    for (json, field, meant) in [
        (r#"{"direction":"pull","refGlobs":{}}"#, "refGlobs", "ref_globs"),
        (r#"{"direcion":"pull"}"#, "direcion", "direction"),
        (r#"{"direction":"pull","ref-globs":null}"#, "ref-globs", "ref_globs"),
    ] {
        let error = body::parse::<SyncRequest>(json.as_bytes()).expect_err(json);
        let Error::Invalid(fields) = &error else { panic!("{error}") };
        assert_eq!(fields[0].field, field, "{json}");
        assert_eq!(fields[0].message, format!("is not a field of this call; did you mean {meant}?"), "{json}");
    }
    let nested = br#"{"upstream":{"ur":"https://git.example.com/a.git"}}"#;
    assert_eq!(refused_field(&body::parse::<UpdateRepoRequest>(nested).expect_err("ur")), "upstream.ur");
    for json in [
        r#"{"name":"app","priority":1,"nickname":"x"}"#,
        // The key is there in its right spelling, too.
        r#"{"name":"app","Name":"other"}"#,
        "{\"name\":\"app\",\"\u{e4}\u{1f511}\":1,\"\":2}",
    ] {
        assert!(body::parse::<UpdateRepoRequest>(json.as_bytes()).is_ok(), "{json}");
    }
}

#[test]
fn a_refused_credential_is_not_repeated_whichever_remote_it_is_for() {
    for remote in ["upstream", "origin"] {
        for auth in [r#"{"kind":"hunter2","token":"hunter2"}"#, r#"{"kind":"token","token":["hunter2"]}"#] {
            let json = format!(r#"{{"{remote}":{{"url":"https://git.example.com/a.git","auth":{auth}}}}}"#);
            let error = body::parse::<UpdateRepoRequest>(json.as_bytes()).expect_err(&json);
            assert_eq!(refused_field(&error), format!("{remote}.auth"), "{json}");
            assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
        }
        for json in
            [format!(r#"{{"{remote}":["u"]}}"#), format!(r#"{{"{remote}":{{"url":"u","auth":["token","t"]}}}}"#)]
        {
            let error = body::parse::<UpdateRepoRequest>(json.as_bytes()).expect_err(&json);
            assert!(refused_field(&error).starts_with(remote), "{json}");
        }
    }
}

#[test]
fn a_key_that_is_there_twice_is_refused_and_nothing_of_the_body_is_repeated() {
    for (json, field) in [
        (r#"{"upstream":{"url":"u","auth":{"kind":"hunter2"},"auth":null}}"#, "upstream"),
        (r#"{"upstream":{"url":"u","auth":"hunter2","auth":{"kind":"token","token":"t"}}}"#, "upstream"),
        (r#"{"origin":{"url":"u","auth":{"kind":"token","token":["hunter2"],"token":"t"}}}"#, "origin.auth"),
        (r#"{"origin":{"url":"u","auth":{"kind":"token","token":"t","hunter2":1,"hunter2":2}}}"#, "origin.auth"),
        (r#"{"origin":{"url":"u","auth":{"kind":"token","kind":"hunter2","token":"t"}}}"#, "origin.auth"),
        (r#"{"upstream":"hunter2","upstream":null}"#, "body"),
        (r#"{"upstream":{"url":["hunter2"]},"\u0075pstream":null}"#, "body"),
        (r#"{"tags":{"a":{"b":[{"c":1},{"c":1,"c":"hunter2"}]}}}"#, "tags.a.b"),
    ] {
        let error = body::parse::<UpdateRepoRequest>(json.as_bytes()).expect_err(json);
        assert_eq!(refused_field(&error), field, "{json}");
        assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
    }
}

#[test]
fn a_text_in_the_wrong_place_is_not_repeated() {
    for json in [
        r#"{"name":["hunter2"]}"#,
        r#"{"tags":"hunter2"}"#,
        r#"{"origin":"hunter2"}"#,
        r#"{"upstream":{"url":"u","schedule":"hunter2"}}"#,
        r#"{"upstream":{"url":{"a":"hunter2"}}}"#,
    ] {
        let error = body::parse::<UpdateRepoRequest>(json.as_bytes()).expect_err(json);
        assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
    }
    let targets =
        [r#"{"url":"u","events":"hunter2\", expected nothing"}"#, r#"{"url":"u","events":[],"repo_ids":"hunter2"}"#];
    for json in targets {
        let error = body::parse::<CreateWebhookTargetRequest>(json.as_bytes()).expect_err(json);
        assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
    }
}

#[test]
fn a_body_that_takes_too_long_is_given_up_and_one_that_does_not_is_whole() {
    let piece = || Ok(Bytes::from_static(b" "));
    let dribbling = stream::iter([piece(), piece()]).chain(stream::pending()).boxed_local();
    let mut looks = 0;
    let over = poll_fn(move |context| {
        looks += 1;
        context.waker().wake_by_ref();
        if looks > 5 { Poll::Ready(()) } else { Poll::Pending }
    });
    let read = body::read::<UpdateRepoRequest>(body::until(over, Body::Stream(dribbling)));
    let error = block_on(read).expect_err("it never ends");
    assert_eq!((error.status(), error.code()), (408, "TIMEOUT"));

    let whole = stream::iter([Ok(Bytes::from_static(b"{")), Ok(Bytes::from_static(b"}"))]).boxed_local();
    let read = body::read::<UpdateRepoRequest>(body::until(std::future::pending(), Body::Stream(whole)));
    assert!(block_on(read).is_ok());
}

#[test]
fn fields_of_the_other_kind_of_credential_are_left_aside_as_unknown_ones_are() {
    let json = r#"{"upstream":{"url":"u","auth":{"kind":"token","token":"t","username":["hunter2"],"password":5}}}"#;
    let request = body::parse::<UpdateRepoRequest>(json.as_bytes()).expect(json);
    let token = UpstreamAuth::Token { token: "t".into(), token_username: None };
    assert_eq!(request.upstream.flatten().map(|u| u.auth), Some(Some(Some(token))));
}

#[test]
fn tells_null_from_omitted() {
    let parse = |json: &str| body::parse::<UpdateRepoRequest>(json.as_bytes()).expect(json);
    assert_eq!(parse("{}").upstream, None);
    assert_eq!(parse(r#"{"upstream":null}"#).upstream, Some(None));
    assert_eq!(parse(r#"{"upstream":{"url":"u"}}"#).upstream.flatten().map(|u| u.auth), Some(None));
    assert_eq!(parse(r#"{"upstream":{"url":"u","auth":null}}"#).upstream.flatten().map(|u| u.auth), Some(Some(None)));
}

#[test]
fn every_cut_of_a_body_is_an_error_and_no_panic() {
    let whole = r#"{"direction":"pull","ref_globs":{"branches":"release/*","tags":""}}"#;
    assert!(body::parse::<SyncRequest>(whole.as_bytes()).is_ok());
    for end in 0..whole.len() {
        let error = body::parse::<SyncRequest>(&whole.as_bytes()[..end]).expect_err("it is cut");
        assert_eq!(refused_field(&error), "body", "cut at {end}");
    }
}

#[test]
fn a_body_past_the_limit_is_too_large() {
    let large = Body::Bytes(vec![b' '; body::LIMIT + 1].into());
    assert!(matches!(block_on(body::read::<SyncRequest>(large)), Err(Error::TooLarge(_))));
}
