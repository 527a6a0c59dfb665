//! JSON texts as trees, [RFC 8259](https://www.rfc-editor.org/rfc/rfc8259).
//!
//! The client passes the service's answers to JavaScript, and reads only a few of their values itself. So one small tree
//! type is enough for all shapes. With a decoder for each shape, decoders were half of a dashboard's WebAssembly. A
//! [`Shape`](super::shape::Shape) checks a tree.
//!
//! ```
//! use refsync::api::json_tree::Json;
//! let run = Json::parse(br#"{"id": "s1", "attempt": 2}"#)?;
//! assert_eq!(run.text("id"), Some("s1"));
//! assert_eq!(run.encode(), r#"{"id":"s1","attempt":2}"#);
//! # Ok::<(), refsync::api::json_tree::SyntaxError>(())
//! ```

/// One value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Json {
    /// `null`.
    Null,
    /// `true` or `false`.
    Flag(bool),
    /// A number as it was written, so that no digit is lost.
    Number(String),
    /// A string.
    Text(String),
    /// An array.
    List(Vec<Self>),
    /// An object. If a key is there twice, the last one counts, as in JavaScript.
    Object(Vec<(String, Self)>),
}

/// The place where a text stops being JSON.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected} at byte {at}")]
pub struct SyntaxError {
    /// The expected text.
    pub expected: &'static str,
    /// The byte position, from 0.
    pub at: usize,
}

/// How deep arrays and objects may be nested. The API's shapes need eight levels.
const DEEPEST: usize = 64;

impl Json {
    /// Parses a JSON text.
    ///
    /// # Errors
    ///
    /// If the text is not JSON, is not UTF-8, or nests arrays and objects more than 64 levels deep.
    pub fn parse(text: &[u8]) -> Result<Self, SyntaxError> {
        let text =
            std::str::from_utf8(text).map_err(|error| SyntaxError { expected: "UTF-8", at: error.valid_up_to() })?;
        let mut reader = Reader { text, at: 0, depth: 0 };
        let value = reader.value()?;
        match reader.next() {
            None => Ok(value),
            Some(_) => Err(reader.expected("the end")),
        }
    }

    /// The value of a key; `None` if this is not an object or has no such key.
    pub fn of(&self, key: &str) -> Option<&Self> {
        let Self::Object(pairs) = self else { return None };
        pairs.iter().rfind(|(k, _)| k == key).map(|(_, value)| value)
    }

    /// The string value of a key.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.of(key).and_then(Self::as_text)
    }

    /// The string, if this is a string.
    pub fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The items of an array; empty if this is not an array.
    pub fn items(&self) -> &[Self] {
        if let Self::List(items) = self { items } else { &[] }
    }

    /// The path of the first object that has a key twice, such as `upstream.auth`. Arrays are left out of the path. The
    /// path is empty for the outermost object; `None` if there is no such object. The key itself is not part of it, because
    /// it may be a secret in the wrong place.
    pub fn repeated_key(&self) -> Option<String> {
        match self {
            Self::Object(pairs) => {
                let mut keys = std::collections::HashSet::new();
                pairs.iter().find_map(|(key, value)| {
                    if !keys.insert(key) {
                        return Some(String::new());
                    }
                    let inner = value.repeated_key()?;
                    Some(if inner.is_empty() { key.clone() } else { [key, ".", &inner].concat() })
                })
            }
            Self::List(items) => items.iter().find_map(Self::repeated_key),
            _ => None,
        }
    }

    /// Removes a key from an object, and returns its value.
    #[cfg(feature = "client")]
    pub(crate) fn take(&mut self, key: &str) -> Option<Self> {
        let Self::Object(pairs) = self else { return None };
        let at = pairs.iter().rposition(|(k, _)| k == key)?;
        Some(pairs.remove(at).1)
    }

    /// Removes a string from an object, and returns it.
    #[cfg(feature = "client")]
    pub(crate) fn take_text(&mut self, key: &str) -> Option<String> {
        if let Some(Self::Text(text)) = self.take(key) { Some(text) } else { None }
    }

    /// Whether both values are equal. The order of keys does not matter.
    #[cfg(feature = "client")]
    pub(crate) fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Object(ours), Self::Object(theirs)) => {
                ours.len() == theirs.len()
                    && ours.iter().all(|(key, value)| other.of(key).is_some_and(|theirs| value.same(theirs)))
            }
            (Self::List(ours), Self::List(theirs)) => {
                ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(a, b)| a.same(b))
            }
            _ => self == other,
        }
    }

    /// The value as a JSON text without spaces.
    pub fn encode(&self) -> String {
        let mut text = String::new();
        self.encode_to(&mut text);
        text
    }

    fn encode_to(&self, text: &mut String) {
        match self {
            Self::Null => text.push_str("null"),
            Self::Flag(flag) => text.push_str(if *flag { "true" } else { "false" }),
            Self::Number(number) => text.push_str(number),
            Self::Text(string) => quote(string, text),
            Self::List(items) => {
                text.push('[');
                for (at, item) in items.iter().enumerate() {
                    if at > 0 {
                        text.push(',');
                    }
                    item.encode_to(text);
                }
                text.push(']');
            }
            Self::Object(pairs) => {
                text.push('{');
                for (at, (key, value)) in pairs.iter().enumerate() {
                    if at > 0 {
                        text.push(',');
                    }
                    quote(key, text);
                    text.push(':');
                    value.encode_to(text);
                }
                text.push('}');
            }
        }
    }
}

