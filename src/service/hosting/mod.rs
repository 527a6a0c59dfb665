//! The repositories that this service hosts: Git over HTTP, heads, default branches, and damage.

pub mod change_id;
pub mod damage;
pub mod default_branch;
pub mod git;
pub mod head;
pub mod policy;
pub mod push;
pub mod repository;
