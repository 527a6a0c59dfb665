//! Codecs, judged on bytes.

mod commit_scanner;
mod sideband;
