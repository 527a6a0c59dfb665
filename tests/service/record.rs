use refsync::service::http::exchange::parent_trace;

#[test]
fn takes_a_trace_id_over_from_a_traceparent_that_is_one() {
    // The examples of W3C Trace Context, section 3.2.4, and the values that it calls invalid.
    let id = "4bf92f3577b34da6a3ce929d0e0e4736";
    for valid in [format!("00-{id}-00f067aa0ba902b7-01"), format!("00-{id}-00f067aa0ba902b7-00")] {
        assert_eq!(parent_trace(&valid), Some(id), "{valid}");
    }
    assert_eq!(parent_trace(&format!("cc-{id}-00f067aa0ba902b7-01-what-the-future-will-be-like")), Some(id));
    for invalid in [
        String::new(),
        id.to_owned(),
        format!("ff-{id}-00f067aa0ba902b7-01"),
        format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32)),
        format!("00-{}-00f067aa0ba902b7-01", id.to_uppercase()),
        format!("00-{id}-00f067aa0ba902b7"),
        format!("00-{id}x-00f067aa0ba902b7-01"),
        format!("00-{}é-00f067aa0ba902b7-01", &id[2..]),
    ] {
        assert_eq!(parent_trace(&invalid), None, "{invalid}");
    }
}
