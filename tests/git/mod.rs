//! Codecs, judged on bytes.

mod commit_scanner;
mod pkt_line;
mod sideband;
mod words;
