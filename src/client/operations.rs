//! The calls of the API, as tables: where each goes, what it takes and gives, and how it may be repeated.

use super::{
    answers::{
        DELETED, DIRECTION, ORGANIZATION_SHAPE, REPO_PAGE, REPO_SHAPE, STATS, SYNC_RUN_PAGE, TARGET, TARGET_PAGE,
        TARGET_SECRET, WHO,
    },
    shape::{Key, Missing, Shape},
};
use crate::http::Method;

pub use super::answers::{ERROR_BODY, SYNC_RUN};

/// One call of the API.
pub struct Operation {
    /// What it does, for errors; the object's name follows.
    pub(super) verb: &'static str,
    pub(super) method: Method,
    pub(super) place: Place,
    /// The path behind the place.
    pub(super) rest: &'static [&'static str],
    /// The path behind the `sync_id` or `target_id`, where the request names one.
    pub(super) tail: &'static [&'static str],
    /// What it takes: `org`, `repo` and the ids go into the path, the rest into the body, or a GET's query.
    pub(super) takes: Shape,
    /// The answer's name with its article, and the answer.
    pub(super) gives: (&'static str, &'static Shape),
    pub(super) repeat: Repeat,
}

impl Operation {
    /// What it does, for errors.
    pub fn verb(&self) -> &'static str {
        self.verb
    }

    /// What it takes.
    pub fn request(&self) -> &Shape {
        &self.takes
    }

    /// What it gives.
    pub fn answer(&self) -> &'static Shape {
        self.gives.1
    }
}

/// Below what a call's path lies; a repository's is below the organisation's.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Root,
    Org,
}

/// What may be done where an answer was lost.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Repeat {
    /// The same again: it changes nothing more.
    Again,
    /// The same again; that the object is gone then means that it was deleted.
    Deletion,
    /// The same again; that the object is gone then means that it was renamed, where that was asked for.
    Renaming,
    /// The same again; that it conflicts then means that the run has been cancelled: the run is the answer.
    Cancellation,
    /// Nothing: the work may have been done.
    Nothing,
    /// A look at the newest runs, and the same again where ours is not among them.
    LookFirst,
}

const ORG: Key = Key::optional("org", Shape::Text);
const REPO: Key = Key::new("repo", Shape::Text);
const CURSOR: Key = Key::optional("cursor", Shape::Text);
const LIMIT: Key = Key::optional("limit", Shape::Limit);
const DEFAULT_BOOKMARK: Key = Key::optional("default_bookmark", Shape::Text);
const SYNC_ID: Key = Key::new("sync_id", Shape::Text);
const TARGET_ID: Key = Key::new("target_id", Shape::Text);
const REF_GLOBS: Key = Key { name: "ref_globs", shape: Shape::Globs, missing: Missing::AllRefs };
const SYNCS: &[&str] = &["upstream", "syncs"];
const TARGETS: &[&str] = &["webhook-targets"];

/// `GET /whoami`.
pub static WHOAMI: Operation = Operation {
    verb: "whoami",
    method: Method::Get,
    place: Place::Root,
    rest: &["whoami"],
    tail: &[],
    takes: Shape::Object(&[]),
    gives: ("a Whoami", &WHO),
    repeat: Repeat::Again,
};

/// `GET /{org}`.
pub static ORGANIZATION: Operation = Operation {
    verb: "get organization",
    method: Method::Get,
    place: Place::Org,
    rest: &[],
    tail: &[],
    takes: Shape::Object(&[ORG]),
    gives: ("an Organization", &ORGANIZATION_SHAPE),
    repeat: Repeat::Again,
};

/// `POST /{org}/repos`.
pub static CREATE_REPO: Operation = Operation {
    verb: "create repository in",
    method: Method::Post,
    place: Place::Org,
    rest: &["repos"],
    tail: &[],
    takes: Shape::Object(&[
        ORG,
        Key::optional("name", Shape::Text),
        DEFAULT_BOOKMARK,
        Key::optional("tags", Shape::Map(&Shape::Text)),
        Key::optional(
            "upstream",
            Shape::Object(&[
                Key::new("url", Shape::Text),
                Key::optional("auth", AUTH),
                Key::optional("schedule", SCHEDULE_REQUEST),
            ]),
        ),
        Key::optional("origin", Shape::Object(&[Key::new("url", Shape::Text), Key::optional("auth", AUTH)])),
    ]),
    gives: ("a Repo", &REPO_SHAPE),
    repeat: Repeat::Nothing,
};

