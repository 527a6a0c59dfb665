//! Makes foreign text storable in the database.
//!
//! PostgreSQL stores every Unicode text except one with a NUL, both in `text` and in `jsonb`. Ref names, messages and
//! errors come from remotes, so they may contain a NUL. It is replaced by `U+FFFD`, like bytes that are not UTF-8. Half a
//! surrogate pair is replaced too. Only JSON can contain one: JavaScript writes it if a text was cut in the middle of a
//! character.

use std::borrow::Cow;

/// Makes a text storable.
pub fn text(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { text.replace('\0', REPLACEMENT).into() } else { text.into() }
}

/// Makes JSON storable. The notation `\u0000`, and that of half a surrogate pair, become `U+FFFD`.
pub fn json(json: &str) -> Cow<'_, str> {
    // Avoids copying a large text that needs no change.
    if !["\\u0000", "\\ud", "\\uD"].iter().any(|escape| json.contains(escape)) {
        return json.into();
    }
    let mut out = String::with_capacity(json.len());
    let mut rest = json;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let Some(unit) = code_unit(rest) else {
            // Any other escape has two characters; the second may be a backslash.
            let end = rest.char_indices().nth(2).map_or(rest.len(), |(end, _)| end);
            out.push_str(&rest[..end]);
            rest = &rest[end..];
            continue;
        };
        let (escape, behind) = rest.split_at(ESCAPE);
        match (unit, code_unit(behind)) {
            (0xd800..0xdc00, Some(0xdc00..0xe000)) => {
                out.push_str(&rest[..2 * ESCAPE]);
                rest = &rest[2 * ESCAPE..];
            }
            (0 | 0xd800..0xe000, _) => {
                out.push_str(REPLACEMENT);
                rest = behind;
            }
            _ => {
                out.push_str(escape);
                rest = behind;
            }
        }
    }
    out.push_str(rest);
    out.into()
}

/// The code unit of the escape that the text begins with, such as `\u00e4`.
fn code_unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    u16::from_str_radix(digits, 16).ok().filter(|_| is_hex)
}

const REPLACEMENT: &str = "\u{fffd}";
/// The length of an escape such as `\u0000`.
const ESCAPE: usize = 6;
