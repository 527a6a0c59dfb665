//! Globs match what `git branch --list` lists.

use proptest::prelude::*;
use refsync::glob::{Error, Glob};

use crate::support::Repository;

const NAMES: &[&str] = &[
    "main",
    "Main",
    "mai",
    "maint",
    "release/1",
    "release/2/fix",
    "old/release/1",
    "v1.0",
    "v1.10",
    "v2.0",
    "v10",
    "a-b",
    "a_b",
    "ab",
    "feature/é",
    "x]y",
    "a!b",
];

const GLOBS: &[&str] = &[
    "main",
    "release/*",
    "*",
    "v1.*",
    "v?.0",
    "*/1",
    "*e*/*",
    "m*n",
    "v[12].0",
    "v[!1]*",
    "v[^1]*",
    "[a-m]*",
    "[]x]*",
    "a[-_]b",
    "\\*",
    "ma\\in",
    "**",
    "*?",
    "release/*/*",
    "[a!]*",
    "a[!-]b",
];

#[test]
fn globs_match_what_git_branch_list_does() {
    let repository = Repository::empty();
    let commit = repository.commit("one", &[]);
    for name in NAMES {
        repository.git(&["update-ref", &format!("refs/heads/{name}"), &commit]);
    }
    for glob in GLOBS {
        let listed = repository.git(&["branch", "--list", "--format=%(refname:lstrip=2)", glob]);
        let by_git: Vec<&str> = listed.lines().collect();
        let compiled: Glob = glob.parse().unwrap_or_else(|e| panic!("{glob} is refused: {e}"));
        let mut ours: Vec<&str> = NAMES.iter().copied().filter(|n| compiled.matches(n)).collect();
        ours.sort_unstable();
        assert_eq!(ours, by_git, "glob {glob:?} against git branch --list");
    }
}

#[test]
fn the_empty_glob_matches_nothing() {
    let glob: Glob = "".parse().expect("it is valid");
    assert!(!glob.matches(""), "not even the empty name");
    assert!(!glob.matches("main"));
}

#[test]
fn a_question_mark_takes_a_whole_character_where_git_takes_a_byte() {
    let glob: Glob = "feature/?".parse().expect("it is valid");
    assert!(glob.matches("feature/é"));
}

#[test]
fn malformed_globs_say_what_where_and_what_to_do() {
    let table: &[(&str, Error, &str)] = &[
        ("a[b", Error::UnclosedClass { glob: "a[b".into(), at: 1 }, "write \\[ for a literal bracket"),
        ("[]", Error::UnclosedClass { glob: "[]".into(), at: 0 }, "character 0"),
        ("[z-a]", Error::EmptyRange { glob: "[z-a]".into(), at: 0, from: 'z', to: 'a' }, "write a-z"),
        ("a\\", Error::TrailingBackslash { glob: "a\\".into() }, "write \\\\"),
    ];
    for (text, expected, words) in table {
        let error = text.parse::<Glob>().expect_err("it is malformed");
        assert_eq!(&error, expected, "{text}");
        assert!(error.to_string().contains(words), "{error} should say {words}");
    }
    assert_eq!("a".repeat(1025).parse::<Glob>(), Err(Error::TooLong { len: 1025 }));
}

#[test]
fn many_stars_do_not_take_exponential_time() {
    let glob: Glob = "a*".repeat(500).parse().expect("it is valid");
    assert!(!glob.matches(&format!("{}b", "a".repeat(499))));
}

/// The length limits of a listed ref name and of a glob.
const LONGEST: (usize, usize) = (4096, 1024);

#[test]
fn the_work_grows_with_the_name_and_not_with_its_square() {
    let (name, glob) = LONGEST;
    let awkward = [
        format!("*{}b", "a".repeat(glob - 2)),
        format!("{}b", "*a".repeat(glob / 2 - 1)),
        format!("{}b", "*?".repeat(glob / 2 - 1)),
        format!("*{}b", "[ab]".repeat(glob / 4 - 1)),
    ];
    // Names with fifteen times the allowed length. The first glob needed 60 million steps for each name when it backtracked
    // at each mismatch.
    let names = vec!["a".repeat(15 * name); 10];
    let start = time_at_work();
    for text in &awkward {
        let glob: Glob = text.parse().expect("it is valid");
        assert!(!names.iter().any(|name| glob.matches(name)), "{text} ends with another letter");
    }
    let took = time_at_work() - start;
    assert!(took.as_secs() < 10, "40 matches of long names took {took:?}");
}

/// The CPU time of this thread on Linux, so that other work on the machine does not count. On other systems this is the
/// wall time.
fn time_at_work() -> std::time::Duration {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanoseconds = told.and_then(|text| text.split(' ').next()?.parse().ok());
    nanoseconds.map_or_else(
        || std::time::SystemTime::UNIX_EPOCH.elapsed().expect("it is later than 1970"),
        std::time::Duration::from_nanos,
    )
}

/// The definition of a glob, implemented literally, in exponential time.
fn by_definition(glob: &[char], name: &[char]) -> bool {
    let Some((first, behind)) = glob.split_first() else { return name.is_empty() };
    match first {
        '*' => (0..=name.len()).any(|taken| by_definition(behind, &name[taken..])),
        '?' => !name.is_empty() && by_definition(behind, &name[1..]),
        '[' => {
            let is_negated = behind.first() == Some(&'!');
            let from = usize::from(is_negated);
            // A `]` in the first place is literal.
            let end = 1 + from + behind[from + 1..].iter().position(|c| *c == ']').expect("the class is closed");
            let (class, rest) = (&behind[from..end], &behind[end + 1..]);
            name.first().is_some_and(|c| class.contains(c) != is_negated) && by_definition(rest, &name[1..])
        }
        literal => name.first() == Some(literal) && by_definition(behind, &name[1..]),
    }
}

#[test]
fn the_literal_prefix_ends_before_the_first_wildcard() {
    for (glob, prefix) in [("release/*", "release/"), ("main", "main"), ("*", ""), ("v\\*[1]", "v*"), ("", "")] {
        assert_eq!(glob.parse::<Glob>().expect("it is valid").literal_prefix(), prefix, "{glob}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_glob_matches_by_its_definition(
        parts in prop::collection::vec(r"[ab]|\*|\?|\[!?[]a]?[abé]\]|é", 1..12),
        name in "[abé\\]]{0,10}",
        long in prop::bool::weighted(0.2),
    ) {
        // After a long literal start, the rest is in the next machine word.
        let start = if long { "ab".repeat(31) } else { String::new() };
        let (text, name) = (format!("{start}{}", parts.concat()), format!("{start}{name}"));
        let [glob, chars] = [&text, &name].map(|text| text.chars().collect::<Vec<_>>());
        let compiled: Glob = text.parse().expect("it is well-formed");
        prop_assert_eq!(compiled.matches(&name), by_definition(&glob, &chars), "{} and {}", text, name);
    }

    #[test]
    fn any_text_is_accepted_or_refused_but_never_panics(text in ".{0,20}", name in ".{0,20}") {
        if let Ok(glob) = text.parse::<Glob>() {
            let _ = glob.matches(&name);
            prop_assert_eq!(glob.to_string(), text);
        }
    }

    #[test]
    fn a_matching_name_has_the_literal_prefix(text in "[ab*?\\[\\]!-]{1,8}", name in "[ab!-]{0,8}") {
        if let Ok(glob) = text.parse::<Glob>() && glob.matches(&name) {
            prop_assert!(name.starts_with(&glob.literal_prefix()));
        }
    }
}
