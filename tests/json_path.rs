//! The place of an error in a JSON text, as a path.

use refsync::json_path;

#[test]
fn a_decoding_error_is_placed_by_its_path() {
    #[derive(Debug, serde::Deserialize)]
    #[expect(dead_code, reason = "only whether it decodes counts")]
    struct List {
        syncs: Vec<Item>,
    }
    #[derive(Debug, serde::Deserialize)]
    #[expect(dead_code, reason = "only whether it decodes counts")]
    struct Item {
        id: u32,
        ref_globs: Option<refsync::api::RefGlobs>,
    }
    for (text, path) in [
        (r#"{}"#, "syncs"),
        (r#"{"syncs":3}"#, "syncs"),
        (r#"{"syncs":[{"id":["1"]}]}"#, "syncs[0].id"),
        (r#"{"syncs":[{"id":1},{"id":"x"}]}"#, "syncs[1].id"),
        (r#"{"syncs":[{"id":1},{"x":"{[\"a"}]}"#, "syncs[1].id"),
        (r#"{"syncs":[{"id":1,"ref_globs":{}}]}"#, "syncs[0].ref_globs"),
        (r#"{"syncs":[{"id":1,"ref_globs":{"branches":"[a"}}]}"#, "syncs[0].ref_globs.branches"),
        (r#"{"syncs":[{"id":1,"ref_globs":{"branch":"a"}}]}"#, "syncs[0].ref_globs.branch"),
        ("{\n \"syncs\": [\n {\"id\": true}]}", "syncs[0].id"),
    ] {
        let error = serde_json::from_slice::<List>(text.as_bytes()).expect_err(text);
        assert_eq!(json_path::of_error(text.as_bytes(), &error), path, "{text}: {error}");
    }
}
