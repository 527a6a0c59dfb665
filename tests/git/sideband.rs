//! The side-band, in pieces of every size.

use bytes::Bytes;
use proptest::prelude::*;
use refsync::git::{
    ErrorKind,
    sideband::{Demultiplexer, Piece},
};

fn packet(band: u8, data: &[u8]) -> Vec<u8> {
    let mut packet = format!("{:04x}", data.len() + 5).into_bytes();
    packet.push(band);
    packet.extend_from_slice(data);
    packet
}

/// The bytes of each band, and whether the end was seen.
fn demultiplex<'a>(chunks: impl Iterator<Item = &'a [u8]>) -> Result<(Vec<u8>, Vec<u8>, bool), ErrorKind> {
    let (mut bands, mut data, mut progress) = (Demultiplexer::default(), Vec::new(), Vec::new());
    for chunk in chunks {
        let mut chunk = Bytes::copy_from_slice(chunk);
        while let Some(piece) = bands.next_piece(&mut chunk)? {
            match piece {
                Piece::Data(bytes) => data.extend_from_slice(&bytes),
                Piece::Progress(bytes) => progress.extend_from_slice(&bytes),
            }
        }
    }
    Ok((data, progress, bands.has_ended()))
}

#[test]
fn gives_the_same_wherever_it_is_cut() {
    let stream =
        [packet(1, b"PACK"), packet(2, b"half"), packet(1, b""), packet(1, &[7; 3000]), b"0000".to_vec()].concat();
    let expected = ([&b"PACK"[..], &[7; 3000]].concat(), b"half".to_vec(), true);
    for size in 1..64 {
        assert_eq!(demultiplex(stream.chunks(size)).expect("it is sound"), expected, "pieces of {size}");
    }
    for at in 0..stream.len() {
        let (head, _) = stream.split_at(at);
        assert!(!demultiplex([head].into_iter()).expect("it is sound so far").2, "cut at {at}: the end was not seen");
    }
}

#[test]
fn band_three_is_the_servers_error_even_in_pieces() {
    let stream = [packet(1, b"PACK"), packet(3, b"out of disk\n")].concat();
    for size in [1, 5, 100] {
        let error = demultiplex(stream.chunks(size)).expect_err("the server gave up");
        assert!(matches!(&error, ErrorKind::Remote(words) if words == "out of disk"), "{error}");
    }
}

#[test]
fn an_unknown_band_and_a_bad_length_are_errors() {
    for stream in [packet(4, b"x"), b"zzzz".to_vec(), b"0003".to_vec(), b"0004".to_vec()] {
        assert!(demultiplex([&stream[..]].into_iter()).is_err(), "{stream:?}");
    }
}

#[test]
fn words_without_end_and_packets_without_content_are_an_error() {
    for packet in [packet(2, &[b'.'; 1000]), packet(2, b""), packet(1, b"")] {
        let piece = packet.repeat(1_000_000 / packet.len());
        let (mut bands, mut read) = (Demultiplexer::default(), 0);
        let error = loop {
            let mut chunk = Bytes::copy_from_slice(&piece);
            read += chunk.len();
            assert!(read < 20_000_000, "{read} bytes were read");
            match std::iter::repeat_with(|| bands.next_piece(&mut chunk)).find(|piece| !matches!(piece, Ok(Some(_)))) {
                Some(Err(error)) => break error,
                _ => assert!(chunk.is_empty(), "it asks for more"),
            }
        };
        assert!(error.to_string().contains("bytes of messages"), "{error}");
    }
}

#[test]
fn a_stream_that_goes_on_behind_its_end_is_an_error() {
    let stream = [packet(1, b"PACK"), b"0000".to_vec()].concat();
    let tail = vec![b'x'; 40_000];
    let (data, _, ended) = demultiplex([&stream[..], &tail].into_iter()).expect("a little may follow");
    assert!(data == b"PACK" && ended);
    assert!(demultiplex([&stream[..], &tail, &tail].into_iter()).is_err(), "80,000 bytes may not");
}

proptest! {
    #[test]
    fn noise_never_panics(noise in prop::collection::vec(any::<u8>(), 0..300), size in 1usize..40) {
        let _ = demultiplex(noise.chunks(size));
    }
}
