//! Real Git for the tests: repositories in temporary folders, served by `git http-backend` without a socket.

mod backend;
mod crypto;
mod random;
mod repository;

pub(crate) use backend::Backend;
pub(crate) use crypto::RustCrypto;
pub(crate) use random::Random;
pub(crate) use repository::{Repository, git_in};
