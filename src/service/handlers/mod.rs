//! The calls of the API, one file for each resource. A handler checks the request, runs its statement and returns the
//! answer.

pub mod ensure;
pub mod hooks;
pub mod keys;
pub mod list_size;
pub mod monitor;
pub mod operator;
pub mod org;
pub mod page_sessions;
pub mod policy;
pub mod repos;
pub mod sync_events;
pub mod syncs;
pub mod waits;
pub mod webhook_targets;
