//! Packet lines from a body that must not be read again after its end, such as a body of the runtimes' `fetch`.

use bytes::Bytes;
use futures_executor::block_on;
use futures_util::StreamExt;
use refsync::{
    git::{
        Exceeded,
        pkt_line::{Line, Reader},
    },
    http::Body,
};

/// A body of one chunk, which panics if it is read again after its end.
fn body(chunk: &'static [u8]) -> Body {
    let chunks = futures_util::stream::unfold(Some(chunk), |chunk| async move {
        chunk.map(|chunk| (Ok(Bytes::from_static(chunk)), None))
    });
    Body::Stream(chunks.boxed_local())
}

#[test]
fn a_body_that_ends_early_may_still_be_read_to_its_end() {
    let mut reader = Reader::new(body(b"0009data\n"));
    let line = block_on(reader.next()).expect("the line is whole");
    assert_eq!(line, Some(Line::Data(Bytes::from_static(b"data\n"))));
    block_on(reader.expect("a flush packet")).expect_err("the body has ended");
    block_on(reader.finish());
}

#[test]
fn what_follows_an_ended_body_is_nothing() {
    let mut reader = Reader::new(body(b"0000"));
    assert_eq!(block_on(reader.next()).expect("it is sound"), Some(Line::Flush));
    assert_eq!(block_on(reader.next()).expect("it is the end"), None);
    let (buffered, mut rest) = reader.into_rest();
    assert!(buffered.is_empty());
    assert!(block_on(rest.next()).is_none());
}

#[test]
fn a_reader_gives_as_many_bytes_of_lines_as_it_is_allowed() {
    let mut reader = Reader::new(body(b"0009data\n0009data\n0000")).at_most(20, Exceeded::Capabilities);
    for _ in 0..2 {
        block_on(reader.next()).expect("18 bytes are allowed");
    }
    let error = block_on(reader.next()).expect_err("a flush packet has four bytes");
    assert!(error.to_string().contains("capabilities"), "{error}");
}
