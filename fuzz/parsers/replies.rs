//! A server that says what it is told to.

use std::{cell::RefCell, collections::VecDeque, rc::Rc};

use bytes::Bytes;
use futures_util::{FutureExt, StreamExt, future::LocalBoxFuture};
use refsync::{
    git::Remote,
    http::{Body, Error, Headers, HttpClient, Request, Response},
};

/// Gives one body after the other, in pieces of this many bytes.
struct Replies {
    bodies: RefCell<VecDeque<Vec<u8>>>,
    piece: usize,
}

/// A remote that answers with these bodies, in pieces of `piece` bytes.
pub(crate) fn remote<const N: usize>(bodies: [&[u8]; N], piece: usize) -> Remote {
    remote_at("http://git.test/", bodies, piece)
}

/// The same at this URL.
pub(crate) fn remote_at<const N: usize>(url: &str, bodies: [&[u8]; N], piece: usize) -> Remote {
    let bodies = bodies.iter().map(|body| body.to_vec()).collect();
    Remote::new(url, Rc::new(Replies { bodies: RefCell::new(bodies), piece }))
}

/// A body in pieces of this many bytes.
pub(crate) fn in_pieces(bytes: &[u8], piece: usize) -> Body {
    let pieces: Vec<_> = bytes.chunks(piece).map(|bytes| Ok(Bytes::copy_from_slice(bytes))).collect();
    Body::Stream(futures_util::stream::iter(pieces).boxed_local())
}

impl HttpClient for Replies {
    fn send(&self, request: Request) -> LocalBoxFuture<'_, Result<Response, Error>> {
        let service = if request.url.contains("receive-pack") { "git-receive-pack" } else { "git-upload-pack" };
        let headers = Headers::from_iter([("content-type", format!("application/x-{service}-advertisement"))]);
        let body = in_pieces(&self.bodies.borrow_mut().pop_front().unwrap_or_default(), self.piece);
        std::future::ready(Ok(Response { status: 200, url: request.url, headers, body })).boxed_local()
    }
}
