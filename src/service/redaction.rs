//! Takes a credential out of what a remote said: a server, or a hook behind it, may repeat what it was sent.

use base64::{Engine, engine::general_purpose::STANDARD};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::model::{SyncRunStats, UpstreamAuth};

/// The forms that credentials may be repeated in.
#[derive(Default)]
pub struct Redaction(Vec<String>);

impl Redaction {
    /// Of this credential: as it is, percent-encoded, and as HTTP Basic authentication sends it.
    pub fn of(auth: Option<&UpstreamAuth>) -> Self {
        let Some((username, password)) = auth.map(UpstreamAuth::basic) else { return Self(Vec::new()) };
        let encoded = utf8_percent_encode(password, NON_ALPHANUMERIC).to_string();
        let mut forms = vec![STANDARD.encode(format!("{username}:{password}")), password.to_owned(), encoded];
        // Anything shorter is in every other word, and guessed at once.
        forms.retain(|form| form.len() >= SHORTEST);
        Self(forms)
    }

    /// Of these credentials and those of another.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// The text without it.
    pub fn text(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, form| text.replace(form.as_str(), "[credential]"))
    }

    /// The stats, whose messages are the remote's own words, without it.
    pub fn stats(&self, mut stats: SyncRunStats) -> SyncRunStats {
        for message in stats.refs.iter_mut().filter_map(|r| r.message.as_mut()) {
            *message = self.text(message);
        }
        stats
    }
}

const SHORTEST: usize = 4;
