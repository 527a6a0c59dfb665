//! Removes one layer of escaping from a text: it decodes the escapes of one kind, or of all common kinds at once.
//!
//! | kind | example for `"` |
//! | --- | --- |
//! | percent-encoding (RFC 3986) | `%22` |
//! | the same, and `+` for a space (HTML forms) | `%22` |
//! | a backslash: JSON, JavaScript, Rust; C, as Git quotes names | `\"`, `\u0022`, `\u{22}`, `\x22`, `\042` |
//! | HTML and XML | `&quot;`, `&#34;`, `&#x22;` |
//! | invisible characters, which are dropped | |
//!
//! A backslash before other punctuation stands for that punctuation.
//!
//! One kind at a time, because a credential may look escaped itself: JSON writes `\+` as `\\+`. With all kinds at once that is
//! a backslash and a space.

use std::{collections::HashSet, ops::Range};

/// The kinds of escapes that are decoded together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kinds {
    All,
    Percent,
    Form,
    Backslash,
    Entity,
    Invisible,
}

impl Kinds {
    const ALL: [Self; 6] = [Self::All, Self::Percent, Self::Form, Self::Backslash, Self::Entity, Self::Invisible];

    fn include(self, kind: Self) -> bool {
        self == Self::All || self == kind || (self == Self::Form && kind == Self::Percent)
    }
}

/// A text, and what it says after up to `depth` decodings: of all kinds at once, and of one kind after another in every order.
///
/// `budget` limits the bytes of all layers together, apart from the text and its decodings of all kinds. A text with one kind of
/// escapes has few layers. Only a text that was made for this purpose reaches the budget.
pub(super) fn layers(text: &str, depth: usize, mut budget: usize) -> Vec<Layer> {
    let all = std::iter::successors(Some(Layer::of(text)), |layer| layer.decoded(Kinds::All)).take(depth + 1);
    let mut layers: Vec<Layer> = all.collect();
    // How many decodings led to each layer.
    let mut steps: Vec<usize> = (0..layers.len()).collect();
    let mut seen: HashSet<Vec<u8>> = layers.iter().map(|layer| layer.bytes.clone()).collect();
    let mut at = 0;
    while at < layers.len() {
        let step = steps[at] + 1;
        for kinds in Kinds::ALL.into_iter().filter(|_| step <= depth) {
            let Some(next) = layers[at].decoded(kinds).filter(|next| !seen.contains(&next.bytes)) else { continue };
            let Some(left) = budget.checked_sub(next.bytes.len()) else { return layers };
            budget = left;
            seen.insert(next.bytes.clone());
            layers.push(next);
            steps.push(step);
        }
        at += 1;
    }
    layers
}

/// Bytes, and the position of each byte in a text.
pub(super) struct Layer {
    pub(super) bytes: Vec<u8>,
    spans: Vec<Range<u32>>,
}

impl Layer {
    /// The text itself.
    pub(super) fn of(text: &str) -> Self {
        // No message has 4 GiB.
        let spans = (0..text.len() as u32).map(|at| at..at + 1).collect();
        Self { bytes: text.as_bytes().to_vec(), spans }
    }

    /// The text with every escape of these kinds decoded once; `None` if it has none.
    fn decoded(&self, kinds: Kinds) -> Option<Self> {
        if !has_escapes(&self.bytes) {
            return None;
        }
        let mut decoded = Self { bytes: Vec::with_capacity(self.bytes.len()), spans: Vec::new() };
        let mut at = 0;
        while let Some(byte) = self.bytes.get(at) {
            let (length, meant) = match escape(&self.bytes[at..], kinds) {
                Some((length, Meant::Nothing)) => (length, Vec::new()),
                Some((length, Meant::Byte(byte))) => (length, vec![byte]),
                Some((length, Meant::Character(character))) => (length, character.to_string().into_bytes()),
                None => (1, vec![*byte]),
            };
            let span = self.source(at..at + length);
            decoded.spans.extend(meant.iter().map(|_| span.start as u32..span.end as u32));
            decoded.bytes.extend(meant);
            at += length;
        }
        (decoded.bytes != self.bytes).then_some(decoded)
    }

    /// The text without blanks, because pages break lines at other places than the original text.
    pub(super) fn without_blanks(&self) -> Self {
        let mut joined = Self { bytes: Vec::new(), spans: Vec::new() };
        let mut at = 0;
        while at < self.bytes.len() {
            let length = blank(&self.bytes[at..]);
            if length == 0 {
                joined.bytes.push(self.bytes[at]);
                joined.spans.push(self.spans[at].clone());
            }
            at += length.max(1);
        }
        joined
    }

    /// The range in the original text for a range of bytes. The range must not be empty.
    pub(super) fn source(&self, range: Range<usize>) -> Range<usize> {
        self.spans[range.start].start as usize..self.spans[range.end - 1].end as usize
    }
}

/// Whether there may be something to decode.
pub(super) fn has_escapes(bytes: &[u8]) -> bool {
    bytes.iter().any(|byte| matches!(byte, b'%' | b'+' | b'\\' | b'&' | 0xc2 | 0xd8 | 0xe1 | 0xe2 | 0xef))
}

/// The decoded text of an escape.
#[derive(Debug, PartialEq, Eq)]
enum Meant {
    Nothing,
    Byte(u8),
    Character(char),
}

