//! How far a sync is, and how fast.

use std::{cell::Cell, rc::Rc};

pub use crate::api::{Phase, Progress};

/// Tells how far a sync is: each new phase, and within one at most ten times a second.
#[derive(Clone, Default)]
pub struct Observer(Option<Rc<Watch>>);

struct Watch {
    /// The time in milliseconds, from any start.
    now: Box<dyn Fn() -> f64>,
    report: Box<dyn Fn(Progress)>,
    /// What was told last, and when.
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
            // Where there are fewer than before, it is another pack.
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

/// How long one report holds off the next of the same phase, in milliseconds.
const INTERVAL: f64 = 100.0;
/// How long a pack has to come before its rate says something, in milliseconds.
const MEASURED: f64 = 500.0;
