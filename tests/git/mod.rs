//! Tests the codecs on bytes.

mod commit_graph;
mod commit_scanner;
mod pkt_line;
mod sideband;
mod words;
