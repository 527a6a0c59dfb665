//! The options of a sync that allow more than fast-forwards.

use std::collections::{BTreeMap, BTreeSet};

use futures_executor::block_on;
use refsync::{
    api::{Outcome, Reason, SyncRunStats},
    sync::{self, Move, Options, Policy, Selection},
};

use super::{find, outcomes, selection};
use crate::support::{Backend, Random, Repository};

fn pull(upstream: &Repository, local: &Repository, policy: Policy) -> Result<SyncRunStats, sync::Error> {
    let (upstream, _) = Backend::new(upstream).remote();
    let (local, _) = Backend::new(local).remote();
    let options = Options { policy, ..Options::default() };
    block_on(sync::run(&Selection::default(), &upstream, &local, &options)).map(super::stats)
}

fn plan(upstream: &Repository, local: &Repository, policy: Policy) -> SyncRunStats {
    let (upstream, _) = Backend::new(upstream).remote();
    let (local, _) = Backend::new(local).remote();
    let options = Options { policy, ..Options::default() };
    let plan = block_on(sync::plan(&Selection::default(), &upstream, &local, &options));
    super::stats(plan.expect("the plan succeeds"))
}

/// An upstream with `main`, `other` and a tag, and a repository whose `main` and tag have diverged.
fn diverged() -> (Repository, Repository) {
    let (upstream, local) = (Repository::empty(), Repository::empty());
    let root = upstream.commit("root", &[]);
    for name in ["heads/main", "heads/other", "tags/v1"] {
        upstream.git(&["update-ref", &format!("refs/{name}"), &root]);
    }
    pull(&upstream, &local, Policy::default()).expect("the first pull succeeds");
    let theirs = upstream.commit("theirs", &[&root]);
    upstream.git(&["update-ref", "refs/heads/main", &theirs]);
    upstream.git(&["update-ref", "refs/heads/other", &theirs]);
    let ours = local.commit("ours", &[&root]);
    local.git(&["update-ref", "refs/heads/main", &ours]);
    local.git(&["update-ref", "refs/tags/v1", &ours]);
    (upstream, local)
}

#[test]
fn force_moves_what_diverged_and_keeps_what_was_there() {
    let (upstream, local) = diverged();
    let ours = local.git(&["rev-parse", "main"]);
    let stats = pull(&upstream, &local, Policy { force: true, ..Policy::default() }).expect("it succeeds");
    assert_eq!(stats.count(Outcome::Updated), 3);
    let main = find(&stats, "refs/heads/main");
    assert_eq!((main.before.as_ref(), &main.after), (Some(&ours), &upstream.git(&["rev-parse", "main"])));
    let refs = local.refs();
    for name in ["refs/heads/main", "refs/heads/other", "refs/tags/v1"] {
        assert_eq!(refs[name], upstream.refs()[name], "{name}");
    }
    for name in ["heads/main", "tags/v1"] {
        let backup = format!("refs/refsync/backup/{ours}/{name}");
        assert_eq!(refs[&backup], ours, "{name} is kept");
        assert_eq!(find(&stats, &format!("refs/{name}")).backup.as_ref(), Some(&backup), "the stats tell it");
    }
    assert!(!refs.keys().any(|name| name.contains("backup") && name.ends_with("other")), "a fast-forward needs none");
    local.fsck();
}

#[test]
fn a_ref_whose_old_commit_cannot_be_kept_is_not_forced() {
    let (upstream, local) = diverged();
    let before = local.refs();
    local.git(&["config", "receive.hideRefs", "refs/refsync"]);
    let stats = pull(&upstream, &local, Policy { force: true, ..Policy::default() }).expect("it succeeds");
    let main = find(&stats, "refs/heads/main");
    assert_eq!((main.outcome, main.reason.clone()), (Outcome::Rejected, Some(Reason::RemoteRefused)));
    assert!(main.message.as_deref().is_some_and(|m| m.contains("could not be kept")), "{:?}", main.message);
    assert_eq!(find(&stats, "refs/heads/other").outcome, Outcome::Updated, "its neighbour goes on");
    assert_eq!(local.refs()["refs/heads/main"], before["refs/heads/main"]);
}

