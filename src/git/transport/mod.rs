//! HTTP as Git uses it: a [`Remote`](remote::Remote), its address and credentials, and what an answer that is not Git's means.

pub(super) mod access;
mod address;
mod answer;
mod excerpt;
pub(super) mod pace;
pub(super) mod remote;
