//! The web's `ReadableStream`s of bytes as ours.

use std::cell::Cell;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use js_sys::{Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{ReadableStream, ReadableStreamDefaultReader};

use super::failure::failure;
use crate::http::ByteStream;

/// What reads a stream; it cancels the rest where it is dropped before the end.
///
/// The lock is never given back, for nobody else reads on; and doing so takes Node 2 ms, to make an error that nobody reads.
struct Reader {
    reader: ReadableStreamDefaultReader,
    has_ended: Cell<bool>,
}

impl Drop for Reader {
    fn drop(&mut self) {
        if !self.has_ended.get() {
            // Nobody hears of a failure.
            drop(JsFuture::from(self.reader.cancel()));
        }
    }
}

/// The chunks of a stream of `Uint8Array`s.
pub(super) fn from_readable(readable: &ReadableStream) -> ByteStream {
    let reader = Reader { reader: readable.get_reader().unchecked_into(), has_ended: Cell::new(false) };
    stream::unfold(reader, |reader| async {
        let chunk = match JsFuture::from(reader.reader.read()).await {
            Ok(read) => {
                let get = |name: &str| Reflect::get(&read, &name.into()).unwrap_or(JsValue::UNDEFINED);
                if get("done") == true {
                    reader.has_ended.set(true);
                    return None;
                }
                Ok(Bytes::from(get("value").unchecked_into::<Uint8Array>().to_vec()))
            }
            Err(error) => Err(failure(&error)),
        };
        Some((chunk, reader))
    })
    .boxed_local()
}