#[test]
fn a_deleted_ref_is_kept_if_the_policy_says_so() {
    let (upstream, local) = diverged();
    let ours = local.git(&["rev-parse", "main"]);
    local.git(&["update-ref", "refs/heads/gone", &ours]);
    let policy = Policy { prune: Some(1), keep_deleted: true, ..Policy::default() };
    let stats = pull(&upstream, &local, policy).expect("it succeeds");
    let gone = find(&stats, "refs/heads/gone");
    let backup = format!("refs/refsync/backup/{ours}/heads/gone");
    assert_eq!((gone.outcome, gone.backup.as_ref()), (Outcome::Updated, Some(&backup)));
    let refs = local.refs();
    assert_eq!((refs.get("refs/heads/gone"), refs.get(&backup)), (None, Some(&ours)));
}

#[test]
fn a_held_move_waits_until_exactly_this_move_is_approved() {
    let (upstream, local) = diverged();
    local.git(&["update-ref", "refs/heads/gone", "main"]);
    let (ours, theirs) = (local.git(&["rev-parse", "main"]), upstream.git(&["rev-parse", "main"]));
    let (tag, zeros) = (upstream.git(&["rev-parse", "v1"]), "0".repeat(40));
    let before = local.refs();
    let hold = |approved: &[(&str, &str, &str)]| {
        let id = |hex: &str| hex.parse().expect("an id");
        let approved =
            approved.iter().map(|(name, from, to)| Move { name: (*name).into(), from: id(from), to: id(to) });
        Policy { hold: Some(approved.collect()), prune: Some(5), keep_deleted: true, ..Policy::default() }
    };
    let held = [("gone", zeros.as_str()), ("main", theirs.as_str()), ("v1", tag.as_str())];
    let check_held = |stats: &SyncRunStats, held: &[(&str, &str)]| {
        let found = stats.refs.iter().filter(|r| r.reason == Some(Reason::Held));
        let found: Vec<_> =
            found.map(|r| (&r.name[r.name.rfind('/').unwrap_or(0) + 1..], r.source.as_deref().unwrap_or(""))).collect();
        assert_eq!(found, held);
    };
    check_held(&plan(&upstream, &local, hold(&[])), &held);
    let stats = pull(&upstream, &local, hold(&[])).expect("it succeeds");
    check_held(&stats, &held);
    assert_eq!(find(&stats, "refs/heads/other").outcome, Outcome::Updated, "a fast-forward does not wait");
    let waiting = local.refs();
    for name in ["refs/heads/main", "refs/heads/gone", "refs/tags/v1"] {
        assert_eq!(waiting[name], before[name], "{name}");
    }

    // Another target, another old id and another ref do not count.
    let other = upstream.git(&["rev-parse", "v1"]);
    let wrong = [
        ("refs/heads/main", ours.as_str(), other.as_str()),
        ("refs/heads/main", other.as_str(), theirs.as_str()),
        ("refs/heads/mai", ours.as_str(), theirs.as_str()),
    ];
    check_held(&pull(&upstream, &local, hold(&wrong)).expect("it succeeds"), &held);

    let right =
        [("refs/heads/main", ours.as_str(), theirs.as_str()), ("refs/heads/gone", ours.as_str(), zeros.as_str())];
    let stats = pull(&upstream, &local, hold(&right)).expect("it succeeds");
    check_held(&stats, &held[2..]);
    let refs = local.refs();
    assert_eq!((refs.get("refs/heads/main"), refs.get("refs/heads/gone")), (Some(&theirs), None));
    for name in ["heads/main", "heads/gone"] {
        assert_eq!(refs[&format!("refs/refsync/backup/{ours}/{name}")], ours, "{name} is kept");
    }
    local.fsck();
}

#[test]
fn more_deletions_than_allowed_may_wait_but_not_happen() {
    let (upstream, local) = diverged();
    for n in 0..3 {
        local.git(&["update-ref", &format!("refs/heads/gone-{n}"), "main"]);
    }
    let policy = Policy { hold: Some(Vec::new()), prune: Some(1), ..Policy::default() };
    let stats = pull(&upstream, &local, policy).expect("nothing is deleted, so it succeeds");
    assert_eq!(stats.refs.iter().filter(|r| r.reason == Some(Reason::Held)).count(), 5, "{stats:?}");
}

