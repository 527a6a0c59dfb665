//! How far a sync is.

use std::rc::Rc;

use serde::Serialize;
use tsify::Tsify;

/// How far a sync is.
#[derive(Clone, Debug, PartialEq, Serialize, Tsify)]
#[tsify(missing_as_null)]
pub struct Progress {
    /// What is being done.
    pub phase: Phase,
    /// Bytes of the pack that went from the source to the destination.
    pub bytes: f64,
    /// How many objects the pack has, once its header has come.
    pub objects: Option<u32>,
}

/// What is being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Tsify)]
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

/// Takes reports on progress, as often as a chunk of the pack passes.
#[derive(Clone, Default)]
pub struct Observer(Option<Rc<dyn Fn(Progress)>>);

impl Observer {
    /// An observer that calls this function.
    pub fn new(report: impl Fn(Progress) + 'static) -> Self {
        Self(Some(Rc::new(report)))
    }

    pub(super) fn report(&self, phase: Phase, bytes: u64, objects: Option<u32>) {
        if let Some(report) = &self.0 {
            // A JavaScript number; exact up to 9 PB.
            report(Progress { phase, bytes: bytes as f64, objects });
        }
    }
}
