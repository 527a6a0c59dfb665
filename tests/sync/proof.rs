//! Fast-forwards are proved as `git merge-base --is-ancestor` decides, on random histories.

use std::fmt::Write;

use refsync::model::Outcome;

use super::{find, pull};
use crate::support::Repository;

/// A small random number generator (splitmix64): a failing seed is told, and can be run again.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % bound as u64).expect("it is below a usize")
    }
}

/// How many commits a random history has.
const COMMITS: usize = 24;

/// Commits with random parents and dates, as a `git fast-import` stream; commit `n` is `refs/all/n`.
fn history(random: &mut Random) -> String {
    let mut stream = String::new();
    for n in 1..=COMMITS {
        let date = 1_700_000_000 + random.below(1000);
        write!(stream, "commit refs/all/{n}\nmark :{n}\ncommitter C <c@example.com> {date} +0000\ndata 2\n{n:02}\n")
            .expect("a string takes all");
        // One in twelve is a root; others have up to three of the six commits before them as parents.
        if n > 1 && random.below(12) > 0 {
            let mut parents: Vec<usize> = (0..=random.below(3)).map(|_| n - 1 - random.below((n - 1).min(6))).collect();
            parents.sort_unstable();
            parents.dedup();
            for (i, parent) in parents.iter().enumerate() {
                writeln!(stream, "{} :{parent}", if i == 0 { "from" } else { "merge" }).expect("a string takes all");
            }
        }
        stream.push('\n');
    }
    stream
}

/// One random history with branches of which the destination has one commit and the source another.
fn agrees_with_git(seed: u64) -> usize {
    let mut random = Random(seed);
    let (upstream, local) = (Repository::empty(), Repository::empty());
    let stream = history(&mut random);
    upstream.import(&stream);
    local.import(&stream);
    // Few are proved from the flowing pack, many by a question of their own.
    let branches = 1 + random.below(8);
    let moves: Vec<(usize, usize)> =
        (0..branches).map(|_| (1 + random.below(COMMITS), 1 + random.below(COMMITS))).collect();
    for (n, (old, new)) in moves.iter().enumerate() {
        local.git(&["update-ref", &format!("refs/heads/b{n}"), &format!("refs/all/{old}")]);
        upstream.git(&["update-ref", &format!("refs/heads/b{n}"), &format!("refs/all/{new}")]);
    }
    // The source forgets what no branch of it reaches, every other time: then it does not know some of the haves.
    if random.below(2) == 0 {
        for n in 1..=COMMITS {
            upstream.git(&["update-ref", "-d", &format!("refs/all/{n}")]);
        }
        upstream.git(&["gc", "-q", "--prune=now"]);
    }
    let old_tips: Vec<String> = (0..branches).map(|n| local.git(&["rev-parse", &format!("b{n}")])).collect();
    let stats = pull(&upstream, &local, r#"{"branches":"b*"}"#);
    let mut fast_forwards = 0;
    for (n, (old, new)) in moves.iter().enumerate() {
        let by_git =
            local.try_git(&["merge-base", "--is-ancestor", &old_tips[n], &format!("refs/all/{new}")]).status.success();
        let expected = match (old == new, by_git) {
            (true, _) => Outcome::Unchanged,
            (_, true) => Outcome::Updated,
            (_, false) => Outcome::Rejected,
        };
        fast_forwards += usize::from(expected == Outcome::Updated);
        let r = find(&stats, &format!("refs/heads/b{n}"));
        assert_eq!(r.outcome, expected, "seed {seed}: b{n} from commit {old} to {new}");
    }
    local.fsck();
    fast_forwards
}

#[test]
fn random_histories_are_judged_as_git_does() {
    let rounds = std::env::var("REFSYNC_PROOF_ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(12);
    let fast_forwards: usize = (0..rounds).map(agrees_with_git).sum();
    assert!(fast_forwards > 0, "some of the random updates are fast-forwards");
}
