//! Every call of the REST API, one row each.
//!
//! A row declares everything about a call. The client builds its requests from it. The service uses it for routing and to
//! find the scope that a caller needs. The OpenAPI document lists it. `src/service/router/routes.rs` maps each call to its
//! handler.
//!
//! The parts of a row, in order: name, the verb for errors (the object's name follows it), method, path, scope, input `=>`
//! status, output, and whether the call may be repeated if its answer is lost. The input of a `Get` is its query; the input
//! of any other call is its body. `()` means nothing.

use refsync_derive::Shape;
use serde::Serialize;
use tsify::Tsify;

use super::{
    ApiKeyPage, ApiKeySecret, ApproveRequest, Backups, CreateApiKeyRequest, CreatePublicKeyRequest, CreateRepoRequest,
    CreateWebhookTargetRequest, DeleteResult, HeldRefs, ListReposRequest, ListSyncsRequest, ListWebhookTargetsRequest,
    Organization, PageRequest, PublicKeyPage, PublicKeySecret, Repo, RepoPage, RestoreRequest, Restored, Scope,
    SyncRequest, SyncRun, SyncRunPage, SyncRunStats, UpdateRepoRequest, UpdateWebhookTargetRequest, WebhookTarget,
    WebhookTargetPage, WebhookTargetSecret, Whoami,
    shape::{Key, Missing, Shape, Shaped},
};
use crate::http::Method;

/// Declares [`CallName`], [`CALLS`] and the schemas of each call.
macro_rules! calls {
    ($($name:ident: $verb:literal, $method:ident $path:literal, $scope:expr, $takes:ty => $status:literal $gives:ident, $repeat:ident;)*) => {
        /// The name of a call.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Shape, Tsify)]
        #[serde(rename_all = "camelCase")]
        #[allow(missing_docs, reason = "the rows of the table say it")]
        pub enum CallName {
            $($name),*
        }

        /// Every call, in the order of [`CallName`].
        pub static CALLS: &[Call] = &[$(Call {
            name: CallName::$name,
            verb: $verb,
            method: Method::$method,
            path: $path,
            scope: $scope,
            takes: <$takes as Shaped>::SHAPE,
            status: $status,
            answer: stringify!($gives),
            gives: <$gives as Shaped>::SHAPE,
            repeat: Repeat::$repeat,
        }),*];

        impl CallName {
            /// The JSON Schemas of the call's input and output. The first generator is for requests, the second for
            /// answers. Only the generator of the OpenAPI document needs them.
            pub fn schemas(self, asked: &mut schemars::SchemaGenerator, answered: &mut schemars::SchemaGenerator) -> [schemars::Schema; 2] {
                match self {
                    $(Self::$name => [asked.subschema_for::<$takes>(), answered.subschema_for::<$gives>()]),*
                }
            }
        }
    };
}

