//! Finds a misspelt key in a request's JSON body.
//!
//! Keys that a call does not know are ignored, so that a caller may be newer than the service. But a key that is nearly a known one, such
//! as `refGlobs` or `nme`, is a mistake: if it were ignored, the call would silently do something else.

use strsim::osa_distance;

use crate::api::{
    json_tree::Json,
    shape::{Key, Shape},
};

/// The path of the first misspelt key, and the right spelling of the key.
pub(super) fn misspelt(shape: &Shape, value: &Json) -> Option<(String, &'static str)> {
    match (shape, value) {
        (Shape::OrNull(shape) | Shape::NullIsMissing(shape), value) => misspelt(shape, value),
        (Shape::List(shape), Json::List(items)) => items.iter().enumerate().find_map(|(at, item)| {
            misspelt(shape, item).map(|(path, meant)| (under(&format!("[{at}]"), &path), meant))
        }),
        (Shape::Object { keys, .. }, Json::Object(pairs)) => among(keys, pairs),
        _ => None,
    }
}

fn among(keys: &'static [Key], pairs: &[(String, Json)]) -> Option<(String, &'static str)> {
    let has = |name: &str| pairs.iter().any(|(key, _)| key == name);
    pairs.iter().find_map(|(name, value)| match keys.iter().find(|key| key.name == name) {
        Some(key) => misspelt(&key.shape, value).map(|(path, meant)| (under(name, &path), meant)),
        None => nearest(name, keys.iter().map(|key| key.name).filter(|key| !has(key))).map(|key| (name.clone(), key)),
    })
}

/// The key that is closest to a word; `None` if no key is close.
fn nearest(word: &str, keys: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    // `refGlobs`, `ref_globs` and `ref-globs` are the same word in three styles.
    let plain = |word: &str| word.replace(['-', '_'], "").to_ascii_lowercase();
    let word = plain(word.get(..word.len().min(LONGEST))?);
    let edits = |key: &'static str| (osa_distance(&word, &plain(key)), key);
    let near = keys.map(edits).filter(|(edits, key)| *edits <= (key.len() / 3).min(2));
    near.min_by_key(|(edits, _)| *edits).map(|(_, key)| key)
}

fn under(place: &str, path: &str) -> String {
    if path.is_empty() || path.starts_with('[') { format!("{place}{path}") } else { format!("{place}.{path}") }
}

/// Longer keys are not compared.
const LONGEST: usize = 64;
