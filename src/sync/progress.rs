//! How far a sync is.

use std::rc::Rc;

pub use crate::model::{Phase, Progress};

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
