//! The answers of the API, as tables: one for each type of [`api`](crate::api) that a call gives.

use super::shape::{Key, Missing, Shape};

const NEXT_CURSOR: Key = Key::nullable("next_cursor", &Shape::Text);
const HAS_MORE: Key = Key::new("has_more", Shape::Flag);

/// A [`Direction`](crate::api::Direction).
pub(super) const DIRECTION: Shape = Shape::Word(&["pull", "push"]);

/// [`Whoami`](crate::api::Whoami).
pub(super) static WHO: Shape = Shape::Object(&[
    Key::new(
        "org",
        Shape::Object(&[Key::new("id", Shape::Text), Key::new("slug", Shape::Text), Key::new("name", Shape::Text)]),
    ),
    Key::nullable("key_id", &Shape::Text),
    Key::new("scopes", Shape::List(&Shape::Text)),
]);

/// [`Organization`](crate::api::Organization).
pub(super) static ORGANIZATION_SHAPE: Shape = Shape::Object(&[
    Key::new("id", Shape::Text),
    Key::new("slug", Shape::Text),
    Key::new("name", Shape::Text),
    Key::new("created_at", Shape::Text),
    Key::new("num_repos", Shape::Count),
]);

/// [`Schedule`](crate::api::Schedule).
static SCHEDULE: Shape = Shape::Object(&[
    Key::nullable("every", &Shape::Text),
    Key::nullable("cron", &Shape::Text),
    Key::nullable("time_zone", &Shape::Text),
    Key::new("direction", DIRECTION),
    Key::new("ref_globs", Shape::Globs),
    Key::nullable("next_at", &Shape::Text),
]);

/// [`Repo`](crate::api::Repo).
pub(super) static REPO_SHAPE: Shape = Shape::Object(&[
    Key::new("id", Shape::Text),
    Key::new("org", Shape::Text),
    Key::new("name", Shape::Text),
    Key::new("default_bookmark", Shape::Text),
    Key::new("head_change_id", Shape::Text),
    Key::nullable(
        "upstream",
        &Shape::Object(&[
            Key::new("url", Shape::Text),
            Key::nullable("auth_kind", &Shape::Word(&["token", "username_password"])),
            Key::nullable("verified_at", &Shape::Text),
            Key::nullable("behind", &Shape::Count),
            Key::nullable("schedule", &SCHEDULE),
            Key::nullable("paused_at", &Shape::Text),
            Key::nullable("pause_reason", &Shape::Text),
            Key::nullable("latest_sync", &SYNC_RUN),
        ]),
    ),
    Key::nullable(
        "origin",
        &Shape::Object(&[
            Key::new("url", Shape::Text),
            Key::nullable("auth_kind", &Shape::Word(&["token", "username_password"])),
        ]),
    ),
    Key::new("created_at", Shape::Text),
    Key::new("tags", Shape::Map(&Shape::Text)),
    Key::optional("warning", Shape::Text),
]);

/// [`SyncRunPage`](crate::api::SyncRunPage).
pub(super) static SYNC_RUN_PAGE: Shape =
    Shape::Object(&[NEXT_CURSOR, HAS_MORE, Key::new("syncs", Shape::List(&SYNC_RUN))]);

/// [`RepoPage`](crate::api::RepoPage).
pub(super) static REPO_PAGE: Shape =
    Shape::Object(&[NEXT_CURSOR, HAS_MORE, Key::new("repos", Shape::List(&REPO_SHAPE))]);

/// [`DeleteResult`](crate::api::DeleteResult).
pub(super) static DELETED: Shape = Shape::Object(&[Key::new("success", Shape::Flag)]);

/// [`SyncRun`](crate::api::SyncRun).
pub static SYNC_RUN: Shape = Shape::Object(&[
    Key::new("id", Shape::Text),
    Key::new("repo_id", Shape::Text),
    Key::new("direction", DIRECTION),
    Key::new("status", Shape::Word(&["queued", "in_progress", "completed", "failed"])),
    Key::new("attempt", Shape::Count),
    Key::new("ref_globs", Shape::Globs),
    Key::nullable("stats", &STATS),
    Key::optional("counts", COUNTS),
    Key::nullable("error", &Shape::Text),
    Key::new("created_at", Shape::Text),
    Key::nullable("started_at", &Shape::Text),
    Key::nullable("finished_at", &Shape::Text),
]);

/// [`SyncRunStats`](crate::api::SyncRunStats).
pub(super) static STATS: Shape =
    Shape::Object(&[Key::new("refs", Shape::List(&REF)), Key::optional("messages", Shape::List(&MESSAGE))]);

/// [`SyncRunCounts`](crate::api::SyncRunCounts).
const COUNTS: Shape = Shape::Object(&[
    Key::new("updated", Shape::Count),
    Key::new("unchanged", Shape::Count),
    Key::new("filtered", Shape::Count),
    Key::new("rejected", Shape::Count),
]);

/// [`SyncRunMessage`](crate::api::SyncRunMessage).
static MESSAGE: Shape = Shape::Object(&[
    Key::new("side", Shape::Word(&["source", "destination", "refsync"])),
    Key::new("text", Shape::Text),
]);

/// [`SyncRunRef`](crate::api::SyncRunRef); its reason may be a word of tomorrow.
static REF: Shape = Shape::Object(&[
    Key::new("name", Shape::Text),
    Key::nullable("before", &Shape::Text),
    Key::new("after", Shape::Text),
    Key::new("outcome", Shape::Word(&["updated", "unchanged", "filtered", "rejected"])),
    Key::nullable("reason", &Shape::Text),
    Key::nullable("message", &Shape::Text),
    Key::optional("message_index", Shape::Count),
]);

/// [`WebhookTarget`](crate::api::WebhookTarget), and the keys that come behind it.
macro_rules! webhook_target {
    ($($more:expr)?) => {
        Shape::Object(&[
            Key::new("id", Shape::Text),
            Key::nullable("name", &Shape::Text),
            Key::new("url", Shape::Text),
            Key::new("events", Shape::List(&Shape::Text)),
            Key::nullable("repo_ids", &Shape::List(&Shape::Text)),
            Key::new("created_at", Shape::Text),
            Key::new("updated_at", Shape::Text),
            $($more)?
        ])
    };
}

/// [`WebhookTarget`](crate::api::WebhookTarget).
pub(super) static TARGET: Shape = webhook_target!();

/// [`WebhookTargetSecret`](crate::api::WebhookTargetSecret).
pub(super) static TARGET_SECRET: Shape = webhook_target!(Key::new("secret", Shape::Text));

/// [`WebhookTargetPage`](crate::api::WebhookTargetPage).
pub(super) static TARGET_PAGE: Shape =
    Shape::Object(&[NEXT_CURSOR, HAS_MORE, Key::new("webhook_targets", Shape::List(&TARGET))]);

/// [`ErrorBody`](crate::api::ErrorBody).
pub static ERROR_BODY: Shape = Shape::Object(&[Key::new(
    "error",
    Shape::Object(&[
        Key::new("code", Shape::Text),
        Key::new("message", Shape::Text),
        Key::optional(
            "details",
            Shape::Object(&[Key { name: "fields", shape: Shape::List(&FIELD), missing: Missing::Absent }]),
        ),
        Key::optional("trace_id", Shape::Text),
    ]),
)]);

static FIELD: Shape = Shape::Object(&[Key::new("field", Shape::Text), Key::new("message", Shape::Text)]);
