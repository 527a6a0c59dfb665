//! Git's messages, each in one piece and byte by byte: what is made of them is the same.

use bytes::Bytes;
use futures_executor::block_on;
use futures_util::StreamExt;
use gix_hash::{Kind, ObjectId};
use refsync::git::{
    Command, FetchRequest, PushOptions, empty_pack,
    pkt_line::{self, Line, Reader},
    sideband::{Demultiplexer, Piece},
};

use super::replies::{in_pieces, remote};

/// All in one piece, and byte by byte.
const PIECES: [usize; 2] = [usize::MAX, 1];

/// What `parse` makes of the bytes, which must not depend on the pieces that they come in.
fn whatever_the_pieces(parse: impl Fn(usize) -> String) {
    let [whole, split] = PIECES.map(parse);
    assert_eq!(whole, split, "in one piece, and byte by byte");
}

pub(crate) fn pkt_line(data: &[u8]) {
    whatever_the_pieces(|piece| {
        let mut reader = Reader::new(in_pieces(data, piece));
        let mut seen = String::new();
        loop {
            match block_on(reader.next()) {
                Ok(Some(line)) => seen += &format!("{line:?}\n"),
                Ok(None) => return seen,
                Err(error) => return format!("{seen}{error}"),
            }
        }
    });
    if !data.is_empty() && data.len() <= 65_516 {
        let mut line = Vec::new();
        pkt_line::encode(&mut line, data);
        let read = block_on(Reader::new(in_pieces(&line, usize::MAX)).next());
        assert_eq!(read.ok().flatten(), Some(Line::Data(Bytes::copy_from_slice(data))), "what is written is read");
    }
}

pub(crate) fn sideband(data: &[u8]) {
    whatever_the_pieces(|piece| {
        let (mut bands, mut pack, mut words) = (Demultiplexer::default(), Vec::new(), Vec::new());
        for bytes in data.chunks(piece) {
            let mut chunk = Bytes::copy_from_slice(bytes);
            loop {
                match bands.next_piece(&mut chunk) {
                    Ok(Some(Piece::Data(bytes))) => pack.extend_from_slice(&bytes),
                    Ok(Some(Piece::Progress(bytes))) => words.extend_from_slice(&bytes),
                    Ok(None) => break,
                    Err(error) => return format!("{pack:?} {words:?} {error}"),
                }
            }
        }
        format!("{pack:?} {words:?} {}", bands.has_ended())
    });
}

pub(crate) fn advertisement(data: &[u8]) {
    whatever_the_pieces(|piece| {
        let prefixes = ["refs/".into()];
        block_on(async {
            // Nothing comes where refs are asked for before the advertisement.
            match remote([b"", data], piece).list_refs(&prefixes).await {
                Ok((upload, refs)) => format!("{:?} {refs:?}", upload.object_format()),
                Err(error) => error.to_string(),
            }
        })
    });
    whatever_the_pieces(|piece| match block_on(remote([data], piece).receive_pack()) {
        Ok(receive) => {
            let ids = receive.refs.iter().map(|r| r.id).chain(receive.haves.iter().copied());
            assert!(ids.into_iter().all(|id| id.kind() == receive.object_format), "ids are of the format");
            format!("{:?} {:?}", receive.refs, receive.haves)
        }
        Err(error) => error.to_string(),
    });
}

pub(crate) fn ls_refs(data: &[u8]) {
    whatever_the_pieces(|piece| {
        let prefixes = ["refs/heads/".into(), "refs/tags/v".into()];
        // Refused where it is asked at once, it is asked again.
        match block_on(remote([data, V2.as_bytes(), data], piece).list_refs(&prefixes)) {
            Ok((_, refs)) => {
                assert!(refs.iter().all(|r| r.name.starts_with(b"refs/")), "what was not asked for is left out");
                format!("{refs:?}")
            }
            Err(error) => error.to_string(),
        }
    });
}

/// The first byte chooses the protocol, and whether haves are negotiated.
pub(crate) fn fetch_answer(data: &[u8]) {
    let Some((choice, data)) = data.split_first() else { return };
    let advertisement = [V2, V0_SOURCE, V0_SOURCE_WITHOUT_BANDS][usize::from(choice >> 1) % 3];
    let wanted = ObjectId::empty_tree(Kind::Sha1);
    let request = FetchRequest { wants: vec![wanted], negotiate: choice & 1 == 1, ..FetchRequest::default() };
    whatever_the_pieces(|piece| {
        block_on(async {
            let upload_pack = remote([advertisement.as_bytes(), data], piece).upload_pack().await;
            let (upload, _) = upload_pack.expect("it is well-formed");
            let mut answer = match upload.fetch(&request).await {
                Ok(answer) => answer,
                Err(error) => return error.to_string(),
            };
            let mut acknowledged: Vec<ObjectId> = answer.acknowledged.drain().collect();
            acknowledged.sort();
            let (mut bytes, mut end) = (Vec::new(), String::new());
            if let Some(mut pack) = answer.pack {
                while let Some(piece) = pack.next().await {
                    match piece {
                        Ok(piece) => bytes.extend_from_slice(&piece),
                        Err(error) => {
                            end = error.to_string();
                            break;
                        }
                    }
                }
            }
            format!("{acknowledged:?} {bytes:?} {end}")
        })
    });
}

/// The first byte chooses what the server can.
pub(crate) fn report(data: &[u8]) {
    let Some((choice, data)) = data.split_first() else { return };
    let advertisement = [V0_DESTINATION, V0_DESTINATION_WITHOUT_BANDS][usize::from(*choice) % 2];
    let id = ObjectId::empty_tree(Kind::Sha1);
    let commands = ["refs/heads/a", "refs/heads/b"].map(|name| Command { name: name.into(), old: None, new: id });
    whatever_the_pieces(|piece| {
        block_on(async {
            let receive =
                remote([advertisement.as_bytes(), data], piece).receive_pack().await.expect("it is well-formed");
            let pack = in_pieces(&empty_pack(Kind::Sha1), usize::MAX).into_stream();
            match receive.push(&commands, &PushOptions::default(), pack).await {
                Ok(report) => {
                    let mut refs: Vec<_> = report.refs.iter().collect();
                    refs.sort();
                    format!("{refs:?} {:?} {:?} {}", report.unpack_error, report.words, report.done_otherwise.len())
                }
                Err(error) => error.to_string(),
            }
        })
    });
}

const V2: &str = "001e# service=git-upload-pack\n0000000eversion 2\n000cls-refs\n0011fetch=filter\n0000";
const V0_SOURCE: &str =
    concat!("005c4b825dc642cb6eb9a060e54bf8d69288fbee4904 refs/heads/a\0", "side-band-64k ofs-delta thin-pack\n0000");
const V0_SOURCE_WITHOUT_BANDS: &str = "00414b825dc642cb6eb9a060e54bf8d69288fbee4904 refs/heads/a\0filter\n0000";
const V0_DESTINATION: &str =
    concat!("00564b825dc642cb6eb9a060e54bf8d69288fbee4904 refs/heads/c\0", "report-status side-band-64k\n0000");
const V0_DESTINATION_WITHOUT_BANDS: &str =
    "00484b825dc642cb6eb9a060e54bf8d69288fbee4904 refs/heads/c\0report-status\n0000";
