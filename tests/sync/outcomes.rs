//! The outcomes of the wire contract, with real repositories.

use refsync::api::{MessageSide, Outcome, Reason, SyncRunMessage};

use super::{ALL, find, outcomes, pull, run};
use crate::support::{Backend, Repository};

/// Branches `main` and `release/1`, a lightweight and an annotated tag, over three commits.
fn source() -> Repository {
    let repository = Repository::empty();
    let first = repository.commit("first", &[]);
    let second = repository.commit("second", &[&first]);
    let third = repository.commit("third", &[&second]);
    repository.git(&["update-ref", "refs/heads/main", &third]);
    repository.git(&["update-ref", "refs/heads/release/1", &second]);
    repository.git(&["update-ref", "refs/tags/light", &first]);
    repository.git(&["tag", "-a", "-m", "annotated", "v1.0", &second]);
    repository
}

#[test]
fn a_first_pull_makes_both_sides_equal() {
    let (upstream, local) = (source(), Repository::empty());
    let stats = pull(&upstream, &local, ALL);
    assert_eq!(local.refs(), upstream.refs());
    local.fsck();
    assert_eq!(stats.count(Outcome::Updated), 4);
    let main = find(&stats, "refs/heads/main");
    assert_eq!((main.before.as_deref(), main.after.as_str()), (None, upstream.refs()["refs/heads/main"].as_str()));
}

#[test]
fn a_second_pull_is_all_unchanged_and_asks_two_questions() {
    let (upstream, local) = (source(), Repository::empty());
    pull(&upstream, &local, ALL);
    let (upstream_remote, upstream_log) = Backend::new(&upstream).remote();
    let (local_remote, local_log) = Backend::new(&local).remote();
    let stats = run(&upstream_remote, &local_remote, ALL).expect("it succeeds");
    assert_eq!(stats.count(Outcome::Unchanged), stats.refs.len());
    assert_eq!(upstream_log.requests(), ["POST git-upload-pack"], "ls-refs");
    assert_eq!(local_log.requests(), ["GET info/refs"], "no push");
}

