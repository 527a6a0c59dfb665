//! What a sync may do with refs that cannot move forward.

use refsync_derive::Shape;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tsify::Tsify;

use super::Verbatim;
use crate::glob::Glob;

/// What happens to a ref that cannot move forward: a branch that diverged, a tag that moved, or a ref that the source has
/// deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
#[serde(rename_all = "snake_case")]
pub enum OnDiverged {
    /// It is rejected, and stays as it is. This is the default.
    #[default]
    Reject,
    /// It moves. The old commit is kept first, under `refs/refsync/backup/`.
    BackupAndForce,
    /// It waits until this very move is approved, and then moves with a backup.
    Hold,
}

/// The standing policy of an upstream. A sync may bring keys of its own, which win.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
#[tsify(missing_as_null)]
pub struct UpstreamPolicy {
    /// What happens to a ref that cannot move forward. The default is `reject`.
    pub on_diverged: OnDiverged,
    /// How many refs of the destination a sync may delete because the source does not have them. If there are more, the
    /// sync fails and changes nothing. Deleted refs have a backup. The default is null: none is deleted.
    pub prune_max: Option<u32>,
    /// Globs of full ref names, such as `refs/heads/wip/*`. These refs are filtered. The default is none.
    pub exclude: Vec<String>,
    /// Whether all refs move or none. The default is false.
    pub atomic: bool,
    /// How long backups are kept, such as `90d`. The default is null: for ever.
    pub keep_backups: Option<String>,
}

/// A policy in a request. Other fields are refused.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
#[serde(deny_unknown_fields)]
pub struct PolicyRequest {
    /// What happens to a ref that cannot move forward. The default is `reject`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    pub on_diverged: Option<OnDiverged>,
    /// How many refs a sync may delete; null for none, which is the default.
    #[serde(default, deserialize_with = "crate::api::shape::present", skip_serializing_if = "Option::is_none")]
    #[tsify(optional, type = "number | null")]
    pub prune_max: Option<Option<u32>>,
    /// Globs of full ref names, at most 100. The default is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    pub exclude: Option<Vec<String>>,
    /// Whether all refs move or none. The default is false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    pub atomic: Option<bool>,
    /// How long backups are kept: a whole number and `m`, `h` or `d`, from `1m` to `3650d`; null, the default, for
    /// ever. Only in the policy of an upstream.
    #[serde(default, deserialize_with = "crate::api::shape::present", skip_serializing_if = "Option::is_none")]
    #[tsify(optional, type = "string | null")]
    pub keep_backups: Option<Option<String>>,
}

impl Verbatim<PolicyRequest> {
    /// Why it is refused although it has the right shape: a field below `policy`, and the reason.
    pub fn refusal(&self) -> Option<(String, String)> {
        let none = Vec::new();
        let exclude = self.0["exclude"].as_array().unwrap_or(&none);
        if exclude.len() > MAX_EXCLUDES {
            return Some(("exclude".into(), format!("has more than {MAX_EXCLUDES} globs")));
        }
        for (at, text) in exclude.iter().filter_map(Value::as_str).enumerate() {
            let message = match text.parse::<Glob>() {
                Err(error) => error.to_string(),
                Ok(_) if text.contains('\0') => "must not contain a NUL character".into(),
                Ok(glob) if !glob.fits_full_names() => {
                    format!("matches no full ref name; write refs/heads/{text} for branches, refs/tags/{text} for tags")
                }
                Ok(_) => continue,
            };
            return Some((format!("exclude[{at}]"), message));
        }
        let is_bad = self.0["keep_backups"].as_str().is_some_and(|time| minutes(time, LONGEST).is_none());
        is_bad.then(|| {
            let message =
                "must be a whole number and m, h or d, from 1m to 3650d, such as 90d; null keeps backups for ever";
            ("keep_backups".into(), message.into())
        })
    }
}

/// The minutes of a time such as `15m`, `12h` or `30d`; `None` if it is not from `1m` to this many days.
pub fn minutes(time: &str, most_days: u32) -> Option<u32> {
    let (digits, unit) = time.split_at_checked(time.len().checked_sub(1)?)?;
    let unit = match unit {
        "m" => 1,
        "h" => 60,
        "d" => 24 * 60,
        _ => return None,
    };
    let is_number = (1..=7).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    let minutes = digits.parse::<u32>().ok().filter(|_| is_number)?.checked_mul(unit)?;
    (1..=most_days * 24 * 60).contains(&minutes).then_some(minutes)
}

const MAX_EXCLUDES: usize = 100;
/// Ten years.
const LONGEST: u32 = 3650;
