//! Turns web `ReadableStream`s of bytes into Rust streams.

use std::cell::Cell;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use js_sys::Uint8Array;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::{ReadableStream, ReadableStreamDefaultReader};

use crate::{
    http::ByteStream,
    wasm::{error::failure::failure, object::get},
};

/// Reads a stream. If it is dropped before the end, it cancels the rest.
///
/// The lock is never released, because nobody else reads the stream. Releasing it would take Node 2 ms, to make an error
/// that nobody reads.
struct Reader {
    reader: ReadableStreamDefaultReader,
    has_ended: Cell<bool>,
}

impl Drop for Reader {
    fn drop(&mut self) {
        if !self.has_ended.get() {
            // A failure of the cancellation is ignored.
            drop(JsFuture::from(self.reader.cancel()));
        }
    }
}

/// The chunks of a stream of `Uint8Array`s.
pub(crate) fn from_readable(readable: &ReadableStream) -> ByteStream {
    let reader = Reader { reader: readable.get_reader().unchecked_into(), has_ended: Cell::new(false) };
    stream::unfold(reader, |reader| async {
        let chunk = match JsFuture::from(reader.reader.read()).await {
            Ok(read) => {
                if get(&read, "done") == true {
                    reader.has_ended.set(true);
                    return None;
                }
                Ok(Bytes::from(get(&read, "value").unchecked_into::<Uint8Array>().to_vec()))
            }
            Err(error) => Err(failure(&error)),
        };
        Some((chunk, reader))
    })
    .boxed_local()
}
