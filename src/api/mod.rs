//! The shapes that every part shares: one type for each, from the JSON of the REST API to the rows of the database.
//!
//! They serialise exactly as `wire-contract` specifies (`snake_case`, explicit nulls, RFC 3339 times in UTC). The package's
//! TypeScript types are generated from them.

mod calls;
#[cfg(feature = "service")]
mod decode;
mod error;
mod held;
pub mod json_tree;
mod key;
mod policy;
mod progress;
mod repo;
mod requests;
mod schedule;
mod scope;
pub mod shape;
mod sync;
mod trigger;
mod verbatim;
mod watch;
mod webhook;

pub use calls::{CALLS, Call, CallName, Repeat, TAGS, parameter};
pub use error::{ApiError, ErrorBody, ErrorDetails, FieldError};
pub use held::{
    ApproveHeldRequest, ApproveRequest, Backup, Backups, HeldMove, HeldRef, HeldRefs, ListBackupsRequest,
    RestoreRefRequest, RestoreRequest, Restored,
};
pub use key::{
    ApiKey, ApiKeyPage, ApiKeySecret, CreateApiKeyRequest, CreatePublicKeyRequest, PublicKey, PublicKeyPage,
    PublicKeySecret,
};
pub use policy::{OnDiverged, PolicyRequest, UpstreamPolicy, minutes};
pub use progress::{Phase, Progress};
pub use repo::{
    AuthKind, CreateRepoRequest, DeleteResult, Organization, Origin, OriginRequest, OriginUpdate, Repo, RepoPage,
    UpdateRepoRequest, Upstream, UpstreamAuth, UpstreamRequest, UpstreamUpdate, Whoami, WhoamiOrg,
};
pub use requests::{
    ListReposRequest, ListSyncsRequest, ListWebhookTargetsRequest, OrgPath, PageRequest, RepoPath, SyncPath,
    SyncUpstreamRequest, WebhookTargetPath,
};
pub use schedule::{Schedule, ScheduleRequest};
pub use scope::Scope;
pub use sync::{
    Direction, MessageSide, Outcome, Reason, RefGlobs, SyncRequest, SyncRun, SyncRunCounts, SyncRunMessage,
    SyncRunPage, SyncRunRef, SyncRunStats, SyncStatus,
};
pub use trigger::{EnsureCommitRequest, EnsureRequest, Ensured, UpstreamHook, UpstreamHookSecret};
pub use verbatim::Verbatim;
pub use watch::{Freshness, FreshnessRequest, max_age_refusal};
pub use webhook::{
    CreateWebhookTargetRequest, UpdateWebhookTargetRequest, WebhookFormat, WebhookTarget, WebhookTargetPage,
    WebhookTargetSecret,
};
#[cfg(feature = "service")]
pub use webhook::{
    DivergedEvent, EVENT_NAMES, EVENTS, Event, EventKind, EventRepo, EventRepoState, EventRepository, HeldEvent,
    PausedEvent, PushEvent, PushReconciliation, PushUpdate, RepoChangeEvent, RepoEvent, SyncEvent,
};
