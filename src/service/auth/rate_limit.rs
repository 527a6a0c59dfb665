//! Limits the calls of each credential with a token bucket, which refills over time. (Pure: the caller passes the time.)
//! Each process counts separately. A call takes one token before it is answered, and more afterwards if it was expensive.

use crate::service::host::RateLimit;
use std::{cell::RefCell, collections::HashMap, time::Duration};

/// The recent calls of each credential.
pub struct RateLimiter {
    limit: RateLimit,
    buckets: RefCell<HashMap<String, Bucket>>,
}

#[derive(Clone, Copy)]
struct Bucket {
    tokens: f64,
    at: Duration,
}

impl RateLimiter {
    /// The state before the first call.
    pub fn new(limit: RateLimit) -> Self {
        Self { limit, buckets: RefCell::default() }
    }

    /// Counts a call at `now`, the time since any one moment.
    ///
    /// # Errors
    ///
    /// If there are too many calls: the number of seconds until the next call may come.
    pub fn count(&self, credential: &str, now: Duration) -> Result<(), u32> {
        let mut buckets = self.buckets.borrow_mut();
        if buckets.len() >= MOST_BUCKETS && !buckets.contains_key(credential) {
            // A full bucket need not be stored.
            buckets.retain(|_, bucket| self.tokens(*bucket, now) < self.limit.burst);
        }
        let full = Bucket { tokens: self.limit.burst, at: now };
        let bucket = buckets.entry(credential.to_owned()).or_insert(full);
        let tokens = self.tokens(*bucket, now);
        let is_allowed = tokens >= 1.0;
        *bucket = Bucket { tokens: if is_allowed { tokens - 1.0 } else { tokens }, at: now.max(bucket.at) };
        if is_allowed {
            Ok(())
        } else {
            Err(((1.0 - tokens) / self.limit.per_second).ceil().clamp(1.0, 3_600.0) as u32)
        }
    }

    /// Takes more tokens for the work of a counted call. The bucket may become negative, so that the next call waits.
    pub fn charge(&self, credential: &str, tokens: f64, now: Duration) {
        if let Some(bucket) = self.buckets.borrow_mut().get_mut(credential) {
            let left = (self.tokens(*bucket, now) - tokens).max(-self.limit.burst);
            *bucket = Bucket { tokens: left, at: now.max(bucket.at) };
        }
    }

    fn tokens(&self, bucket: Bucket, now: Duration) -> f64 {
        let passed = now.saturating_sub(bucket.at).as_secs_f64();
        (bucket.tokens + passed * self.limit.per_second).min(self.limit.burst)
    }
}

/// Large enough that cleaning is rare, and small enough for any memory.
const MOST_BUCKETS: usize = 10_000;
