use refsync::{
    api::{Direction, MessageSide, Outcome, RefGlobs, SyncRunRef, SyncRunStats},
    service::queue::notes::unmatched,
};

/// The notes of a run with these globs, given as JSON, that has found these refs.
fn said(direction: Direction, globs: &str, names: &[&str]) -> Vec<String> {
    let globs: RefGlobs = serde_json::from_str(globs).expect("the test's globs are valid");
    let found = |name: &&str| SyncRunRef {
        name: (*name).to_owned(),
        before: None,
        after: "1".repeat(40),
        outcome: Outcome::Updated,
        reason: None,
        message: None,
        message_index: None,
        backup: None,
        source: None,
        ahead: None,
        behind: None,
    };
    let stats = SyncRunStats { refs: names.iter().map(found).collect(), messages: Vec::new() };
    let notes = unmatched(direction, &globs, &stats);
    assert!(notes.iter().all(|note| note.side == MessageSide::Refsync));
    notes.into_iter().map(|note| note.text).collect()
}

#[test]
fn a_glob_that_matches_nothing_is_told() {
    let short = "Globs match short names, without refs/heads/ and refs/tags/";
    let main = "refs/heads/main";
    let table: &[(&str, &[&str], &[&str])] = &[
        (r#"{"branches":"mian"}"#, &[], &["No branch of the upstream matches the glob mian."]),
        (r#"{"branches":"main","tags":"v*"}"#, &[main], &["No tag of the upstream matches the glob v*."]),
        (
            r#"{"branches":"a","tags":"b"}"#,
            &[],
            &["No branch of the upstream matches the glob a.", "No tag of the upstream matches the glob b."],
        ),
        (r#"{"branches":"main"}"#, &[main], &[]),
        (r#"{"branches":"*","tags":"*"}"#, &[main], &[]),
        (r#"{"branches":"*","tags":"*"}"#, &[], &["There is no branch and no tag at the upstream."]),
        (r#"{"branches":"*"}"#, &[], &["There is no branch at the upstream."]),
        (r#"{"tags":"*"}"#, &[], &["There is no tag at the upstream."]),
        (r#"{"branches":"","tags":""}"#, &[], &["Both globs are empty, and match no ref."]),
        (
            r#"{"branches":"refs/heads/main"}"#,
            &[],
            &[&format!("No branch of the upstream matches the glob refs/heads/main. {short}: did you mean main?")],
        ),
        (
            r#"{"branches":"refs/tags/v1"}"#,
            &[],
            &[&format!(
                "No branch of the upstream matches the glob refs/tags/v1. {short}: did you mean the tag glob v1?"
            )],
        ),
        (r#"{"tags":"refs/*"}"#, &[], &[&format!("No tag of the upstream matches the glob refs/*. {short}.")]),
        // A branch may have this name.
        (r#"{"branches":"refs/*"}"#, &["refs/heads/refs/x"], &[]),
    ];
    for (globs, names, expected) in table {
        assert_eq!(said(Direction::Pull, globs, names), *expected, "{globs} with {names:?}");
    }
}

#[test]
fn the_source_of_a_push_is_the_repository() {
    let said = said(Direction::Push, r#"{"branches":"mian"}"#, &[]);
    assert_eq!(said, ["No branch of the repository matches the glob mian."]);
}
