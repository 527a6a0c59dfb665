//! A sync: what is asked for, the run that does it, and what became of every ref.

use std::fmt;

use refsync_derive::Shape;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de};
use tsify::Tsify;

use super::shape::{self, Missing, Shaped};
use crate::glob::Glob;

/// Which way refs travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// From the upstream to the repository.
    Pull,
    /// From the repository to the upstream.
    Push,
}

/// Which refs take part: one glob for branch names and one for tag names, without `refs/heads/` and `refs/tags/`.
///
/// In a request an omitted `ref_globs` means `*` for both; within it an omitted or empty key means none of that kind,
/// and at least one key has to be there. See the [glob syntax](crate::glob).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema, Tsify)]
#[schemars(description = "Which refs take part: one glob for branch names and one for tag names, which leave out \
                          refs/heads/ and refs/tags/. `*` is any run of characters, / too; `?` one; [a-z] a class.")]
pub struct RefGlobs {
    /// Branches whose whole name matches take part; `""` is none.
    #[tsify(type = "string")]
    #[schemars(with = "String")]
    pub branches: Glob,
    /// Tags whose whole name matches take part; `""` is none.
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

/// What a sync is asked to do: the body of `POST …/upstream/syncs`. The call refuses other fields.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
#[serde(deny_unknown_fields)]
pub struct SyncRequest {
    /// Which way refs travel.
    pub direction: Direction,
    /// Which refs take part; all branches and tags when left out.
    #[serde(default)]
    #[tsify(optional, type = "Partial<RefGlobs>")]
    #[schemars(schema_with = "requested_globs")]
    pub ref_globs: RefGlobs,
}

/// The globs of a request, of which one may be left out.
pub(super) fn requested_globs(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "description": "Which refs take part; all branches and tags when left out. An omitted key is none of that kind.",
        "properties": {
            "branches": {"type": ["string", "null"], "maxLength": 1024},
            "tags": {"type": ["string", "null"], "maxLength": 1024},
        },
        "minProperties": 1,
        "additionalProperties": false,
    })
}

/// Where a run is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
#[serde(rename_all = "snake_case")]
pub enum SyncStatus {
    /// It waits for a worker, also between two attempts.
    Queued,
    /// A worker runs it.
    InProgress,
    /// It ended; single refs may still have been rejected, see [`SyncRun::stats`].
    Completed,
    /// It ended without doing its work, see [`SyncRun::error`].
    Failed,
}

impl SyncStatus {
    /// Whether the run has ended.
    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Completed | Self::Failed)
    }
}

/// One sync of a repository with its upstream, queued, running or ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
#[tsify(missing_as_null)]
pub struct SyncRun {
    /// The sync's id.
    pub id: String,
    /// The repository's id.
    pub repo_id: String,
    /// Which way refs travel.
    pub direction: Direction,
    /// Where the run is in its life.
    pub status: SyncStatus,
    /// The number of the current attempt, from 1.
    pub attempt: u32,
    /// Which refs take part; always both keys.
    pub ref_globs: RefGlobs,
    /// What became of every ref; null until the run has ended, and in a list if the answer would have more than 8 MB with it.
    pub stats: Option<SyncRunStats>,
    /// How many refs ended in each way. Left out until the run has ended with its work done, and by servers that do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    pub counts: Option<SyncRunCounts>,
    /// When its next attempt may start, RFC 3339 in UTC. Only while it waits after an attempt that failed for a temporary reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    pub next_attempt_at: Option<String>,
    /// Why the run failed; null unless it did.
    pub error: Option<String>,
    /// When it was asked for, RFC 3339 in UTC.
    pub created_at: String,
    /// When its current attempt started; null until then.
    pub started_at: Option<String>,
    /// When it ended; null until then.
    pub finished_at: Option<String>,
}

