//! Messages of a remote for people: side-band 2, error pages, the texts of reports. They are cleaned and kept in bounded
//! memory.
//!
//! Colours, control characters and invisible characters are removed. Lines stay lines. A line that ends with a carriage
//! return alone is progress, which the next line overwrites, so it is dropped. If there is too much text, the lines that
//! tell the cause are kept first (`error:` or `fatal:`), then the last lines, then the first ones.
//!
//! ```
//! use refsync::git::Words;
//! let mut words = Words::default();
//! words.push(b"Checking: 50%\r\x1b[31merror:\x1b[m cannot lock ref\n");
//! assert_eq!(words.text(), "error: cannot lock ref");
//! ```

use std::collections::VecDeque;

use gix_object::bstr::ByteSlice;

/// Collects the messages of a remote.
#[derive(Clone, Debug, Default)]
pub struct Words {
    /// The current, incomplete line.
    line: Vec<u8>,
    /// Whether the last byte was a carriage return: a line feed after it ends the line, anything else overwrites the line.
    is_at_return: bool,
    /// How many lines were kept or dropped so far.
    count: usize,
    first: Shelf,
    causes: Shelf,
    last: VecDeque<Numbered>,
    last_bytes: usize,
}

/// A line and its place among all lines.
type Numbered = (usize, String);

/// Lines that are kept until the shelf is full.
#[derive(Clone, Debug, Default)]
struct Shelf {
    lines: Vec<Numbered>,
    bytes: usize,
}

impl Words {
    /// Takes the next bytes, in pieces of any size.
    pub fn push(&mut self, bytes: &[u8]) {
        for part in bytes.split_inclusive(|byte| matches!(byte, b'\n' | b'\r')) {
            let is_line_feed = part == b"\n";
            if std::mem::take(&mut self.is_at_return) && !is_line_feed {
                self.line.clear();
            }
            let text = part.trim_end_with(|c| matches!(c, '\n' | '\r'));
            let room = MAX_LINE.saturating_sub(self.line.len());
            self.line.extend_from_slice(&text[..text.len().min(room)]);
            match part.last() {
                Some(b'\n') => self.end_line(),
                Some(b'\r') => self.is_at_return = true,
                _ => {}
            }
        }
    }

    /// Whether nothing was said.
    pub fn is_empty(&self) -> bool {
        self.text().is_empty()
    }

    /// The kept text. `…` stands for lines that were left out.
    pub fn text(&self) -> String {
        let mut whole = self.clone();
        if !whole.line.is_empty() && !whole.is_at_return {
            whole.end_line();
        }
        let mut lines: Vec<Numbered> = Vec::new();
        lines.extend(whole.first.lines);
        lines.extend(whole.causes.lines);
        lines.extend(whole.last);
        lines.sort_unstable();
        lines.dedup();
        let mut text = String::new();
        let mut next = 0;
        for (number, line) in lines {
            if number > next {
                text.push_str("…\n");
            }
            next = number + 1;
            text.push_str(&line);
            text.push('\n');
        }
        text.trim_matches(|c: char| c == '\n').to_owned()
    }

    fn end_line(&mut self) {
        let line = clean_line(&std::mem::take(&mut self.line));
        // Empty lines separate paragraphs, but are useless at the start.
        if line.is_empty() && self.count == 0 {
            return;
        }
        let number = self.count;
        self.count += 1;
        if is_cause(&line) {
            self.causes.put(number, &line, MAX_CAUSES);
        }
        if self.first.put(number, &line, MAX_FIRST) {
            return;
        }
        self.last_bytes += line.len() + 1;
        self.last.push_back((number, line));
        while self.last_bytes > MAX_LAST
            && let Some((_, dropped)) = self.last.pop_front()
        {
            self.last_bytes -= dropped.len() + 1;
        }
    }
}

impl Shelf {
    /// Keeps the line if there is room. Returns whether there was.
    fn put(&mut self, number: usize, line: &str, most: usize) -> bool {
        let is_kept = self.bytes + line.len() < most;
        if is_kept {
            self.bytes += line.len() + 1;
            self.lines.push((number, line.to_owned()));
        } else {
            // If a later, shorter line were kept, the gap before it would look like the end.
            self.bytes = most;
        }
        is_kept
    }
}

/// A text of a remote, cleaned, and shortened to some 8 KiB.
pub fn clean(text: &[u8]) -> String {
    let mut words = Words::default();
    words.push(text);
    words.text()
}

/// A text of a remote as one short line, such as the reason behind `ng`.
pub(super) fn clean_short(text: &[u8]) -> String {
    let text = clean(&text[..text.len().min(4 * MAX_SHORT)]).replace('\n', " ");
    match text.char_indices().nth(MAX_SHORT) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// The line without colours, control characters and invisible characters.
fn clean_line(line: &[u8]) -> String {
    let text = line.to_str_lossy();
    let mut kept = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(character) = rest.next() {
        match character {
            '\u{1b}' => skip_escape(&mut rest),
            '\t' => kept.push(character),
            c if c.is_control() || is_invisible(c) => {}
            c => kept.push(c),
        }
    }
    kept.truncate(kept.trim_end().len());
    kept
}

/// Skips the rest of an escape sequence (ECMA-48, section 5.4): `[`, parameters, and one final letter.
fn skip_escape(rest: &mut std::str::Chars<'_>) {
    if !rest.as_str().starts_with('[') {
        return;
    }
    rest.next();
    for character in rest.by_ref() {
        if ('@'..='~').contains(&character) {
            return;
        }
    }
}

/// Characters that change the order of others or have no width: they can make a text look like another one.
fn is_invisible(character: char) -> bool {
    matches!(character,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

/// Whether a line probably says why something failed.
fn is_cause(line: &str) -> bool {
    let start = line.trim_start().as_bytes();
    CAUSES.iter().any(|cause| start.get(..cause.len()).is_some_and(|start| start.eq_ignore_ascii_case(cause)))
}

/// How such lines start: Git's own, and those of GitHub, GitLab and Gitea.
const CAUSES: [&[u8]; 6] = [b"error", b"fatal", b"gh0", b"gitlab:", b"gitea:", b"forgejo:"];

/// The most bytes of a line; the rest of a longer one is dropped.
const MAX_LINE: usize = 1000;
/// The most bytes of the first lines.
const MAX_FIRST: usize = 1500;
/// The most bytes of the lines that tell a cause.
const MAX_CAUSES: usize = 3000;
/// The most bytes of the last lines.
const MAX_LAST: usize = 3500;
/// The most characters of a short text.
const MAX_SHORT: usize = 500;
