//! The events that webhook targets receive.
//!
//! SQL builds them, in the statement of each change (`src/service/store/views/announce.sql`). These types are their
//! documentation: the OpenAPI document has a webhook for each row. A test compares real deliveries with it.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator};

use crate::api::{Direction, Freshness, HeldMove, SyncRun, WhoamiOrg};

/// Declares [`EVENTS`] and the names of the events.
macro_rules! events {
    ($($(#[doc = $doc:literal])+ $name:literal => $data:ty;)*) => {
        /// The name of every event that the service sends.
        pub const EVENT_NAMES: &[&str] = &[$($name),*];

        /// Every event that the service sends. Only the generator of the OpenAPI document needs them.
        pub const EVENTS: &[EventKind] = &[$(EventKind {
            name: $name,
            documentation: &[$($doc),+],
            schema: |generator| generator.subschema_for::<Event<$data>>(),
        }),*];
    };
}

events! {
    /// A sync was requested
    ///
    /// A run was queued. It is also sent if a run waits for its next attempt after a temporary failure. `stats` and
    /// `error` are null.
    "sync.queued" => SyncEvent;
    /// A sync has begun
    ///
    /// A worker has begun an attempt of the run. `stats` and `error` are null.
    "sync.in_progress" => SyncEvent;
    /// A sync has completed
    ///
    /// The run ended, and has its `stats`. Single refs may have been rejected.
    "sync.completed" => SyncEvent;
    /// A sync has failed
    ///
    /// The run ended with an `error`, and perhaps with `stats`.
    "sync.failed" => SyncEvent;
    /// A repository was created
    ///
    /// It has no commits yet.
    "repo.created" => RepoEvent;
    /// A repository was changed
    ///
    /// The repository or its upstream has changed. `before` and `after` have its name, default branch and tags.
    "repo.updated" => RepoChangeEvent;
    /// A repository was deleted
    ///
    /// The event has the repository's last state.
    "repo.deleted" => RepoEvent;
    /// Moves of refs are held
    ///
    /// A sync has found moves that wait for an approval from now on. The policy's `on_diverged` is `hold`.
    "upstream.held" => HeldEvent;
    /// Refs were pushed
    ///
    /// Somebody has pushed to a repository that the service hosts. A push of more than 1,000 refs is several events.
    "push" => PushEvent;
    /// Refs have diverged
    ///
    /// A sync has found refs that cannot move forward from now on: both sides have commits that the other one does not have, or
    /// a tag has moved. They stay as they are.
    "upstream.diverged" => DivergedEvent;
    /// A repository is stale
    ///
    /// The repository is older than the upstream's `max_age`, or its files are damaged. It is announced once.
    "upstream.stale" => Freshness;
    /// A repository is fresh again
    ///
    /// The repository was stale, and is within the upstream's `max_age` again.
    "upstream.recovered" => Freshness;
    /// A schedule is paused
    ///
    /// The upstream has refused the stored credential several times in a row, so no more syncs are started.
    "upstream.paused" => PausedEvent;
}

/// One kind of event.
pub struct EventKind {
    /// The value of the event's `type`.
    pub name: &'static str,
    /// The lines of its documentation. The first line is a summary.
    pub documentation: &'static [&'static str],
    /// Its JSON Schema.
    pub schema: fn(&mut SchemaGenerator) -> Schema,
}

/// An event, as a webhook target receives it.
#[derive(JsonSchema)]
#[schemars(rename = "{T}Envelope")]
pub struct Event<T> {
    /// The event's id. It stays the same if the event is sent again.
    pub id: String,
    /// The type of the event, such as `sync.completed`.
    #[schemars(rename = "type")]
    pub kind: String,
    /// When it happened, RFC 3339 in UTC.
    pub occurred_at: String,
    /// The organisation.
    pub organization: WhoamiOrg,
    /// The repository; null if the event is not about one.
    #[schemars(required)]
    pub repository: Option<EventRepository>,
    /// The data of this type of event.
    pub data: T,
}

/// The repository of an event.
#[derive(JsonSchema)]
pub struct EventRepository {
    /// The repository's id.
    pub id: String,
    /// Its name at the time of the event.
    pub name: String,
    /// Its address for Git.
    pub url: String,
}

/// The data of a sync's event.
#[derive(JsonSchema)]
pub struct SyncEvent {
    /// The run at the time of the event.
    pub sync: SyncRun,
}

/// The data of a repository's event.
#[derive(JsonSchema)]
pub struct RepoEvent {
    /// The repository at the time of the event.
    pub repo: EventRepo,
}

/// The data of a repository's change.
#[derive(JsonSchema)]
pub struct RepoChangeEvent {
    /// The repository at the time of the event.
    pub repo: EventRepo,
    /// The state before the change.
    pub before: EventRepoState,
    /// The state after the change.
    pub after: EventRepoState,
}

/// Moves of refs that wait for an approval from now on.
#[derive(JsonSchema)]
pub struct HeldEvent {
    /// The direction of the sync that found them.
    pub direction: Direction,
    /// How many there are.
    pub count: u32,
    /// The first 100 of them, by name.
    pub refs: Vec<HeldMove>,
}

/// The data of a push into a repository.
#[derive(JsonSchema)]
pub struct PushEvent {
    /// The branches and tags that have changed, at most 1,000.
    pub updates: Vec<PushUpdate>,
    /// How many changes of Jujutsu the push has touched. All numbers are 0, because this service has none.
    pub reconciliation: PushReconciliation,
}

/// A branch or a tag that a push has changed.
#[derive(JsonSchema)]
pub struct PushUpdate {
    /// The full ref name.
    pub r#ref: String,
    /// Its short name.
    pub bookmark: String,
    /// The object id before; null if the push has created it.
    pub before: Option<String>,
    /// The object id now; null if the push has deleted it.
    pub after: Option<String>,
    /// `created`, `updated` or `deleted`.
    #[schemars(extend("enum" = ["created", "updated", "deleted"]))]
    pub action: String,
}

/// Numbers of the public API about changes of Jujutsu, which this service does not have.
#[derive(JsonSchema)]
pub struct PushReconciliation {
    /// Always 0.
    pub reconciled_commit_count: u32,
    /// Always 0.
    pub touched_change_count: u32,
    /// Always 0.
    pub changes_created_count: u32,
    /// Always 0.
    pub evolog_inserted_count: u32,
    /// Always 0.
    pub invalid_change_id_header_count: u32,
    /// Always 0.
    pub dirty_change_skip_count: u32,
}

/// Refs that have diverged from now on.
#[derive(JsonSchema)]
pub struct DivergedEvent {
    /// The direction of the sync that found them.
    pub direction: Direction,
    /// How many there are.
    pub count: u32,
    /// The full names of the first 100 of them, by name.
    pub refs: Vec<String>,
}

/// A schedule that is paused from now on.
#[derive(JsonSchema)]
pub struct PausedEvent {
    /// When it was paused, RFC 3339 in UTC.
    pub paused_at: String,
    /// Why it was paused.
    pub reason: String,
}

/// A repository in an event.
#[derive(JsonSchema)]
pub struct EventRepo {
    /// The repository's id.
    pub id: String,
    /// The name in paths.
    pub name: String,
    /// The branch that `HEAD` names.
    pub default_bookmark: String,
    /// The change id of the head commit: 32 letters from k to z; all `z` if the repository is empty.
    pub head_change_id: String,
    /// When the repository was made, RFC 3339 in UTC.
    pub created_at: String,
    /// Labels, freely chosen.
    pub tags: BTreeMap<String, String>,
}

/// The state of a repository before or after a change.
#[derive(JsonSchema)]
pub struct EventRepoState {
    /// The name in paths.
    pub name: String,
    /// The branch that `HEAD` names.
    pub default_bookmark: String,
    /// Labels, freely chosen.
    pub tags: BTreeMap<String, String>,
}
