use std::time::Duration;

use refsync::service::{auth::rate_limit::RateLimiter, host::RateLimit};

fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(1_000.0 + seconds)
}

#[test]
fn allows_a_burst_and_then_as_many_as_time_passes() {
    let limiter = RateLimiter::new(RateLimit { per_second: 2.0, burst: 3.0 });
    for _ in 0..3 {
        assert_eq!(limiter.count("a", seconds(0.0)), Ok(()));
    }
    assert_eq!(limiter.count("a", seconds(0.0)), Err(1));
    assert_eq!(limiter.count("b", seconds(0.0)), Ok(()), "another credential has its own");
    assert_eq!(limiter.count("a", seconds(0.5)), Ok(()));
    assert_eq!(limiter.count("a", seconds(0.5)), Err(1));
    for _ in 0..3 {
        assert_eq!(limiter.count("a", seconds(60.0)), Ok(()), "a pause does not save up more than the burst");
    }
    assert_eq!(limiter.count("a", seconds(60.0)), Err(1));
}

#[test]
fn says_when_to_come_back() {
    let limiter = RateLimiter::new(RateLimit { per_second: 0.1, burst: 1.0 });
    assert_eq!(limiter.count("a", seconds(0.0)), Ok(()));
    assert_eq!(limiter.count("a", seconds(0.0)), Err(10));
    assert_eq!(limiter.count("a", seconds(7.5)), Err(3));
    assert_eq!(limiter.count("a", seconds(10.0)), Ok(()), "the refused calls cost nothing");
}

#[test]
fn a_clock_that_goes_back_gives_nothing_away() {
    let limiter = RateLimiter::new(RateLimit { per_second: 1.0, burst: 1.0 });
    assert_eq!(limiter.count("a", seconds(10.0)), Ok(()));
    assert_eq!(limiter.count("a", seconds(0.0)), Err(1));
    assert_eq!(limiter.count("a", seconds(10.5)), Err(1));
    assert_eq!(limiter.count("a", seconds(11.0)), Ok(()));
}

#[test]
fn work_is_taken_from_the_calls_that_come() {
    let limiter = RateLimiter::new(RateLimit { per_second: 2.0, burst: 10.0 });
    assert_eq!(limiter.count("a", seconds(0.0)), Ok(()));
    limiter.charge("a", 15.0, seconds(0.0));
    assert_eq!(limiter.count("a", seconds(0.0)), Err(4), "six are owed");
    assert_eq!(limiter.count("b", seconds(0.0)), Ok(()), "another credential owes nothing");
    assert_eq!(limiter.count("a", seconds(4.0)), Ok(()));
    limiter.charge("a", 1_000_000.0, seconds(4.0));
    assert_eq!(limiter.count("a", seconds(4.0)), Err(6), "no more is owed than the burst");
    limiter.charge("nobody", 1.0, seconds(4.0));
}
