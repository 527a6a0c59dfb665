//! Which parts of a remote's messages are kept.

use refsync::git::{Words, clean};

fn said(pieces: &[&str]) -> String {
    let mut words = Words::default();
    pieces.iter().for_each(|piece| words.push(piece.as_bytes()));
    words.text()
}

#[test]
fn lines_stay_lines_however_they_are_cut() {
    assert_eq!(said(&["one\ntwo\n"]), "one\ntwo");
    assert_eq!(said(&["o", "ne\nt", "", "wo"]), "one\ntwo");
    assert_eq!(said(&["\n\none\n\ntwo\n\n"]), "one\n\ntwo", "empty lines count only in between");
    assert_eq!(said(&["one\r\ntwo\r", "\nthree"]), "one\ntwo\nthree", "Windows ends its lines so");
    assert_eq!(said(&[]), "");
}

#[test]
fn progress_is_dropped() {
    assert_eq!(said(&["Checking: 10%\rChecking: 100%\rChecking: 100%, done.\nok\n"]), "Checking: 100%, done.\nok");
    assert_eq!(said(&["Checking: 10%\r"]), "");
}

#[test]
fn colours_and_what_cannot_be_seen_are_removed() {
    for (text, expected) in [
        ("\u{1b}[31merror:\u{1b}[0m no", "error: no"),
        ("\u{1b}[1;38;5;196mred\u{1b}[m", "red"),
        ("bell\u{7} and nul\0", "bell and nul"),
        ("c1 \u{9b}31m", "c1 31m"),
        ("main\u{202e}gnp.txt", "maingnp.txt"),
        ("zero\u{200b}width\u{feff}", "zerowidth"),
        ("a\ttab", "a\ttab"),
        ("trailing space   ", "trailing space"),
        ("cut off \u{1b}", "cut off"),
        ("cut off \u{1b}[3", "cut off"),
    ] {
        assert_eq!(said(&[text]), expected, "{text:?}");
    }
    assert_eq!(clean(b"no \xff UTF-8"), "no \u{fffd} UTF-8");
}

#[test]
fn of_too_many_lines_the_cause_and_the_last_ones_are_kept() {
    let warnings =
        |from: usize| -> String { (from..from + 2000).map(|n| format!("warning: line {n} is long\n")).collect() };
    let text =
        format!("{}error: the cause\n{}fatal: another cause\n{}the end\n", warnings(0), warnings(5000), warnings(9000));
    let kept = said(&[&text]);
    assert!(kept.len() <= 8 * 1024, "{} bytes", kept.len());
    assert!(kept.starts_with("warning: line 0 is long\n"));
    assert!(kept.contains("\n…\nerror: the cause\n…\nfatal: another cause\n…\n"), "{kept}");
    assert!(kept.ends_with("warning: line 10999 is long\nthe end"));
}

#[test]
fn an_endless_line_takes_no_more_memory_than_a_short_one() {
    let mut words = Words::default();
    (0..10_000).for_each(|_| words.push(&[b'x'; 10_000]));
    assert_eq!(words.text().len(), 1000);
}