#[test]
fn an_answer_without_a_ref_is_asked_for_again_in_the_protocols_order() {
    // A source with branches lists at least its HEAD.
    let (upstream, local) = (Repository::empty(), Repository::empty());
    let (upstream_remote, upstream_log) = Backend::new(&upstream).remote();
    let (local_remote, _) = Backend::new(&local).remote();
    let stats = run(&upstream_remote, &local_remote, r#"{"branches":"none/*"}"#).expect("it succeeds");
    assert!(stats.refs.is_empty());
    assert_eq!(upstream_log.requests(), ["POST git-upload-pack", "GET info/refs", "POST git-upload-pack"]);
}

#[test]
fn new_commits_take_four_requests_and_six_where_the_proof_is_asked_for() {
    let (fetch, push) = ("POST git-upload-pack", "POST git-receive-pack");
    // More branches than the engine proves from the pack while it flows.
    for (branches, expected) in [(1, vec![fetch; 2]), (5, vec![fetch, "GET info/refs", fetch, fetch])] {
        let (upstream, local) = (source(), Repository::empty());
        for n in 0..branches {
            // Each branch has its own commit. Two refs with one id could be a ref and its alias, and the engine would
            // ask the destination about them.
            let start = upstream.commit(&format!("start {n}"), &[]);
            upstream.git(&["branch", &format!("line/{n}"), &start]);
        }
        pull(&upstream, &local, ALL);
        for n in 0..branches {
            let line = format!("refs/heads/line/{n}");
            let new = upstream.commit(&line, &[&upstream.git(&["rev-parse", &line])]);
            upstream.git(&["update-ref", &line, &new]);
        }
        let (upstream_remote, upstream_log) = Backend::new(&upstream).remote();
        let (local_remote, local_log) = Backend::new(&local).remote();
        let stats = run(&upstream_remote, &local_remote, ALL).expect("it succeeds");
        assert_eq!(stats.count(Outcome::Updated), branches);
        assert_eq!(upstream_log.requests(), expected, "{branches} branches");
        assert_eq!(local_log.requests(), ["GET info/refs", push], "{branches} branches");
        assert_eq!(local.refs(), upstream.refs());
    }
}

#[test]
fn new_commits_fast_forward() {
    let (upstream, local) = (source(), Repository::empty());
    pull(&upstream, &local, ALL);
    let old = upstream.git(&["rev-parse", "main"]);
    let merged = upstream.git(&["rev-parse", "release/1"]);
    let new = upstream.commit("merge", &[&old, &merged]);
    upstream.git(&["update-ref", "refs/heads/main", &new]);
    let stats = pull(&upstream, &local, ALL);
    let main = find(&stats, "refs/heads/main");
    assert_eq!((main.outcome, main.before.as_ref(), &main.after), (Outcome::Updated, Some(&old), &new));
    assert_eq!(local.refs(), upstream.refs());
    local.fsck();
}

#[test]
fn a_diverged_branch_is_rejected_while_its_neighbours_are_updated() {
    let (upstream, local) = (source(), Repository::empty());
    pull(&upstream, &local, ALL);
    let ours = local.commit("ours", &[&local.git(&["rev-parse", "main"])]);
    local.git(&["update-ref", "refs/heads/main", &ours]);
    for branch in ["main", "release/1"] {
        let theirs = upstream.commit("theirs", &[&upstream.git(&["rev-parse", branch])]);
        upstream.git(&["update-ref", &format!("refs/heads/{branch}"), &theirs]);
    }
    let stats = pull(&upstream, &local, ALL);
    let main = find(&stats, "refs/heads/main");
    assert_eq!((main.outcome, main.reason.clone()), (Outcome::Rejected, Some(Reason::NonFastForward)));
    assert_eq!((main.before.as_ref(), &main.after), (Some(&ours), &ours), "what the destination still has");
    assert_eq!(find(&stats, "refs/heads/release/1").outcome, Outcome::Updated);
    assert_eq!(local.refs()["refs/heads/main"], ours);
    local.fsck();
}

#[test]
fn a_rewound_and_an_amended_branch_are_rejected() {
    let (upstream, local) = (source(), Repository::empty());
    pull(&upstream, &local, ALL);
    let parent = upstream.git(&["rev-parse", "main~1"]);
    upstream.git(&["update-ref", "refs/heads/release/1", &upstream.git(&["rev-parse", "release/1~1"])]);
    upstream.git(&["update-ref", "refs/heads/main", &upstream.commit("amended", &[&parent])]);
    let before = local.refs();
    let stats = pull(&upstream, &local, r#"{"branches":"*"}"#);
    let rejected = (Outcome::Rejected, Some(Reason::NonFastForward));
    assert_eq!(outcomes(&stats), [("main", rejected.0, rejected.1.clone()), ("release/1", rejected.0, rejected.1)]);
    assert_eq!(local.refs(), before);
}

#[test]
fn tags_move_forward_but_never_sideways() {
    let (upstream, local) = (source(), Repository::empty());
    upstream.git(&["tag", "-a", "-m", "again", "same-commit", "main"]);
    upstream.git(&["tag", "-a", "-m", "forward", "forward", "main~1"]);
    pull(&upstream, &local, ALL);
    let tip = upstream.git(&["rev-parse", "main"]);
    let unrelated = upstream.commit("unrelated", &[]);
    upstream.git(&["update-ref", "refs/tags/light", &tip]);
    upstream.git(&["tag", "-f", "-a", "-m", "elsewhere", "v1.0", &unrelated]);
    upstream.git(&["tag", "-f", "-a", "-m", "other words", "same-commit", "main"]);
    upstream.git(&["tag", "-f", "-a", "-m", "forward", "forward", "main"]);
    let stats = pull(&upstream, &local, r#"{"tags":"*"}"#);
    let moved = || Some(Reason::TagMoved);
    assert_eq!(
        outcomes(&stats),
        [
            ("forward", Outcome::Updated, None),
            ("light", Outcome::Updated, None),
            ("same-commit", Outcome::Rejected, moved()),
            ("v1.0", Outcome::Rejected, moved()),
        ]
    );
    local.fsck();
}

#[test]
fn tags_of_tags_trees_and_blobs_arrive_as_they_are() {
    let (upstream, local) = (source(), Repository::empty());
    upstream.git(&["tag", "-a", "-m", "nested", "nested", "v1.0"]);
    let tree = upstream.git(&["rev-parse", "main^{tree}"]);
    let blob = upstream.git(&["hash-object", "-w", "config"]);
    upstream.git(&["update-ref", "refs/tags/tree", &tree]);
    upstream.git(&["tag", "-a", "-m", "a blob", "blob", &blob]);
    pull(&upstream, &local, ALL);
    assert_eq!(local.refs(), upstream.refs());
    local.fsck();
}

#[test]
fn a_ref_on_a_known_commit_needs_no_objects() {
    let (upstream, local) = (source(), Repository::empty());
    pull(&upstream, &local, ALL);
    upstream.git(&["update-ref", "refs/heads/copy", "refs/heads/main"]);
    let (upstream_remote, upstream_log) = Backend::new(&upstream).remote();
    let (local_remote, _) = Backend::new(&local).remote();
    run(&upstream_remote, &local_remote, ALL).expect("it succeeds");
    assert_eq!(upstream_log.requests(), ["POST git-upload-pack"], "nothing was fetched");
    assert_eq!(local.refs(), upstream.refs());
}

#[test]
fn a_symbolic_ref_is_filtered() {
    let (upstream, local) = (source(), Repository::empty());
    upstream.git(&["symbolic-ref", "refs/heads/alias", "refs/heads/main"]);
    let stats = pull(&upstream, &local, ALL);
    let alias = find(&stats, "refs/heads/alias");
    assert_eq!((alias.outcome, alias.reason.clone()), (Outcome::Filtered, Some(Reason::SymbolicRef)));
    assert_eq!((alias.before.as_deref(), alias.after.as_str()), (None, "0".repeat(40).as_str()));
    assert!(!local.refs().contains_key("refs/heads/alias"));
}

#[test]
fn a_branch_that_is_a_directory_at_the_destination_is_rejected_alone() {
    let (upstream, local) = (source(), Repository::empty());
    let ours = local.commit("ours", &[]);
    local.git(&["update-ref", "refs/heads/release", &ours]);
    local.git(&["update-ref", "refs/heads/main/sub", &ours]);
    let stats = pull(&upstream, &local, ALL);
    let conflict = || Some(Reason::NameConflict);
    assert_eq!(
        outcomes(&stats),
        [
            ("main", Outcome::Rejected, conflict()),
            ("release/1", Outcome::Rejected, conflict()),
            ("light", Outcome::Updated, None),
            ("v1.0", Outcome::Updated, None),
        ]
    );
}

#[test]
fn names_that_git_takes_only_over_the_wire_arrive_byte_for_byte() {
    let (upstream, local) = (source(), Repository::empty());
    upstream.git(&["update-ref", "refs/heads/-x", "main"]);
    upstream.git(&["update-ref", "refs/heads/HEAD", "main"]);
    // Latin-1, as in file systems without an encoding.
    upstream.feed("sh", &["-c", "git update-ref $(printf 'refs/heads/caf\\351') main"], "");
    let stats = pull(&upstream, &local, ALL);
    assert_eq!(stats.count(Outcome::Updated), stats.refs.len(), "{stats:?}");
    assert_eq!(find(&stats, "refs/heads/caf\u{fffd}").outcome, Outcome::Updated, "as text it is shown so");
    let bytes = |repository: &Repository| repository.feed("sh", &["-c", "git for-each-ref | od -c"], "");
    assert_eq!(bytes(&local), bytes(&upstream));
    assert_eq!(pull(&upstream, &local, ALL).count(Outcome::Unchanged), stats.refs.len());
}

#[test]
fn names_that_differ_only_in_case_are_refs_of_their_own() {
    let (upstream, local) = (source(), Repository::empty());
    upstream.git(&["branch", "MAIN", "release/1"]);
    upstream.git(&["tag", "V1", "main"]);
    pull(&upstream, &local, ALL);
    assert_eq!(local.refs(), upstream.refs());
    let next = upstream.commit("next", &[&upstream.git(&["rev-parse", "MAIN"])]);
    upstream.git(&["update-ref", "refs/heads/MAIN", &next]);
    let stats = pull(&upstream, &local, r#"{"branches":"M*"}"#);
    assert_eq!(outcomes(&stats), [("MAIN", Outcome::Updated, None)], "globs mind the case too");
    assert_eq!(local.refs(), upstream.refs());
}

#[test]
fn branches_that_stay_diverged_are_asked_for_alone_once_each() {
    let (upstream, local) = (source(), Repository::empty());
    pull(&upstream, &local, ALL);
    let root = upstream.git(&["rev-list", "--max-parents=0", "main"]);
    let count = 20;
    for n in 0..count {
        // Each ref is the ancestor of another one at the destination, so the walk of the next one meets it.
        let name = format!("refs/heads/old/{n:02}");
        let base = local.git(&["rev-parse", if n == 0 { "main" } else { "HEAD" }]);
        let ours = local.commit(&name, &[&base]);
        for (name, id) in [(&name[..], &ours), ("refs/heads/tip", &ours)] {
            local.git(&["update-ref", name, id]);
        }
        local.git(&["symbolic-ref", "HEAD", "refs/heads/tip"]);
        upstream.git(&["update-ref", &name, &upstream.commit(&name, &[&root])]);
    }
    // The source still has the commits from before the rewrite.
    let url = format!("file://{}", local.path().display());
    upstream.git(&["fetch", "-q", &url, "refs/heads/tip"]);
    let (upstream_remote, upstream_log) = Backend::new(&upstream).remote();
    let (local_remote, _) = Backend::new(&local).remote();
    let stats = run(&upstream_remote, &local_remote, r#"{"branches":"old/*"}"#).expect("it succeeds");
    assert_eq!(stats.count(Outcome::Rejected), count);
    assert!(stats.refs.iter().all(|r| r.reason == Some(Reason::NonFastForward)), "{stats:?}");
    // The requests: the refs, the capabilities, the question for all refs in both directions and once more without the
    // pack, and each ref alone.
    let asked = upstream_log.requests().len();
    assert!(asked <= 6 + count, "{asked} requests");
}

#[test]
fn a_hook_declines_one_ref_and_says_why() {
    let (upstream, local) = (source(), Repository::empty());
    let hook = local.path().join("hooks/update");
    std::fs::write(&hook, "#!/bin/sh\nif [ \"$1\" = refs/heads/main ]; then echo not today >&2; exit 1; fi\n")
        .expect("it can be written");
    std::process::Command::new("chmod").arg("+x").arg(&hook).status().expect("chmod runs");
    // A server that indexes a pack reports its progress.
    local.git(&["config", "receive.unpackLimit", "1"]);
    let stats = pull(&upstream, &local, ALL);
    let main = find(&stats, "refs/heads/main");
    assert_eq!((main.outcome, main.reason.clone()), (Outcome::Rejected, Some(Reason::HookDeclined)));
    assert_eq!(main.message.as_deref(), Some("hook declined"));
    let said = SyncRunMessage {
        side: MessageSide::Destination,
        text: "not today\nerror: hook declined to update refs/heads/main".into(),
    };
    assert_eq!(stats.messages, [said], "and not how far the server was");
    assert_eq!(main.message_index, Some(0));
    assert_eq!(main.after, "0".repeat(40), "the destination has nothing");
    assert_eq!(stats.count(Outcome::Updated), 3);
}

#[test]
fn a_push_goes_the_other_way() {
    let (local, upstream) = (source(), Repository::empty());
    let (local_remote, _) = Backend::new(&local).remote();
    let (upstream_remote, _) = Backend::new(&upstream).remote();
    run(&local_remote, &upstream_remote, ALL).expect("it succeeds");
    assert_eq!(upstream.refs(), local.refs());
}

#[test]
fn globs_choose_as_a_table_made_by_git_says() {
    let upstream = source();
    let main = upstream.git(&["rev-parse", "main"]);
    for name in
        ["heads/release/1-fix", "heads/release/a/b", "heads/releases", "heads/old/main", "tags/v1.1", "tags/v2.0"]
    {
        upstream.git(&["update-ref", &format!("refs/{name}"), &main]);
    }
    let list = |kind: &str, glob: &str| match glob {
        "" => Vec::new(), // Git lists everything for an empty pattern, but the contract says that it matches nothing.
        _ => {
            upstream.git(&[kind, "--list", "--format=%(refname)", glob]).lines().map(str::to_owned).collect::<Vec<_>>()
        }
    };
    for branches in ["main", "release/*", "*", "", "v1.*"] {
        for tags in ["main", "release/*", "*", "", "v1.*"] {
            let local = Repository::empty();
            let stats = pull(&upstream, &local, &format!(r#"{{"branches":"{branches}","tags":"{tags}"}}"#));
            let mut expected = [list("branch", branches), list("tag", tags)].concat();
            expected.sort();
            let ours: Vec<&String> = stats.refs.iter().map(|r| &r.name).collect();
            assert_eq!(ours, expected.iter().collect::<Vec<_>>(), "branches {branches:?}, tags {tags:?}");
            assert_eq!(local.refs().into_keys().collect::<Vec<_>>(), expected, "and those alone arrive");
        }
    }
}
