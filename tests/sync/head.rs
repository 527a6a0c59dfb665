//! The branch of the source's `HEAD`: when it is known, and that it comes first in an empty destination.

use std::{os::unix::fs::PermissionsExt, rc::Rc};

use futures_executor::block_on;
use refsync::sync::{self, Options, Plan};

use super::{ALL, run, selection};
use crate::support::{Backend, Repository};

/// Branches `abc`, `trunk` and `zeta` on commits of their own, and a tag. `HEAD` names `trunk`.
fn source() -> Repository {
    let repository = Repository::empty();
    for branch in ["abc", "trunk", "zeta"] {
        let commit = repository.commit(branch, &[]);
        repository.git(&["update-ref", &format!("refs/heads/{branch}"), &commit]);
    }
    repository.git(&["tag", "aaa", "abc"]);
    repository.git(&["symbolic-ref", "HEAD", "refs/heads/trunk"]);
    repository
}

/// The `HEAD` of a plan. Also checks that `HEAD` is not a ref of the plan and needs no request of its own.
fn head(source: &Repository, ref_globs: &str, version: u8) -> Option<String> {
    let destination = Repository::empty();
    let request = selection(ref_globs);
    let (upstream, log): (_, Rc<Backend>) = Backend::new(source).speaking(version).remote();
    let (local, _) = Backend::new(&destination).remote();
    let plan = block_on(sync::plan(&request, &upstream, &local, &Options::default()));
    let plan = plan.unwrap_or_else(|e| panic!("protocol {version}: {e}"));
    assert!(plan.entries.iter().all(|entry| entry.name.starts_with(b"refs/")), "HEAD is no ref of the stats");
    match version {
        2 => assert_eq!(log.requests(), ["POST git-upload-pack"]),
        _ => assert_eq!(log.requests(), ["POST git-upload-pack", "GET info/refs"], "the question of v2, then the refs"),
    }
    plan.head.map(|name| name.to_string())
}

/// The branch that `HEAD` names, according to Git.
fn by_git(source: &Repository) -> String {
    source.git(&["symbolic-ref", "HEAD"])
}

#[test]
fn every_protocol_tells_which_branch_head_names_without_a_further_request() {
    let source = source();
    for version in [0, 1, 2] {
        assert_eq!(head(&source, ALL, version), Some(by_git(&source)), "protocol {version}");
    }
}

#[test]
fn head_is_told_though_the_globs_leave_its_branch_out() {
    let source = source();
    for version in [0, 2] {
        for globs in [r#"{"branches":"abc"}"#, r#"{"tags":"*"}"#] {
            assert_eq!(head(&source, globs, version), Some(by_git(&source)), "protocol {version}, {globs}");
        }
    }
}

#[test]
fn head_that_names_a_branch_that_is_not_there_tells_nothing() {
    let source = source();
    source.git(&["symbolic-ref", "HEAD", "refs/heads/unborn"]);
    for version in [0, 2] {
        assert_eq!(head(&source, ALL, version), None, "protocol {version}");
    }
}

#[test]
fn a_detached_head_stands_for_the_branch_at_its_commit() {
    let source = source();
    let detach = |commit: &str| source.git(&["update-ref", "--no-deref", "HEAD", &source.git(&["rev-parse", commit])]);
    // Each step adds one more branch at the commit of HEAD.
    detach("zeta");
    let mut expected = "refs/heads/zeta".to_owned();
    for better in ["beta", "master", "main"] {
        assert_eq!([0, 2].map(|version| head(&source, ALL, version)), [Some(expected.clone()), Some(expected)]);
        source.git(&["update-ref", &format!("refs/heads/{better}"), &source.git(&["rev-parse", "zeta"])]);
        expected = format!("refs/heads/{better}");
    }
    assert_eq!(head(&source, ALL, 2), Some(expected));
    let elsewhere = source.commit("no branch is here", &[]);
    source.git(&["update-ref", "--no-deref", "HEAD", &elsewhere]);
    assert_eq!([0, 2].map(|version| head(&source, ALL, version)), [None, None]);
}

/// The refs of a push, in its order.
fn pushed(source: &Repository, destination: &Repository, ref_globs: &str) -> Vec<String> {
    let hook = destination.path().join("hooks/pre-receive");
    std::fs::write(&hook, "#!/bin/sh\nwhile read old new name; do echo $name; done >> order\n")
        .expect("it can be written");
    std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o755)).expect("it can be made to run");
    let (upstream, _) = Backend::new(source).remote();
    let (local, _) = Backend::new(destination).remote();
    run(&upstream, &local, ref_globs).expect("it succeeds");
    let order = std::fs::read_to_string(destination.path().join("order")).expect("the hook has run");
    order.lines().map(str::to_owned).collect()
}

#[test]
fn in_an_empty_destination_the_branch_of_the_sources_head_is_the_first() {
    let names = ["refs/heads/trunk", "refs/heads/abc", "refs/heads/zeta", "refs/tags/aaa"];
    assert_eq!(pushed(&source(), &Repository::empty(), ALL), names);

    // Tags alone do not make a default branch.
    let tagged = Repository::empty();
    tagged.git(&["update-ref", "refs/tags/old", &tagged.commit("old", &[])]);
    assert_eq!(pushed(&source(), &tagged, ALL), names);
}

#[test]
fn where_the_destination_has_a_branch_the_order_is_that_of_the_names() {
    let destination = Repository::empty();
    destination.git(&["update-ref", "refs/heads/ours", &destination.commit("ours", &[])]);
    let names = ["refs/heads/abc", "refs/heads/trunk", "refs/heads/zeta", "refs/tags/aaa"];
    assert_eq!(pushed(&source(), &destination, ALL), names);
}

#[test]
fn a_head_that_the_globs_leave_out_changes_no_order() {
    let names = ["refs/heads/abc", "refs/tags/aaa"];
    assert_eq!(pushed(&source(), &Repository::empty(), r#"{"branches":"abc","tags":"*"}"#), names);
}

#[test]
fn globs_that_match_nothing_are_told_and_take_one_question() {
    let (source, destination) = (source(), Repository::empty());
    let (upstream, _) = Backend::new(&source).remote();
    let (local, _) = Backend::new(&destination).remote();
    let request = selection(r#"{"branches":"none/*","tags":"a*"}"#);
    let plan: Plan = block_on(sync::run(&request, &upstream, &local, &Options::default())).expect("it succeeds");
    assert_eq!((plan.unmatched.branches.as_slice(), plan.unmatched.tags.len()), (["none/*".to_owned()].as_slice(), 0));
    let (upstream, log) = Backend::new(&source).remote();
    let stats = run(&upstream, &local, r#"{"branches":"none/*"}"#).expect("it succeeds");
    assert!(stats.refs.is_empty());
    assert_eq!(log.requests(), ["POST git-upload-pack"], "HEAD is an answer, too");
}
