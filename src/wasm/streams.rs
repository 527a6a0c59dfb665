//! The web's `ReadableStream`s of bytes, from and to ours.

use std::{
    cell::{Cell, RefCell},
    future::poll_fn,
    rc::Rc,
    task::Poll,
};

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use js_sys::{Object, Promise, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use wasm_bindgen_futures::JsFuture;
use web_sys::{QueuingStrategy, ReadableStream, ReadableStreamDefaultController, ReadableStreamDefaultReader};

use super::{failure::failure, promise::promise};
use crate::http::{ByteStream, Error};

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

/// A stream of `Uint8Array`s that polls `chunks` as its reader asks, and drops them when that cancels.
pub(super) fn into_readable(
    chunks: impl Stream<Item = Result<Uint8Array, Error>> + 'static,
) -> Result<ReadableStream, JsValue> {
    let chunks = Rc::new(RefCell::new(Some(chunks.boxed_local())));
    let pulled = chunks.clone();
    let pull = move |controller: ReadableStreamDefaultController| {
        let chunks = pulled.clone();
        promise(async move {
            let next = poll_fn(|cx| match &mut *chunks.borrow_mut() {
                Some(chunks) => chunks.poll_next_unpin(cx),
                None => Poll::Ready(None),
            });
            match next.await {
                Some(Ok(bytes)) => controller.enqueue_with_chunk(&bytes)?,
                Some(Err(error)) => return Err(js_sys::Error::new(&error.message).into()),
                None => controller.close()?,
            }
            Ok(JsValue::UNDEFINED)
        })
    };
    let cancel = move || drop(chunks.borrow_mut().take());
    let source = Object::new();
    let pull = Closure::<dyn Fn(ReadableStreamDefaultController) -> Promise>::new(pull).into_js_value();
    Reflect::set(&source, &"pull".into(), &pull)?;
    Reflect::set(&source, &"cancel".into(), &Closure::<dyn Fn()>::new(cancel).into_js_value())?;
    // Nothing is made ahead.
    let strategy = QueuingStrategy::new();
    strategy.set_high_water_mark(0.0);
    ReadableStream::new_with_underlying_source_and_strategy(&source, &strategy)
}
