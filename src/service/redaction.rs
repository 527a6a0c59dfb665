//! Takes a credential out of what a remote said: a server, or a hook behind it, may repeat what it was sent, whole or in
//! parts, and its words may have been cut short before they come here.

use std::{collections::HashSet, ops::Range};

use base64::{Engine, engine::general_purpose::STANDARD};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::model::{SyncRunStats, UpstreamAuth};

/// The forms that credentials may be repeated in.
#[derive(Default)]
pub struct Redaction {
    forms: Vec<String>,
    /// What a part of one has: each of its runs of [`PART`] bytes.
    parts: HashSet<[u8; PART]>,
}

impl Redaction {
    /// Of this credential: as it is, percent-encoded, and as HTTP Basic authentication sends it.
    pub fn of(auth: Option<&UpstreamAuth>) -> Self {
        let Some((username, password)) = auth.map(UpstreamAuth::basic) else { return Self::default() };
        // A user name without a password may be a token, which is then sent as a password, too.
        let secret = if password.is_empty() { username } else { password };
        let encoded = utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string();
        let mut forms = vec![STANDARD.encode(format!("{username}:{password}")), secret.to_owned(), encoded];
        if password.is_empty() {
            forms.push(STANDARD.encode(format!("git:{secret}")));
        }
        // Anything shorter is in every other word, and guessed at once.
        forms.retain(|form| form.len() >= SHORTEST);
        let parts = forms.iter().flat_map(|form| form.as_bytes().windows(PART)).filter_map(|part| part.try_into().ok());
        Self { parts: parts.collect(), forms }
    }

    /// Of these credentials and those of another.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.forms.extend(other.forms);
        self.parts.extend(other.parts);
        self
    }

    /// The text without it, and without what is left of it where the text ends too early.
    pub fn text(&self, text: &str) -> String {
        let text = self.forms.iter().fold(text.to_owned(), |text, form| text.replace(form.as_str(), HIDDEN));
        let text = self.without_parts(&text);
        let cut = self.forms.iter().filter_map(|form| beginning_at_the_end(&text, form)).max();
        cut.map_or_else(|| text.clone(), |length| format!("{}{HIDDEN}", &text[..text.len() - length]))
    }

    fn without_parts(&self, text: &str) -> String {
        let mut found: Vec<Range<usize>> = Vec::new();
        for (start, part) in text.as_bytes().windows(PART).enumerate() {
            if !self.parts.contains(part) {
                continue;
            }
            match found.last_mut() {
                Some(last) if start <= last.end => last.end = start + PART,
                _ => found.push(start..start + PART),
            }
        }
        let mut kept = String::with_capacity(text.len());
        let mut from = 0;
        for Range { start, end } in found {
            // No character is cut in two.
            let is_boundary = |at: &usize| text.is_char_boundary(*at);
            let start = (from..=start).rev().find(is_boundary).unwrap_or(from);
            kept.push_str(&text[from..start]);
            kept.push_str(HIDDEN);
            from = (end..=text.len()).find(is_boundary).unwrap_or(text.len());
        }
        kept.push_str(&text[from..]);
        kept
    }

    /// The stats, whose messages are the remote's own words, without it.
    pub fn stats(&self, mut stats: SyncRunStats) -> SyncRunStats {
        let of_refs = stats.refs.iter_mut().filter_map(|r| r.message.as_mut());
        for text in of_refs.chain(stats.messages.iter_mut().map(|message| &mut message.text)) {
            *text = self.text(text);
        }
        stats
    }
}

/// How many bytes of a form's beginning the text ends with.
fn beginning_at_the_end(text: &str, form: &str) -> Option<usize> {
    let ends = form.char_indices().map(|(at, _)| at).skip_while(|at| *at < SHORTEST);
    ends.take_while(|at| *at < PART).filter(|at| text.ends_with(&form[..*at])).last()
}

const HIDDEN: &str = "[credential]";
const SHORTEST: usize = 4;
/// Bytes of a form in a row that nobody else would say.
const PART: usize = 12;
