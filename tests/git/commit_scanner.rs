//! Scans commits in packs that Git made.

use std::{collections::BTreeSet, io::Write, process::Stdio};

use proptest::prelude::*;
use refsync::git::{Ancestry, CommitGraph, CommitScanner, Exceeded, Limits, Lost};

use crate::support::{Repository, git_in};

use gix_hash::{Kind, ObjectId};

/// Makes thirty commits in a row with files. That is enough for Git to write deltas, also of commits.
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

fn scan(pack: &[u8], size: usize, format: Kind) -> CommitGraph {
    let mut scanner = CommitScanner::new(format, &Limits::default());
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
        let mut scanner = CommitScanner::new(Kind::Sha1, &Limits::default());
        if scanner.push(&pack[..end]).is_ok() {
            assert!(scanner.finish().is_err(), "cut at {end} of {}", pack.len());
        }
    }
}

/// A pack of these entries. An entry has its kind as a number of `gitformat-pack`, the bytes between the header and the
/// data, and the data.
fn made_of(entries: &[(u8, Vec<u8>, Vec<u8>)]) -> Vec<u8> {
    let mut pack =
        [&b"PACK\0\0\0\x02"[..], &u32::try_from(entries.len()).expect("they are few").to_be_bytes()].concat();
    for (kind, between, data) in entries {
        let mut size = data.len() >> 4;
        pack.push(u8::from(size > 0) << 7 | kind << 4 | (data.len() & 15) as u8);
        while size > 0 {
            pack.push(u8::from(size > 0x7f) << 7 | (size & 0x7f) as u8);
            size >>= 7;
        }
        pack.extend_from_slice(between);
        let mut deflate = gix_zlib::stream::deflate::Write::new(Vec::new(), gix_zlib::Compression::BEST);
        deflate.write_all(data).and_then(|()| deflate.flush()).expect("a vector takes all");
        pack.extend_from_slice(&deflate.into_inner());
    }
    pack.extend_from_slice(&[0; 20]);
    pack
}

const COMMIT: u8 = 1;
const REF_DELTA: u8 = 7;

fn commit(parent: Option<ObjectId>, message: &[u8]) -> (ObjectId, Vec<u8>) {
    let mut content = format!("tree {}\n", ObjectId::empty_tree(Kind::Sha1));
    content.extend(parent.map(|parent| format!("parent {parent}\n")));
    content += "author A <a@example.com> 1 +0000\ncommitter A <a@example.com> 1 +0000\n\n";
    let content = [content.as_bytes(), message].concat();
    (gix_object::compute_hash(Kind::Sha1, gix_object::Kind::Commit, &content).expect("no collision"), content)
}

/// Encodes a number for a delta: seven bits in each byte, lowest first.
fn number(mut n: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while n > 0x7f {
        bytes.push(0x80 | (n & 0x7f) as u8);
        n >>= 7;
    }
    bytes.push(n as u8);
    bytes
}

/// A delta that copies all of its base, in pieces of up to 64 KiB, and adds a letter.
fn delta(base: usize) -> Vec<u8> {
    let mut delta = [number(base), number(base + 1)].concat();
    for start in (0..base).step_by(0x10000) {
        let size = (base - start).min(0x10000);
        delta.push(0x80 | 0x0f | 0x70);
        delta.extend_from_slice(&(start as u32).to_le_bytes());
        delta.extend_from_slice(&(size as u32 & 0xffffff).to_le_bytes()[..3]);
    }
    delta.extend_from_slice(b"\x01x");
    delta
}

#[test]
fn a_commit_of_any_size_is_read_and_not_kept() {
    let (first, content) = commit(None, &b"a long message\n".repeat(2 << 20));
    let (second, child) = commit(Some(first), b"the next one\n");
    let pack = made_of(&[(COMMIT, vec![], child), (COMMIT, vec![], content)]);
    let graph = scan(&pack, 65_536, Kind::Sha1);
    assert_eq!(graph.ancestry(first, second), Ancestry::Ancestor, "30 MB are no reason to refuse");
    assert_eq!(graph.ancestry(second, first), Ancestry::NotAncestor, "it was seen to be a root");
}

#[test]
fn a_chain_of_deltas_that_explodes_ends_early() {
    // Each commit has nearly 4 MB. All but the first are deltas of a few hundred bytes.
    let (mut id, mut content) = commit(None, &vec![b'x'; (4 << 20) - 2000]);
    let mut entries = vec![(COMMIT, vec![], content.clone())];
    for _ in 0..1000 {
        entries.push((REF_DELTA, id.as_slice().to_vec(), delta(content.len())));
        content.push(b'x');
        id = gix_object::compute_hash(Kind::Sha1, gix_object::Kind::Commit, &content[..]).expect("no collision");
        if entries.len() == 100 {
            break;
        }
    }
    let pack = made_of(&entries);
    assert!(pack.len() < 65_536, "it is small: {} bytes", pack.len());
    let mut scanner = CommitScanner::new(Kind::Sha1, &Limits::default());
    let refusal = scanner.push(&pack).expect_err("400 MB come out of it");
    assert!(refusal.to_string().contains("unpack to more than 200 times the pack's size"), "{refusal}");
    assert!(scanner.graph().len() < 20, "{} of 100 commits were made", scanner.graph().len());
}

#[test]
fn a_delta_that_is_too_large_is_not_made() {
    let (id, content) = commit(None, b"short\n");
    let huge = [number(content.len()), number(5 << 20), b"\x01x".to_vec()].concat();
    let pack = made_of(&[(COMMIT, vec![], content), (REF_DELTA, id.as_slice().to_vec(), huge)]);
    let mut scanner = CommitScanner::new(Kind::Sha1, &Limits::default());
    scanner.push(&pack).expect("it is no fault of the pack");
    assert_eq!((scanner.lost(), scanner.graph().len()), (Some(Lost::TooLarge), 1));
    assert_eq!(Exceeded::from(Lost::TooLarge).code(), "pack_too_large");
}

#[test]
fn a_delta_to_a_commit_that_is_not_kept_any_more_ends_the_scan() {
    let repository = repository("sha1");
    repository.git(&["repack", "-adfq", "--window=50", "--depth=50"]);
    let limits = Limits { bases: 20_000, ..Limits::default() };
    for flags in [&["--delta-base-offset"][..], &[]] {
        let mut scanner = CommitScanner::new(Kind::Sha1, &limits);
        scanner.push(&pack(&repository, flags)).expect("the pack is Git's");
        assert_eq!(scanner.lost(), Some(Lost::BaseIsGone), "{flags:?}");
        assert!(!scanner.graph().is_empty() && !scanner.is_whole(), "{flags:?}");
    }
}

proptest! {
    #[test]
    fn noise_never_panics(noise in prop::collection::vec(any::<u8>(), 0..400), objects in 0u32..5) {
        let mut scanner = CommitScanner::new(Kind::Sha1, &Limits::default());
        let header = [&b"PACK\0\0\0\x02"[..], &objects.to_be_bytes()].concat();
        let _ = scanner.push(&header).and_then(|()| scanner.push(&noise));
    }

    #[test]
    fn a_changed_byte_never_panics(at in 12usize..2000, byte in any::<u8>()) {
        thread_local!(static PACK: Vec<u8> = pack(&repository("sha1"), &["--delta-base-offset"]));
        let mut bytes = PACK.with(Clone::clone);
        let at = at % bytes.len();
        bytes[at] = byte;
        let mut scanner = CommitScanner::new(Kind::Sha1, &Limits::default());
        let _ = scanner.push(&bytes);
    }
}
