//! When an upstream is synced without being asked.

use refsync_derive::Shape;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tsify::Tsify;

use super::{Direction, RefGlobs};

/// When an upstream is synced by itself, and how: at an interval (`every`), or by a cron line (`cron`) in a time zone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
#[tsify(missing_as_null)]
pub struct Schedule {
    /// The interval, such as `15m`; null where there is a cron line.
    pub every: Option<String>,
    /// The cron line, such as `0 3 * * *`; null where there is an interval.
    pub cron: Option<String>,
    /// The IANA time zone that the cron line is in; null where there is an interval.
    pub time_zone: Option<String>,
    /// Which way refs travel.
    pub direction: Direction,
    /// Which refs take part.
    pub ref_globs: RefGlobs,
    /// When the next run is queued, RFC 3339 in UTC; null while the schedule is paused.
    #[serde(default)]
    pub next_at: Option<String>,
}

/// A schedule in a request: either `every` or `cron`. Other fields are refused.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
#[serde(deny_unknown_fields)]
pub struct ScheduleRequest {
    /// A whole number and `m`, `h` or `d`: from `1m` to `30d`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    pub every: Option<String>,
    /// Minute, hour, day of the month, month and day of the week, as cron has them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    pub cron: Option<String>,
    /// The IANA time zone of `cron`, such as `Europe/Berlin`; `UTC` when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    pub time_zone: Option<String>,
    /// Which way refs travel; `pull` when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    pub direction: Option<Direction>,
    /// Which refs take part; all branches and tags when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional, type = "Partial<RefGlobs>")]
    #[schemars(schema_with = "super::sync::requested_globs")]
    pub ref_globs: Option<RefGlobs>,
}
