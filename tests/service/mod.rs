//! The service's pure parts. Its calls and its queue are judged in `tests/js/service`, on a real database and real Git.

mod access_token;
mod body;
mod change_id;
mod default_branch;
mod git;
mod list_size;
mod names;
mod notes;
mod openapi;
mod page;
mod places;
mod rate_limit;
mod record;
mod redaction;
mod secrets;
mod storable;
mod upstream;
mod webhooks;
