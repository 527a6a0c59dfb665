//! Schedules of automatic syncs.

use refsync_derive::Shape;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tsify::Tsify;

use super::{Direction, RefGlobs};

/// A schedule of automatic syncs: an interval (`every`), or a cron line (`cron`) in a time zone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
#[tsify(missing_as_null)]
pub struct Schedule {
    /// The interval, such as `15m`; null if the schedule is a cron line.
    pub every: Option<String>,
    /// The cron line, such as `0 3 * * *`; null if the schedule is an interval.
    pub cron: Option<String>,
    /// The IANA time zone of the cron line; null if the schedule is an interval.
    pub time_zone: Option<String>,
    /// The direction of the sync.
    pub direction: Direction,
    /// The globs that select refs.
    pub ref_globs: RefGlobs,
    /// When the next run is queued, RFC 3339 in UTC; null while the schedule is paused.
    #[serde(default)]
    pub next_at: Option<String>,
}

/// A schedule in a request: either `every` or `cron`. Other fields are refused.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
#[serde(deny_unknown_fields)]
pub struct ScheduleRequest {
    /// The interval: a whole number and `m`, `h` or `d`, from `1m` to `30d`. Left out if there is a `cron`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    pub every: Option<String>,
    /// The cron line: minute, hour, day of the month, month and day of the week. Left out if there is an `every`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    pub cron: Option<String>,
    /// The IANA time zone of `cron`, such as `Europe/Berlin`. The default is `UTC`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    pub time_zone: Option<String>,
    /// The direction of the sync. The default is `pull`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    pub direction: Option<Direction>,
    /// The globs that select refs. The default is all branches and tags.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional, type = "Partial<RefGlobs>")]
    #[schemars(schema_with = "super::sync::requested_globs")]
    pub ref_globs: Option<RefGlobs>,
}
