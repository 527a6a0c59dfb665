//! Git's messages as bytes: packet lines, what is framed in them, and what a server advertises. No file here does IO of its own.

pub(super) mod advertisement;
pub(super) mod capabilities;
pub mod pkt_line;
pub mod sideband;
