//! Turns Rust streams of bytes into web `ReadableStream`s.
//!
//! JavaScript keeps the stream's callbacks until its next garbage collection, some seconds later. So the callbacks drop
//! `chunks` as soon as the stream ends: otherwise its timer or its request to the source would live on with them.

use std::{cell::RefCell, future::poll_fn, rc::Rc, task::Poll};

use futures_util::{Stream, StreamExt};
use js_sys::{Object, Promise, Uint8Array};
use wasm_bindgen::{JsValue, closure::Closure};
use web_sys::{QueuingStrategy, ReadableStream, ReadableStreamDefaultController};

use crate::http::Error;
use crate::wasm::{object::set, promise::promise};

/// A stream of `Uint8Array`s that polls `chunks` when its reader asks. It drops `chunks` at their end, at their first error, and
/// when the reader cancels.
pub(crate) fn into_readable(
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
            let next = next.await;
            if !matches!(next, Some(Ok(_))) {
                drop(chunks.borrow_mut().take());
            }
            match next {
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
    set(&source, "pull", &pull);
    set(&source, "cancel", &Closure::<dyn Fn()>::new(cancel).into_js_value());
    // No chunk is made in advance.
    let strategy = QueuingStrategy::new();
    strategy.set_high_water_mark(0.0);
    ReadableStream::new_with_underlying_source_and_strategy(&source, &strategy)
}
