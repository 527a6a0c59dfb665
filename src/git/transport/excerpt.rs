//! The words of an error page: hosts explain a refusal in plain text, in JSON or in HTML.

use std::fmt::{self, Formatter};

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::git::words::clean;

/// The part of an error page that a person should read; empty if there is none.
pub(super) fn excerpt(content_type: &str, body: &[u8]) -> String {
    let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let text = match kind.as_str() {
        _ if kind.ends_with("json") => of_json(body).unwrap_or_default(),
        "text/html" | "application/xhtml+xml" => of_html(&String::from_utf8_lossy(body)),
        "text/plain" => String::from_utf8_lossy(body).into_owned(),
        _ => String::new(),
    };
    let text = clean(text.as_bytes());
    match text.char_indices().nth(MAX_EXCERPT) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// The messages of a JSON error: those of GitHub, GitLab, Gitea, Bitbucket and of "problem details" (RFC 9457).
fn of_json(body: &[u8]) -> Option<String> {
    let value: Explanation = serde_json::from_slice(body).ok()?;
    let mut lines = Vec::new();
    value.collect(0, &mut lines);
    lines.dedup();
    Some(lines.join("\n"))
}

/// The parts of a JSON value that may explain an error. `serde_json::Value` would work too, but adds two kilobytes to the
/// download of a page.
enum Explanation {
    Text(String),
    List(Vec<Self>),
    /// The values of the keys in `TELLING`, each with the key's index there.
    Fields(Vec<(usize, Self)>),
    Nothing,
}

impl Explanation {
    fn collect(self, depth: usize, lines: &mut Vec<String>) {
        if depth > MAX_DEPTH || lines.len() >= MAX_LINES {
            return;
        }
        match self {
            Self::Text(text) => lines.push(text),
            Self::List(items) => items.into_iter().for_each(|item| item.collect(depth + 1, lines)),
            Self::Fields(mut fields) => {
                fields.sort_by_key(|&(place, _)| place);
                fields.into_iter().for_each(|(_, field)| field.collect(depth + 1, lines));
            }
            Self::Nothing => {}
        }
    }
}

impl<'de> Deserialize<'de> for Explanation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ExplanationVisitor)
    }
}

struct ExplanationVisitor;

impl<'de> Visitor<'de> for ExplanationVisitor {
    type Value = Explanation;

    fn expecting(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_str<E>(self, text: &str) -> Result<Explanation, E> {
        Ok(Explanation::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Explanation, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Explanation::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Explanation, A::Error> {
        let mut fields = Vec::new();
        while let Some((key, value)) = entries.next_entry::<String, Explanation>()? {
            if let Some(place) = TELLING.iter().position(|telling| *telling == key) {
                fields.push((place, value));
            }
        }
        Ok(Explanation::Fields(fields))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Explanation, E> {
        Ok(Explanation::Nothing)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Explanation, E> {
        Ok(Explanation::Nothing)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Explanation, E> {
        Ok(Explanation::Nothing)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Explanation, E> {
        Ok(Explanation::Nothing)
    }

    fn visit_unit<E>(self) -> Result<Explanation, E> {
        Ok(Explanation::Nothing)
    }
}

/// The text of a page without its markup, scripts and styles; a line for each block.
fn of_html(page: &str) -> String {
    let mut text = String::new();
    let mut rest = page;
    while let Some(start) = rest.find('<') {
        // A line break is a space in HTML.
        text.push_str(&rest[..start].replace(['\n', '\r'], " "));
        rest = &rest[start..];
        let lower = rest.as_bytes();
        let is = |name: &str| lower.get(1..=name.len()).is_some_and(|tag| tag.eq_ignore_ascii_case(name.as_bytes()));
        let end = match HIDDEN.into_iter().find(|name| is(name)) {
            Some(name) => find_ignoring_case(rest, &format!("</{name}")).unwrap_or(rest.len()),
            None if rest.starts_with("<!--") => rest.find("-->").map_or(rest.len(), |at| at + "--".len()),
            None => 0,
        };
        // Inline elements do not separate words.
        text.push_str(if INLINE.into_iter().any(|name| is(name) || is(&format!("/{name}"))) { "" } else { "\n" });
        rest = rest[end..].find('>').map_or("", |at| &rest[end + at + 1..]);
    }
    text.push_str(&rest.replace(['\n', '\r'], " "));
    let lines = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    let mut lines: Vec<String> = lines.filter(|line| !line.is_empty()).map(|line| unescaped(&line)).collect();
    // A title is often repeated as the first heading.
    lines.dedup();
    lines.join("\n")
}

fn find_ignoring_case(text: &str, sought: &str) -> Option<usize> {
    text.as_bytes().windows(sought.len()).position(|window| window.eq_ignore_ascii_case(sought.as_bytes()))
}

/// The five entities of XML, and two others that error pages use.
fn unescaped(text: &str) -> String {
    let entities = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&apos;", "'"),
        ("&nbsp;", " "),
        ("&amp;", "&"),
    ];
    entities.into_iter().fold(text.to_owned(), |text, (entity, character)| text.replace(entity, character))
}

/// The keys whose values explain an error, the most general first.
const TELLING: [&str; 9] = [
    "message",
    "error",
    "error_description",
    "title",
    "detail",
    "reason",
    "errors",
    "description",
    "documentation_url",
];
/// Elements whose content is not for people.
const HIDDEN: [&str; 4] = ["script", "style", "svg", "template"];
/// Inline elements.
const INLINE: [&str; 8] = ["a ", "b>", "i>", "em", "strong", "code", "span", "a>"];
const MAX_DEPTH: usize = 4;
const MAX_LINES: usize = 20;
/// The most characters of an excerpt.
const MAX_EXCERPT: usize = 1500;