/// `GET /{org}/{repo}`.
pub static GET_REPO: Operation = Operation {
    verb: "get repository",
    method: Method::Get,
    place: Place::Org,
    rest: &[],
    tail: &[],
    takes: Shape::Object(&[REPO, ORG]),
    gives: ("a Repo", &REPO_SHAPE),
    repeat: Repeat::Again,
};

/// `GET /{org}/repos`.
pub static LIST_REPOS: Operation = Operation {
    verb: "list repositories of",
    method: Method::Get,
    place: Place::Org,
    rest: &["repos"],
    tail: &[],
    takes: Shape::Object(&[ORG, CURSOR, LIMIT]),
    gives: ("a RepoPage", &REPO_PAGE),
    repeat: Repeat::Again,
};

/// `PATCH /{org}/{repo}`.
pub static UPDATE_REPO: Operation = Operation {
    verb: "update repository",
    method: Method::Patch,
    place: Place::Org,
    rest: &[],
    tail: &[],
    takes: Shape::Object(&[
        REPO,
        ORG,
        Key::optional("name", Shape::Text),
        DEFAULT_BOOKMARK,
        Key::optional("tags", Shape::Map(&Shape::OrNull(&Shape::Text))),
        Key::optional(
            "upstream",
            Shape::OrNull(&Shape::Object(&[
                Key::new("url", Shape::Text),
                Key::optional("auth", Shape::OrNull(&AUTH)),
                Key::optional("schedule", Shape::OrNull(&SCHEDULE_REQUEST)),
            ])),
        ),
        Key::optional(
            "origin",
            Shape::OrNull(&Shape::Object(&[Key::new("url", Shape::Text), Key::optional("auth", Shape::OrNull(&AUTH))])),
        ),
    ]),
    gives: ("a Repo", &REPO_SHAPE),
    repeat: Repeat::Renaming,
};

/// `DELETE /{org}/{repo}`.
pub static DELETE_REPO: Operation = Operation {
    verb: "delete repository",
    method: Method::Delete,
    place: Place::Org,
    rest: &[],
    tail: &[],
    takes: Shape::Object(&[REPO, ORG]),
    gives: ("a DeleteResult", &DELETED),
    repeat: Repeat::Deletion,
};

/// `POST /{org}/{repo}/upstream/syncs`.
pub static SYNC_UPSTREAM: Operation = Operation {
    verb: "sync upstream of repository",
    method: Method::Post,
    place: Place::Org,
    rest: SYNCS,
    tail: &[],
    takes: Shape::Object(&[REPO, ORG, Key::new("direction", DIRECTION), REF_GLOBS]),
    gives: ("a SyncRun", &SYNC_RUN),
    repeat: Repeat::LookFirst,
};

/// `GET /{org}/{repo}/upstream/syncs/{sync_id}`.
pub static GET_SYNC: Operation = Operation {
    verb: "get sync of repository",
    method: Method::Get,
    place: Place::Org,
    rest: SYNCS,
    tail: &[],
    takes: Shape::Object(&[REPO, SYNC_ID, ORG]),
    gives: ("a SyncRun", &SYNC_RUN),
    repeat: Repeat::Again,
};

/// `GET /{org}/{repo}/upstream/syncs`.
pub static LIST_SYNCS: Operation = Operation {
    verb: "list syncs of repository",
    method: Method::Get,
    place: Place::Org,
    rest: SYNCS,
    tail: &[],
    takes: Shape::Object(&[REPO, ORG, CURSOR, LIMIT]),
    gives: ("a SyncRunPage", &SYNC_RUN_PAGE),
    repeat: Repeat::Again,
};

/// `POST /{org}/{repo}/upstream/syncs/{sync_id}/cancel`.
pub static CANCEL_SYNC: Operation = Operation {
    verb: "cancel sync of repository",
    method: Method::Post,
    place: Place::Org,
    rest: SYNCS,
    tail: &["cancel"],
    takes: Shape::Object(&[REPO, SYNC_ID, ORG]),
    gives: ("a SyncRun", &SYNC_RUN),
    repeat: Repeat::Cancellation,
};

/// `GET /{org}/{repo}/upstream/syncs/{sync_id}/events`: each event is a run.
pub static FOLLOW_SYNC: Operation = Operation {
    verb: "follow sync of repository",
    method: Method::Get,
    place: Place::Org,
    rest: SYNCS,
    tail: &["events"],
    takes: Shape::Object(&[REPO, SYNC_ID, ORG]),
    gives: ("a SyncRun", &SYNC_RUN),
    repeat: Repeat::Again,
};

