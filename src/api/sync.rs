//! A sync: the request, the run that does it, and the result of every ref.

use std::fmt;

use refsync_derive::Shape;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de};
use tsify::Tsify;

use super::{
    PolicyRequest, Verbatim,
    shape::{self, Missing, Shaped},
};
use crate::glob::Glob;

/// The direction of a sync.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// From the upstream to the repository.
    Pull,
    /// From the repository to the upstream.
    Push,
}

/// Selects refs: one glob for branch names and one for tag names, without `refs/heads/` and `refs/tags/`.
///
/// If a request omits `ref_globs`, both globs are `*`. If it omits only one of the two keys, or one is empty, no refs of
/// that kind are selected. At least one key is required. See the [glob syntax](crate::glob).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema, Tsify)]
#[schemars(description = "Selects refs: one glob for branch names and one for tag names, without `refs/heads/` and \
        `refs/tags/`. `*` stands for any characters, also `/`; `?` for one character; `[a-z]` for one character of a class.")]
pub struct RefGlobs {
    /// Selects branches whose whole name matches; `""` selects none.
    #[tsify(type = "string")]
    #[schemars(with = "String")]
    pub branches: Glob,
    /// Selects tags whose whole name matches; `""` selects none.
    #[tsify(type = "string")]
    #[schemars(with = "String")]
    pub tags: Glob,
}

impl Shaped for RefGlobs {
    const SHAPE: shape::Shape = shape::Shape::Globs;
    const DEFAULT: Missing = Missing::AllRefs;
}

impl Default for RefGlobs {
    fn default() -> Self {
        Self { branches: Glob::all(), tags: Glob::all() }
    }
}

impl<'de> Deserialize<'de> for RefGlobs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Keys {
            branches: Option<Glob>,
            tags: Option<Glob>,
        }
        match Keys::deserialize(deserializer)? {
            Keys { branches: None, tags: None } => Err(de::Error::custom(
                "ref_globs needs at least one of the keys branches and tags; leave ref_globs out to sync all refs",
            )),
            Keys { branches, tags } => {
                Ok(Self { branches: branches.unwrap_or_else(Glob::none), tags: tags.unwrap_or_else(Glob::none) })
            }
        }
    }
}

/// The request for a sync: the body of `POST …/upstream/syncs`. Other fields are refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
#[serde(deny_unknown_fields)]
pub struct SyncRequest {
    /// The direction of the sync.
    pub direction: Direction,
    /// The globs that select refs. The default is all branches and tags.
    #[serde(default)]
    #[tsify(optional, type = "Partial<RefGlobs>")]
    #[schemars(schema_with = "requested_globs")]
    pub ref_globs: RefGlobs,
    /// Keys of the upstream's policy that this sync has instead. `keep_backups` is not one of them. If the same sync is
    /// queued already, it takes the newest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional, type = "PolicyRequest")]
    pub policy: Option<Verbatim<PolicyRequest>>,
}

/// The globs of a request. One of them may be left out.
pub(super) fn requested_globs(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "description": "The globs that select refs. The default is all branches and tags. If one key is left out, no ref of that kind takes part.",
        "properties": {
            "branches": {"type": ["string", "null"], "maxLength": 1024, "description": "Selects branches whose whole name matches. If left out, null or empty, no branch takes part."},
            "tags": {"type": ["string", "null"], "maxLength": 1024, "description": "Selects tags whose whole name matches. If left out, null or empty, no tag takes part."},
        },
        "minProperties": 1,
        "additionalProperties": false,
    })
}

/// The status of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
#[serde(rename_all = "snake_case")]
pub enum SyncStatus {
    /// The run waits for a worker. Between two attempts it waits too.
    Queued,
    /// A worker is doing the run.
    InProgress,
    /// The run ended. Single refs may have been rejected, see its `stats`.
    Completed,
    /// The run failed, see its `error`.
    Failed,
}

/// A sync of a repository with its upstream: queued, running or ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
#[tsify(missing_as_null)]
pub struct SyncRun {
    /// The sync's id.
    pub id: String,
    /// The repository's id.
    pub repo_id: String,
    /// The direction of the sync.
    pub direction: Direction,
    /// The status of the run.
    pub status: SyncStatus,
    /// The number of the current attempt, from 1.
    pub attempt: u32,
    /// The globs that select refs; always with both keys.
    pub ref_globs: RefGlobs,
    /// The result of every ref; null until the run has ended. In a list it is also null if it would make the answer larger
    /// than 8 MB.
    pub stats: Option<SyncRunStats>,
    /// How many refs have each outcome. Left out if the run has not completed, or if an older server does not report this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    pub counts: Option<SyncRunCounts>,
    /// When the next attempt may start, RFC 3339 in UTC. Present only while the run waits after a temporary failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    pub next_attempt_at: Option<String>,
    /// Why the run failed; null if it did not fail.
    pub error: Option<String>,
    /// When the run was requested, RFC 3339 in UTC.
    pub created_at: String,
    /// When the current attempt started, RFC 3339 in UTC; null before the first one.
    pub started_at: Option<String>,
    /// When the run ended, RFC 3339 in UTC; null until then.
    pub finished_at: Option<String>,
}

/// The results of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
pub struct SyncRunStats {
    /// Every source ref that matched the globs, sorted by name.
    pub refs: Vec<SyncRunRef>,
    /// Messages for people, from the remotes and from refsync. Each text is here once, even if it is about several refs.
    /// Left out if there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[tsify(optional)]
    pub messages: Vec<SyncRunMessage>,
}

