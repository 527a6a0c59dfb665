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
//! The whole name has to match. The empty glob matches nothing. It is Git's `wildmatch` without `WM_PATHNAME`, what
//! `git branch --list` uses, less its `[:classes:]`, and by characters where Git goes by bytes.
//!
//! ```
//! use refsync::glob::Glob;
//! let releases: Glob = "release/*".parse()?;
//! assert!(releases.matches("release/1/fix"));
//! assert!(!releases.matches("old/release/1"));
//! # Ok::<(), refsync::glob::Error>(())
//! ```

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A compiled glob. It keeps its text, so that it prints and serialises as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glob {
    text: String,
    tokens: Vec<Token>,
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
    /// A `\` with nothing behind it.
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

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Literal(char),
    AnyOne,
    AnyRun,
    Class { negated: bool, ranges: Vec<(char, char)> },
}

impl Glob {
    /// The glob that matches every name.
    pub fn all() -> Self {
        Self { text: "*".into(), tokens: vec![Token::AnyRun] }
    }

    /// The glob that matches no name.
    pub fn none() -> Self {
        Self { text: String::new(), tokens: Vec::new() }
    }

    /// The glob as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether nothing can match.
    pub fn is_none(&self) -> bool {
        self.tokens.is_empty()
    }

    /// The text that every matching name starts with, for a server to narrow its answer by.
    pub fn literal_prefix(&self) -> String {
        let literals = self.tokens.iter().map_while(|token| match token {
            Token::Literal(c) => Some(*c),
            _ => None,
        });
        literals.collect()
    }

    /// Whether the whole of `name` matches. Takes at most `name.len() * glob.len()` steps.
    pub fn matches(&self, name: &str) -> bool {
        if self.is_none() {
            return false;
        }
        let (mut rest, mut tokens) = (name.chars(), self.tokens.as_slice());
        // Where to go on when the text behind the last `*` does not fit: let that `*` take one character more.
        let mut retry: Option<(std::str::Chars<'_>, &[Token])> = None;
        loop {
            let mut ahead = rest.clone();
            match (tokens.first(), ahead.next()) {
                (Some(Token::AnyRun), _) => {
                    tokens = &tokens[1..];
                    if tokens.is_empty() {
                        return true;
                    }
                    retry = Some((rest.clone(), tokens));
                    continue;
                }
                (None, None) => return true,
                (Some(token), Some(c)) if token.matches(c) => {
                    (rest, tokens) = (ahead, &tokens[1..]);
                    continue;
                }
                _ => {}
            }
            let Some((from, behind)) = &mut retry else { return false };
            if from.next().is_none() {
                return false;
            }
            (rest, tokens) = (from.clone(), behind);
        }
    }
}

impl Token {
    fn matches(&self, c: char) -> bool {
        match self {
            Self::Literal(literal) => *literal == c,
            Self::AnyOne | Self::AnyRun => true,
            Self::Class { negated, ranges } => ranges.iter().any(|(from, to)| (*from..=*to).contains(&c)) != *negated,
        }
    }
}

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
            // Two runs next to each other match what one does.
            if token != Token::AnyRun || tokens.last() != Some(&Token::AnyRun) {
                tokens.push(token);
            }
            at += 1;
        }
        Ok(Self { text: text.into(), tokens })
    }
}

/// The class that opens at `open`, and where its `]` is.
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

/// The character at `at`, with its backslash taken off; `at` moves behind it.
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
