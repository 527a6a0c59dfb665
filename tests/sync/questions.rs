//! A source gets a bounded number of questions, however many refs have moved and wherever they are in the history.

use std::{collections::HashMap, fmt::Write};

use refsync::api::{Outcome, Reason};

use super::{ALL, find, run};
use crate::support::{Backend, Random, Repository};

/// A ref that has one commit at the destination and another one at the source, both given by their marks.
struct Move {
    name: String,
    old: usize,
    new: usize,
}

/// Imports the commits with these parents, and points each ref at its old or its new commit. Returns the ids. The first one
/// has index 0.
fn fill(repository: &Repository, parents: &[Vec<usize>], moves: &[Move], commit_of: fn(&Move) -> usize) -> Vec<String> {
    let mut stream = String::new();
    for (n, parents) in parents.iter().enumerate() {
        let (mark, text) = (n + 1, format!("commit {n}\n"));
        if parents.is_empty() {
            stream += "reset refs/heads/import\n";
        }
        let committer = format!("C <c@example.com> {} +0000", 1_700_000_000 + n);
        let head = format!("commit refs/heads/import\nmark :{mark}\ncommitter {committer}");
        write!(stream, "{head}\ndata {}\n{text}", text.len()).expect("a string takes all");
        for (at, parent) in parents.iter().enumerate() {
            writeln!(stream, "{} :{}", if at == 0 { "from" } else { "merge" }, parent + 1).expect("a string takes all");
        }
        stream.push('\n');
    }
    let marks = repository.path().join("marks");
    repository.feed("git", &["fast-import", "--quiet", &format!("--export-marks={}", marks.display())], &stream);
    let marks = std::fs::read_to_string(marks).expect("the import wrote them");
    let ids: HashMap<usize, &str> = marks
        .lines()
        .filter_map(|line| line.strip_prefix(':')?.split_once(' '))
        .map(|(mark, id)| (mark.parse().expect("a mark is a number"), id))
        .collect();
    let ids: Vec<String> = (0..parents.len()).map(|n| ids[&(n + 1)].to_owned()).collect();
    let mut updates = String::from("delete refs/heads/import\n");
    for m in moves {
        writeln!(updates, "create {} {}", m.name, ids[commit_of(m)]).expect("a string takes all");
    }
    repository.feed("git", &["update-ref", "--stdin"], &updates);
    ids
}

/// Pulls the moves from sources of both protocols. Each result must agree with Git, with at most this many requests to the
/// source.
fn are_judged(what: &str, parents: &[Vec<usize>], moves: &[Move], most: usize) {
    let upstream = Repository::empty();
    let ids = fill(&upstream, parents, moves, |m| m.new);
    // The source has every commit. Otherwise it would not know the old commits.
    let pairs: String = moves.iter().map(|m| format!("{} {}\n", ids[m.old], ids[m.new])).collect();
    let each = "while read old new; do git merge-base --is-ancestor $old $new && echo yes || echo no; done";
    let answers = upstream.feed("sh", &["-c", each], &pairs);
    for version in [2, 0] {
        let local = Repository::empty();
        fill(&local, parents, moves, |m| m.old);
        let (source, log) = Backend::new(&upstream).in_chunks_of(65_536).speaking(version).remote();
        let (destination, _) = Backend::new(&local).in_chunks_of(65_536).remote();
        let stats = run(&source, &destination, ALL).expect("the pull succeeds");
        for (m, answer) in moves.iter().zip(answers.lines()) {
            let expected = match answer {
                "yes" => (Outcome::Updated, None),
                _ if m.name.starts_with("refs/tags/") => (Outcome::Rejected, Some(Reason::TagMoved)),
                _ => (Outcome::Rejected, Some(Reason::NonFastForward)),
            };
            let found = find(&stats, &m.name);
            let found = (found.outcome, found.reason.clone());
            assert_eq!(found, expected, "{what}, protocol {version}: {} from {} to {}", m.name, m.old, m.new);
        }
        let requests = log.requests().len();
        println!("{what}, protocol {version}: {requests} requests for {} refs", moves.len());
        assert!(requests <= most, "{what}, protocol {version}: {requests} requests for {} refs", moves.len());
    }
}

#[test]
fn tags_in_a_row_that_each_moved_forward_take_few_questions() {
    let parents: Vec<Vec<usize>> = (0..1500_usize).map(|n| n.checked_sub(1).into_iter().collect()).collect();
    let tag = |n: usize, place: usize| Move { name: format!("refs/tags/t{place:04}"), old: 2 * n, new: 2 * n + 1 };
    let in_order: Vec<Move> = (0..700).map(|n| tag(n, n)).collect();
    are_judged("in order", &parents, &in_order, 40);
    // The names do not show where the tags are in the history. 299 and 700 have no common divisor.
    let mixed: Vec<Move> = (0..700).map(|n| tag(n, n * 299 % 700)).collect();
    are_judged("mixed", &parents, &mixed, 70);
}

#[test]
fn branches_that_went_back_take_few_questions() {
    let parents: Vec<Vec<usize>> = (0..1500_usize).map(|n| n.checked_sub(1).into_iter().collect()).collect();
    let branch = |n: usize| Move { name: format!("refs/heads/b{n:04}"), old: 2 * n + 10, new: 2 * n };
    let moves: Vec<Move> = (0..700).map(branch).collect();
    are_judged("back", &parents, &moves, 40);
}

#[test]
fn many_refs_in_one_tangled_history_are_judged_as_git_does() {
    for seed in 1..=3 {
        let mut random = Random(seed);
        // One in forty is a root. The others have up to two of the twenty previous commits as parents.
        let parents: Vec<Vec<usize>> = (0..400_usize)
            .map(|n| {
                let count = if n == 0 || random.below(40) == 0 { 0 } else { 1 + random.below(2) };
                let mut parents: Vec<usize> = (0..count).map(|_| n - 1 - random.below(n.min(20))).collect();
                parents.sort_unstable();
                parents.dedup();
                parents
            })
            .collect();
        let moves: Vec<Move> = (0..200)
            .map(|n| {
                let (a, b) = (random.below(400), random.below(400));
                // Three in four move from an earlier commit to a later one.
                let (old, new) = if random.below(4) > 0 { (a.min(b), a.max(b)) } else { (a, b) };
                let new = if old == new { (new + 1) % 400 } else { new };
                Move { name: format!("refs/heads/b{n}"), old, new }
            })
            .collect();
        are_judged(&format!("seed {seed}"), &parents, &moves, 100);
    }
}