/// `POST /{org}/{repo}/upstream/plan`.
pub static PLAN_UPSTREAM_SYNC: Operation = Operation {
    verb: "plan sync of repository",
    method: Method::Post,
    place: Place::Org,
    rest: &["upstream", "plan"],
    tail: &[],
    takes: Shape::Object(&[REPO, ORG, Key::new("direction", DIRECTION), REF_GLOBS]),
    gives: ("a SyncRunStats", &STATS),
    repeat: Repeat::Again,
};

/// `POST /{org}/webhook-targets`.
pub static CREATE_WEBHOOK_TARGET: Operation = Operation {
    verb: "create webhook target of",
    method: Method::Post,
    place: Place::Org,
    rest: TARGETS,
    tail: &[],
    takes: Shape::Object(&[
        ORG,
        Key::new("url", Shape::Text),
        Key::optional("name", Shape::Text),
        Key::optional("events", Shape::List(&Shape::Text)),
        Key::optional("repo_ids", Shape::List(&Shape::Text)),
    ]),
    gives: ("a WebhookTargetSecret", &TARGET_SECRET),
    repeat: Repeat::Nothing,
};

/// `GET /{org}/webhook-targets/{target_id}`.
pub static GET_WEBHOOK_TARGET: Operation = Operation {
    verb: "get webhook target of",
    method: Method::Get,
    place: Place::Org,
    rest: TARGETS,
    tail: &[],
    takes: Shape::Object(&[TARGET_ID, ORG]),
    gives: ("a WebhookTarget", &TARGET),
    repeat: Repeat::Again,
};

/// `GET /{org}/webhook-targets`.
pub static LIST_WEBHOOK_TARGETS: Operation = Operation {
    verb: "list webhook targets of",
    method: Method::Get,
    place: Place::Org,
    rest: TARGETS,
    tail: &[],
    takes: Shape::Object(&[ORG, CURSOR, LIMIT]),
    gives: ("a WebhookTargetPage", &TARGET_PAGE),
    repeat: Repeat::Again,
};

/// `PATCH /{org}/webhook-targets/{target_id}`.
pub static UPDATE_WEBHOOK_TARGET: Operation = Operation {
    verb: "update webhook target of",
    method: Method::Patch,
    place: Place::Org,
    rest: TARGETS,
    tail: &[],
    takes: Shape::Object(&[
        TARGET_ID,
        ORG,
        Key::optional("url", Shape::Text),
        Key::optional("name", Shape::OrNull(&Shape::Text)),
        Key::optional("events", Shape::List(&Shape::Text)),
        Key::optional("repo_ids", Shape::OrNull(&Shape::List(&Shape::Text))),
    ]),
    gives: ("a WebhookTarget", &TARGET),
    repeat: Repeat::Again,
};

/// `DELETE /{org}/webhook-targets/{target_id}`.
pub static DELETE_WEBHOOK_TARGET: Operation = Operation {
    verb: "delete webhook target of",
    method: Method::Delete,
    place: Place::Org,
    rest: TARGETS,
    tail: &[],
    takes: Shape::Object(&[TARGET_ID, ORG]),
    gives: ("a DeleteResult", &DELETED),
    repeat: Repeat::Deletion,
};

/// `POST /{org}/webhook-targets/{target_id}/rotate-secret`. A second one would end the validity of the first one's secret.
pub static ROTATE_WEBHOOK_SECRET: Operation = Operation {
    verb: "rotate secret of webhook target of",
    method: Method::Post,
    place: Place::Org,
    rest: TARGETS,
    tail: &["rotate-secret"],
    takes: Shape::Object(&[TARGET_ID, ORG]),
    gives: ("a WebhookTargetSecret", &TARGET_SECRET),
    repeat: Repeat::Nothing,
};

const AUTH: Shape = Shape::Tagged(
    "kind",
    &[
        ("token", &[Key::new("token", Shape::Text), Key::optional("token_username", Shape::Text)]),
        ("username_password", &[Key::new("username", Shape::Text), Key::new("password", Shape::Text)]),
    ],
);

/// [`ScheduleRequest`](crate::api::ScheduleRequest).
const SCHEDULE_REQUEST: Shape = Shape::Object(&[
    Key::optional("every", Shape::Text),
    Key::optional("cron", Shape::Text),
    Key::optional("time_zone", Shape::Text),
    Key::optional("direction", DIRECTION),
    Key::optional("ref_globs", Shape::Globs),
]);
