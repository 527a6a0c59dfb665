//! Git smart HTTP as a client (`gitprotocol-http`, `gitprotocol-v2`, `gitprotocol-pack`).
//!
//! The order of operations of a sync, and which file knows each message:
//!
//! ```text
//!   source                               refsync                              destination
//!     │◀── POST git-upload-pack: ls-refs ────────│ GET info/refs?service=git-receive-pack ──▶│
//!     │─── refs ────────────────────────────────▶│◀─────────────────── refs, capabilities ───│  ls_refs.rs, advertisement.rs
//!     │                                          │                                           │
//!     │    where the pack cannot prove it:       │                                           │
//!     │◀── GET info/refs?service=git-upload-pack │                                           │
//!     │─── capabilities ────────────────────────▶│                                           │  advertisement.rs
//!     │◀── POST git-upload-pack: fetch (commits) │                                           │
//!     │─── commits ─────────────────────────────▶│ is it a fast-forward?                     │  pack.rs, commit_graph.rs
//!     │                                          │                                           │
//!     │◀── POST git-upload-pack: fetch ──────────│ POST git-receive-pack: commands ─────────▶│  fetch.rs, push.rs
//!     │─── pack, in a side-band ────────────────▶│─── pack, as it comes ────────────────────▶│  sideband.rs
//!     │                                          │◀─────────────────────────── report ───────│  push.rs
//! ```
//!
//! If a source does not answer the first request, its capabilities are requested before. [`Remote`] sends all requests;
//! the codecs take bytes and do no IO.

mod access;
mod address;
mod advertisement;
mod answer;
mod capabilities;
mod commit_graph;
pub mod delta;
mod error;
mod excerpt;
mod fetch;
mod limits;
mod ls_refs;
mod pace;
mod pack;
pub mod pkt_line;
mod push;
mod receive_pack;
mod remote;
pub mod sideband;
mod upload_pack;
mod words;

pub use access::{Challenge, Credentials};
pub use advertisement::{Advertisement, Ref};
pub use capabilities::Capabilities;
pub use commit_graph::{Ancestry, CommitGraph};
pub use error::{Error, ErrorKind, Operation};
pub use fetch::{Answer, PackStream, Request as FetchRequest};
pub use limits::{Exceeded, Limits, MinRate};
pub use pack::{CommitScanner, Lost};
pub use push::{Command, PushOptions, Report, empty_pack};
pub use receive_pack::ReceivePack;
pub use remote::Remote;
pub use upload_pack::UploadPack;
pub use words::{Words, clean};

/// Our name in the `agent` capability.
fn agent() -> &'static str {
    concat!("refsync/", env!("CARGO_PKG_VERSION"))
}
