//! The client's decisions, and its calls over a replay of answers that the contract gives.
//!
//! The calls against the real service are in `tests/js`; here are those that a real service cannot be made to answer on
//! demand: a lost connection after the work was done, a 503 and then none.

mod calls;
mod decisions;
mod follow;
mod replay;
mod shapes;
