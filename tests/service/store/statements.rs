//! The rules of SQL files. A statement takes named keys, and its first comment names each of them.

use std::{collections::BTreeSet, fs, path::PathBuf};

#[test]
fn statements_take_one_object_of_keys_that_their_comment_names() {
    let files = sql_files();
    assert!(files.len() > 50, "{} files", files.len());
    for (file, text) in files {
        let is_comment = |line: &&str| line.starts_with("--");
        let comment: String = text.lines().take_while(is_comment).collect::<Vec<_>>().join(" ");
        let body: String = text.lines().skip_while(is_comment).collect::<Vec<_>>().join("\n");
        for parameter in body.split('$').skip(1) {
            let is_object = parameter.starts_with("1::jsonb");
            let is_json = parameter.starts_with("2::jsonb") && comment.contains("$2");
            assert!(is_object || is_json, "{file}: ${}", parameter.lines().next().unwrap_or_default());
        }
        let words: BTreeSet<&str> = comment.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').collect();
        for key in keys(&body) {
            assert!(words.contains(key), "{file}: its comment does not name {key}");
        }
    }
}

/// The keys that a statement reads from `$1`.
fn keys(body: &str) -> Vec<&str> {
    let mut keys = Vec::new();
    for behind in body.split("$1::jsonb").skip(1) {
        let operator = ["->> '", "-> '", "? '", "#>> '{"].into_iter().find_map(|o| behind.trim_start().strip_prefix(o));
        if let Some(rest) = operator {
            keys.extend(rest.split(['\'', ',', '}']).next());
        }
    }
    if let Some((_, record)) = body.split_once("jsonb_to_record($1::jsonb) AS asked (") {
        let columns = record.split(')').next().unwrap_or_default();
        keys.extend(columns.split(',').filter_map(|column| column.split_whitespace().next()));
    }
    keys
}

fn sql_files() -> Vec<(String, String)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/service/store/sql");
    let entries = fs::read_dir(folder).expect("the folder is there").map(|entry| entry.expect("an entry").path());
    entries.map(|path| (path.display().to_string(), fs::read_to_string(&path).expect("a text"))).collect()
}
