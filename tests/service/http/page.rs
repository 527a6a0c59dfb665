use refsync::service::http::page::{Page, encode, parameter, split_url};

#[test]
fn splits_an_absolute_url() {
    for (url, path, query) in [
        ("http://h/v1/a?b=c", "/v1/a", "b=c"),
        ("http://h:1/v1/a#b?c", "/v1/a", ""),
        ("http://h?b", "", "b"),
        ("http://h", "", ""),
        ("/v1/a?b?c", "/v1/a", "b?c"),
    ] {
        assert_eq!(split_url(url), (path, query), "{url}");
    }
}

#[test]
fn decodes_a_parameter() {
    let value = |query: &str| parameter(query, "tags").ok().flatten();
    assert_eq!(value("a=b&tags=x%3Ay+z"), Some("x:y z".into()));
    assert_eq!(value("tags=1&tags=2"), Some("2".into()), "the last one counts");
    assert_eq!(value("tag=1"), None);
    assert!(parameter("tags=%00", "tags").is_err());
    assert!(parameter("tags=%ff", "tags").is_err());
}

#[test]
fn a_cursor_belongs_to_its_list() {
    let query = format!("limit=7&cursor={}", encode(42, "syncs"));
    assert_eq!(Page::parse(&query, "syncs").ok(), Some(Page { after: Some(42), limit: 7 }));
    assert!(Page::parse(&query, "repos").is_err());
    assert_eq!(Page::parse("", "repos").ok(), Some(Page { after: None, limit: 50 }));
}

#[test]
fn a_limit_is_1_to_100() {
    for limit in ["1", "100"] {
        assert!(Page::parse(&format!("limit={limit}"), "repos").is_ok(), "{limit}");
    }
    for limit in ["0", "101", "-1", "", "x", "1e1"] {
        assert!(Page::parse(&format!("limit={limit}"), "repos").is_err(), "{limit}");
    }
}
