//! Git smart HTTP as a client (`gitprotocol-http`, `gitprotocol-v2`, `gitprotocol-pack`).
//!
//! The order of operations of a sync, and which file knows each message:
//!
//! ```text
//!   source                               refsync                              destination
//!     │◀── POST git-upload-pack: ls-refs ────────│ GET info/refs?service=git-receive-pack ──▶│
//!     │─── refs ────────────────────────────────▶│◀─────────────────── refs, capabilities ───│  ls_refs, advertisement
//!     │                                          │                                           │
//!     │    where the pack cannot prove it:       │                                           │
//!     │◀── GET info/refs?service=git-upload-pack │                                           │
//!     │─── capabilities ────────────────────────▶│                                           │  advertisement
//!     │◀── POST git-upload-pack: fetch (commits) │                                           │
//!     │─── commits ─────────────────────────────▶│ is it a fast-forward?                     │  pack, commit_graph
//!     │                                          │                                           │
//!     │◀── POST git-upload-pack: fetch ──────────│ POST git-receive-pack: commands ─────────▶│  fetch, push
//!     │─── pack, in a side-band ────────────────▶│─── pack, as it comes ────────────────────▶│  sideband
//!     │                                          │◀─────────────────────────── report ───────│  push
//! ```
//!
//! If a source does not answer the first request, its capabilities are requested before. `transport` sends all requests;
//! the codecs take bytes and do no IO.

mod challenge;
mod codec;
mod commit_graph;
mod error;
mod limits;
mod pack;
mod receive_pack;
mod transport;
mod upload_pack;
mod words;

pub use codec::{
    advertisement::{Advertisement, Ref},
    capabilities::Capabilities,
    pkt_line, sideband,
};
pub use commit_graph::{Ancestry, CommitGraph};
pub use error::{Error, ErrorKind, Operation};
pub use limits::{Exceeded, Limits, MinRate};
pub use pack::{CommitScanner, Lost, delta};
pub use receive_pack::{
    ReceivePack,
    push::{Command, PushOptions, Report, empty_pack},
};
pub use transport::{
    access::{Challenge, Credentials},
    remote::Remote,
};
pub use upload_pack::{
    UploadPack,
    fetch::{Answer, PackStream, Request as FetchRequest},
};
pub use words::{Words, clean};
