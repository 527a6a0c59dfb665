//! Decodes server-sent events from bytes as they arrive. The format is in the [HTML standard, section
//! 9.2.6](https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation).
//!
//! The runtime's `EventSource` is no alternative: it cannot send `Authorization`, and not every runtime has it.
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
    /// Its type; empty if the event names none, which means `message`.
    pub kind: String,
    /// Its data, without the final line break.
    pub data: String,
    /// The last id of the stream so far. It resumes the stream after this event. Empty before the first id.
    pub id: String,
}

/// The state of a stream of events after some bytes.
#[derive(Default)]
pub struct EventStream {
    /// The line that has not ended yet.
    line: Vec<u8>,
    /// Whether the last byte was `\r`: a `\n` that comes next belongs to it.
    after_return: bool,
    is_begun: bool,
    kind: String,
    data: String,
    id: String,
}

impl EventStream {
    /// The events that end within these bytes.
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

    /// The most bytes of an unfinished event that are kept.
    pub fn pending(&self) -> usize {
        self.line.len() + self.data.len()
    }

    fn end_line(&mut self) -> Option<Event> {
        let line = std::mem::take(&mut self.line);
        // A line that is not UTF-8 cannot be JSON, so it is dropped. Replacing the bad bytes would cost two kilobytes of
        // code.
        let line = std::str::from_utf8(&line).unwrap_or_default();
        // The stream may start with a byte order mark.
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
            // Ignore comments, which have no name, and fields that this version does not know.
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
