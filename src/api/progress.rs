//! How far a sync is, as the engine reports it and a run's events tell it.

use refsync_derive::Shape;
use serde::{Deserialize, Serialize};
use tsify::Tsify;

/// How far a sync is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Shape, Tsify)]
#[tsify(missing_as_null)]
pub struct Progress {
    /// What is being done.
    pub phase: Phase,
    /// Bytes of the pack that went from the source to the destination.
    pub bytes: f64,
    /// How many objects the pack has, once its header has come.
    pub objects: Option<u32>,
    /// Bytes of the pack a second, on average since its first one; null unless it has been coming for half a second.
    pub bytes_per_second: Option<f64>,
}

/// What is being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Shape, Tsify)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Both sides are asked for their refs.
    Listing,
    /// Updates are proved to be fast-forwards.
    Proving,
    /// The pack is on its way.
    Transferring,
    /// The pack is sent, and the destination stores it.
    Storing,
}