fn quote(string: &str, text: &mut String) {
    text.push('"');
    for c in string.chars() {
        match c {
            '"' | '\\' => text.extend(['\\', c]),
            ..' ' => {
                let digit = |value: u32| char::from_digit(value, 16).expect("four bits are a hexadecimal digit");
                text.push_str("\\u00");
                text.extend([digit(c as u32 >> 4), digit(c as u32 & 15)]);
            }
            _ => text.push(c),
        }
    }
    text.push('"');
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    depth: usize,
}

impl Reader<'_> {
    fn expected(&self, expected: &'static str) -> SyntaxError {
        SyntaxError { expected, at: self.at }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// The next byte that is not a space; it is not consumed.
    fn next(&mut self) -> Option<u8> {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
        self.peek()
    }

    fn value(&mut self) -> Result<Json, SyntaxError> {
        match self.next() {
            Some(b'"') => Ok(Json::Text(self.string()?)),
            Some(open @ (b'{' | b'[')) => {
                if self.depth == DEEPEST {
                    return Err(self.expected("less depth"));
                }
                self.at += 1;
                self.depth += 1;
                let value = if open == b'{' { self.object()? } else { self.list()? };
                self.depth -= 1;
                Ok(value)
            }
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => {
                let words = [("null", Json::Null), ("true", Json::Flag(true)), ("false", Json::Flag(false))];
                let rest = self.text.get(self.at..).unwrap_or_default();
                let found = words.into_iter().find(|(word, _)| rest.starts_with(word));
                let (word, value) = found.ok_or_else(|| self.expected("a value"))?;
                self.at += word.len();
                Ok(value)
            }
        }
    }

    fn list(&mut self) -> Result<Json, SyntaxError> {
        let mut items = Vec::new();
        if self.next() == Some(b']') {
            self.at += 1;
            return Ok(Json::List(items));
        }
        loop {
            items.push(self.value()?);
            if self.closes(b']')? {
                return Ok(Json::List(items));
            }
        }
    }

    fn object(&mut self) -> Result<Json, SyntaxError> {
        let mut pairs = Vec::new();
        if self.next() == Some(b'}') {
            self.at += 1;
            return Ok(Json::Object(pairs));
        }
        loop {
            if self.next() != Some(b'"') {
                return Err(self.expected("a key"));
            }
            let key = self.string()?;
            if self.next() != Some(b':') {
                return Err(self.expected("a colon"));
            }
            self.at += 1;
            pairs.push((key, self.value()?));
            if self.closes(b'}')? {
                return Ok(Json::Object(pairs));
            }
        }
    }

    /// Reads the byte after an item: true for the closing bracket, false for a comma.
    fn closes(&mut self, close: u8) -> Result<bool, SyntaxError> {
        let next = self.next();
        if next != Some(close) && next != Some(b',') {
            return Err(self.expected("a comma or the closing bracket"));
        }
        self.at += 1;
        Ok(next == Some(close))
    }

    fn number(&mut self) -> Result<Json, SyntaxError> {
        let start = self.at;
        self.skip(b"-");
        // A number of several digits must not start with 0.
        if !self.skip(b"0") {
            self.digits()?;
        }
        if self.skip(b".") {
            self.digits()?;
        }
        if self.skip(b"eE") {
            self.skip(b"+-");
            self.digits()?;
        }
        Ok(Json::Number(self.text.get(start..self.at).unwrap_or_default().to_owned()))
    }

    fn skip(&mut self, one_of: &[u8]) -> bool {
        let found = self.peek().is_some_and(|byte| one_of.contains(&byte));
        self.at += usize::from(found);
        found
    }

    fn digits(&mut self) -> Result<(), SyntaxError> {
        if !self.skip(b"0123456789") {
            return Err(self.expected("a digit"));
        }
        while self.skip(b"0123456789") {}
        Ok(())
    }

    /// A string. The next byte is its opening quote.
    fn string(&mut self) -> Result<String, SyntaxError> {
        self.at += 1;
        let mut string = String::new();
        loop {
            let start = self.at;
            while self.peek().is_some_and(|byte| byte >= b' ' && byte != b'"' && byte != b'\\') {
                self.at += 1;
            }
            string.push_str(self.text.get(start..self.at).unwrap_or_default());
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(string);
                }
                Some(b'\\') => {
                    self.at += 1;
                    string.push(self.escape()?);
                }
                _ => return Err(self.expected("the closing quote")),
            }
        }
    }

    fn escape(&mut self) -> Result<char, SyntaxError> {
        let byte = self.peek().ok_or_else(|| self.expected("an escape"))?;
        self.at += 1;
        Ok(match byte {
            b'"' | b'\\' | b'/' => byte.into(),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let mut code = self.unit()?;
                if (0xd800..0xdc00).contains(&code) && self.skip(b"\\") && self.skip(b"u") {
                    let low = self.unit()?;
                    // If it is not a valid second half, there is no character.
                    code = if (0xdc00..0xe000).contains(&low) {
                        0x1_0000 + ((code - 0xd800) << 10) + (low - 0xdc00)
                    } else {
                        code
                    };
                }
                char::from_u32(code).ok_or_else(|| self.expected("both halves of a surrogate pair"))?
            }
            _ => return Err(self.expected("an escape")),
        })
    }

    fn unit(&mut self) -> Result<u32, SyntaxError> {
        let mut unit = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16));
            unit = unit * 16 + digit.ok_or_else(|| self.expected("a hexadecimal digit"))?;
            self.at += 1;
        }
        Ok(unit)
    }
}
