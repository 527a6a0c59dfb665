//! The calls of the API, as tables: where each goes, what it takes and gives, and how it may be repeated.

use super::shape::{Key, Missing, Shape};
use crate::http::Method;

/// One call of the API.
pub struct Operation {
    /// What it does, for errors; the object's name follows.
    pub(super) verb: &'static str,
    pub(super) method: Method,
    pub(super) place: Place,
    /// The path behind the place; a `sync_id` that the request names comes last.
    pub(super) rest: &'static [&'static str],
    /// What it takes: `org`, `repo` and `sync_id` go into the path, the rest into the body, or a GET's query.
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

/// Below what a call's path lies.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Root,
    Org,
    Repo,
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
const SYNCS: &[&str] = &["upstream", "syncs"];

/// `GET /whoami`.
pub static WHOAMI: Operation = Operation {
    verb: "whoami",
    method: Method::Get,
    place: Place::Root,
    rest: &["whoami"],
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
    ]),
    gives: ("a Repo", &REPO_SHAPE),
    repeat: Repeat::Nothing,
};

/// `GET /{org}/{repo}`.
pub static GET_REPO: Operation = Operation {
    verb: "get repository",
    method: Method::Get,
    place: Place::Repo,
    rest: &[],
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
    takes: Shape::Object(&[ORG, CURSOR, LIMIT]),
    gives: ("a RepoPage", &REPO_PAGE),
    repeat: Repeat::Again,
};

/// `PATCH /{org}/{repo}`.
pub static UPDATE_REPO: Operation = Operation {
    verb: "update repository",
    method: Method::Patch,
    place: Place::Repo,
    rest: &[],
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
    ]),
    gives: ("a Repo", &REPO_SHAPE),
    repeat: Repeat::Renaming,
};

/// `DELETE /{org}/{repo}`.
pub static DELETE_REPO: Operation = Operation {
    verb: "delete repository",
    method: Method::Delete,
    place: Place::Repo,
    rest: &[],
    takes: Shape::Object(&[REPO, ORG]),
    gives: ("a DeleteResult", &Shape::Object(&[Key::new("success", Shape::Flag)])),
    repeat: Repeat::Deletion,
};

/// `POST /{org}/{repo}/upstream/syncs`.
pub static SYNC_UPSTREAM: Operation = Operation {
    verb: "sync upstream of repository",
    method: Method::Post,
    place: Place::Repo,
    rest: SYNCS,
    takes: Shape::Object(&[
        REPO,
        ORG,
        Key::new("direction", DIRECTION),
        Key { name: "ref_globs", shape: Shape::Globs, missing: Missing::AllRefs },
    ]),
    gives: ("a SyncRun", &SYNC_RUN),
    repeat: Repeat::LookFirst,
};

/// `GET /{org}/{repo}/upstream/syncs/{sync_id}`.
pub static GET_SYNC: Operation = Operation {
    verb: "get sync of repository",
    method: Method::Get,
    place: Place::Repo,
    rest: SYNCS,
    takes: Shape::Object(&[REPO, Key::new("sync_id", Shape::Text), ORG]),
    gives: ("a SyncRun", &SYNC_RUN),
    repeat: Repeat::Again,
};

/// `GET /{org}/{repo}/upstream/syncs`.
pub static LIST_SYNCS: Operation = Operation {
    verb: "list syncs of repository",
    method: Method::Get,
    place: Place::Repo,
    rest: SYNCS,
    takes: Shape::Object(&[REPO, ORG, CURSOR, LIMIT]),
    gives: (
        "a SyncRunPage",
        &Shape::Object(&[
            Key::nullable("next_cursor", &Shape::Text),
            Key::new("has_more", Shape::Flag),
            Key::new("syncs", Shape::List(&SYNC_RUN)),
        ]),
    ),
    repeat: Repeat::Again,
};

const DIRECTION: Shape = Shape::Word(&["pull", "push"]);

const AUTH: Shape = Shape::Tagged(
    "kind",
    &[
        ("token", &[Key::new("token", Shape::Text), Key::optional("token_username", Shape::Text)]),
        ("username_password", &[Key::new("username", Shape::Text), Key::new("password", Shape::Text)]),
    ],
);

/// [`ScheduleRequest`](crate::model::ScheduleRequest).
const SCHEDULE_REQUEST: Shape = Shape::Object(&[
    Key::optional("every", Shape::Text),
    Key::optional("cron", Shape::Text),
    Key::optional("time_zone", Shape::Text),
    Key::optional("direction", DIRECTION),
    Key::optional("ref_globs", Shape::Globs),
]);

/// [`Schedule`](crate::model::Schedule).
static SCHEDULE: Shape = Shape::Object(&[
    Key::nullable("every", &Shape::Text),
    Key::nullable("cron", &Shape::Text),
    Key::nullable("time_zone", &Shape::Text),
    Key::new("direction", DIRECTION),
    Key::new("ref_globs", Shape::Globs),
    Key::nullable("next_at", &Shape::Text),
]);

/// [`Whoami`](crate::model::Whoami).
static WHO: Shape = Shape::Object(&[
    Key::new(
        "org",
        Shape::Object(&[Key::new("id", Shape::Text), Key::new("slug", Shape::Text), Key::new("name", Shape::Text)]),
    ),
    Key::nullable("key_id", &Shape::Text),
    Key::new("scopes", Shape::List(&Shape::Text)),
]);

/// [`Organization`](crate::model::Organization).
static ORGANIZATION_SHAPE: Shape = Shape::Object(&[
    Key::new("id", Shape::Text),
    Key::new("slug", Shape::Text),
    Key::new("name", Shape::Text),
    Key::new("created_at", Shape::Text),
    Key::new("num_repos", Shape::Count),
]);

/// [`Repo`](crate::model::Repo).
static REPO_SHAPE: Shape = Shape::Object(&[
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
    Key::new("created_at", Shape::Text),
    Key::new("tags", Shape::Map(&Shape::Text)),
]);

/// [`RepoPage`](crate::model::RepoPage).
static REPO_PAGE: Shape = Shape::Object(&[
    Key::nullable("next_cursor", &Shape::Text),
    Key::new("has_more", Shape::Flag),
    Key::new("repos", Shape::List(&REPO_SHAPE)),
]);

/// [`SyncRun`](crate::model::SyncRun).
pub static SYNC_RUN: Shape = Shape::Object(&[
    Key::new("id", Shape::Text),
    Key::new("repo_id", Shape::Text),
    Key::new("direction", DIRECTION),
    Key::new("status", Shape::Word(&["queued", "in_progress", "completed", "failed"])),
    Key::new("attempt", Shape::Count),
    Key::new("ref_globs", Shape::Globs),
    Key::nullable("stats", &Shape::Object(&[Key::new("refs", Shape::List(&REF))])),
    Key::nullable("error", &Shape::Text),
    Key::new("created_at", Shape::Text),
    Key::nullable("started_at", &Shape::Text),
    Key::nullable("finished_at", &Shape::Text),
]);

/// [`SyncRunRef`](crate::model::SyncRunRef); its reason may be a word of tomorrow.
static REF: Shape = Shape::Object(&[
    Key::new("name", Shape::Text),
    Key::nullable("before", &Shape::Text),
    Key::new("after", Shape::Text),
    Key::new("outcome", Shape::Word(&["updated", "unchanged", "filtered", "rejected"])),
    Key::nullable("reason", &Shape::Text),
    Key::nullable("message", &Shape::Text),
]);

/// [`ErrorBody`](crate::model::ErrorBody).
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
