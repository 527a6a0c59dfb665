//! Tests the client's decisions, and its calls against replayed answers of the contract.
//!
//! The calls against the real service are in `tests/js`. The answers here cannot be forced from a real service: a lost
//! connection after the work was done, or a 503 followed by a success.

mod calls;
mod decisions;
mod follow;
mod replay;
mod shapes;
