//! Computes how long to wait before the next try of a failed operation.

use std::time::Duration;

/// Waits that grow by a factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The wait after the first failure.
    pub first: Duration,
    /// The factor between one wait and the next.
    pub factor: u32,
    /// The longest wait.
    pub longest: Duration,
}

impl Backoff {
    /// Waits that double each time.
    pub const fn doubling(first: Duration, longest: Duration) -> Self {
        Self { first, factor: 2, longest }
    }

    /// The wait after this many failures in a row, from 1.
    pub fn after(&self, failures: u32) -> Duration {
        let times = self.factor.saturating_pow(failures.saturating_sub(1));
        self.first.saturating_mul(times).min(self.longest)
    }
}
