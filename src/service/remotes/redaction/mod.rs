//! Removes credentials from a remote's texts. A server or its hook may repeat a credential: whole or in parts, escaped, and
//! cut short.
//!
//! ```text
//!  text ──▶ decoded ──▶ decoded ──▶ decoded        each is searched; every match is hidden in the text
//! ```
//!
//! Each step undoes one layer of escaping, see `spelling`. So a password with a quotation mark is found behind `\"`, `%22`
//! and `&quot;` alike. Base64 and hexadecimal are searched for as such, see `forms`.
//!
//! ```
//! use refsync::{api::UpstreamAuth, service::remotes::redaction::Redaction};
//! let auth = UpstreamAuth::Token { token: "pass\"word".into(), token_username: None };
//! assert_eq!(Redaction::of(Some(&auth)).text(r#"sent "pass\"word""#), r#"sent "[credential]""#);
//! ```

mod forms;
mod spelling;

use std::ops::Range;

use self::{forms::Sought, spelling::Layer};
use crate::api::{Reason, SyncRunStats, UpstreamAuth};

/// The credentials to search for. By default there are none.
#[derive(Clone, Default)]
pub struct Redaction {
    sought: Vec<Sought>,
}

impl Redaction {
    /// Searches for the password or token of this credential.
    pub fn of(auth: Option<&UpstreamAuth>) -> Self {
        let Some((username, password)) = auth.map(UpstreamAuth::basic) else { return Self::default() };
        let sought = match password {
            // A user name without a password may be a token. Then it is also sent as a password.
            "" => Sought::new(username, &[format!("{username}:"), format!("git:{username}")]),
            password => Sought::new(password, &[format!("{username}:{password}")]),
        };
        Self { sought: vec![sought] }
    }

    /// Searches for a secret that is not sent as a password.
    pub fn of_secret(secret: &str) -> Self {
        Self { sought: vec![Sought::new(secret, &[])] }
    }

    /// Searches for the query of a URL, because it may contain a token: the whole query, and each value of at least
    /// [`DISTINCT`] bytes.
    pub fn of_query(url: &str) -> Self {
        let Some((_, query)) = url.split_once('?') else { return Self::default() };
        let values = query.split('&').map(|pair| pair.split_once('=').map_or(pair, |(_, value)| value));
        let secrets = values.filter(|value| value.len() >= DISTINCT).chain([query]);
        Self { sought: secrets.map(|secret| Sought::new(secret, &[])).collect() }
    }

    /// Searches for these credentials and those of another redaction.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.sought.extend(other.sought);
        self
    }

    /// Removes the credentials from a text for people, also the beginning of one where the text was cut.
    pub fn text(&self, text: &str) -> String {
        if !self.may_be_in(text) && !self.sought.iter().any(Sought::has_blanks) {
            return text.to_owned();
        }
        self.hiding(text, Sought::find_in_text)
    }

    /// Removes the credentials from a name or an id. A password of less than [`DISTINCT`] bytes may be a common word and
    /// would hide branches with that name, so it is not searched for.
    pub fn name(&self, name: &str) -> String {
        if !self.may_be_in(name) {
            return name.to_owned();
        }
        self.hiding(name, Sought::find_in_name)
    }

    /// Removes the credentials from stats: from names, ids, and the remotes' own messages.
    pub fn stats(&self, mut stats: SyncRunStats) -> SyncRunStats {
        for r in &mut stats.refs {
            let names =
                [Some(&mut r.name), r.before.as_mut(), Some(&mut r.after), r.backup.as_mut(), r.source.as_mut()];
            for name in names.into_iter().flatten().filter(|name| self.may_be_in(name)) {
                *name = self.name(name);
            }
            if let Some(Reason::Other(word)) = &mut r.reason {
                *word = self.text(word);
            }
            if let Some(message) = &mut r.message {
                *message = self.text(message);
            }
        }
        for message in &mut stats.messages {
            message.text = self.text(&message.text);
        }
        stats
    }

    /// A fast check whether a text needs the full search. Of 100,000 names, hardly one does.
    fn may_be_in(&self, text: &str) -> bool {
        !self.sought.is_empty()
            && (spelling::has_escapes(text.as_bytes())
                || self.sought.iter().any(|sought| sought.may_be_in(text.as_bytes())))
    }

    fn hiding(&self, text: &str, find: fn(&Sought, &Layer) -> Vec<Range<usize>>) -> String {
        let layers = spelling::layers(text, LAYERS, text.len() * 6 + BUDGET);
        let hidden = layers.iter().flat_map(|layer| self.sought.iter().flat_map(|sought| find(sought, layer)));
        without(text, hidden.collect())
    }
}

/// Replaces these ranges of the text.
fn without(text: &str, mut hidden: Vec<Range<usize>>) -> String {
    hidden.sort_unstable_by_key(|range| range.start);
    let mut kept = String::with_capacity(text.len());
    let mut from = 0;
    let mut ranges = hidden.into_iter().peekable();
    while let Some(Range { start, mut end }) = ranges.next() {
        while let Some(next) = ranges.next_if(|next| next.start <= end) {
            end = end.max(next.end);
        }
        // A character must not be cut in two.
        let is_boundary = |at: &usize| text.is_char_boundary(*at);
        let start = (from..=start.max(from)).rev().find(is_boundary).unwrap_or(from);
        kept.push_str(&text[from..start]);
        kept.push_str(HIDDEN);
        from = (end.max(from)..=text.len()).find(is_boundary).unwrap_or(text.len());
    }
    kept.push_str(&text[from..]);
    kept
}

const HIDDEN: &str = "[credential]";
/// The fewest bytes of a password that is searched for in names, of an encoded one, and of a value in a query.
pub const DISTINCT: usize = 8;
/// How many layers of escaping are undone.
const LAYERS: usize = 3;
/// How many bytes the decodings of one text may have together, beside six times its own length: there are six first ones.
const BUDGET: usize = 4_096;
