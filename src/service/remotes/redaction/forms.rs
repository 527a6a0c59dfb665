//! All forms in which a remote may repeat a credential, and the search for them in a text.

use std::{collections::HashSet, ops::Range};

use base64::{
    Engine,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};

use super::{
    BUDGET, DISTINCT, LAYERS,
    spelling::{Layer, layers, misread, without_markup},
};

/// One credential.
#[derive(Clone)]
pub(super) struct Sought {
    forms: Forms,
    /// The credential without blanks and markup, as a page may show it; empty if the credential has no blanks and no
    /// markup.
    joined: Forms,
    /// Whether it is too long to be a word that people use in names.
    is_distinct: bool,
}

/// The texts to search for.
#[derive(Clone, Default)]
struct Forms {
    texts: Vec<Vec<u8>>,
    /// Every substring of [`PART`] bytes of the texts.
    parts: HashSet<[u8; PART]>,
    /// A bit for each pair of bytes that starts a text or a part.
    beginnings: Vec<u64>,
}

impl Sought {
    /// `pairs` are the texts that HTTP Basic authentication encodes: a user name, a colon and a password.
    pub(super) fn new(secret: &str, pairs: &[String]) -> Self {
        let mut texts: Vec<Vec<u8>> = pairs.iter().flat_map(|pair| base64(pair.as_bytes(), 0)).collect();
        // Also after another user name, or inside other data.
        (0..3).for_each(|offset| texts.extend(base64(secret.as_bytes(), offset)));
        texts.extend([hex(secret, "0123456789abcdef"), hex(secret, "0123456789ABCDEF")]);
        texts.retain(|text| text.len() >= DISTINCT);
        // Also with its own escapes decoded, because texts are also searched after decoding.
        let spellings = std::iter::once(secret.to_owned()).chain(misread(secret));
        let plain: Vec<Layer> = spellings.flat_map(|text| layers(&text, LAYERS, BUDGET)).collect();
        let joined = plain.iter().flat_map(|layer| [layer.without_blanks().bytes, without_markup(&layer.bytes)]);
        let joined = joined.filter(|text| plain.iter().all(|layer| layer.bytes != *text)).collect();
        texts.extend(plain.into_iter().map(|layer| layer.bytes));
        Self { forms: Forms::new(texts), joined: Forms::new(joined), is_distinct: secret.len() >= DISTINCT }
    }

    /// Whether to search texts without their blanks for it, too.
    pub(super) fn has_blanks(&self) -> bool {
        !self.joined.texts.is_empty()
    }

    /// A quick check: whether the text contains the beginning of a form. If not, it contains no form at all.
    pub(super) fn may_be_in(&self, text: &[u8]) -> bool {
        text.windows(2).any(|two| self.forms.begins(two))
    }

    /// The places in the original text of a layer that contain the credential, a part of it, or its beginning before a cut.
    pub(super) fn find_in_text(&self, layer: &Layer) -> Vec<Range<usize>> {
        let mut found = self.forms.find(&layer.bytes);
        found.extend(self.forms.find_cut(&layer.bytes));
        let mut found: Vec<_> = found.into_iter().map(|range| layer.source(range)).collect();
        if self.has_blanks() {
            let layer = layer.without_blanks();
            found.extend(self.joined.find(&layer.bytes).into_iter().map(|range| layer.source(range)));
        }
        found
    }

    /// The places in the original name of a layer that contain the credential or a part of it.
    pub(super) fn find_in_name(&self, layer: &Layer) -> Vec<Range<usize>> {
        let found = if self.is_distinct { self.forms.find(&layer.bytes) } else { Vec::new() };
        found.into_iter().map(|range| layer.source(range)).collect()
    }
}

impl Forms {
    fn new(mut texts: Vec<Vec<u8>>) -> Self {
        // A shorter text appears in many words, and could be guessed at once.
        texts.retain(|text| text.len() >= SHORTEST);
        let parts: HashSet<[u8; PART]> =
            texts.iter().flat_map(|text| text.windows(PART)).filter_map(|part| part.try_into().ok()).collect();
        let mut beginnings = vec![0; PAIRS / 64];
        for two in texts.iter().filter_map(|text| pair(text)).chain(parts.iter().filter_map(|part| pair(part))) {
            beginnings[two / 64] |= 1 << (two % 64);
        }
        Self { texts, parts, beginnings }
    }

    fn begins(&self, text: &[u8]) -> bool {
        pair(text).is_some_and(|two| self.beginnings[two / 64] >> (two % 64) & 1 == 1)
    }

    /// Every text, and every part of a text.
    fn find(&self, text: &[u8]) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        for (at, _) in text.windows(2).enumerate().filter(|(_, two)| self.begins(two)) {
            let rest = &text[at..];
            if rest.first_chunk::<PART>().is_some_and(|part| self.parts.contains(part)) {
                found.push(at..at + PART);
            }
            let short = self.texts.iter().filter(|text| text.len() < PART && rest.starts_with(text));
            found.extend(short.map(|text| at..at + text.len()));
        }
        found
    }

    /// The beginning of a form, at each place where the text may have been cut.
    fn find_cut(&self, text: &[u8]) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        let mut line = 0;
        for (at, byte) in text.iter().chain([&b'\n']).enumerate() {
            let is_cut = match byte {
                _ if at == text.len() => true,
                b'\n' => at - line >= LONG_LINE,
                // A quotation may be cut before its closing mark.
                b'"' => true,
                _ => text[at..].starts_with("…".as_bytes()),
            };
            if *byte == b'\n' {
                line = at + 1;
            }
            if !is_cut {
                continue;
            }
            for form in &self.texts {
                let lengths = (SHORTEST..PART.min(form.len())).rev();
                let length = lengths.into_iter().find(|length| text[..at].ends_with(&form[..*length]));
                found.extend(length.map(|length| at - length..at));
            }
        }
        found
    }
}

/// The base64 of `secret` after `offset` other bytes, in both alphabets. It has only the characters that depend on `secret`
/// alone. If the secret comes last, it includes the end.
fn base64(secret: &[u8], offset: usize) -> Vec<Vec<u8>> {
    let padded = [&vec![0; offset], secret].concat();
    let from = (offset * 8).div_ceil(6);
    let texts = [STANDARD_NO_PAD, URL_SAFE_NO_PAD].map(|alphabet| alphabet.encode(&padded).into_bytes());
    let parts = texts.iter().flat_map(|text| [text.get(from..padded.len() * 8 / 6), text.get(from..)]);
    parts.flatten().map(<[u8]>::to_vec).collect()
}

fn hex(secret: &str, digits: &str) -> Vec<u8> {
    let digits = digits.as_bytes();
    secret.bytes().flat_map(|byte| [digits[usize::from(byte >> 4)], digits[usize::from(byte & 15)]]).collect()
}

fn pair(bytes: &[u8]) -> Option<usize> {
    bytes.first_chunk::<2>().map(|two| usize::from(u16::from_le_bytes(*two)))
}

/// The fewest bytes of a form.
const SHORTEST: usize = 4;
/// A substring of a form with at least this many bytes does not appear by chance.
const PART: usize = 12;
/// The fewest bytes of a line that may have been cut; see `git::Words`.
const LONG_LINE: usize = 500;
/// How many pairs of bytes there are.
const PAIRS: usize = 1 << 16;