#[test]
fn prune_deletes_what_the_source_lacks_and_the_globs_match() {
    let (upstream, local) = diverged();
    let root = upstream.git(&["rev-parse", "v1"]);
    for name in ["refs/heads/gone", "refs/heads/gone-too", "refs/notes/x"] {
        local.git(&["update-ref", name, &root]);
    }
    let (upstream_remote, _) = Backend::new(&upstream).remote();
    let (local_remote, _) = Backend::new(&local).remote();
    let run = |globs: &str, prune| {
        let request = selection(&format!(r#"{{"branches":"{globs}"}}"#));
        let policy = Policy { prune: Some(prune), ..Policy::default() };
        let options = Options { policy, ..Options::default() };
        block_on(sync::run(&request, &upstream_remote, &local_remote, &options)).map(super::stats)
    };
    let before = local.refs();
    let error = run("*", 1).expect_err("two are more than one");
    assert_eq!(error.code(), "too_many_deletions");
    assert_eq!(local.refs(), before, "nothing was done");

    let stats = run("gone", 9).expect("it succeeds");
    assert_eq!(outcomes(&stats), [("gone", Outcome::Updated, None)]);
    let gone = find(&stats, "refs/heads/gone");
    assert_eq!((gone.before.as_ref(), &gone.after), (Some(&root), &"0".repeat(40)));
    let left: Vec<String> = local.refs().into_keys().collect();
    assert!(left.contains(&"refs/heads/gone-too".into()) && left.contains(&"refs/notes/x".into()), "{left:?}");
}

#[test]
fn a_pruned_name_makes_room_for_a_directory_of_it() {
    let (upstream, local) = diverged();
    let root = upstream.git(&["rev-parse", "v1"]);
    local.git(&["update-ref", "refs/heads/a", &root]);
    upstream.git(&["update-ref", "refs/heads/a/b", &root]);
    let stats = pull(&upstream, &local, Policy { prune: Some(9), ..Policy::default() }).expect("it succeeds");
    assert_eq!(find(&stats, "refs/heads/a").outcome, Outcome::Updated);
    assert_eq!(find(&stats, "refs/heads/a/b").outcome, Outcome::Updated, "{:?}", find(&stats, "refs/heads/a/b"));
    assert!(local.refs().contains_key("refs/heads/a/b"));
}

#[test]
fn deleting_the_destinations_current_branch_is_refused_there_and_others_go_on() {
    let (upstream, local) = diverged();
    let root = upstream.git(&["rev-parse", "v1"]);
    local.git(&["update-ref", "refs/heads/trunk", &root]);
    local.git(&["symbolic-ref", "HEAD", "refs/heads/trunk"]);
    let stats = pull(&upstream, &local, Policy { prune: Some(9), ..Policy::default() }).expect("it succeeds");
    let trunk = find(&stats, "refs/heads/trunk");
    assert_eq!(
        (trunk.outcome, trunk.reason.clone(), &trunk.after),
        (Outcome::Rejected, Some(Reason::Protected), &root)
    );
    assert_eq!(find(&stats, "refs/heads/other").outcome, Outcome::Updated);
}

#[test]
fn atomic_moves_all_or_none() {
    let (upstream, local) = diverged();
    let before = local.refs();
    let hook = local.path().join("hooks/update");
    std::fs::write(&hook, "#!/bin/sh\n[ \"$1\" != refs/heads/new ]\n").expect("it can be written");
    std::process::Command::new("chmod").arg("+x").arg(&hook).status().expect("chmod runs");
    upstream.git(&["update-ref", "refs/heads/new", "refs/heads/main"]);
    let stats = pull(&upstream, &local, Policy { atomic: true, ..Policy::default() }).expect("it succeeds");
    assert_eq!(stats.count(Outcome::Updated), 0, "{stats:?}");
    assert_eq!(local.refs(), before);
    let stats = pull(&upstream, &local, Policy::default()).expect("it succeeds");
    assert_eq!(stats.count(Outcome::Updated), 1, "without it the neighbour goes on");
}

#[test]
fn one_rejected_ref_holds_back_all_others_where_the_sync_is_atomic() {
    let (upstream, local) = diverged();
    let root = upstream.git(&["rev-parse", "v1"]);
    upstream.git(&["update-ref", "refs/heads/new", &root]);
    let before = local.refs();
    let policy = Policy { atomic: true, ..Policy::default() };
    let expected = vec![
        ("main", Outcome::Rejected, Some(Reason::NonFastForward)),
        ("new", Outcome::Rejected, Some(Reason::AtomicPushFailed)),
        ("other", Outcome::Rejected, Some(Reason::AtomicPushFailed)),
        ("v1", Outcome::Rejected, Some(Reason::TagMoved)),
    ];
    let planned = plan(&upstream, &local, policy.clone());
    let stats = pull(&upstream, &local, policy.clone()).expect("it succeeds");
    assert_eq!(outcomes(&planned), expected, "the plan says so before");
    assert_eq!(outcomes(&stats), expected);
    assert_eq!(
        find(&stats, "refs/heads/new").message.as_deref(),
        Some("refs/heads/main is rejected, and all refs move or none")
    );
    assert_eq!(local.refs(), before, "as git push --atomic does");
    // A ref that may be forced is no longer rejected, so it does not hold back the others.
    let forced = pull(&upstream, &local, Policy { force: true, ..policy }).expect("it succeeds");
    assert_eq!(forced.count(Outcome::Updated), 4, "{forced:?}");
}

#[test]
fn a_ref_that_cannot_be_created_holds_back_a_branch_that_the_pack_would_have_proved() {
    let (upstream, local) = (Repository::empty(), Repository::empty());
    let root = upstream.commit("root", &[]);
    upstream.git(&["update-ref", "refs/heads/main", &root]);
    pull(&upstream, &local, Policy::default()).expect("the first pull succeeds");
    local.git(&["update-ref", "refs/heads/a", &root]);
    let next = upstream.commit("next", &[&root]);
    upstream.git(&["update-ref", "refs/heads/main", &next]);
    upstream.git(&["update-ref", "refs/heads/a/b", &next]);
    let stats = pull(&upstream, &local, Policy { atomic: true, ..Policy::default() }).expect("it succeeds");
    let expected = vec![
        ("a/b", Outcome::Rejected, Some(Reason::NameConflict)),
        ("main", Outcome::Rejected, Some(Reason::AtomicPushFailed)),
    ];
    assert_eq!(outcomes(&stats), expected);
    assert_eq!(local.git(&["rev-parse", "main"]), root);
}

#[test]
fn standing_excludes_are_filtered_and_never_pruned() {
    let (upstream, local) = diverged();
    let root = upstream.git(&["rev-parse", "v1"]);
    upstream.git(&["update-ref", "refs/heads/wip/a", &root]);
    local.git(&["update-ref", "refs/heads/wip/b", &root]);
    let exclude = vec!["refs/heads/wip/*".parse().expect("it is valid")];
    let stats = pull(&upstream, &local, Policy { prune: Some(9), exclude, ..Policy::default() }).expect("it succeeds");
    let wip = find(&stats, "refs/heads/wip/a");
    assert_eq!((wip.outcome, wip.reason.clone()), (Outcome::Filtered, Some(Reason::Excluded)));
    assert!(local.refs().contains_key("refs/heads/wip/b") && !local.refs().contains_key("refs/heads/wip/a"));
}

/// Random names, none of which is a folder of another one, as in every repository.
fn names(random: &mut Random) -> BTreeSet<String> {
    const PARTS: &[&str] = &["a", "b", "2", "3", "heads", "tags", "backup", "a-b", "a+", "ä"];
    let mut names = BTreeSet::new();
    for _ in 0..12 {
        let depth = 1 + random.below(4);
        let parts: Vec<&str> = (0..depth).map(|_| PARTS[random.below(PARTS.len())]).collect();
        let name = format!("refs/{}/{}", ["heads", "tags"][random.below(2)], parts.join("/"));
        let folder_of = |one: &str, other: &str| other.strip_prefix(one).is_some_and(|rest| rest.starts_with('/'));
        if !names.iter().any(|other: &String| folder_of(other, &name) || folder_of(&name, other)) {
            names.insert(name);
        }
    }
    names
}

#[test]
fn the_backups_of_any_two_refs_at_one_commit_exist_side_by_side() {
    let (upstream, local) = (Repository::empty(), Repository::empty());
    let root = upstream.commit("root", &[]);
    upstream.git(&["update-ref", "refs/heads/main", &root]);
    pull(&upstream, &local, Policy::default()).expect("the first pull succeeds");
    let mut random = Random(7);
    let mut kept = BTreeMap::new();
    for round in 0..12 {
        let names = names(&mut random);
        for name in &names {
            local.git(&["update-ref", name, &root]);
        }
        let policy = Policy { prune: Some(1000), keep_deleted: true, ..Policy::default() };
        let stats = pull(&upstream, &local, policy).expect("it succeeds");
        for name in &names {
            let gone = find(&stats, name);
            assert_eq!(gone.outcome, Outcome::Updated, "round {round}: {name}: {:?}", gone.message);
            let backup = gone.backup.clone().expect("it is kept");
            if let Some(other) = kept.insert(backup, name.clone()) {
                assert_eq!(&other, name, "two refs have one backup");
            }
        }
    }
    let refs = local.refs();
    let there: BTreeSet<&String> = refs.keys().filter(|name| name.starts_with("refs/refsync/backup/")).collect();
    assert_eq!(there, kept.keys().collect(), "each backup is there");
    assert!(kept.len() > 60, "{} backups only", kept.len());
    local.fsck();
}