calls! {
    Whoami: "whoami", Get "/whoami", None, () => 200 Whoami, Again;
    ShowOrganization: "get organization", Get "/{org}", Some(Scope::Read), () => 200 Organization, Again;

    ListRepos: "list repositories of", Get "/{org}/repos", Some(Scope::Read), ListReposRequest => 200 RepoPage, Again;
    CreateRepo: "create repository in", Post "/{org}/repos", Some(Scope::Write), CreateRepoRequest => 201 Repo, Never;
    ShowRepo: "get repository", Get "/{org}/{repo}", Some(Scope::Read), () => 200 Repo, Again;
    UpdateRepo: "update repository", Patch "/{org}/{repo}", Some(Scope::Write), UpdateRepoRequest => 200 Repo, Renaming;
    DeleteRepo: "delete repository", Delete "/{org}/{repo}", Some(Scope::Admin), () => 200 DeleteResult, Deletion;

    ListSyncs: "list syncs of repository", Get "/{org}/{repo}/upstream/syncs", Some(Scope::Read),
        ListSyncsRequest => 200 SyncRunPage, Again;
    CreateSync: "sync upstream of repository", Post "/{org}/{repo}/upstream/syncs", Some(Scope::Write),
        SyncRequest => 201 SyncRun, LookFirst;
    PlanSync: "plan sync of repository", Post "/{org}/{repo}/upstream/plan", Some(Scope::Read),
        SyncRequest => 200 SyncRunStats, Again;
    ShowSync: "get sync of repository", Get "/{org}/{repo}/upstream/syncs/{sync_id}", Some(Scope::Read),
        () => 200 SyncRun, Again;
    CancelSync: "cancel sync of repository", Post "/{org}/{repo}/upstream/syncs/{sync_id}/cancel", Some(Scope::Write),
        () => 200 SyncRun, Cancellation;
    FollowSync: "follow sync of repository", Get "/{org}/{repo}/upstream/syncs/{sync_id}/events", Some(Scope::Read),
        () => 200 SyncRun, Again;

    ListHeldRefs: "list held refs of repository", Get "/{org}/{repo}/upstream/held", Some(Scope::Read),
        () => 200 HeldRefs, Again;
    ApproveHeldRefs: "approve held refs of repository", Post "/{org}/{repo}/upstream/approve", Some(Scope::Write),
        ApproveRequest => 200 HeldRefs, Again;
    ListBackups: "list backups of repository", Get "/{org}/{repo}/upstream/backups", Some(Scope::Read),
        () => 200 Backups, Again;
    RestoreRef: "restore ref of repository", Post "/{org}/{repo}/upstream/restore", Some(Scope::Write),
        RestoreRequest => 200 Restored, Never;

    ListWebhookTargets: "list webhook targets of", Get "/{org}/webhook-targets", Some(Scope::Admin),
        ListWebhookTargetsRequest => 200 WebhookTargetPage, Again;
    CreateWebhookTarget: "create webhook target of", Post "/{org}/webhook-targets", Some(Scope::Admin),
        CreateWebhookTargetRequest => 201 WebhookTargetSecret, Never;
    ShowWebhookTarget: "get webhook target of", Get "/{org}/webhook-targets/{target_id}", Some(Scope::Admin),
        () => 200 WebhookTarget, Again;
    UpdateWebhookTarget: "update webhook target of", Patch "/{org}/webhook-targets/{target_id}", Some(Scope::Admin),
        UpdateWebhookTargetRequest => 200 WebhookTarget, Again;
    DeleteWebhookTarget: "delete webhook target of", Delete "/{org}/webhook-targets/{target_id}", Some(Scope::Admin),
        () => 200 DeleteResult, Deletion;
    // Do not repeat this: a second rotation would end the validity of the first new secret.
    RotateWebhookSecret: "rotate secret of webhook target of", Post "/{org}/webhook-targets/{target_id}/rotate-secret",
        Some(Scope::Admin), () => 200 WebhookTargetSecret, Never;

    ListApiKeys: "list API keys of", Get "/{org}/api-keys", Some(Scope::Admin), PageRequest => 200 ApiKeyPage, Again;
    CreateApiKey: "create API key of", Post "/{org}/api-keys", Some(Scope::Admin),
        CreateApiKeyRequest => 201 ApiKeySecret, Never;
    RevokeApiKey: "revoke API key of", Delete "/{org}/api-keys/{key_id}", Some(Scope::Admin),
        () => 200 DeleteResult, Deletion;
    ListPublicKeys: "list public keys of", Get "/{org}/public-keys", Some(Scope::Admin),
        PageRequest => 200 PublicKeyPage, Again;
    CreatePublicKey: "create public key of", Post "/{org}/public-keys", Some(Scope::Admin),
        CreatePublicKeyRequest => 201 PublicKeySecret, Never;
    RevokePublicKey: "revoke public key of", Delete "/{org}/public-keys/{key_id}", Some(Scope::Admin),
        () => 200 DeleteResult, Deletion;
}

/// One call of the API.
pub struct Call {
    /// Its name.
    pub name: CallName,
    /// The verb for errors; the object's name follows it.
    pub verb: &'static str,
    /// Its method.
    pub method: Method,
    /// Its path after `/v1`, with the names of its parameters in braces.
    pub path: &'static str,
    /// The scope that the caller's credential must have; `None` if any credential is enough.
    pub scope: Option<Scope>,
    /// The body of the request, or the query of a `Get`.
    pub takes: Shape,
    /// The status of the answer.
    pub status: u16,
    /// The name of the answer's type.
    pub answer: &'static str,
    /// The answer.
    pub gives: Shape,
    /// How the client handles a lost answer.
    pub repeat: Repeat,
}

/// How the client handles a lost answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// Call again: a second call changes nothing more.
    Again,
    /// Call again. If the object is gone then, the first call deleted it.
    Deletion,
    /// Call again. If the object is gone and the call renames it, look for it under the new name.
    Renaming,
    /// Call again. If the answer is a conflict, the first call cancelled the run. Then the run is the answer.
    Cancellation,
    /// Do not call again: the service may have done the work.
    Never,
    /// Look at the newest runs, and call again only if our run is not among them.
    LookFirst,
}

impl CallName {
    /// The call with this name, in TypeScript's spelling.
    pub fn parse(name: &str) -> Option<Self> {
        let Shape::Word(words) = Self::SHAPE else { return None };
        let at = words.iter().position(|word| *word == name)?;
        CALLS.get(at).map(|call| call.name)
    }

    /// The call.
    pub fn call(self) -> &'static Call {
        &CALLS[self as usize]
    }
}

impl Call {
    /// The verb for an error that names no object: without the preposition that would lead to it.
    pub fn task(&self) -> &'static str {
        [" of", " in"].iter().find_map(|preposition| self.verb.strip_suffix(preposition)).unwrap_or(self.verb)
    }

    /// The names in the path, in order.
    pub fn parameters(&self) -> impl Iterator<Item = &'static str> {
        self.path.split('/').filter_map(parameter)
    }

    /// The keys that a caller's request must have for the path. Only the organisation may be left out.
    pub fn path_keys(&self) -> Vec<Key> {
        let key = |name| match name {
            "org" => Key { name, shape: <Option<String>>::IF_THERE, missing: Missing::LeaveOut },
            _ => Key { name, shape: Shape::Text, missing: Missing::Refuse },
        };
        self.parameters().map(key).collect()
    }
}

/// The parameter's name, if this segment of a path is a parameter in braces.
pub fn parameter(segment: &'static str) -> Option<&'static str> {
    segment.strip_prefix('{')?.strip_suffix('}')
}
