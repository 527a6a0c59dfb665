//! Symbolic refs at the destination. They are never pushed and never deleted, and do not block their targets.

use futures_executor::block_on;
use refsync::{
    api::{Outcome, Reason, SyncRunStats},
    git::Remote,
    http::{Headers, Request},
    sync::{self, Options, Policy, Selection},
};

use super::{find, servers::Between};
use crate::support::{Backend, Repository};

fn pull(from: &Repository, to: &Remote, policy: Policy) -> SyncRunStats {
    let everything = Selection::default();
    let (from, _) = Backend::new(from).remote();
    let options = Options { policy, ..Options::default() };
    block_on(sync::run(&everything, &from, to, &options)).map(super::stats).unwrap_or_else(|e| panic!("{e}"))
}

fn prune() -> Policy {
    Policy { prune: Some(5), ..Policy::default() }
}

/// Checks that the stats agree with the destination.
fn agree(stats: &SyncRunStats, destination: &Repository) {
    let there = destination.refs();
    for r in &stats.refs {
        assert_eq!(r.after, there.get(&r.name).cloned().unwrap_or_else(|| "0".repeat(40)), "{r:?}");
    }
}

/// A source and a destination with `main` and `v1`. The destination also has an alias of each.
fn renamed() -> (Repository, Repository) {
    let (source, destination) = (Repository::empty(), Repository::empty());
    let root = source.commit("root", &[]);
    source.git(&["update-ref", "refs/heads/main", &root]);
    source.git(&["update-ref", "refs/tags/v1", &root]);
    pull(&source, &Backend::new(&destination).remote().0, Policy::default());
    destination.git(&["symbolic-ref", "refs/heads/master", "refs/heads/main"]);
    destination.git(&["symbolic-ref", "refs/tags/latest", "refs/tags/v1"]);
    (source, destination)
}

fn grow(source: &Repository, branch: &str) -> String {
    let name = format!("refs/heads/{branch}");
    let new = source.commit(branch, &[&source.git(&["rev-parse", &name])]);
    source.git(&["update-ref", &name, &new]);
    new
}

#[test]
fn prune_deletes_neither_an_alias_nor_its_target() {
    let (source, destination) = renamed();
    for moves in [false, true, false] {
        if moves {
            grow(&source, "main");
        }
        let stats = pull(&source, &Backend::new(&destination).remote().0, prune());
        assert_eq!(find(&stats, "refs/heads/main").outcome, if moves { Outcome::Updated } else { Outcome::Unchanged });
        assert_eq!(stats.refs.len(), 2, "an alias that the source lacks is not listed: {stats:?}");
        let there = destination.refs();
        assert_eq!(there["refs/heads/main"], source.refs()["refs/heads/main"]);
        assert_eq!(there["refs/heads/master"], there["refs/heads/main"]);
        assert_eq!(there["refs/tags/latest"], there["refs/tags/v1"]);
        agree(&stats, &destination);
    }
}

#[test]
fn a_ref_that_is_an_alias_at_the_destination_is_filtered_and_its_target_moves() {
    let (source, destination) = renamed();
    // The source has a real branch with the alias's name, and it diverges.
    source.git(&["branch", "master", "main"]);
    for grown in [vec!["main"], vec!["master"], vec!["main", "master"]] {
        for branch in &grown {
            grow(&source, branch);
        }
        let stats = pull(&source, &Backend::new(&destination).remote().0, Policy::default());
        let master = find(&stats, "refs/heads/master");
        assert_eq!((master.outcome, &master.reason), (Outcome::Filtered, &Some(Reason::SymbolicRef)), "{grown:?}");
        assert!(master.message.as_deref().is_some_and(|m| m.contains("refs/heads/main")), "{master:?}");
        let main = find(&stats, "refs/heads/main");
        let expected = if grown.contains(&"main") { Outcome::Updated } else { Outcome::Unchanged };
        assert_eq!(main.outcome, expected, "{grown:?}");
        assert_eq!(destination.refs()["refs/heads/main"], source.refs()["refs/heads/main"], "{grown:?}");
        agree(&stats, &destination);
    }
}

