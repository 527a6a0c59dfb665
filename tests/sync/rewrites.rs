//! Random rewrites, deletions and pushes on both sides, under each policy. Git itself says what is reachable.
//!
//! `REFSYNC_POLICY_ROUNDS=10000` makes as many changes, and `REFSYNC_SEED` chooses the start.

use std::collections::BTreeSet;

use futures_executor::block_on;
use refsync::{
    api::{Reason, SyncRunRef},
    sync::{self, Move, Options, Policy, Selection},
};

use crate::support::{Backend, Random, Repository};

const NAMES: [&str; 6] =
    ["refs/heads/a", "refs/heads/b", "refs/heads/c", "refs/heads/d", "refs/tags/v1", "refs/tags/v2"];
/// Changes of one pair of repositories.
const CHANGES: u64 = 50;

#[test]
fn no_policy_loses_a_commit_and_reject_moves_nothing_backwards() {
    let number = |name: &str, default| std::env::var(name).map_or(default, |text| text.parse().expect("a number"));
    let rounds: u64 = number("REFSYNC_POLICY_ROUNDS", 150);
    let first = number("REFSYNC_SEED", 0);
    for seed in first..first + rounds.div_ceil(CHANGES) {
        history(seed);
    }
}

/// Git counts the same commits. Tags and deleted refs are not counted.
fn check_counts(upstream: &Repository, local: &Repository, held: &SyncRunRef, about: &str) {
    let counts = held.ahead.zip(held.behind);
    match (&held.before, &held.source) {
        (Some(before), Some(source)) if held.name.starts_with("refs/heads/") && !source.starts_with("0000") => {
            assert_eq!(counts, Some(upstream.divergence(local, source, before)), "{about}, {held:?}");
        }
        _ => assert_eq!(counts, None, "{about}, {held:?}"),
    }
}

fn history(seed: u64) {
    let mut random = Random(seed);
    let (upstream, local) = (Repository::empty(), Repository::empty());
    let mut ever: BTreeSet<String> = BTreeSet::new();
    let mut approved: Vec<Move> = Vec::new();
    for step in 0..CHANGES {
        let message = format!("{seed}.{step}");
        if random.below(4) == 0 {
            push(&local, &mut random, &message);
        } else {
            change(&upstream, &mut random, &message);
        }
        let before = local.refs();
        ever.extend(before.values().cloned());
        let kind = random.below(3);
        let policy = Policy {
            force: kind == 1,
            hold: (kind == 2).then(|| std::mem::take(&mut approved)),
            prune: (random.below(2) == 0).then_some(6),
            keep_deleted: true,
            ..Policy::default()
        };
        let about = format!("seed {seed}, change {step}, {policy:?}");
        let is_reject = kind == 0;
        let prunes = policy.prune.is_some();
        let options = Options { policy, ..Options::default() };
        let (from, to) = (Backend::new(&upstream).remote().0, Backend::new(&local).remote().0);
        let stats = block_on(sync::run(&Selection::default(), &from, &to, &options)).map(super::stats);
        let stats = stats.unwrap_or_else(|error| panic!("{about}: {error}"));
        for r in stats.refs.iter().filter(|r| r.reason == Some(Reason::Held)) {
            check_counts(&upstream, &local, r, &about);
            let id = |hex: &Option<String>| hex.as_ref().expect("a held ref has both ids").parse().expect("an id");
            if random.below(2) == 0 {
                approved.push(Move { name: r.name.as_str().into(), from: id(&r.before), to: id(&r.source) });
            }
        }
        let after = local.refs();
        let reachable: BTreeSet<String> = local.git(&["rev-list", "--all"]).lines().map(str::to_owned).collect();
        for id in &ever {
            assert!(reachable.contains(id), "{about}: {id} is lost");
        }
        for (name, old) in before.iter().filter(|(name, _)| !name.contains("backup")) {
            match after.get(name) {
                Some(new) if is_reject => {
                    let moves_forward = new == old || local.git(&["merge-base", old, new]) == *old;
                    assert!(moves_forward, "{about}: {name} moved from {old} to {new}");
                }
                None => assert!(prunes, "{about}: {name} was deleted"),
                Some(_) => {}
            }
        }
    }
}

/// Creates, forwards, rewrites or deletes one ref.
fn change(side: &Repository, random: &mut Random, message: &str) {
    let name = NAMES[random.below(NAMES.len())];
    match (random.below(4), side.refs().contains_key(name)) {
        (0, true) => drop(side.git(&["update-ref", "-d", name])),
        (1, true) => drop(side.git(&["update-ref", name, &side.commit(message, &[])])),
        _ => push(side, random, message),
    }
}

/// Creates or forwards one ref, sometimes with a merge.
fn push(side: &Repository, random: &mut Random, message: &str) {
    let name = NAMES[random.below(NAMES.len())];
    let refs = side.refs();
    let merged = NAMES[random.below(NAMES.len())];
    let parents = [refs.get(name), refs.get(merged).filter(|_| random.below(3) == 0)];
    let parents: Vec<&str> = parents.into_iter().flatten().map(String::as_str).collect();
    side.git(&["update-ref", name, &side.commit(message, &parents)]);
}
