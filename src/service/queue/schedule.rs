//! Schedules: automatic syncs of an upstream.
//!
//! ```text
//!  repos.schedule_at ──it is due────▶ one statement: the next time is set, a run is queued (or joined)
//! ```
//!
//! Repositories with the same schedule do not all start at once. Each repository has its own offset within an interval. A
//! cron line's run starts with a delay: up to a tenth of the time until the next run, and at most five minutes. The offset
//! depends only on the repository's id, so every worker computes the same. If several times were missed while no worker
//! ran, there is only one run, because the next time is always in the future.

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::api::{Direction, FieldError, Schedule, ScheduleRequest, SyncRun, minutes};
use crate::service::{
    host::{Host, Runtime},
    store,
};

/// Moments are milliseconds since 1970.
pub(crate) type Moment = i64;

/// A schedule that is due.
#[derive(Deserialize)]
struct Due {
    id: String,
    /// The schedule in the database's text form.
    at: String,
    schedule: Schedule,
    now: Moment,
}

/// A due schedule and its next time; `None` if the calendar has no such day any more.
#[derive(Serialize)]
struct Moved {
    id: String,
    at: String,
    next: Option<Moment>,
}

/// Queues a run for each of some due schedules. Returns whether more of them may be due.
///
/// # Errors
///
/// If the database failed.
pub(crate) async fn enqueue_due(host: &Host) -> Result<bool, store::Error> {
    let params = json!({"limit": AT_ONCE});
    let due: Vec<Due> = store::rows(host.database(), sql!("sql/schedule_due.sql"), params).await?;
    if due.is_empty() {
        return Ok(false);
    }
    let may_be_more = due.len() == AT_ONCE;
    let moved = due.into_iter().map(|Due { id, at, schedule, now }| {
        let next = next(&schedule, &id, now, &*host.options.runtime).unwrap_or_else(|error| {
            host.log(&format!("the schedule of {id} ends here: {error}"));
            None
        });
        Moved { id, at, next }
    });
    let params = json!({"schedules": moved.collect::<Vec<_>>()});
    let added: Vec<SyncRun> = store::rows(host.database(), sql!("sql/schedule_enqueue.sql"), params).await?;
    if !added.is_empty() {
        host.options.runtime.queued();
    }
    Ok(may_be_more)
}

/// The first time of a new schedule.
pub(crate) async fn first_tick(
    host: &Host,
    schedule: &Schedule,
    repo_id: &str,
) -> Result<Option<Moment>, store::Error> {
    let now: Option<Moment> = store::row(host.database(), sql!("sql/now.sql"), ()).await?;
    let next = next(schedule, repo_id, now.unwrap_or_default(), &*host.options.runtime);
    // The request's schedule was checked with the same calendar.
    Ok(next.ok().flatten())
}

/// The schedule of a request.
///
/// # Errors
///
/// The bad fields.
pub fn parse(request: ScheduleRequest, runtime: &dyn Runtime) -> Result<Schedule, Vec<FieldError>> {
    const FIELD: &str = "upstream.schedule";
    let refusal = |field: &str, message: String| vec![FieldError { field: format!("{FIELD}{field}"), message }];
    let ScheduleRequest { every, cron, time_zone, direction, ref_globs } = request;
    let ref_globs = ref_globs.unwrap_or_default();
    if [&ref_globs.branches, &ref_globs.tags].iter().any(|glob| glob.as_str().contains('\0')) {
        return Err(refusal(".ref_globs", "must not contain a NUL character".into()));
    }
    let schedule = |every, cron, time_zone| Schedule {
        every,
        cron,
        time_zone,
        direction: direction.unwrap_or(Direction::Pull),
        ref_globs,
        next_at: None,
    };
    match (every, cron, time_zone) {
        (Some(every), None, None) => match period(&every) {
            Some(_) => Ok(schedule(Some(every), None, None)),
            None => Err(refusal(".every", "must be a whole number and m, h or d, from 1m to 30d, such as 15m".into())),
        },
        (Some(_), None, Some(_)) => Err(refusal(".time_zone", "needs cron; an interval has no time zone".into())),
        (None, Some(cron), time_zone) => {
            let time_zone = time_zone.unwrap_or_else(|| "UTC".into());
            let is_named = time_zone.len() <= 64 && time_zone.bytes().all(|b| b.is_ascii_graphic());
            if !is_named || runtime.next_tick("* * * * *", &time_zone, 0).is_err() {
                return Err(refusal(".time_zone", "is not an IANA time zone, such as Europe/Berlin".into()));
            }
            let fields = "write minute, hour, day of the month, month and day of the week, such as 0 3 * * *";
            if cron.len() > 100 || !cron.bytes().all(|b| b.is_ascii_graphic() || b == b' ') {
                return Err(refusal(".cron", format!("is not a cron line; {fields}")));
            }
            match runtime.next_tick(&cron, &time_zone, 0) {
                Ok(Some(_)) => Ok(schedule(None, Some(cron), Some(time_zone))),
                Ok(None) => Err(refusal(".cron", "names only days that do not exist, such as 31 February".into())),
                Err(error) => Err(refusal(".cron", format!("is not a cron line ({error}); {fields}"))),
            }
        }
        _ => Err(refusal("", "must have either every, such as \"15m\", or cron, such as \"0 3 * * *\"".into())),
    }
}

/// The next time of a repository's schedule after `now`.
///
/// # Errors
///
/// If the stored schedule is invalid.
pub fn next(schedule: &Schedule, repo_id: &str, now: Moment, runtime: &dyn Runtime) -> Result<Option<Moment>, String> {
    let share = share(repo_id);
    if let Some(period) = schedule.every.as_deref().and_then(period) {
        let begin = (period as f64 * share) as Moment;
        return Ok(Some(now - (now - begin).rem_euclid(period) + period));
    }
    let (Some(cron), Some(time_zone)) = (&schedule.cron, &schedule.time_zone) else {
        return Err("it has neither an interval nor a cron line".into());
    };
    let Some(tick) = runtime.next_tick(cron, time_zone, now)? else { return Ok(None) };
    let following = runtime.next_tick(cron, time_zone, tick)?;
    let gap = following.map_or(MOST_LATE, |following| following - tick);
    Ok(Some(tick + ((gap / 10).min(MOST_LATE) as f64 * share) as Moment))
}

/// An interval in milliseconds; `None` if it is not from 1m to 30d.
fn period(every: &str) -> Option<Moment> {
    minutes(every, 30).map(|minutes| Moment::from(minutes) * 60_000)
}

/// A repository's share of a range, from 0 to just below 1. Shares are spread evenly over ids. An id always has the same
/// share.
fn share(repo_id: &str) -> f64 {
    // FNV-1a. Its lowest byte varies most.
    let hash = repo_id.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    f64::from(hash.swap_bytes()) / (f64::from(u32::MAX) + 1.0)
}

/// How many schedules one statement takes up. It takes a fraction of a second.
const AT_ONCE: usize = 500;
/// The most milliseconds by which a cron line's run is delayed, so that not all runs start together.
const MOST_LATE: Moment = 5 * 60 * 1000;
