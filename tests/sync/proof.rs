//! The proof of fast-forwards agrees with `git merge-base --is-ancestor`, on random histories.
//!
//! Several histories are in one pair of repositories. A plan decides all of them with one question, from sources of each
//! protocol, with and without the ability to leave out trees. Before the final pull of all remaining refs, some histories
//! have a pull of their own, in which the flowing pack is the proof.

use std::{collections::HashMap, fmt::Write};

use futures_executor::block_on;
use refsync::{
    api::{Outcome, Reason, SyncRunStats},
    sync::{self, Options, Selection},
};

use super::{ALL, find, run};
use crate::support::{Backend, Random, Repository};

/// The number of commits in a random history.
const COMMITS: usize = 24;
/// The number of histories in one pair of repositories.
const BATCH: usize = 200;
/// If there are many histories, one in this many is pulled alone.
const ALONE: usize = 3;

/// A ref that has one commit at the destination and another one at the source, both given by their marks.
struct Move {
    name: String,
    old: usize,
    new: usize,
    /// Whether the destination's and the source's are annotated tags.
    annotated: [bool; 2],
}

/// Commits with random parents and dates, as a `git fast-import` stream, with marks from `first` on.
fn history(random: &mut Random, first: usize) -> String {
    let mut stream = String::new();
    for n in 0..COMMITS {
        let mark = first + n;
        let mut parents: Vec<usize> = Vec::new();
        // One in twelve is a root. The others have up to three of the six previous commits as parents.
        if n > 0 && random.below(12) > 0 {
            parents.extend((0..=random.below(3)).map(|_| mark - 1 - random.below(n.min(6))));
            parents.sort_unstable();
            parents.dedup();
        }
        let date = 1_700_000_000 + random.below(1000);
        if parents.is_empty() {
            stream += "reset refs/heads/import\n";
        }
        let text = format!("{mark}\n");
        write!(
            stream,
            "commit refs/heads/import\nmark :{mark}\ncommitter C <c@example.com> {date} +0000\ndata {}\n{text}",
            text.len()
        )
        .expect("a string takes all");
        for (i, parent) in parents.iter().enumerate() {
            writeln!(stream, "{} :{parent}", if i == 0 { "from" } else { "merge" }).expect("a string takes all");
        }
        stream.push('\n');
    }
    stream
}

/// Up to four branches, few enough to be proved from the flowing pack, and up to two tags.
fn moves(random: &mut Random, history: usize) -> Vec<Move> {
    let mut pick = |name: String, is_tag: bool| {
        let [mut old, mut new] = [(); 2].map(|()| 1 + history * COMMITS + random.below(COMMITS));
        // Two in three move from an earlier commit to a later one, as most real moves do.
        if old > new && random.below(3) > 0 {
            (old, new) = (new, old);
        }
        Move { name, old, new, annotated: [is_tag && random.below(2) == 0, is_tag && random.below(2) == 0] }
    };
    let branches = (0..1 + history % 4).map(|n| (format!("refs/heads/h{history}/b{n}"), false));
    let tags = (0..history % 3).map(|n| (format!("refs/tags/h{history}/t{n}"), true));
    branches.chain(tags).map(|(name, is_tag)| pick(name, is_tag)).collect()
}

/// Imports the histories, points the refs at one side of the moves, and gives the ids of the marks.
fn fill(repository: &Repository, stream: &str, moves: &[Move], side: usize) -> HashMap<usize, String> {
    let marks = repository.path().join("marks");
    let export = format!("--export-marks={}", marks.display());
    repository.feed("git", &["fast-import", "--quiet", &export], stream);
    let marks = std::fs::read_to_string(marks).expect("the import wrote them");
    let ids: HashMap<usize, String> = marks
        .lines()
        .filter_map(|line| line.strip_prefix(':')?.split_once(' '))
        .map(|(mark, id)| (mark.parse().expect("a mark is a number"), id.to_owned()))
        .collect();
    let mut updates = String::from("delete refs/heads/import\n");
    let mut tags = String::new();
    for m in moves {
        let id = &ids[&[m.old, m.new][side]];
        match m.annotated[side] {
            false => writeln!(updates, "create {} {id}", m.name),
            true => {
                let name = m.name.strip_prefix("refs/tags/").expect("only tags are annotated");
                writeln!(tags, "tag {name}\nfrom {id}\ntagger T <t@example.com> {side} +0000\ndata 2\nt\n")
            }
        }
        .expect("a string takes all");
    }
    repository.import(&tags);
    repository.feed("git", &["update-ref", "--stdin"], &updates);
    ids
}

/// Git's decision about every move.
fn by_git(repository: &Repository, moves: &[Move], ids: &HashMap<usize, String>) -> Vec<(Outcome, Option<Reason>)> {
    let pairs: String = moves.iter().map(|m| format!("{} {}\n", ids[&m.old], ids[&m.new])).collect();
    let each = "while read old new; do git merge-base --is-ancestor $old $new && echo yes || echo no; done";
    let answers = repository.feed("sh", &["-c", each], &pairs);
    let judge = |(m, answer): (&Move, &str)| match (m.old == m.new, answer) {
        // The same commit means the same ref, unless it has a tag object of its own.
        (true, _) if m.annotated == [false, false] => (Outcome::Unchanged, None),
        (false, "yes") => (Outcome::Updated, None),
        _ if m.name.starts_with("refs/tags/") => (Outcome::Rejected, Some(Reason::TagMoved)),
        _ => (Outcome::Rejected, Some(Reason::NonFastForward)),
    };
    moves.iter().zip(answers.lines()).map(judge).collect()
}

