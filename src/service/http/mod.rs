//! From a request to a call, and from its end to an answer.

pub mod body;
pub mod cors;
pub mod openapi;
pub mod page;
pub mod places;
pub mod probes;
pub mod rate_limit;
pub mod routes;
