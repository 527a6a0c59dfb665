//! The place where decoding a JSON text failed, as a path such as `syncs[3].ref_globs.branches`.
//!
//! `serde_json` gives a line and a column. They do not help a reader who never saw the text. So after a failure the text is
//! read once more, up to that place.

/// The path of the value that `error` is about; empty for the whole text.
pub fn of_error(text: &[u8], error: &serde_json::Error) -> String {
    let line_start = text.split_inclusive(|byte| *byte == b'\n').take(error.line().saturating_sub(1)).map(<[u8]>::len);
    let at = line_start.sum::<usize>() + error.column();
    let read = &text[..at.min(text.len())];
    let Some(key) = missing_key(error) else {
        // If a value's own check fails, the position is after the end of the object or array that holds the value. If a
        // value is an array but must not be, the position is at its bracket, before the first item.
        let holder = [b"}", b"]", b"["].into_iter().find_map(|bracket| read.strip_suffix(bracket));
        return to(holder.unwrap_or(read));
    };
    match to(read).as_str() {
        "" => key,
        path => format!("{path}.{key}"),
    }
}

/// The missing key that `error` names.
pub fn missing_key(error: &serde_json::Error) -> Option<String> {
    let message = error.to_string();
    Some(message.strip_prefix("missing field `")?.split('`').next()?.to_owned())
}

/// The message of `error`, without the position.
pub fn message(error: &serde_json::Error) -> String {
    let message = error.to_string();
    let end = message.rfind(" at line ").unwrap_or(message.len());
    message[..end].to_owned()
}

/// An object or array that is still open at the end of the text.
enum Open {
    Object(String),
    Array(usize),
}

/// The path of the last value of `text`, which is the beginning of a valid JSON text.
fn to(text: &[u8]) -> String {
    let mut open: Vec<Open> = Vec::new();
    let mut at = 0;
    // Whether a string that comes now would be a key.
    let mut key_next = false;
    while let Some(byte) = text.get(at) {
        at += 1;
        match byte {
            b'{' => {
                open.push(Open::Object(String::new()));
                key_next = true;
            }
            b'[' => open.push(Open::Array(0)),
            b'}' | b']' => {
                open.pop();
                key_next = false;
            }
            b',' => match open.last_mut() {
                Some(Open::Array(index)) => *index += 1,
                _ => key_next = true,
            },
            b'"' => {
                let start = at;
                while at < text.len() && text[at] != b'"' {
                    at += if text[at] == b'\\' { 2 } else { 1 };
                }
                if key_next && let Some(Open::Object(key)) = open.last_mut() {
                    *key = String::from_utf8_lossy(&text[start..at.min(text.len())]).into_owned();
                    key_next = false;
                }
                at += 1;
            }
            _ => {}
        }
    }
    let mut path = String::new();
    for step in &open {
        match step {
            Open::Object(key) => {
                if !path.is_empty() && !key.is_empty() {
                    path.push('.');
                }
                path.push_str(key);
            }
            Open::Array(index) => path.push_str(&format!("[{index}]")),
        }
    }
    path
}
