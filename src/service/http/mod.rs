//! The parts of a call: its URL, its body, its record. The router builds calls from requests.

pub mod body;
pub mod call;
pub mod cors;
pub mod exchange;
pub mod page;
pub mod places;
mod spelling;