/// Decodes the escape of these kinds that `text` begins with. Also returns its length in bytes.
fn escape(text: &[u8], kinds: Kinds) -> Option<(usize, Meant)> {
    let is = |kind| kinds.include(kind);
    match text {
        [b'+', ..] if is(Kinds::Form) => Some((1, Meant::Byte(b' '))),
        [b'%', high, low, ..] if is(Kinds::Percent) => Some((3, Meant::Byte(number(&[*high, *low], 16)? as u8))),
        [b'\\', rest @ ..] if is(Kinds::Backslash) => backslash(rest).map(|(length, meant)| (length + 1, meant)),
        [b'&', rest @ ..] if is(Kinds::Entity) => entity(rest).map(|(length, meant)| (length + 1, meant)),
        _ if !is(Kinds::Invisible) => None,
        [0xc2, 0xad, ..] | [0xd8, 0x9c, ..] => Some((2, Meant::Nothing)),
        [0xe1, 0xa0, 0x8e, ..]
        | [0xe2, 0x80, 0x8b..=0x8f | 0xaa..=0xae, ..]
        | [0xe2, 0x81, 0xa0..=0xaf, ..]
        | [0xef, 0xbb, 0xbf, ..]
        | [0xef, 0xbf, 0xb9..=0xbb, ..] => Some((3, Meant::Nothing)),
        _ => None,
    }
}

/// Decodes the characters after a backslash.
fn backslash(text: &[u8]) -> Option<(usize, Meant)> {
    let hex = |digits: &[u8]| number(digits, 16);
    match text {
        [b'u', b'{', rest @ ..] => {
            let end = rest.iter().take(7).position(|byte| *byte == b'}')?;
            Some((end + 3, Meant::Character(char::from_u32(hex(&rest[..end])?)?)))
        }
        [b'u', rest @ ..] => {
            let first = hex(rest.get(..4)?)?;
            if let Some(character) = char::from_u32(first) {
                return Some((5, Meant::Character(character)));
            }
            // A pair of surrogates.
            let second =
                rest.get(4..10).filter(|second| second.starts_with(b"\\u")).and_then(|second| hex(&second[2..]))?;
            let pair = [u16::try_from(first).ok()?, u16::try_from(second).ok()?];
            let character = char::decode_utf16(pair).next()?.ok()?;
            Some((11, Meant::Character(character)))
        }
        [b'x', rest @ ..] => Some((3, Meant::Byte(hex(rest.get(..2)?)? as u8))),
        [b'0'..=b'3', _, _, ..] => Some((3, Meant::Byte(number(&text[..3], 8)? as u8))),
        [b'n', ..] => Some((1, Meant::Byte(b'\n'))),
        [b'r', ..] => Some((1, Meant::Byte(b'\r'))),
        [b't', ..] => Some((1, Meant::Byte(b'\t'))),
        [byte, ..] if byte.is_ascii_punctuation() => Some((1, Meant::Byte(*byte))),
        _ => None,
    }
}

/// Decodes the characters after an ampersand.
fn entity(text: &[u8]) -> Option<(usize, Meant)> {
    let end = text.iter().take(9).position(|byte| *byte == b';')?;
    let character = match &text[..end] {
        b"amp" => '&',
        b"lt" => '<',
        b"gt" => '>',
        b"quot" => '"',
        b"apos" => '\'',
        b"nbsp" => '\u{a0}',
        [b'#', b'x' | b'X', digits @ ..] => char::from_u32(number(digits, 16)?)?,
        [b'#', digits @ ..] => char::from_u32(number(digits, 10)?)?,
        _ => return None,
    };
    Some((end + 1, Meant::Character(character)))
}

fn number(digits: &[u8], radix: u32) -> Option<u32> {
    // `from_str_radix` also accepts a sign, so this checks for digits.
    let digits = std::str::from_utf8(digits).ok().filter(|digits| !digits.starts_with('+'))?;
    u32::from_str_radix(digits, radix).ok()
}

/// A credential in the form of a server that reads UTF-8 as Latin-1, or answers in Latin-1; `None` if it is ASCII.
pub(super) fn misread(secret: &str) -> Vec<String> {
    if secret.is_ascii() {
        return Vec::new();
    }
    let as_latin_1 = secret.bytes().map(char::from).collect();
    let in_latin_1 = secret.chars().map(|c| if c.is_ascii() { c } else { char::REPLACEMENT_CHARACTER }).collect();
    vec![as_latin_1, in_latin_1]
}

/// The text without blanks and everything that looks like an HTML tag. An unclosed tag extends to the end.
pub(super) fn without_markup(text: &[u8]) -> Vec<u8> {
    let mut kept = Vec::new();
    let (mut at, mut in_tag) = (0, false);
    while at < text.len() {
        let length = blank(&text[at..]);
        match text[at] {
            b'<' => in_tag = true,
            b'>' if in_tag => in_tag = false,
            byte if !in_tag && length == 0 => kept.push(byte),
            _ => {}
        }
        at += length.max(1);
    }
    kept
}

/// The length in bytes of the blank that a text begins with; 0 if it does not begin with a blank.
fn blank(text: &[u8]) -> usize {
    match text {
        [b'\t'..=b'\r' | b' ', ..] => 1,
        [0xc2, 0x85 | 0xa0, ..] => 2,
        [0xe1, 0x9a, 0x80, ..]
        | [0xe2, 0x80, 0x80..=0x8a | 0xa8 | 0xa9 | 0xaf, ..]
        | [0xe2, 0x81, 0x9f, ..]
        | [0xe3, 0x80, 0x80, ..] => 3,
        _ => 0,
    }
}
