//! The shapes that every part shares: one type for each, from the JSON of the REST API to the rows of the database.
//!
//! They serialise to exactly what `wire-contract` says (`snake_case`, explicit nulls, RFC 3339 times in UTC), and the
//! package's TypeScript types are generated from them.

mod error;
mod key;
mod page;
mod progress;
mod repo;
mod schedule;
mod sync;
mod webhook;

pub use error::{ApiError, ErrorBody, ErrorDetails, FieldError};
pub use key::{
    ApiKey, ApiKeyPage, ApiKeySecret, CreateApiKeyRequest, CreatePublicKeyRequest, PublicKey, PublicKeyPage,
    PublicKeySecret,
};
pub use page::PageRequest;
pub use progress::{Phase, Progress};
pub use repo::{
    AuthKind, CreateRepoRequest, DeleteResult, Organization, Origin, OriginRequest, OriginUpdate, Repo, RepoPage,
    UpdateRepoRequest, Upstream, UpstreamAuth, UpstreamRequest, UpstreamUpdate, Whoami, WhoamiOrg,
};
pub use schedule::{Schedule, ScheduleRequest};
pub use sync::{
    Direction, MessageSide, Outcome, Reason, RefGlobs, SyncRequest, SyncRun, SyncRunCounts, SyncRunMessage,
    SyncRunPage, SyncRunRef, SyncRunStats, SyncStatus, SyncUpstreamRequest,
};
pub use webhook::{
    CreateWebhookTargetRequest, UpdateWebhookTargetRequest, WebhookTarget, WebhookTargetPage, WebhookTargetSecret,
};