#[test]
fn force_does_not_reach_through_an_alias() {
    let (source, destination) = renamed();
    let other = source.commit("another root", &[]);
    source.git(&["update-ref", "refs/heads/master", &other]);
    source.git(&["update-ref", "refs/tags/latest", &other]);
    let before = destination.refs();
    let stats = pull(&source, &Backend::new(&destination).remote().0, Policy { force: true, ..Policy::default() });
    for name in ["refs/heads/master", "refs/tags/latest"] {
        assert_eq!(find(&stats, name).outcome, Outcome::Filtered, "{name}");
    }
    assert_eq!(destination.refs(), before);
}

#[test]
fn the_target_of_an_alias_is_not_pruned() {
    let (source, destination) = renamed();
    // The source's branch was renamed, too. Only its new name is left.
    source.git(&["branch", "-m", "main", "trunk"]);
    let stats = pull(&source, &Backend::new(&destination).remote().0, prune());
    assert_eq!(find(&stats, "refs/heads/trunk").outcome, Outcome::Updated);
    let main = find(&stats, "refs/heads/main");
    assert_eq!((main.outcome, &main.reason), (Outcome::Rejected, &Some(Reason::Protected)));
    assert!(main.message.as_deref().is_some_and(|m| m.contains("refs/heads/master")), "{main:?}");
    assert!(destination.refs().contains_key("refs/heads/main"));
    agree(&stats, &destination);
}

#[test]
fn a_plan_tells_the_same() {
    let (source, destination) = renamed();
    source.git(&["branch", "master", "main"]);
    grow(&source, "master");
    let everything = Selection::default();
    let options = Options { policy: prune(), ..Options::default() };
    let (from, to) = (Backend::new(&source).remote().0, Backend::new(&destination).remote().0);
    let plan = super::stats(block_on(sync::plan(&everything, &from, &to, &options)).expect("it succeeds"));
    assert_eq!(find(&plan, "refs/heads/master").outcome, Outcome::Filtered);
    assert_eq!(plan.refs.len(), 3, "no alias is to be deleted: {plan:?}");
}

/// Destinations that do not report their symbolic refs: one with an old protocol, and one that may not be read.
fn secretive(destination: &Repository) -> [Remote; 2] {
    let mut old = Between::new(destination);
    (_, old.backend) = Backend::new(destination).speaking(0).remote();
    let unreadable = Between::answering(destination, |request: &Request, _| {
        let is_read = request.url.contains("git-upload-pack");
        is_read.then(|| {
            let headers: Headers = [("content-type", "text/plain")].into_iter().collect();
            refsync::http::Response { status: 403, url: String::new(), headers, body: Default::default() }
        })
    });
    [old.remote().0, unreadable.remote().0]
}

#[test]
fn a_destination_that_does_not_tell_its_aliases_loses_none() {
    for which in 0..2 {
        let (source, destination) = renamed();
        let to = || secretive(&destination)[which].clone();
        let stats = pull(&source, &to(), prune());
        let master = find(&stats, "refs/heads/master");
        assert_eq!((master.outcome, &master.reason), (Outcome::Rejected, &Some(Reason::Protected)), "{master:?}");
        assert!(master.message.as_deref().is_some_and(|m| m.contains("refs/heads/main")), "{master:?}");
        assert_eq!(destination.refs().len(), 4, "nothing is gone");
        agree(&stats, &destination);
        // A ref that cannot be an alias is pruned as usual.
        let gone = destination.commit("gone", &[]);
        destination.git(&["update-ref", "refs/heads/gone", &gone]);
        pull(&source, &to(), prune());
        assert!(!destination.refs().contains_key("refs/heads/gone"));
        // A push to an alias moves another ref, and the stats show it.
        source.git(&["branch", "master", "main"]);
        grow(&source, "master");
        agree(&pull(&source, &to(), Policy::default()), &destination);
        grow(&source, "main");
        grow(&source, "master");
        agree(&pull(&source, &to(), Policy::default()), &destination);
    }
}
