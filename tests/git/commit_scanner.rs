//! Commits out of packs that Git made.

use std::{collections::BTreeSet, process::Stdio};

use proptest::prelude::*;
use refsync::git::{Ancestry, CommitScanner};

use crate::support::{Repository, git_in};

use gix_hash::{Kind, ObjectId};

/// Thirty commits with files in a row: enough that Git writes deltas, of commits too.
fn repository(format: &str) -> Repository {
    let repository = Repository::with_format(format);
    let mut stream = String::new();
    for n in 1..=30 {
        let words = format!(
            "commit {n}\n\n{}",
            "the same long words in every message, which make commits worth a delta\n".repeat(40)
        );
        let file = "line\n".repeat(200 + n);
        stream += &format!(
            "commit refs/heads/main\nmark :{n}\ncommitter C <c@example.com> {} +0000\ndata {}\n{words}\n{}M 644 inline file\ndata {}\n{file}\n",
            1_700_000_000 + n,
            words.len(),
            if n > 1 { format!("from :{}\n", n - 1) } else { String::new() },
            file.len(),
        );
    }
    repository.import(&stream);
    repository
}

fn pack(repository: &Repository, flags: &[&str]) -> Vec<u8> {
    let output = git_in(repository.path())
        .args(["pack-objects", "--revs", "--all", "--stdout", "-q"])
        .args(flags)
        .stdin(Stdio::null())
        .output()
        .expect("git runs");
    assert!(output.status.success(), "git pack-objects: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn scan(pack: &[u8], size: usize, format: Kind) -> refsync::git::CommitGraph {
    let mut scanner = CommitScanner::new(format);
    for piece in pack.chunks(size) {
        scanner.push(piece).expect("the pack is Git's");
    }
    scanner.finish().expect("the pack is whole")
}

#[test]
fn finds_the_commits_that_git_lists_whatever_the_pieces() {
    for (name, format) in [("sha1", Kind::Sha1), ("sha256", Kind::Sha256)] {
        let repository = repository(name);
        let listed = repository.git(&["rev-list", "--all"]);
        let ids: Vec<ObjectId> = listed.lines().map(|hex| ObjectId::from_hex(hex.as_bytes()).expect("an id")).collect();
        for flags in [&["--delta-base-offset"][..], &[], &["--filter=tree:0"], &["--depth=0"]] {
            repository.git(&["repack", "-adfq", "--window=50", "--depth=50"]);
            let pack = pack(&repository, flags);
            for size in [1, 3, 40, 43, 1000, usize::MAX] {
                let graph = scan(&pack, size, format);
                assert_eq!(graph.len(), ids.len(), "{name}, {flags:?}, pieces of {size}");
                assert_eq!(graph.ancestry(*ids.last().expect("the first commit"), ids[0]), Ancestry::Ancestor);
                assert_eq!(graph.ancestry(ids[0], ids[1]), Ancestry::NotAncestor, "a child is no ancestor");
            }
        }
    }
}

#[test]
fn git_does_write_commits_as_deltas_here() {
    let repository = repository("sha1");
    repository.git(&["repack", "-adfq", "--window=50", "--depth=50"]);
    let listed = repository.git(&["cat-file", "--batch-all-objects", "--batch-check=%(objecttype) %(deltabase)"]);
    let deltas = listed.lines().filter(|l| l.starts_with("commit") && !l.ends_with(&"0".repeat(40)));
    assert!(deltas.count() > 0, "else the test above judges no delta");
}

#[test]
fn a_pack_that_is_cut_anywhere_is_never_whole() {
    let pack = pack(&repository("sha1"), &["--filter=tree:0"]);
    let ends: BTreeSet<usize> = (0..pack.len() - 20).step_by(7).collect();
    for end in ends {
        let mut scanner = CommitScanner::new(Kind::Sha1);
        if scanner.push(&pack[..end]).is_ok() {
            assert!(scanner.finish().is_err(), "cut at {end} of {}", pack.len());
        }
    }
}

proptest! {
    #[test]
    fn noise_never_panics(noise in prop::collection::vec(any::<u8>(), 0..400), objects in 0u32..5) {
        let mut scanner = CommitScanner::new(Kind::Sha1);
        let header = [&b"PACK\0\0\0\x02"[..], &objects.to_be_bytes()].concat();
        let _ = scanner.push(&header).and_then(|()| scanner.push(&noise));
    }

    #[test]
    fn a_changed_byte_never_panics(at in 12usize..2000, byte in any::<u8>()) {
        thread_local!(static PACK: Vec<u8> = pack(&repository("sha1"), &["--delta-base-offset"]));
        let mut bytes = PACK.with(Clone::clone);
        let at = at % bytes.len();
        bytes[at] = byte;
        let mut scanner = CommitScanner::new(Kind::Sha1);
        let _ = scanner.push(&bytes);
    }
}
