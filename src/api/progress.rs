//! The progress of a sync. The engine reports it, and a run's events contain it.

use refsync_derive::Shape;
use serde::{Deserialize, Serialize};
use tsify::Tsify;

/// The progress of a sync.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Shape, Tsify)]
#[tsify(missing_as_null)]
pub struct Progress {
    /// The current step.
    pub phase: Phase,
    /// How many bytes of the pack have gone from the source to the destination.
    pub bytes: f64,
    /// How many objects the pack has; null until its header has arrived.
    pub objects: Option<u32>,
    /// The speed of the pack in bytes per second, averaged since its first byte; null during its first half second.
    pub bytes_per_second: Option<f64>,
}

/// The current step of a sync.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Shape, Tsify)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Asking both sides for their refs.
    Listing,
    /// Proving that updates are fast-forwards.
    Proving,
    /// Sending the pack.
    Transferring,
    /// The pack is sent, and the destination is storing it.
    Storing,
}
