//! Real Git for the tests: repositories in temporary folders, served by `git http-backend` without a socket.

mod git {
    pub(super) mod backend;
    pub(super) mod repository;
}
mod crypto;
mod random;

pub(crate) use crypto::RustCrypto;
pub(crate) use git::{
    backend::Backend,
    repository::{Repository, git_in},
};
pub(crate) use random::Random;
