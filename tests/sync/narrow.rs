//! Generated pushes with some bad refs. All good refs arrive, and the bad ones are named.
//!
//! `REFSYNC_PUSH_ROUNDS=500` runs the whole table, and `REFSYNC_SEED` chooses the start.

use std::{collections::BTreeSet, fs, os::unix::fs::PermissionsExt, path::Path};

use refsync::api::{Outcome, Reason, SyncRunStats};

use super::{ALL, run};
use crate::support::{Backend, Random, Repository};

/// The kind of bad refs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// A `pre-receive` hook refuses the push and names the first bad ref.
    HookThatNames,
    /// It names all of them, by their short names in quotes.
    HookThatNamesAll,
    /// It prints the same message for every push.
    HookThatIsSilent,
    /// It names a ref that is good.
    HookThatMisleads,
    /// An `update` hook refuses each bad ref.
    UpdateHook,
    /// A bad ref's tree fails `receive.fsckObjects`.
    Fsck,
    /// A tree of a bad ref is missing at the source.
    MissingTree,
    /// A file of a bad ref is damaged at the source.
    DamagedBlob,
    /// A bad ref names a commit that the source does not have.
    MissingCommit,
    /// The destination has a lock file for each bad ref.
    StaleLock,
    /// The destination hides the bad refs (`receive.hideRefs`).
    Hidden,
    /// A bad ref's name is a directory at the destination.
    Conflict,
    /// A bad ref exists at the destination as a symbolic ref.
    Alias,
    /// A bad ref has diverged.
    Diverged,
}

const WAYS: [Way; 14] = [
    Way::HookThatNames,
    Way::HookThatNamesAll,
    Way::HookThatIsSilent,
    Way::HookThatMisleads,
    Way::UpdateHook,
    Way::Fsck,
    Way::MissingTree,
    Way::DamagedBlob,
    Way::MissingCommit,
    Way::StaleLock,
    Way::Hidden,
    Way::Conflict,
    Way::Alias,
    Way::Diverged,
];

#[test]
fn whatever_can_arrive_arrives_and_what_cannot_is_named() {
    let number = |name: &str, default| std::env::var(name).map_or(default, |text| text.parse().expect("a number"));
    let rounds = number("REFSYNC_PUSH_ROUNDS", 50);
    let first = number("REFSYNC_SEED", 0);
    for seed in first..first + rounds {
        let way = WAYS[usize::try_from(seed).expect("a small number") % WAYS.len()];
        round(seed, way);
    }
}

/// One push of up to 24 refs. Some of them are bad.
fn round(seed: u64, way: Way) {
    let mut random = Random(seed);
    let (source, destination) = (Repository::empty(), Repository::empty());
    let names: Vec<String> = (0..2 + random.below(23)).map(|n| format!("refs/heads/b{n:02}")).collect();
    // From one bad ref in a dozen to nearly all of them.
    let share = 1 + random.below(11);
    let bad: BTreeSet<&String> = names.iter().filter(|_| random.below(12) < share).collect();
    let good: Vec<&String> = names.iter().filter(|name| !bad.contains(name)).collect();
    for name in &names {
        source.git(&["update-ref", name, &commit(&source, name, "100644")]);
    }
    spoil(way, &source, &destination, &bad, good.first().map(|name| name.as_str()));

    let (source_remote, _) = Backend::new(&source).remote();
    let (destination_remote, log) = Backend::new(&destination).remote();
    let stats = run(&source_remote, &destination_remote, ALL);
    let about = format!("seed {seed}, {way:?}, {} refs, {} bad", names.len(), bad.len());
    let stats = stats.unwrap_or_else(|error| panic!("{about}: {error}"));
    judge(&stats, &source, &destination, &good, &bad, &about);
    let pushes = log.requests().iter().filter(|request| *request == "POST git-receive-pack").count();
    let most = 1.0 + 2.0 * bad.len() as f64 * (names.len() as f64).log2();
    assert!(pushes as f64 <= most, "{about}: {pushes} pushes, at most {most}");
}

fn judge(
    stats: &SyncRunStats,
    source: &Repository,
    destination: &Repository,
    good: &[&String],
    bad: &BTreeSet<&String>,
    about: &str,
) {
    let there = destination.refs();
    for name in good {
        let expected = source.git(&["rev-parse", name]);
        assert_eq!(there.get(*name), Some(&expected), "{about}: {name} has arrived; {stats:#?}");
    }
    for r in &stats.refs {
        let is_bad = bad.contains(&r.name);
        let expected: &[Outcome] = if is_bad { &[Outcome::Rejected, Outcome::Filtered] } else { &[Outcome::Updated] };
        assert!(expected.contains(&r.outcome), "{about}: {r:?}");
        let said = r.message_index.map(|at| &stats.messages[at as usize].text);
        let is_explained = r.reason == Some(Reason::NonFastForward) || r.message.is_some() || said.is_some();
        assert!(!is_bad || is_explained && r.reason.is_some(), "{about}: {r:?}");
        let has = there.get(&r.name).map_or_else(|| "0".repeat(40), Clone::clone);
        assert_eq!(r.after, has, "{about}: {} is told as it is", r.name);
    }
    assert_eq!(stats.refs.len(), good.len() + bad.len(), "{about}");
}

