//! Globs, URLs and JSON.

use refsync::{api::json_tree::Json, glob::Glob, service::remotes::upstream};

use super::replies::remote_at;

/// A glob and a name, parted by a line's end.
pub(crate) fn glob(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (pattern, name) = text.split_once('\n').unwrap_or((text, ""));
    let literal: String = name.chars().flat_map(|c| ['\\', c]).collect();
    if let Ok(literal) = literal.parse::<Glob>() {
        assert_eq!(literal.matches(name), !name.is_empty(), "every character escaped matches the name itself");
    }
    let Ok(glob) = pattern.parse::<Glob>() else { return };
    assert_eq!(glob.to_string(), pattern, "it prints as it was written");
    if glob.matches(name) {
        assert!(name.starts_with(&glob.literal_prefix()), "what matches starts with the literal prefix");
        if let Ok(longer) = format!("{pattern}*").parse::<Glob>() {
            assert!(longer.matches(&format!("{name}/x")), "an asterisk takes what follows");
        }
    }
}

/// The URL of a remote, and of an upstream in a request.
pub(crate) fn url(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let _ = refsync::service::http::page::split_url(text);
    if let Ok(parsed) = upstream::parse(text) {
        let again = upstream::parse(&parsed.url).expect("what was stored can be read again");
        assert_eq!((again.url.as_str(), again.auth), (parsed.url.as_str(), None), "no credential is left in it");
        let shown = remote_url(&parsed.url);
        assert_eq!(shown, parsed.url.trim_end_matches('/'), "the engine reads it in the same way");
    }
    let shown = remote_url(text);
    let authority = shown.split_once("://").map_or("", |(_, rest)| rest.split(['/', '?', '#']).next().unwrap_or(""));
    assert!(!authority.contains('@'), "no credential is printed");
}

fn remote_url(url: &str) -> String {
    remote_at(url, [], 1).url().to_owned()
}

/// The client's JSON, which serde_json judges.
pub(crate) fn json(data: &[u8]) {
    let Ok(parsed) = Json::parse(data) else {
        // Deeper than the client goes is the only difference.
        let by_serde = serde_json::from_slice::<serde_json::Value>(data);
        let is_deep = data.iter().filter(|byte| matches!(byte, b'[' | b'{')).count() > 60;
        assert!(by_serde.is_err() || is_deep, "serde_json reads it");
        return;
    };
    let text = parsed.encode();
    assert_eq!(Json::parse(text.as_bytes()).as_ref(), Ok(&parsed), "what is written is read");
}
