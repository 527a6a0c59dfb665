//! Several globs. Each of them matches by itself.

use proptest::prelude::*;
use refsync::{glob::Glob, globs::Globs};

fn globs(texts: &[&str]) -> Globs {
    texts.iter().map(|text| text.parse::<Glob>().unwrap_or_else(|e| panic!("{text}: {e}"))).collect()
}

#[test]
fn a_name_matches_if_one_of_the_globs_does() {
    let globs = globs(&["main", "release/*"]);
    for (name, expected) in [("main", true), ("release/1", true), ("release", false), ("dev", false)] {
        assert_eq!(globs.matches(name), expected, "{name}");
    }
    assert!(!Globs::default().matches("main"), "no glob matches nothing");
}

#[test]
fn prefixes_that_another_one_covers_are_left_out() {
    let table: &[(&[&str], &[&str])] = &[
        (&["main", "release/*"], &["main", "release/"]),
        (&["release/1", "release/*", "rel"], &["rel"]),
        (&["v1", "*"], &[""]),
        (&["", "main"], &["main"]),
        (&["main", "main"], &["main"]),
        (&[""], &[]),
        (&[], &[]),
    ];
    for (texts, expected) in table {
        assert_eq!(globs(texts).literal_prefixes(), *expected, "{texts:?}");
    }
}

#[test]
fn globs_that_match_no_name_are_told_as_they_were_written() {
    let globs = globs(&["mian", "main", "v?", "", "*"]);
    assert_eq!(globs.unmatched(["main", "dev"].iter()), ["mian", "v?"]);
    assert_eq!(globs.unmatched(std::iter::empty::<&str>()), ["mian", "main", "v?", "*"]);
}

#[test]
fn they_are_read_from_one_text_or_from_a_list() {
    let read = |json: &str| serde_json::from_str::<Globs>(json);
    assert_eq!(read(r#""release/*""#).expect("it is valid"), globs(&["release/*"]));
    assert_eq!(read(r#"["main","v*"]"#).expect("it is valid"), globs(&["main", "v*"]));
    assert_eq!(read("[]").expect("it is valid"), globs(&[]));
    for (json, words) in [("1", "a string or a list of strings"), (r#"["["]"#, "never closed"), ("[1]", "a string")] {
        let error = read(json).expect_err(json).to_string();
        assert!(error.contains(words), "{json}: {error}");
    }
}

proptest! {
    #[test]
    fn a_matching_name_has_one_of_the_prefixes(
        texts in proptest::collection::vec("[ab*?]{0,4}", 0..4),
        name in "[ab]{0,5}",
    ) {
        let globs: Globs = texts.iter().map(|text| text.parse::<Glob>().expect("it is valid")).collect();
        if globs.matches(&name) {
            prop_assert!(globs.literal_prefixes().iter().any(|prefix| name.starts_with(prefix)));
        }
    }
}
