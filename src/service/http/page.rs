//! The parts of a request's URL, and pages of lists.
//!
//! A cursor is the base64url of `<list>:<seq>`, where `seq` is the last row of the page. Rows that are added later have a
//! higher `seq`, so pages do not shift.

use crate::api::Verbatim;
use crate::service::error::Error;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::{Value, json};

/// The requested page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// The last row of the previous page.
    pub after: Option<i64>,
    /// The most items.
    pub limit: usize,
}

/// A row of a list, and its position.
#[derive(Deserialize)]
pub(crate) struct Row<T> {
    pub(crate) seq: i64,
    pub(crate) item: T,
    /// Whether the next row did not fit into the bytes of this page.
    #[serde(default)]
    pub(crate) has_next: bool,
    /// How many bytes the item has.
    #[serde(default)]
    pub(crate) bytes: usize,
    /// The size of its run's stats in bytes; `None` if there are none.
    #[serde(default)]
    pub(crate) stats_bytes: Option<usize>,
}

/// The path and the query of an absolute URL.
pub fn split_url(url: &str) -> (&str, &str) {
    let behind_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    let from_path = behind_scheme.find(['/', '?', '#']).map_or("", |at| &behind_scheme[at..]);
    let from_path = from_path.split_once('#').map_or(from_path, |(before, _)| before);
    from_path.split_once('?').unwrap_or((from_path, ""))
}

/// A query parameter's value, decoded; the last one if it is given several times.
///
/// # Errors
///
/// If it is not UTF-8, or has a NUL.
pub fn parameter(query: &str, name: &str) -> Result<Option<String>, Error> {
    let mut pairs = query.rsplit('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let Some((_, raw)) = pairs.find(|(key, _)| *key == name) else { return Ok(None) };
    let spaced = raw.replace('+', " ");
    match percent_decode_str(&spaced).decode_utf8() {
        Ok(value) if !value.contains('\0') => Ok(Some(value.into_owned())),
        _ => Err(Error::field(name, "must be percent-encoded UTF-8 without NUL")),
    }
}

impl Page {
    /// The page of the list `list` that the query asks for.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] naming `cursor` or `limit`.
    pub fn parse(query: &str, list: &str) -> Result<Self, Error> {
        let limit = match parameter(query, "limit")? {
            None => DEFAULT_LIMIT,
            Some(text) => match text.parse() {
                Ok(limit @ 1..=MAX_LIMIT) => limit,
                _ => return Err(Error::field("limit", "must be a whole number from 1 to 100; the default is 50")),
            },
        };
        let after = match parameter(query, "cursor")? {
            None => None,
            Some(cursor) => Some(decode(&cursor, list).ok_or_else(|| {
                Error::field("cursor", "is not a next_cursor of this list; leave it out to begin with the newest")
            })?),
        };
        Ok(Self { after, limit })
    }

    /// How many rows to request: one more than the page holds. The extra row shows that there is a next page.
    pub(crate) fn rows(&self) -> usize {
        self.limit + 1
    }

    /// The answer of the list `list`, whose items the database has built.
    pub(crate) fn answer<T>(&self, rows: Vec<Row<Value>>, list: &str) -> Verbatim<T> {
        let (rows, next) = self.cut_rows(rows, list);
        let items: Vec<Value> = rows.into_iter().map(|row| row.item).collect();
        Verbatim::<()>::from(json!({"has_more": next.is_some(), "next_cursor": next})).with(list, items)
    }

    /// The rows of this page, and the cursor of the next one.
    pub(crate) fn cut_rows<T>(&self, mut rows: Vec<Row<T>>, list: &str) -> (Vec<Row<T>>, Option<String>) {
        let has_more = rows.len() > self.limit || rows.last().is_some_and(|row| row.has_next);
        rows.truncate(self.limit);
        let next = rows.last().filter(|_| has_more).map(|row| encode(row.seq, list));
        (rows, next)
    }
}

/// The cursor after the row `seq`.
pub fn encode(seq: i64, list: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{list}:{seq}"))
}

fn decode(cursor: &str, list: &str) -> Option<i64> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
    text.strip_prefix(list)?.strip_prefix(':')?.parse().ok()
}

const DEFAULT_LIMIT: usize = 50;
const MAX_LIMIT: usize = 100;