/// A message of a run, for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
pub struct SyncRunMessage {
    /// The sender of the message.
    pub side: MessageSide,
    /// The text: lines without colours and control characters, at most 8 KiB.
    pub text: String,
}

/// The sender of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
#[serde(rename_all = "snake_case")]
pub enum MessageSide {
    /// The remote that refs come from.
    Source,
    /// The remote that refs go to, or one of its hooks.
    Destination,
    /// refsync itself.
    Refsync,
}

/// How many refs of a run have each outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
pub struct SyncRunCounts {
    /// Refs that were created or fast-forwarded.
    pub updated: u32,
    /// Refs that the destination already had.
    pub unchanged: u32,
    /// Refs that were left out on purpose.
    pub filtered: u32,
    /// Refs that were not moved.
    pub rejected: u32,
}

impl From<&SyncRunStats> for SyncRunCounts {
    fn from(stats: &SyncRunStats) -> Self {
        let [updated, unchanged, filtered, rejected] =
            [Outcome::Updated, Outcome::Unchanged, Outcome::Filtered, Outcome::Rejected]
                .map(|outcome| u32::try_from(stats.count(outcome)).unwrap_or(u32::MAX));
        Self { updated, unchanged, filtered, rejected }
    }
}

impl SyncRunStats {
    /// How many refs have this outcome.
    pub fn count(&self, outcome: Outcome) -> usize {
        self.refs.iter().filter(|r| r.outcome == outcome).count()
    }
}

/// The result of one ref.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
#[tsify(missing_as_null)]
pub struct SyncRunRef {
    /// The full ref name, such as `refs/heads/main`.
    pub name: String,
    /// The object id that the ref had at the destination; null if the destination did not have the ref.
    pub before: Option<String>,
    /// The object id that the ref has at the destination now; all zeros if the destination does not have the ref.
    pub after: String,
    /// The outcome of the ref.
    pub outcome: Outcome,
    /// Why the ref was filtered or rejected; null otherwise, or if an older server does not report this.
    #[schemars(with = "Option<String>")]
    pub reason: Option<Reason>,
    /// The remote's own message about this ref; null if there is none.
    pub message: Option<String>,
    /// The index in `messages` of the remote's message about the request that contained this ref. Left out if there is
    /// none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    pub message_index: Option<u32>,
    /// The ref at the destination that keeps the object of `before`, because the ref was forced or deleted. Left out
    /// otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    pub backup: Option<String>,
    /// The object id that the source has, if the move is held; all zeros if the source has deleted the ref. Left out
    /// otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    pub source: Option<String>,
    /// How many commits the source's branch has and the destination's has not, if the move is held and both sides can
    /// list commits alone. Left out otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    pub ahead: Option<u32>,
    /// The reverse: how many commits would be lost without the backup. Left out like `ahead`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    pub behind: Option<u32>,
}

/// The outcome of a ref.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was created or fast-forwarded.
    Updated,
    /// The destination already had it.
    Unchanged,
    /// It matched the globs, but was left out on purpose. It is a symbolic ref, or a standing exclude names it.
    Filtered,
    /// It was not moved. It diverged, it is a tag that would move, or the destination refused it.
    Rejected,
}

/// Why a ref was filtered or rejected: a stable word for programs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Shape, Tsify)]
#[serde(rename_all = "snake_case")]
#[tsify(
    type = r#""non_fast_forward" | "tag_moved" | "symbolic_ref" | "excluded" | "protected" | "hook_declined" | "name_conflict" | "invalid_name" | "lease_lost" | "missing_objects" | "atomic_push_failed" | "held" | "remote_refused" | (string & {})"#
)]
pub enum Reason {
    /// The destination's commit is not an ancestor of the source's commit, or the proof was not possible.
    NonFastForward,
    /// The tag already exists at the destination and has another target.
    TagMoved,
    /// It is a symbolic ref, at the source or at the destination.
    SymbolicRef,
    /// A standing exclude of the upstream names it.
    Excluded,
    /// The destination protects it.
    Protected,
    /// A hook at the destination declined it.
    HookDeclined,
    /// The name conflicts with another ref at the destination: one name is a directory of the other.
    NameConflict,
    /// The name is not a valid ref name.
    InvalidName,
    /// The destination's ref moved during the push.
    LeaseLost,
    /// Objects that the ref needs are damaged or missing. Either the source lacks them, or the destination reports it.
    MissingObjects,
    /// Another ref was rejected, and the sync moves all refs or none.
    AtomicPushFailed,
    /// The move is not a fast-forward, and waits for an approval.
    Held,
    /// The destination refused it for another reason, see the message.
    RemoteRefused,
    /// A word that this version does not know.
    #[serde(untagged)]
    Other(String),
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pull => "pull",
            Self::Push => "push",
        })
    }
}

impl fmt::Display for SyncStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Queued => "queued",
            Self::InProgress => "in_progress",
            Self::Completed => "completed",
            Self::Failed => "failed",
        })
    }
}

/// One page of a repository's runs, newest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
#[tsify(missing_as_null)]
pub struct SyncRunPage {
    /// The cursor of the next page; null on the last page.
    pub next_cursor: Option<String>,
    /// Whether there is a next page.
    pub has_more: bool,
    /// The runs.
    pub syncs: Vec<SyncRun>,
}