/// Decides some histories in one pair of repositories. Returns how many pulls took the proof from the flowing pack.
fn agrees_with_git(seed: u64, histories: usize) -> usize {
    let mut random = Random(seed);
    let (upstream, local) = (Repository::empty(), Repository::empty());
    let stream: String = (0..histories).map(|h| history(&mut random, 1 + h * COMMITS)).collect();
    let moves: Vec<Move> = (0..histories).flat_map(|h| moves(&mut random, h)).collect();
    let ids = fill(&local, &stream, &moves, 0);
    fill(&upstream, &stream, &moves, 1);
    let expected = by_git(&local, &moves, &ids);
    // In every second run, the source removes all commits that no ref reaches. Then it does not know some of the haves.
    if seed.is_multiple_of(2) {
        upstream.git(&["gc", "-q", "--prune=now"]);
    }
    let check = |stats: &SyncRunStats, way: &str, wanted: &str| {
        for (m, expected) in moves.iter().zip(&expected).filter(|(m, _)| m.name.starts_with(wanted)) {
            let r = find(stats, &m.name);
            let found = (r.outcome, r.reason.clone());
            assert_eq!(&found, expected, "{way}, seed {seed}: {} from commit {} to {}", m.name, m.old, m.new);
        }
    };

    let (upstream_remote, log) = Backend::new(&upstream).in_chunks_of(65_536).remote();
    let (local_remote, local_log) = Backend::new(&local).in_chunks_of(65_536).remote();
    let everything = Selection::default();
    for (version, filter) in [(0, "false"), (0, "true"), (2, "false"), (2, "true")] {
        upstream.git(&["config", "uploadpack.allowFilter", filter]);
        let (source, _) = Backend::new(&upstream).in_chunks_of(65_536).speaking(version).remote();
        let planned = block_on(sync::plan(&everything, &source, &local_remote, &Options::default()));
        let stats = super::stats(planned.expect("the plan succeeds"));
        check(&stats, &format!("planned, protocol {version}, filter {filter}"), "refs/");
    }

    let (mut flowed, mut pulled_alone) = (0, Vec::new());
    let step = if histories < BATCH { 1 } else { ALONE };
    for history in (0..histories).step_by(step) {
        let asked = (log.requests().len(), local_log.requests().len());
        let globs = format!(r#"{{"branches":"h{history}/*"}}"#);
        let stats = run(&upstream_remote, &local_remote, &globs).expect("the pull succeeds");
        let prefix = format!("refs/heads/h{history}/");
        check(&stats, "pulled alone", &prefix);
        pulled_alone.push(prefix);
        let asked = (log.requests().len() - asked.0, local_log.requests().len() - asked.1);
        flowed += usize::from(asked == (2, 2) && stats.count(Outcome::Updated) > 0);
    }
    // For refs that were pulled alone, nothing is left to do. Refused refs are refused again.
    let stats = run(&upstream_remote, &local_remote, ALL).expect("the pull succeeds");
    for (m, (outcome, reason)) in moves.iter().zip(&expected) {
        let r = find(&stats, &m.name);
        let was_alone = pulled_alone.iter().any(|prefix| m.name.starts_with(prefix));
        let outcome = if was_alone && *outcome == Outcome::Updated { Outcome::Unchanged } else { *outcome };
        assert_eq!(
            (r.outcome, &r.reason),
            (outcome, reason),
            "pulled, seed {seed}: {} from {} to {}",
            m.name,
            m.old,
            m.new
        );
    }
    local.fsck();
    flowed
}

/// `REFSYNC_PROOF_ROUNDS` is the number of histories; the default is a few. `REFSYNC_PROOF_SEED` is the first seed. With
/// the seeds 4 and 5, some of the few are proved from the flowing pack.
#[test]
fn random_histories_are_judged_as_git_does() {
    let number = |name: &str| std::env::var(name).ok().and_then(|n| n.parse::<u32>().ok());
    let rounds = number("REFSYNC_PROOF_ROUNDS").unwrap_or(24) as usize;
    let (mut flowed, mut left, mut seed) = (0, rounds, u64::from(number("REFSYNC_PROOF_SEED").unwrap_or(4)));
    // Both kinds of source take part, even if there are few histories.
    let batch = BATCH.min(rounds.div_ceil(2));
    while left > 0 {
        flowed += agrees_with_git(seed, batch.min(left));
        left -= batch.min(left);
        seed += 1;
    }
    assert!(flowed > 0, "some are proved from the flowing pack");
    println!("{rounds} histories judged as Git does; {flowed} pulls took their proof from the flowing pack");
}
