//! Every call of the REST API, one row each.
//!
//! A row declares everything about a call. The client builds its requests from it. The service uses it for routing and to
//! find the scope that a caller needs. The OpenAPI document lists it. `src/service/router/routes.rs` maps each call to its
//! handler.
//!
//! The doc comment of a row is the documentation of the call: a summary and, after an empty line, its details. The parts of
//! a row, in order: name, the verb for errors (the object's name follows it), method, path, scope, input `=>`
//! status, output, and whether the call may be repeated if its answer is lost. The input of a `Get` is its query; the input
//! of any other call is its body. `()` means nothing. Rows stand in groups, which are the tags of the OpenAPI document.

use refsync_derive::Shape;
use serde::Serialize;
use tsify::Tsify;

use super::{
    ApiKeyPage, ApiKeySecret, ApproveRequest, Backups, CreateApiKeyRequest, CreatePublicKeyRequest, CreateRepoRequest,
    CreateWebhookTargetRequest, DeleteResult, EnsureRequest, Ensured, Freshness, FreshnessRequest, HeldRefs,
    ListBackupsRequest, ListReposRequest, ListSyncsRequest, ListWebhookTargetsRequest, Organization, PageRequest,
    PublicKeyPage, PublicKeySecret, Repo, RepoPage, RestoreRequest, Restored, Scope, SyncRequest, SyncRun, SyncRunPage,
    SyncRunStats, UpdateRepoRequest, UpdateWebhookTargetRequest, UpstreamHookSecret, WebhookTarget, WebhookTargetPage,
    WebhookTargetSecret, Whoami,
    shape::{Key, Missing, Shape, Shaped},
};
use crate::http::Method;

