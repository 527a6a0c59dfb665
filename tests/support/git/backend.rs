//! `git http-backend` as an [`HttpClient`]: real Git as the remote, without a socket.

use std::{
    cell::RefCell,
    io::Write,
    path::PathBuf,
    process::{Command, Stdio},
    rc::Rc,
};

use bytes::Bytes;
use futures_util::{FutureExt, StreamExt, future::LocalBoxFuture};
use refsync::{
    git::Remote,
    http::{Body, Error, ErrorKind, Headers, HttpClient, Request, Response},
};

use super::repository::{Repository, isolate};

/// Serves one repository at `http://git.test/`.
pub(crate) struct Backend {
    folder: PathBuf,
    /// The protocol that the server always speaks; `None` lets the client choose.
    protocol: Option<u8>,
    /// How many bytes of the answer come in one piece.
    chunk_size: usize,
    requests: RefCell<Vec<String>>,
}

impl Backend {
    /// A server for this repository that answers in pieces of 1,000 bytes.
    pub(crate) fn new(repository: &Repository) -> Self {
        Self { folder: repository.path().to_owned(), protocol: None, chunk_size: 1000, requests: RefCell::default() }
    }

    /// The same, speaking only this version of the protocol.
    pub(crate) fn speaking(self, version: u8) -> Self {
        Self { protocol: Some(version), ..self }
    }

    /// The same, but it answers in pieces of this size.
    pub(crate) fn in_chunks_of(self, chunk_size: usize) -> Self {
        Self { chunk_size, ..self }
    }

    /// The remote for a client, and the server, which knows the requests.
    pub(crate) fn remote(self) -> (Remote, Rc<Self>) {
        let backend = Rc::new(self);
        (Remote::new("http://git.test/", backend.clone()), backend)
    }

    /// The requests so far, such as `POST git-upload-pack`.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.borrow().clone()
    }

    async fn answer(&self, request: Request) -> Result<Response, Error> {
        let path = request.url.strip_prefix("http://git.test").expect("tests ask this server only");
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        self.requests.borrow_mut().push(format!("{} {}", request.method.as_str(), path.trim_start_matches('/')));
        let mut command = Command::new("git");
        isolate(&mut command);
        command
            .arg("http-backend")
            .env("GIT_PROJECT_ROOT", &self.folder)
            .env("GIT_HTTP_EXPORT_ALL", "1")
            .env("PATH_INFO", path)
            .env("QUERY_STRING", query)
            .env("REQUEST_METHOD", request.method.as_str())
            .env("CONTENT_TYPE", request.headers.get("content-type").unwrap_or_default())
            .env("REMOTE_USER", "test");
        match (self.protocol, request.headers.get("git-protocol")) {
            (Some(0), _) | (None, None) => {}
            (Some(version), _) => drop(command.env("GIT_PROTOCOL", format!("version={version}"))),
            (None, Some(asked)) => drop(command.env("GIT_PROTOCOL", asked)),
        }
        let body = request.body.bytes(usize::MAX).await?;
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("git can be run");
        let mut stdin = child.stdin.take().expect("it is piped");
        let writer = std::thread::spawn(move || drop(stdin.write_all(&body))); // Git may answer early.
        let output = child.wait_with_output().expect("git ends");
        writer.join().expect("the writer does not panic");
        parse(Bytes::from(output.stdout), self.chunk_size, request.url)
    }
}

impl HttpClient for Backend {
    fn send(&self, request: Request) -> LocalBoxFuture<'_, Result<Response, Error>> {
        self.answer(request).boxed_local()
    }
}

/// A CGI answer (RFC 3875, section 6).
fn parse(output: Bytes, chunk_size: usize, url: String) -> Result<Response, Error> {
    let nothing = || Error::new(ErrorKind::Network, "git http-backend answered nothing");
    let end = output.windows(4).position(|w| w == b"\r\n\r\n").ok_or_else(nothing)?;
    let head = String::from_utf8_lossy(&output[..end]).into_owned();
    let headers: Headers = head.lines().filter_map(|line| line.split_once(": ")).collect();
    let status = headers.get("status").and_then(|s| s[..3].parse().ok()).unwrap_or(200);
    let body = output.slice(end + 4..);
    let starts = (0..body.len()).step_by(chunk_size);
    let chunks: Vec<_> = starts.map(|at| Ok(body.slice(at..body.len().min(at + chunk_size)))).collect();
    Ok(Response { status, url, headers, body: Body::Stream(futures_util::stream::iter(chunks).boxed_local()) })
}
