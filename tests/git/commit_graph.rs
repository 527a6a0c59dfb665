//! The graph's answer about two commits equals a walk by the definition, and the graph uses little memory.

use std::collections::{HashMap, HashSet};

use gix_hash::ObjectId;
use proptest::prelude::*;
use refsync::git::{Ancestry, CommitGraph, Exceeded};

fn sha1(number: u64) -> ObjectId {
    let mut bytes = [0; 20];
    bytes[..8].copy_from_slice(&number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
    bytes[12..].copy_from_slice(&number.to_be_bytes());
    ObjectId::Sha1(bytes)
}

fn sha256(number: u64) -> ObjectId {
    let mut bytes = [0; 32];
    bytes[..20].copy_from_slice(sha1(number).as_slice());
    ObjectId::Sha256(bytes)
}

/// Walks from `tip` over the parents, and returns whether it met an unknown commit.
fn by_definition(parents: &HashMap<u64, Vec<u64>>, ancestor: u64, tip: u64) -> Ancestry {
    let (mut seen, mut left, mut leaves) = (HashSet::new(), vec![tip], false);
    while let Some(commit) = left.pop() {
        if commit == ancestor {
            return Ancestry::Ancestor;
        }
        match parents.get(&commit) {
            _ if !seen.insert(commit) => {}
            Some(parents) => left.extend(parents),
            None => leaves = true,
        }
    }
    if leaves { Ancestry::Unknown } else { Ancestry::NotAncestor }
}

proptest! {
    #[test]
    fn one_pair_or_many_are_judged_by_definition(
        histories in prop::collection::vec(prop::collection::vec(1u64..9, 0..4), 1..60),
        missing in prop::collection::hash_set(0u64..60, 0..6),
        pairs in prop::collection::vec((0u64..64, 0u64..64), 1..200),
    ) {
        // The parents of each commit are earlier commits; some of them are missing. Children come first, as in Git's packs.
        let all = histories.iter().enumerate().map(|(n, back)| {
            let parents = back.iter().filter_map(|back| (n as u64).checked_sub(*back)).collect::<Vec<_>>();
            (n as u64, parents)
        });
        let parents: HashMap<u64, Vec<u64>> = all.filter(|(n, _)| !missing.contains(n)).collect();
        let mut graph = CommitGraph::new(1000);
        let mut order: Vec<u64> = parents.keys().copied().collect();
        order.sort_unstable_by(|a, b| b.cmp(a));
        for n in &order {
            graph.insert(&sha1(*n), n + 1, parents[n].iter().map(|parent| sha1(*parent))).expect("there is room");
        }
        prop_assert_eq!(graph.len(), order.len());
        let ids: Vec<_> = pairs.iter().map(|(ancestor, tip)| (sha1(*ancestor), sha1(*tip))).collect();
        let many = graph.ancestries(&ids);
        for ((ancestor, tip), many) in pairs.iter().zip(many) {
            let expected = by_definition(&parents, *ancestor, *tip);
            prop_assert_eq!(graph.ancestry(sha1(*ancestor), sha1(*tip)), expected, "{} below {}", ancestor, tip);
            prop_assert_eq!(many, expected, "{} below {}, among many", ancestor, tip);
        }
        let frontier: HashSet<ObjectId> = graph.frontier().collect();
        let named = parents.values().flatten().filter(|parent| !parents.contains_key(parent));
        prop_assert_eq!(frontier, named.map(|parent| sha1(*parent)).collect());
    }
}

#[test]
fn a_commit_takes_at_most_64_bytes() {
    for (name, id) in [("sha1", sha1 as fn(u64) -> ObjectId), ("sha256", sha256)] {
        let mut graph = CommitGraph::new(usize::MAX);
        for n in 0..1_100_000u64 {
            graph.insert(&id(n), n + 1, std::iter::once(id(n + 1))).expect("there is room");
            // The lists have a different share of reserved room at each size.
            if n > 150_000 && n % 1000 == 0 {
                let each = graph.bytes() as f64 / n as f64;
                assert!(each <= 64.0, "{name}: {each} bytes for each of {n} commits");
            }
        }
        assert_eq!(graph.ancestry(id(1_100_000), id(0)), Ancestry::Ancestor);
        assert_eq!(graph.first_parents(id(0)).len(), 1_100_000);
    }
}

#[test]
fn a_graph_that_is_full_says_how_many_commits_it_takes() {
    let mut graph = CommitGraph::new(10);
    let refusal = (0..).find_map(|n| graph.insert(&sha1(n), n + 1, std::iter::once(sha1(n + 1))).err());
    assert_eq!(refusal, Some(Exceeded::Commits(10)));
    // Parents without a commit take room, too.
    let mut graph = CommitGraph::new(10);
    assert_eq!(graph.insert(&sha1(0), 1, (1..).map(sha1)), Err(Exceeded::Commits(10)));
    let mut graph = CommitGraph::new(10);
    assert_eq!(graph.insert(&sha1(0), 1, std::iter::repeat(sha1(1))), Err(Exceeded::Commits(10)));
    // The same commit again and again takes no room, but it takes time.
    let mut graph = CommitGraph::new(10);
    let refusal = std::iter::repeat_with(|| graph.insert(&sha1(0), 1, std::iter::empty())).find_map(Result::err);
    assert_eq!(refusal, Some(Exceeded::Commits(10)));
}
