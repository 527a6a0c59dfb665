//! How fresh the copy of an upstream is.

use refsync_derive::Shape;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tsify::Tsify;

use super::{RepoPath, minutes};

/// How fresh a repository is compared with its upstream. It is never called fresh if it is not: all times are those of the
/// start of a run, and a clock that was set back does not make it younger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
#[tsify(missing_as_null)]
pub struct Freshness {
    /// Whether the repository had everything that the upstream had at some time within `max_age`.
    pub fresh: bool,
    /// The start of the last sync of all refs after which no ref differed, RFC 3339 in UTC. It has the direction of the
    /// upstream's schedule, or is a pull if there is none. Null before the first such sync.
    pub verified_at: Option<String>,
    /// The time since then, in seconds, rounded up; null before the first such sync.
    pub age_seconds: Option<u32>,
    /// The highest age that is fresh, such as `15m`: that of the request, or the upstream's.
    pub max_age: String,
    /// How many refs differed after the last run of all refs; null before the first one.
    pub behind: Option<u32>,
}

/// Asks how fresh a repository is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
pub struct FreshnessRequest {
    /// The repository.
    #[serde(flatten)]
    pub repo: RepoPath,
    /// The highest age that is fresh: a whole number and `m`, `h` or `d`, from `1m` to `365d`. The default is the upstream's
    /// `max_age`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    pub max_age: Option<String>,
}

/// Why this is not a `max_age`; `None` if it is one.
pub fn max_age_refusal(max_age: &str) -> Option<String> {
    let is_bad = minutes(max_age, LONGEST).is_none();
    is_bad.then(|| format!("must be a whole number and m, h or d, from 1m to {LONGEST}d, such as 15m"))
}

/// A year, in days.
const LONGEST: u32 = 365;