/// What a run did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
pub struct SyncRunStats {
    /// Every source ref that matched the globs, by name.
    pub refs: Vec<SyncRunRef>,
    /// What the remotes said for people to read, and what refsync adds. Each text is here once, however many refs it is
    /// about. Left out if there is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[tsify(optional)]
    pub messages: Vec<SyncRunMessage>,
}

/// A text for people that belongs to a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
pub struct SyncRunMessage {
    /// Who said it.
    pub side: MessageSide,
    /// The text: lines without colours and control characters, at most 8 KiB.
    pub text: String,
}

/// Who said a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
#[serde(rename_all = "snake_case")]
pub enum MessageSide {
    /// The remote that refs come from.
    Source,
    /// The remote that refs go to, or a hook there.
    Destination,
    /// refsync itself.
    Refsync,
}

/// How many refs of a run ended in each way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
pub struct SyncRunCounts {
    /// Those that were created or fast-forwarded.
    pub updated: u32,
    /// Those that the destination already had.
    pub unchanged: u32,
    /// Those that are left out on purpose.
    pub filtered: u32,
    /// Those that were not moved.
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
    /// How many refs ended this way.
    pub fn count(&self, outcome: Outcome) -> usize {
        self.refs.iter().filter(|r| r.outcome == outcome).count()
    }
}

/// What became of one ref.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
#[tsify(missing_as_null)]
pub struct SyncRunRef {
    /// The full ref name, such as `refs/heads/main`.
    pub name: String,
    /// The object id that the destination had, null when it had no such ref.
    pub before: Option<String>,
    /// The object id that the destination has now, all zeros when it has no such ref.
    pub after: String,
    /// How it ended.
    pub outcome: Outcome,
    /// Why, where the ref is filtered or rejected; null otherwise, or where a server does not say.
    #[schemars(with = "Option<String>")]
    pub reason: Option<Reason>,
    /// What the remote said about this ref, in its own words; null when it said nothing.
    pub message: Option<String>,
    /// The index in `messages` of what the remote said about the request that carried this ref. Left out if it said
    /// nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[tsify(optional)]
    pub message_index: Option<u32>,
}

/// How a ref ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Shape, Tsify)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was created or fast-forwarded.
    Updated,
    /// The destination already had it.
    Unchanged,
    /// It matched the globs, but is left out on purpose: a symbolic ref, a standing exclude.
    Filtered,
    /// It was not moved: it diverged, a tag would have moved, or the destination refused it.
    Rejected,
}

/// Why a ref was filtered or rejected: a stable word for a program to act on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Shape, Tsify)]
#[serde(rename_all = "snake_case")]
#[tsify(
    type = r#""non_fast_forward" | "tag_moved" | "symbolic_ref" | "excluded" | "protected" | "hook_declined" | "name_conflict" | "invalid_name" | "lease_lost" | "missing_objects" | "atomic_push_failed" | "remote_refused" | (string & {})"#
)]
pub enum Reason {
    /// The destination's commit is not an ancestor of the source's, or that could not be proved.
    NonFastForward,
    /// The tag already points elsewhere.
    TagMoved,
    /// It is a symbolic ref at the source, or at the destination.
    SymbolicRef,
    /// A standing exclude on the upstream names it.
    Excluded,
    /// The destination protects it.
    Protected,
    /// A hook at the destination declined it.
    HookDeclined,
    /// The destination has a ref whose name is a directory of this one, or the other way round.
    NameConflict,
    /// The name is not a valid ref name.
    InvalidName,
    /// The destination's ref moved while we pushed.
    LeaseLost,
    /// Objects that the ref needs are damaged or missing: at the source, or the destination says so.
    MissingObjects,
    /// Another ref was rejected, and the sync is to move all refs or none.
    AtomicPushFailed,
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
    /// Where the next page starts; null on the last one.
    pub next_cursor: Option<String>,
    /// Whether there is a next page.
    pub has_more: bool,
    /// The runs.
    pub syncs: Vec<SyncRun>,
}
