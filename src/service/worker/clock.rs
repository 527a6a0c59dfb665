//! Detects a database clock that was set back.
//!
//! If the clock goes back by an hour, everything that waits for a time would wait an hour longer. Then the times are
//! corrected: a queued run waits at most for its longest backoff, a lease lasts at most for its length, and a schedule
//! waits until its next time. A process notices this if the database's clock falls behind its own monotonic clock. At its
//! start, it notices this from the stored times.
//!
//! Ages are measured with the **steady clock**: the database's time plus what its clock was set back so far. The process that
//! notices a step first adds it, in one statement. If the clock was set back while no process ran, nobody knows by how much.
//! Then no upstream counts as verified until its next pull.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::api::Schedule;
use crate::service::{
    delivery,
    host::Host,
    queue::{self, schedule},
    store,
};

/// The database's time.
#[derive(Deserialize)]
struct Look {
    /// Milliseconds since 1970.
    now: i64,
    /// How many milliseconds the times of the newest run are ahead of it.
    ahead: i64,
    /// By how many milliseconds the clock was set back so far.
    back: i64,
    /// How many milliseconds the last known steady time is ahead of the present one.
    mark_ahead: i64,
}

/// The corrections.
#[derive(Deserialize)]
struct Corrected {
    runs: u64,
    deliveries: u64,
}

#[derive(Deserialize)]
struct Scheduled {
    id: String,
    /// Milliseconds since 1970.
    at: i64,
    schedule: Schedule,
}

#[derive(Serialize)]
struct Earlier {
    id: String,
    at: i64,
    next: i64,
}

/// The steady time, in milliseconds since 1970, as far as this process knows: it is at least this.
///
/// # Errors
///
/// If the database failed.
pub(crate) async fn steady(host: &Host) -> Result<Option<i64>, store::Error> {
    let is_old = |(_, at)| host.now().saturating_sub(at) > OLD_LOOK;
    if host.clock.get().is_none_or(is_old) {
        look(host).await?;
    }
    Ok(expected(host, host.now()))
}

/// The steady time at a moment of this process's own clock; `None` before the first look.
fn expected(host: &Host, now: Duration) -> Option<i64> {
    let since = |at| i64::try_from(now.saturating_sub(at).as_millis()).unwrap_or(i64::MAX);
    host.clock.get().map(|(then, at)| then.saturating_add(since(at)))
}

/// Checks whether the database's clock was set back, and corrects the times that depend on it.
pub(crate) async fn look(host: &Host) -> Result<(), store::Error> {
    let asked_at = host.now();
    let look: Option<Look> = store::row(host.database(), sql!("sql/clock_look.sql"), ()).await?;
    let Some(Look { now, ahead, back, mark_ahead }) = look else { return Ok(()) };
    let expected = expected(host, asked_at);
    let (behind, step) = match expected {
        Some(expected) => (expected - now - back, expected - now - back),
        None => (ahead.max(mark_ahead), mark_ahead),
    };
    let step = if step > TOLERANCE { step } else { 0 };
    host.clock.set(Some((now + back + step, asked_at)));
    if behind <= TOLERANCE {
        return Ok(());
    }
    let params = json!({
        "lease": queue::LEASE.as_secs(),
        "longest_backoff": queue::LONGEST_BACKOFF.as_secs(),
        "delivery_lease": delivery::LEASE.as_secs(),
        "first_wait": delivery::WAITS.first.as_secs(),
        "longest_wait": delivery::WAITS.longest.as_secs(),
        "back": step,
        "back_before": back,
        "forgets": expected.is_none() && step > 0,
    });
    let sql = sql!("sql/clock_went_back.sql");
    let corrected: Option<Corrected> = store::row(host.database(), sql, params).await?;
    let Corrected { runs, deliveries } = corrected.unwrap_or(Corrected { runs: 0, deliveries: 0 });
    let schedules = bring_schedules_forward(host, now).await?;
    host.log(&format!(
        "the database's clock went back by some {} s; {runs} runs, {deliveries} webhook deliveries and {schedules} schedules \
         that waited for it go on now",
        behind / 1000
    ));
    host.options.runtime.queued();
    Ok(())
}

/// Computes the next time again for schedules that wait longer than a new schedule would. Returns their number.
async fn bring_schedules_forward(host: &Host, now: i64) -> Result<usize, store::Error> {
    let (mut after, mut count) = (String::new(), 0);
    loop {
        let sql = sql!("sql/schedule_page.sql");
        let page: Vec<Scheduled> = store::rows(host.database(), sql, json!({"after": after})).await?;
        let Some(last) = page.last() else { return Ok(count) };
        after = last.id.clone();
        let earlier = page.iter().filter_map(|Scheduled { id, at, schedule }| {
            let next = schedule::next(schedule, id, now, &*host.options.runtime).ok().flatten()?;
            (next < *at).then(|| Earlier { id: id.clone(), at: *at, next })
        });
        let earlier: Vec<Earlier> = earlier.collect();
        if !earlier.is_empty() {
            let params = json!({"schedules": earlier});
            let moved: Vec<String> = store::rows(host.database(), sql!("sql/schedule_earlier.sql"), params).await?;
            count += moved.len();
        }
    }
}

/// Two clocks, or a slow answer, may differ by up to this many milliseconds.
const TOLERANCE: i64 = 5_000;
/// After this time, an API call looks at the clock again.
const OLD_LOOK: Duration = Duration::from_secs(10);
