//! Addresses, the retry schedule and the table of errors.

use std::time::Duration;

use refsync::client::{Error, retry, url};

#[test]
fn a_base_address_ends_in_v1_however_it_is_written() {
    for (written, base) in [
        ("https://api.mesa.dev/v1", "https://api.mesa.dev/v1"),
        ("https://api.mesa.dev/v1/", "https://api.mesa.dev/v1"),
        ("http://127.0.0.1:8787", "http://127.0.0.1:8787/v1"),
        ("http://h/sub/", "http://h/sub/v1"),
    ] {
        assert_eq!(url::base(written).as_deref(), Ok(base), "{written}");
    }
    for written in ["", "h/v1", "ftp://h", "https://", "https://h/v1?x=1", "https://user:pass@h/v1"] {
        assert!(url::base(written).is_err(), "{written} is no base address");
    }
}

#[test]
fn a_path_segment_cannot_leave_its_place() {
    let query = [("cursor", "a/b=&".to_owned()), ("limit", "5".to_owned())];
    assert_eq!(
        url::join("https://h/v1", &["acme", "a b/../ü?#%"], &[]),
        "https://h/v1/acme/a%20b%2F..%2F%C3%BC%3F%23%25"
    );
    assert_eq!(url::join("https://h/v1", &["acme"], &query), "https://h/v1/acme?cursor=a%2Fb%3D%26&limit=5");
    for segment in ["", ".", ".."] {
        assert!(url::check_segment(segment).is_err(), "a URL parser would drop {segment:?}");
    }
    assert_eq!(url::check_segment("..."), Ok(()));
}

fn answer(status: u16, retry_after: Option<u64>) -> Error {
    Error::from_answer(
        "get repository acme/app",
        "https://h/v1/acme/app",
        status,
        b"",
        retry_after.map(Duration::from_secs),
    )
}

#[test]
fn the_wait_doubles_up_to_a_ceiling_and_is_shortened_by_chance() {
    let delay = |failures, random| retry::delay(&answer(503, None), failures, 99, random);
    let longest = [500, 1000, 2000, 4000, 8000, 8000].map(|ms| Some(Duration::from_millis(ms)));
    assert_eq!([1, 2, 3, 4, 5, 40].map(|failures| delay(failures, 1.0)), longest);
    assert_eq!(delay(3, 0.25), Some(Duration::from_millis(500)));
    assert_eq!(delay(3, 0.0), Some(Duration::ZERO));
}

#[test]
fn only_what_may_pass_is_tried_again() {
    for (status, again) in [
        (400, false),
        (401, false),
        (403, false),
        (404, false),
        (408, true),
        (409, false),
        (413, false),
        (429, true),
        (500, true),
        (502, true),
        (503, true),
        (504, true),
    ] {
        assert_eq!(retry::delay(&answer(status, None), 1, 2, 0.5).is_some(), again, "{status}");
        assert_eq!(answer(status, None).is_transient(), again, "{status}");
    }
    assert_eq!(retry::delay(&answer(503, None), 3, 2, 0.5), None, "two retries are made, not three");
}

#[test]
fn a_retry_after_is_waited_out_unless_it_asks_too_much() {
    let seconds = Duration::from_secs;
    assert_eq!(retry::delay(&answer(429, Some(7)), 1, 2, 0.0), Some(seconds(7)));
    assert_eq!(retry::delay(&answer(503, Some(7)), 1, 2, 1.0), Some(Duration::from_millis(7500)));
    assert_eq!(retry::delay(&answer(429, Some(3600)), 1, 2, 0.0), None, "nobody waits an hour unasked");
}

#[test]
fn every_status_has_its_kind_and_every_kind_its_code() {
    for (status, name, code) in [
        (400, "InvalidRequestError", "INVALID_REQUEST"),
        (401, "UnauthenticatedError", "UNAUTHENTICATED"),
        (403, "ForbiddenError", "FORBIDDEN"),
        (404, "NotFoundError", "NOT_FOUND"),
        (408, "TimeoutError", "TIMEOUT"),
        (409, "ConflictError", "CONFLICT"),
        (413, "InvalidRequestError", "INVALID_REQUEST"),
        (429, "RateLimitedError", "RATE_LIMITED"),
        (500, "ServerError", "INTERNAL_ERROR"),
        (503, "ServerError", "INTERNAL_ERROR"),
    ] {
        let error = answer(status, None);
        assert_eq!((error.name(), error.code(), error.status()), (name, code, Some(status)));
    }
}

#[test]
fn an_error_keeps_all_that_the_service_said() {
    let body = br#"{"error":{"code":"UPSTREAM_NOT_CONFIGURED","message":"it has no upstream","trace_id":"t-9",
        "details":{"fields":[{"field":"direction","message":"needs an upstream"}]}}}"#;
    let error = Error::from_answer("pull upstream of repository acme/app", "https://h", 409, body, None);
    assert!(matches!(error, Error::Conflict(_)));
    assert_eq!((error.code(), error.trace_id()), ("UPSTREAM_NOT_CONFIGURED", Some("t-9")));
    assert_eq!(error.fields()[0].field, "direction");
    assert_eq!(error.to_string(), "pull upstream of repository acme/app: it has no upstream");
}