/// A commit without parents that has one file, with this mode.
fn commit(repository: &Repository, name: &str, mode: &str) -> String {
    let blob = repository.feed("git", &["hash-object", "-w", "--stdin"], &format!("{name}\n"));
    // The tree is written as bytes, because `git mktree` refuses an invalid mode.
    let escaped: String =
        blob.trim().as_bytes().chunks(2).map(|pair| format!("\\x{}", str::from_utf8(pair).unwrap())).collect();
    let script = format!("printf '{mode} f\\0{escaped}' | git hash-object -w -t tree --stdin --literally");
    let tree = repository.feed("bash", &["-c", &script], "");
    repository.git(&["commit-tree", tree.trim(), "-m", name])
}

fn spoil(way: Way, source: &Repository, destination: &Repository, bad: &BTreeSet<&String>, good: Option<&str>) {
    let list = bad.iter().map(|name| name.as_str()).collect::<Vec<_>>().join("\n") + "\n";
    fs::write(destination.path().join("bad"), &list).expect("it can be written");
    let is_bad = "grep -qxF \"$ref\" bad";
    match way {
        Way::HookThatNames => {
            let script = format!(
                "while read o n ref; do {is_bad} && {{ echo \"no: $ref has a secret\"; exit 1; }}; done; exit 0"
            );
            hook(destination, "pre-receive", &script);
        }
        Way::HookThatNamesAll => {
            let script = format!(
                "no=0; while read o n ref; do {is_bad} && {{ echo \"error: '${{ref#refs/heads/}}' may not be pushed\"; no=1; }}; done; exit $no"
            );
            hook(destination, "pre-receive", &script);
        }
        Way::HookThatIsSilent => {
            hook(destination, "pre-receive", &format!("while read o n ref; do {is_bad} && exit 1; done; exit 0"));
        }
        Way::HookThatMisleads => {
            let name = good.unwrap_or("refs/heads/elsewhere");
            let script =
                format!("while read o n ref; do {is_bad} && {{ echo \"look at {name}\"; exit 1; }}; done; exit 0");
            hook(destination, "pre-receive", &script);
        }
        Way::UpdateHook => {
            hook(destination, "update", &format!("ref=$1; {is_bad} && {{ echo not you; exit 1; }}; exit 0"))
        }
        Way::Fsck => {
            destination.git(&["config", "receive.fsckObjects", "true"]);
            for name in bad {
                source.git(&["update-ref", name, &commit(source, name, "0100644")]);
            }
        }
        Way::MissingTree | Way::DamagedBlob => {
            for name in bad {
                let what = if way == Way::MissingTree { "^{tree}" } else { ":f" };
                damage(source, &source.git(&["rev-parse", &format!("{name}{what}")]), way == Way::MissingTree);
            }
        }
        Way::MissingCommit => {
            for (n, name) in bad.iter().enumerate() {
                fs::write(source.path().join(name), format!("{:040x}\n", 0x1234 + n)).expect("it can be written");
            }
        }
        Way::StaleLock => {
            for name in bad {
                let lock = destination.path().join(format!("{name}.lock"));
                fs::create_dir_all(lock.parent().expect("a folder")).expect("it can be made");
                fs::write(lock, "").expect("it can be written");
            }
        }
        Way::Hidden => {
            for name in bad {
                destination.git(&["config", "--add", "receive.hideRefs", name]);
            }
        }
        Way::Conflict => with_root(destination, bad, |root, name| {
            destination.git(&["update-ref", &format!("{name}/below"), root]);
        }),
        Way::Alias => with_root(destination, bad, |root, name| {
            destination.git(&["update-ref", "refs/heads/target", root]);
            destination.git(&["symbolic-ref", name, "refs/heads/target"]);
        }),
        Way::Diverged => with_root(destination, bad, |root, name| {
            destination.git(&["update-ref", name, root]);
        }),
    }
}

fn with_root(destination: &Repository, bad: &BTreeSet<&String>, spoil: impl Fn(&str, &str)) {
    let root = destination.commit("the destination's own", &[]);
    bad.iter().for_each(|name| spoil(&root, name));
}

fn hook(destination: &Repository, name: &str, script: &str) {
    let path = destination.path().join("hooks").join(name);
    fs::create_dir_all(path.parent().expect("a folder")).expect("it can be made");
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("it can be written");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("they can be set");
}

/// Removes a loose object, or damages its bytes.
fn damage(repository: &Repository, id: &str, removes: bool) {
    let path: &Path = &repository.path().join("objects").join(&id[..2]).join(&id[2..]);
    if removes {
        return fs::remove_file(path).expect("it is there");
    }
    fs::set_permissions(path, fs::Permissions::from_mode(0o644)).expect("they can be set");
    fs::write(path, b"this is not zlib").expect("it can be written");
}
