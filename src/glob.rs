//! A ref glob, such as `main`, `release/*` or `v[0-9].*`.
//!
//! | in the pattern | matches |
//! | --- | --- |
//! | `*` | any run of characters, also none, also with `/` in it |
//! | `?` | exactly one character |
//! | `[abc]`, `[a-z]` | one character of the class; `[!…]` or `[^…]` one that is not in it; a `]` that comes first is literal |
//! | `\x` | the character `x` itself |
//! | any other | itself; case matters |
//!
//! The whole name has to match. The empty glob matches nothing. This is Git's `wildmatch` without `WM_PATHNAME`, as `git
//! branch --list` uses it, with two differences: there are no `[:classes:]`, and it compares characters while Git compares
//! bytes.
//!
//! ```
//! use refsync::glob::Glob;
//! let releases: Glob = "release/*".parse()?;
//! assert!(releases.matches("release/1/fix"));
//! assert!(!releases.matches("old/release/1"));
//! # Ok::<(), refsync::glob::Error>(())
//! ```

mod automaton;
mod token;

use std::{cell::OnceCell, fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use self::{automaton::Automaton, token::Token};

/// A compiled glob. It keeps its text, so that it prints and serialises as it was written.
#[derive(Clone, Debug)]
pub struct Glob {
    text: String,
    tokens: Vec<Token>,
    /// Compiled at the first match, because a caller that only checks a glob does not need it.
    automaton: OnceCell<Automaton>,
}

/// Why a glob is refused; the position counts characters from 0.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A `[` without its `]`.
    #[error("glob \"{glob}\": the class opened at character {at} is never closed; write \\[ for a literal bracket")]
    UnclosedClass {
        /// The whole glob.
        glob: String,
        /// Where the class opens.
        at: usize,
    },
    /// A range whose end comes before its start, such as `[z-a]`.
    #[error("glob \"{glob}\": the range {from}-{to} in the class at character {at} is empty; write {to}-{from}")]
    EmptyRange {
        /// The whole glob.
        glob: String,
        /// Where the class opens.
        at: usize,
        /// The range's first character.
        from: char,
        /// The range's last character.
        to: char,
    },
    /// A `\` at the end.
    #[error("glob \"{glob}\": it ends with a single backslash; write \\\\ for a literal one")]
    TrailingBackslash {
        /// The whole glob.
        glob: String,
    },
    /// Longer than [`MAX_LEN`] characters.
    #[error("a glob has at most {MAX_LEN} characters, this one has {len}")]
    TooLong {
        /// How many characters it has.
        len: usize,
    },
}

/// The most characters that a glob may have.
pub const MAX_LEN: usize = 1024;

impl Glob {
    /// The glob that matches every name.
    pub fn all() -> Self {
        Self::new("*", vec![Token::AnyRun])
    }

    /// The glob that matches no name.
    pub fn none() -> Self {
        Self::new("", Vec::new())
    }

    fn new(text: &str, tokens: Vec<Token>) -> Self {
        Self { text: text.to_owned(), tokens, automaton: OnceCell::new() }
    }

    /// The glob as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether nothing can match.
    pub fn is_none(&self) -> bool {
        self.tokens.is_empty()
    }

    /// The text that every matching name starts with. A server can narrow its answer by it.
    pub fn literal_prefix(&self) -> String {
        let literals = self.tokens.iter().map_while(|token| match token {
            Token::Literal(c) => Some(*c),
            _ => None,
        });
        literals.collect()
    }

    /// Whether it can match the full name of a branch or a tag: a glob of short names, such as `wip/*`, cannot. The empty
    /// glob, which matches nothing, can.
    pub fn fits_full_names(&self) -> bool {
        let prefix = self.literal_prefix();
        let fits = |namespace: &str| namespace.starts_with(&prefix) || prefix.starts_with(namespace);
        self.is_none() || fits("refs/heads/") || fits("refs/tags/")
    }

    /// Whether the whole of `name` matches. The time is linear in the name's length, and one step longer for each 64
    /// characters of the glob.
    pub fn matches(&self, name: &str) -> bool {
        match self.tokens.as_slice() {
            [] => false,
            [Token::AnyRun] => true,
            tokens => self.automaton.get_or_init(|| Automaton::new(tokens)).matches(name),
        }
    }
}

impl PartialEq for Glob {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Glob {}

impl FromStr for Glob {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let chars: Vec<char> = text.chars().collect();
        if chars.len() > MAX_LEN {
            return Err(Error::TooLong { len: chars.len() });
        }
        let mut tokens = Vec::new();
        let mut at = 0;
        while at < chars.len() {
            let token = match chars[at] {
                '*' => Token::AnyRun,
                '?' => Token::AnyOne,
                '\\' => {
                    at += 1;
                    Token::Literal(*chars.get(at).ok_or_else(|| Error::TrailingBackslash { glob: text.into() })?)
                }
                '[' => {
                    let (class, end) = class(text, &chars, at)?;
                    at = end;
                    class
                }
                literal => Token::Literal(literal),
            };
            // Two runs next to each other match the same as one.
            if token != Token::AnyRun || tokens.last() != Some(&Token::AnyRun) {
                tokens.push(token);
            }
            at += 1;
        }
        Ok(Self::new(text, tokens))
    }
}

/// The class that opens at `open`, and the position of its `]`.
fn class(glob: &str, chars: &[char], open: usize) -> Result<(Token, usize), Error> {
    let unclosed = || Error::UnclosedClass { glob: glob.into(), at: open };
    let mut at = open + 1;
    let negated = matches!(chars.get(at), Some('!' | '^'));
    if negated {
        at += 1;
    }
    let first = at;
    let mut ranges = Vec::new();
    loop {
        if chars.get(at) == Some(&']') && at > first {
            return Ok((Token::Class { negated, ranges }, at));
        }
        let from = class_char(chars, &mut at).ok_or_else(unclosed)?;
        let mut to = from;
        if chars.get(at) == Some(&'-') && chars.get(at + 1).is_some_and(|next| *next != ']') {
            at += 1;
            to = class_char(chars, &mut at).ok_or_else(unclosed)?;
        }
        if to < from {
            return Err(Error::EmptyRange { glob: glob.into(), at: open, from, to });
        }
        ranges.push((from, to));
    }
}

/// The character at `at`, without its backslash. `at` moves after it.
fn class_char(chars: &[char], at: &mut usize) -> Option<char> {
    if chars.get(*at) == Some(&'\\') {
        *at += 1;
    }
    let c = *chars.get(*at)?;
    *at += 1;
    Some(c)
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for Glob {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Glob {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}
