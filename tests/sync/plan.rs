//! Only the plan: no server, no repository.

use refsync::{
    api::Reason,
    git::Ref,
    sync::{Decision, Plan, Policy, Selection},
};

use gix_hash::{Kind, ObjectId};

fn r(name: &str, id: u8) -> Ref {
    let id = ObjectId::from_hex(format!("{id:02x}").repeat(20).as_bytes()).expect("40 hex digits");
    Ref { name: name.into(), id, peeled: None, symref_target: None }
}

fn decisions(source: &[Ref], destination: &[Ref]) -> Vec<(String, Decision)> {
    let plan = Plan::new(source.to_vec(), destination, &Selection::default(), &Policy::default(), Kind::Sha1);
    plan.entries.into_iter().map(|entry| (entry.name.to_string(), entry.decision)).collect()
}

#[test]
fn only_branches_and_tags_take_part() {
    let source =
        [r("HEAD", 1), r("refs/pull/1/head", 1), r("refs/notes/commits", 1), r("refs/heads/a", 1), r("refs/tags/a", 1)];
    let names: Vec<String> = decisions(&source, &[]).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["refs/heads/a", "refs/tags/a"]);
}

#[test]
fn what_the_source_lacks_is_left_alone() {
    let plan = Plan::new(Vec::new(), &[r("refs/heads/ours", 1)], &Selection::default(), &Policy::default(), Kind::Sha1);
    assert!(plan.entries.is_empty() && plan.commands().is_empty());
}

#[test]
fn equal_ids_are_unchanged_others_are_candidates_and_new_names_are_created() {
    let source = [r("refs/heads/same", 1), r("refs/heads/moved", 2), r("refs/heads/new", 3)];
    let destination = [r("refs/heads/same", 1), r("refs/heads/moved", 1)];
    let expected = [
        ("refs/heads/moved".to_owned(), Decision::Candidate),
        ("refs/heads/new".to_owned(), Decision::Create),
        ("refs/heads/same".to_owned(), Decision::Unchanged),
    ];
    assert_eq!(decisions(&source, &destination), expected);
}

#[test]
fn names_that_git_refuses_are_rejected() {
    let short = [
        "a..b", "a.lock", "-", "-x", "HEAD", "@", "a b", "a~1", "a//b", ".a", "a/.b", "a.", "a@{b", "a\\b", "\u{7f}",
        "é",
    ];
    for name in short.into_iter().flat_map(|short| [format!("refs/heads/{short}"), format!("refs/tags/{short}")]) {
        let by_git = std::process::Command::new("git").args(["check-ref-format", &name]).output();
        let expected = match by_git.expect("git runs").status.success() {
            true => Decision::Create,
            false => Decision::Rejected(Reason::InvalidName, None),
        };
        assert_eq!(decisions(&[r(&name, 1)], &[])[0].1, expected, "{name}");
    }
}
