use refsync::service::store::storable;

#[test]
fn a_nul_becomes_the_replacement_character() {
    assert_eq!(storable::text("a\0\0b"), "a\u{fffd}\u{fffd}b");
    assert_eq!(storable::text("ä \u{1}\u{202e}😀"), "ä \u{1}\u{202e}😀", "what PostgreSQL takes stays");
}

#[test]
fn json_of_javascript_keeps_what_can_be_stored() {
    for kept in [
        r#"{"phase":"listing","bytes":1}"#,
        r#"{"a":"\u00e4 \ud83d\ude00 \n \\ \" ä 😀"}"#,
        // A backslash, followed by letters and digits.
        r#"{"a":"\\u0000 \\ud800"}"#,
        r#""\\\\u0000""#,
        // This is not JSON, so it is left unchanged.
        "\\",
        "\\u00",
        "\\u+123",
    ] {
        assert_eq!(storable::json(kept), kept);
    }
}

#[test]
fn json_of_javascript_loses_what_cannot_be_stored() {
    for (given, stored) in [
        (r#""a\u0000b""#, "\"a\u{fffd}b\""),
        (r#""\\\u0000""#, "\"\\\\\u{fffd}\""),
        (r#""\ud800""#, "\"\u{fffd}\""),
        (r#""\udc00\ud800x""#, "\"\u{fffd}\u{fffd}x\""),
        (r#""\uD83Dx\uDE00""#, "\"\u{fffd}x\u{fffd}\""),
        (r#""\ud83d\ud83d\ude00""#, "\"\u{fffd}\\ud83d\\ude00\""),
        (r#""\ud83d\u0041""#, "\"\u{fffd}\\u0041\""),
    ] {
        assert_eq!(storable::json(given), stored, "{given}");
        serde_json::from_str::<String>(&storable::json(given)).expect("it is still JSON");
    }
}