/// Declares [`CallName`], [`CALLS`] and the documentation and schemas of each call.
macro_rules! calls {
    ($($(#[doc = $group:literal])+ $tag:literal {
        $($(#[doc = $doc:literal])+
        $name:ident: $verb:literal, $method:ident $path:literal, $scope:expr, $takes:ty => $status:literal $gives:ident, $repeat:ident;)*
    })*) => {
        /// The name of a call.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Shape, Tsify)]
        #[serde(rename_all = "camelCase")]
        pub enum CallName {
            $($($(#[doc = $doc])+ $name,)*)*
        }

        /// Every call, in the order of [`CallName`].
        pub static CALLS: &[Call] = &[$($(Call {
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
        },)*)*];

        /// The groups of calls, each with its lines of documentation. Only the generator of the OpenAPI document needs them.
        pub const TAGS: &[(&str, &[&str])] = &[$(($tag, &[$($group),+])),*];

        impl CallName {
            /// The JSON Schemas of the call's input and output. The first generator is for requests, the second for
            /// answers. Only the generator of the OpenAPI document needs them.
            pub fn schemas(self, asked: &mut schemars::SchemaGenerator, answered: &mut schemars::SchemaGenerator) -> [schemars::Schema; 2] {
                match self {
                    $($(Self::$name => [asked.subschema_for::<$takes>(), answered.subschema_for::<$gives>()],)*)*
                }
            }

            /// The call's group, and its lines of documentation. The first line is a summary. Only the generator of the
            /// OpenAPI document needs them.
            pub fn documentation(self) -> (&'static str, &'static [&'static str]) {
                match self {
                    $($(Self::$name => ($tag, &[$($doc),+]),)*)*
                }
            }
        }
    };
}

calls! {
    /// The caller, and its organisation.
    "Organisations" {
        /// Who am I
        ///
        /// The organisation that the credential belongs to, and what the credential allows. Use it to test a credential.
        Whoami: "whoami", Get "/whoami", None, () => 200 Whoami, Again;
        /// Get an organisation
        ///
        /// The organisation, and how many repositories it has.
        ShowOrganization: "get organization", Get "/{org}", Some(Scope::Read), () => 200 Organization, Again;
    }

    /// Repositories, and the upstreams that they are synced with.
    "Repositories" {
        /// List repositories
        ///
        /// The organisation's repositories, newest first. `tags` selects those with certain labels.
        ListRepos: "list repositories of", Get "/{org}/repos", Some(Scope::Read), ListReposRequest => 200 RepoPage, Again;
        /// Create a repository
        ///
        /// Makes an empty repository. If the request has an `upstream`, syncs are possible at once; none is started. The
        /// service stores the repository itself, or on another Git server if the request has an `origin`. If the name is
        /// taken, the answer is 409.
        CreateRepo: "create repository in", Post "/{org}/repos", Some(Scope::Write), CreateRepoRequest => 201 Repo, Never;
        /// Get a repository
        ///
        /// The repository with its upstream, and the upstream's newest run with its `stats`.
        ShowRepo: "get repository", Get "/{org}/{repo}", Some(Scope::Read), () => 200 Repo, Again;
        /// Change a repository
        ///
        /// Fields that are left out stay unchanged. If the new URL of `upstream` or `origin` is on another server (scheme,
        /// host, port) and the request has no `auth` for it, the stored credential is removed, and `warning` says so.
        UpdateRepo: "update repository", Patch "/{org}/{repo}", Some(Scope::Write), UpdateRepoRequest => 200 Repo, Renaming;
        /// Delete a repository
        ///
        /// Deletes the repository with its refs and runs. A run that has not ended fails. The upstream is not touched.
        DeleteRepo: "delete repository", Delete "/{org}/{repo}", Some(Scope::Admin), () => 200 DeleteResult, Deletion;
    }

    /// Syncs of a repository with its upstream. A sync is a run: it is queued, a worker does it, and it ends as `completed`
    /// or `failed`. A single refused ref does not fail a run: it is `rejected` in the run's `stats`.
    "Syncs" {
        /// List syncs
        ///
        /// The repository's runs, newest first. The `stats` of a run are null if they do not fit in the 8 MB of a list.
        ListSyncs: "list syncs of repository", Get "/{org}/{repo}/upstream/syncs", Some(Scope::Read),
            ListSyncsRequest => 200 SyncRunPage, Again;
        /// Start a sync
        ///
        /// Queues a run and returns it. If a run with the same direction and globs is queued already, that one is
        /// returned. If the repository has no upstream, the answer is 409 with the code `UPSTREAM_NOT_CONFIGURED`. With the
        /// header `Prefer: wait=30` the answer comes when the run has ended, or after 30 seconds.
        CreateSync: "sync upstream of repository", Post "/{org}/{repo}/upstream/syncs", Some(Scope::Write),
            SyncRequest => 201 SyncRun, LookFirst;
        /// Plan a sync
        ///
        /// The `stats` that a sync would have now. It asks both sides, changes nothing and makes no run. If a side cannot
        /// be read, the answer is 409 with the code `UPSTREAM_FAILED`, or 503 with `UPSTREAM_UNAVAILABLE` if a later call
        /// may succeed.
        PlanSync: "plan sync of repository", Post "/{org}/{repo}/upstream/plan", Some(Scope::Read),
            SyncRequest => 200 SyncRunStats, Again;
        /// Get a sync
        ///
        /// The run with all of its `stats`, which are null until it has ended.
        ShowSync: "get sync of repository", Get "/{org}/{repo}/upstream/syncs/{sync_id}", Some(Scope::Read),
            () => 200 SyncRun, Again;
        /// Cancel a sync
        ///
        /// A queued run fails at once, with the error `cancelled`. A run in progress fails when its worker stops. If the
        /// run has ended, the answer is 409.
        CancelSync: "cancel sync of repository", Post "/{org}/{repo}/upstream/syncs/{sync_id}/cancel", Some(Scope::Write),
            () => 200 SyncRun, Cancellation;
        /// Follow a sync
        ///
        /// Server-sent events: one for each status of the run, with the run as data, and `progress` events in between. The
        /// stream ends after a terminal status. `Last-Event-ID` resumes it; if all events were seen, the answer is 204.
        FollowSync: "follow sync of repository", Get "/{org}/{repo}/upstream/syncs/{sync_id}/events", Some(Scope::Read),
            () => 200 SyncRun, Again;
        /// Wait for a commit
        ///
        /// If a branch or tag of the repository contains the commit, the answer comes at once. Otherwise a pull is queued,
        /// and the answer comes when the commit is there. If the time is over first, or if the pull failed, the answer is
        /// 202, with `reachable: false` and the run. If another Git server stores the repository, only commits that a branch
        /// or tag names are found.
        EnsureCommit: "ensure commit in repository", Post "/{org}/{repo}/upstream/ensure", Some(Scope::Write),
            EnsureRequest => 200 Ensured, Again;
    }

    /// The hook of an upstream. GitHub, GitLab, Gitea, Forgejo and Bitbucket call it after a push, and the push is pulled at
    /// once.
    "Hooks" {
        // Do not repeat this: a second call would replace the first new secret.
        /// Make the hook of an upstream
        ///
        /// Makes the address and its secret. Store the `secret`: no other answer contains it. If there is a hook already,
        /// its address stays, and it gets a new secret. The old secret is not valid any more.
        CreateUpstreamHook: "make hook of repository", Post "/{org}/{repo}/upstream/hook", Some(Scope::Write),
            () => 201 UpstreamHookSecret, Never;
        /// Delete the hook of an upstream
        ///
        /// Calls of the address are answered with 404 from now on. If there is no hook, the answer is 404.
        DeleteUpstreamHook: "delete hook of repository", Delete "/{org}/{repo}/upstream/hook", Some(Scope::Write),
            () => 200 DeleteResult, Deletion;
    }

    /// How fresh the copy of an upstream is.
    "Freshness" {
        /// Get the freshness of a repository
        ///
        /// The answer is 200 if the repository is fresh, and 503 if it is not, so that a monitor needs no more than the status.
        /// Both have the same body. If neither the request nor the upstream has a `max_age`, the answer is 400.
        ShowFreshness: "get freshness of repository", Get "/{org}/{repo}/upstream/freshness", Some(Scope::Read),
            FreshnessRequest => 200 Freshness, Again;
    }

    /// Refs that a sync may only move after an approval, and the backups of refs that were forced or deleted. The upstream's
    /// `policy` says which refs these are.
    "Approvals and backups" {
        /// List held refs
        ///
        /// The moves that wait for an approval, by name. There are some only if the policy's `on_diverged` is `hold`.
        ListHeldRefs: "list held refs of repository", Get "/{org}/{repo}/upstream/held", Some(Scope::Read),
            () => 200 HeldRefs, Again;
        /// Approve held refs
        ///
        /// Approves all of these moves or none. They happen at the next sync, if neither id has changed by then. If one of
        /// them is not held with exactly these ids, the answer is 400.
        ApproveHeldRefs: "approve held refs of repository", Post "/{org}/{repo}/upstream/approve", Some(Scope::Write),
            ApproveRequest => 200 HeldRefs, Again;
        /// List backups
        ///
        /// The old objects of refs that syncs have forced or deleted: in the repository those of pulls, at the upstream
        /// (`direction=push`) those of pushes.
        ListBackups: "list backups of repository", Get "/{org}/{repo}/upstream/backups", Some(Scope::Read),
            ListBackupsRequest => 200 Backups, Again;
        /// Restore a ref
        ///
        /// Moves a ref back to the object of a backup. A new backup keeps its present object. If there is no such backup,
        /// the answer is 404. The next sync moves the ref again if the policy says so.
        RestoreRef: "restore ref of repository", Post "/{org}/{repo}/upstream/restore", Some(Scope::Write),
            RestoreRequest => 200 Restored, Never;
    }

    /// Webhook targets: the addresses that receive the organisation's events. The section "Webhooks" has the events.
    "Webhook targets" {
        /// List webhook targets
        ///
        /// The organisation's targets, newest first, without their secrets.
        ListWebhookTargets: "list webhook targets of", Get "/{org}/webhook-targets", Some(Scope::Admin),
            ListWebhookTargetsRequest => 200 WebhookTargetPage, Again;
        /// Create a webhook target
        ///
        /// Store the `secret`: no other answer contains it. `events` is `["push"]` by default. An organisation has at most 100
        /// targets; for one more the answer is 409.
        CreateWebhookTarget: "create webhook target of", Post "/{org}/webhook-targets", Some(Scope::Admin),
            CreateWebhookTargetRequest => 201 WebhookTargetSecret, Never;
        /// Get a webhook target
        ///
        /// The target, without its secret.
        ShowWebhookTarget: "get webhook target of", Get "/{org}/webhook-targets/{target_id}", Some(Scope::Admin),
            () => 200 WebhookTarget, Again;
        /// Change a webhook target
        ///
        /// Fields that are left out stay unchanged. If `repo_ids` is null, the target receives the events of the whole
        /// organisation.
        UpdateWebhookTarget: "update webhook target of", Patch "/{org}/webhook-targets/{target_id}", Some(Scope::Admin),
            UpdateWebhookTargetRequest => 200 WebhookTarget, Again;
        /// Delete a webhook target
        ///
        /// No more events are sent to it, also none that already wait.
        DeleteWebhookTarget: "delete webhook target of", Delete "/{org}/webhook-targets/{target_id}", Some(Scope::Admin),
            () => 200 DeleteResult, Deletion;
        // Do not repeat this: a second rotation would end the validity of the first new secret.
        /// Rotate the secret of a webhook target
        ///
        /// Gives the target a new `secret`. For one more day, a delivery that the receiver refuses is sent again, signed
        /// with the previous secret.
        RotateWebhookSecret: "rotate secret of webhook target of", Post "/{org}/webhook-targets/{target_id}/rotate-secret",
            Some(Scope::Admin), () => 200 WebhookTargetSecret, Never;
    }

    /// API keys, and public keys whose private keys sign access tokens. A key that is itself limited to repositories cannot
    /// manage keys.
    "Keys" {
        /// List API keys
        ///
        /// The organisation's API keys, newest first, without their secrets.
        ListApiKeys: "list API keys of", Get "/{org}/api-keys", Some(Scope::Admin), PageRequest => 200 ApiKeyPage, Again;
        /// Create an API key
        ///
        /// Store `api_key`: no other answer contains it.
        CreateApiKey: "create API key of", Post "/{org}/api-keys", Some(Scope::Admin),
            CreateApiKeyRequest => 201 ApiKeySecret, Never;
        /// Revoke an API key
        ///
        /// The service refuses the key from now on. Keys that were made with it stay valid.
        RevokeApiKey: "revoke API key of", Delete "/{org}/api-keys/{key_id}", Some(Scope::Admin),
            () => 200 DeleteResult, Deletion;
        /// List public keys
        ///
        /// The organisation's public keys, newest first.
        ListPublicKeys: "list public keys of", Get "/{org}/public-keys", Some(Scope::Admin),
            PageRequest => 200 PublicKeyPage, Again;
        /// Register a public key
        ///
        /// Registers the public key `x`. If the request has none, the service makes a key pair, and only this answer
        /// contains the private key.
        CreatePublicKey: "create public key of", Post "/{org}/public-keys", Some(Scope::Admin),
            CreatePublicKeyRequest => 201 PublicKeySecret, Never;
        /// Revoke a public key
        ///
        /// The service refuses the tokens of the key from now on.
        RevokePublicKey: "revoke public key of", Delete "/{org}/public-keys/{key_id}", Some(Scope::Admin),
            () => 200 DeleteResult, Deletion;
    }
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
