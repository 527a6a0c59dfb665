//! From a request to a call, and from the call's result to an answer.

pub mod api;
pub mod body;
pub mod call;
pub mod cors;
pub mod exchange;
pub mod openapi;
pub mod page;
pub mod places;
pub mod probes;
pub mod rate_limit;
pub mod routes;

pub use api::Api;
