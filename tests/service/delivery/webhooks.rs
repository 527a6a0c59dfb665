use futures_executor::block_on;
use refsync::service::{
    delivery::signature,
    handlers::webhook_targets::{events_refusal, url_refusal},
};

use crate::support::RustCrypto;

#[test]
fn signs_as_openssl_does() {
    // printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac whsec_test
    let expected = "t=1700000000,sha256=38877139021993b830af32feea6e18a8da83eb2f6e49ee50bd9e4cf4ca4d3789";
    let signed = block_on(signature(&RustCrypto, "whsec_test", 1_700_000_000, br#"{"a":1}"#));
    assert_eq!(signed.as_deref(), Ok(expected));
}

#[test]
fn takes_every_public_event_and_no_other() {
    let refusal = |events: &[&str]| events_refusal(&events.iter().map(|&e| e.to_owned()).collect::<Vec<_>>());
    for event in [
        "sync.queued",
        "sync.in_progress",
        "sync.completed",
        "sync.failed",
        "repo.created",
        "repo.updated",
        "repo.deleted",
        "push",
        "bookmark.created",
        "bookmark.merged",
        "change.evolved",
    ] {
        assert_eq!(refusal(&[event]), None, "{event}");
    }
    for event in ["", "*", "sync", "sync.*", "sync.done", "bookmark.", "bookmark.*", "bookmark.a.b", "Push", "push\0"] {
        assert!(refusal(&[event]).is_some(), "{event:?}");
    }
    assert!(refusal(&[]).is_some());
    assert!(refusal(&["push", "sync.failed", "push"]).is_some());
}

#[test]
fn a_receiver_may_have_a_query_but_neither_a_credential_nor_a_fragment() {
    for url in ["https://h", "http://h:8080/in", "https://h/in?token=a&b=%20c", "https://[::1]/x?"] {
        assert_eq!(url_refusal(url), None, "{url}");
    }
    for url in
        ["", "h/in", "ftp://h/", "https://u:p@h/", "https://u@h/?x", "https://h/#f", "https://h/?x#f", "https://h/?a b"]
    {
        assert!(url_refusal(url).is_some(), "{url}");
    }
}
