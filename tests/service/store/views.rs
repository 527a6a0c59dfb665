//! The version of the views.

use refsync::service::store::migrate::{VIEWS_VERSION, fingerprint};

#[test]
fn changed_views_get_a_new_fingerprint() {
    assert_eq!(
        (VIEWS_VERSION, fingerprint().as_str()),
        (3, "c83839d9cd7b2295"),
        "a view was changed: add one to VIEWS_VERSION if this one was released, and write the new fingerprint here"
    );
}
