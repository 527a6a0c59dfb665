//! How far a sync is, and how fast.

use std::{cell::Cell, rc::Rc};

pub use crate::api::{Phase, Progress};

/// Reports the progress of a sync: each new phase, and within a phase at most ten times a second.
#[derive(Clone, Default)]
pub struct Observer(Option<Rc<Watch>>);

struct Watch {
    /// The time in milliseconds since any moment.
    now: Box<dyn Fn() -> f64>,
    report: Box<dyn Fn(Progress)>,
    /// The last report and its time.
    told: Cell<Option<(Phase, f64)>>,
    /// When the first byte of this pack came, and how many there are.
    pack: Cell<Option<(f64, u64)>>,
}

impl Observer {
    /// An observer that calls `report`; `now` is a clock in milliseconds.
    pub fn new(now: impl Fn() -> f64 + 'static, report: impl Fn(Progress) + 'static) -> Self {
        let (now, report) = (Box::new(now), Box::new(report));
        Self(Some(Rc::new(Watch { now, report, told: Cell::default(), pack: Cell::default() })))
    }

    pub(super) fn report(&self, phase: Phase, bytes: u64, objects: Option<u32>) {
        let Some(watch) = &self.0 else { return };
        let now = (watch.now)();
        let start = match watch.pack.get() {
            // If there are fewer bytes than before, this is another pack.
            Some((start, before)) if bytes >= before => start,
            _ => now,
        };
        watch.pack.set((bytes > 0).then_some((start, bytes)));
        if watch.told.get().is_some_and(|(before, at)| before == phase && now - at < INTERVAL) {
            return;
        }
        watch.told.set(Some((phase, now)));
        // A JavaScript number; exact up to 9 PB.
        let bytes = bytes as f64;
        let is_known = phase == Phase::Transferring && now - start >= MEASURED;
        let bytes_per_second = is_known.then(|| (bytes * 1000.0 / (now - start)).round());
        (watch.report)(Progress { phase, bytes, objects, bytes_per_second });
    }
}

/// The least time between two reports of the same phase, in milliseconds.
const INTERVAL: f64 = 100.0;
/// How long a pack must have flowed before its rate is meaningful, in milliseconds.
const MEASURED: f64 = 500.0;
