//! Server-sent events as their bytes come: the stream format of the
//! [HTML standard, section 9.2.6](https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation).
//!
//! Here and not by the runtime's `EventSource`, which sends no `Authorization`, and which not every runtime has.
//!
//! ```
//! use refsync::client::event_stream::EventStream;
//!
//! let mut stream = EventStream::default();
//! assert_eq!(stream.push(b"id: 7\ndata: {\"id\""), []);
//! let events = stream.push(b": 1}\n\n: still here\n\n");
//! assert_eq!((events[0].id.as_str(), events[0].data.as_str()), ("7", r#"{"id": 1}"#));
//! ```

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its type; empty where it names none, which means `message`.
    pub kind: String,
    /// Its data, without the last line's end.
    pub data: String,
    /// The last id that the stream has given, which resumes it after this event; empty before the first.
    pub id: String,
}

/// A stream of events that has come up to some byte.
#[derive(Default)]
pub struct EventStream {
    /// The line that has not ended yet.
    line: Vec<u8>,
    /// A `\n` that comes next belongs to the `\r` before it.
    after_return: bool,
    is_begun: bool,
    kind: String,
    data: String,
    id: String,
}

impl EventStream {
    /// The events that end within the next bytes.
    pub fn push(&mut self, chunk: &[u8]) -> Vec<Event> {
        let mut events = Vec::new();
        for &byte in chunk {
            let after_return = std::mem::replace(&mut self.after_return, byte == b'\r');
            match byte {
                b'\n' if after_return => {}
                b'\n' | b'\r' => events.extend(self.end_line()),
                _ => self.line.push(byte),
            }
        }
        events
    }

    /// How many bytes of an event that has not ended are kept.
    pub fn pending(&self) -> usize {
        self.line.len() + self.data.len()
    }

    fn end_line(&mut self) -> Option<Event> {
        let line = std::mem::take(&mut self.line);
        // JSON is UTF-8: of a line that is not, nothing is lost. Replacing what is wrong would be two kilobytes of code.
        let line = std::str::from_utf8(&line).unwrap_or_default();
        // A byte order mark may open the stream.
        let is_begun = std::mem::replace(&mut self.is_begun, true);
        let line = if is_begun { line } else { line.strip_prefix('\u{feff}').unwrap_or(line) };
        if line.is_empty() {
            return self.dispatch();
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.kind),
            "data" => {
                self.data.push_str(value);
                self.data.push('\n');
            }
            "id" if !value.contains('\0') => value.clone_into(&mut self.id),
            // Comments, which have no name, and what tomorrow adds.
            _ => {}
        }
        None
    }

    fn dispatch(&mut self) -> Option<Event> {
        let kind = std::mem::take(&mut self.kind);
        let mut data = std::mem::take(&mut self.data);
        data.pop()?;
        Some(Event { kind, data, id: self.id.clone() })
    }
}
