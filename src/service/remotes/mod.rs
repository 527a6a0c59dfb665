//! The only access to the engine. The redaction here removes credentials from all of the engine's texts: stats, errors and
//! progress. It does so before anything is stored, logged, answered or sent.

pub mod key_rotation;
pub mod origin;
pub mod redaction;
pub mod upstream;

use serde::Serialize;

use crate::api::{AuthKind, Direction, Progress, RefGlobs, UpstreamAuth};
use crate::service::{
    engine::{EngineError, RemoteRef, RemoteSettings, Synced, Task},
    error::Error,
    host::Host,
    remotes::redaction::Redaction,
    secrets::{Owner, Unreadable},
};

/// A remote for the engine, and the credential that must not appear in its texts.
pub(crate) struct Reached {
    remote: RemoteSettings,
    redaction: Redaction,
}

impl Reached {
    /// Whether the service's own Git stores it.
    pub(crate) fn is_hosted(&self) -> bool {
        self.remote.is_hosted
    }
}

/// A sync between a repository and its upstream.
pub(crate) struct RemoteSync<'a> {
    pub(crate) direction: Direction,
    pub(crate) ref_globs: &'a RefGlobs,
    /// The engine's policy, as JSON.
    pub(crate) policy: &'a str,
    pub(crate) plan_only: bool,
    pub(crate) repository: Reached,
    pub(crate) upstream: Reached,
    /// The repository's id. The engine uses it for hosted repositories.
    pub(crate) repo_id: &'a str,
    /// The repository's name for people, such as `acme/app`.
    pub(crate) repo_name: &'a str,
}

/// An upstream or an origin, with the credential that was sealed for `owner_id` and the server of `url`.
pub(crate) async fn remote(
    host: &Host,
    url: &str,
    sealed: Option<&str>,
    owner_id: &str,
) -> Result<Reached, Unreadable> {
    let auth: Option<UpstreamAuth> = match sealed {
        Some(sealed) => Some(host.secrets.open(sealed, Owner::remote(owner_id, &server_of(host, url))).await?),
        None => None,
    };
    let redaction = Redaction::of(auth.as_ref());
    let basic = auth.as_ref().map(UpstreamAuth::basic);
    let (username, password) = basic.map(|(username, password)| (username.to_owned(), password.to_owned())).unzip();
    // The engine also tries a user name without a password as a token.
    let password = password.filter(|password| !password.is_empty());
    Ok(Reached { remote: RemoteSettings { url: url.to_owned(), username, password, is_hosted: false }, redaction })
}

/// A hosted repository: in process, through the host's Git.
pub(crate) fn local_remote(repo_id: &str) -> Reached {
    let remote = RemoteSettings { url: local_url(repo_id), username: None, password: None, is_hosted: true };
    Reached { remote, redaction: Redaction::default() }
}

/// Does the sync, and reports its progress as the JSON text of a [`Progress`]. Dropping the future stops it.
pub(crate) async fn sync(
    host: &Host,
    sync: &RemoteSync<'_>,
    report: impl Fn(String) + 'static,
) -> Result<Synced, EngineError> {
    let RemoteSync { repository, upstream, .. } = sync;
    let redaction = upstream.redaction.clone().and(repository.redaction.clone());
    let (source, destination) = match sync.direction {
        Direction::Pull => (upstream, repository),
        Direction::Push => (repository, upstream),
    };
    let task = Task {
        source: source.remote.clone(),
        destination: destination.remote.clone(),
        ref_globs: sync.ref_globs.clone(),
        policy: sync.policy.to_owned(),
        plan_only: sync.plan_only,
    };
    let told = Box::new(move |progress: String| {
        // Only known numbers and words, so the engine cannot pass on other text.
        if let Ok(progress) = serde_json::from_slice::<Progress>(progress.as_bytes()) {
            report(serde_json::to_string(&progress).expect("numbers are JSON"));
        }
    });
    let done = host.options.engine.sync(&task, told).await;
    let redacted = |Synced { stats, head }| Synced {
        stats: redaction.stats(stats),
        head: head.filter(|head| is_free(&redaction, head)),
    };
    done.map(redacted).map_err(|error| {
        let error = without(&redaction, error);
        // The internal address of a repository means nothing to users.
        EngineError {
            message: error
                .message
                .replace(&local_url(sync.repo_id), sync.repo_name)
                .chars()
                .take(MAX_MESSAGE)
                .collect(),
            ..error
        }
    })
}

/// A ref such as `HEAD`; `None` if there is no such ref.
pub(crate) async fn find_ref(host: &Host, reached: &Reached, ref_name: &str) -> Result<Option<RemoteRef>, EngineError> {
    let Reached { remote, redaction } = reached;
    let redacted = |RemoteRef { id, symref_target }| RemoteRef {
        id: redaction.name(&id),
        symref_target: symref_target.filter(|target| is_free(redaction, target)),
    };
    let found = host.options.engine.find_ref(remote, ref_name).await;
    found.map(|found| found.map(redacted)).map_err(|error| without(redaction, error))
}

/// Lists, restores or removes the backups of a repository; see [`Engine::backups`](crate::service::engine::Engine::backups).
pub(crate) async fn backups(host: &Host, reached: &Reached, request: &str) -> Result<String, EngineError> {
    let Reached { remote, redaction } = reached;
    let answer = host.options.engine.backups(remote, request).await;
    answer.map(|answer| redaction.name(&answer)).map_err(|error| without(redaction, error))
}

/// A stored credential.
#[derive(Serialize)]
pub(crate) struct SealedAuth {
    kind: AuthKind,
    sealed: String,
}

/// The credential of a remote at `url`, sealed for `owner_id` and the server of `url`.
pub(crate) async fn seal_auth(
    host: &Host,
    auth: Option<&UpstreamAuth>,
    url: &str,
    owner_id: &str,
) -> Result<Option<SealedAuth>, Error> {
    let Some(auth) = auth else { return Ok(None) };
    let server = server_of(host, url);
    let sealed = host.secrets.seal(auth, Owner::remote(owner_id, &server)).await?;
    Ok(Some(SealedAuth { kind: auth.kind(), sealed }))
}

/// The scheme, host and port of a remote's URL. Its credential is bound to them.
pub(crate) fn server_of(host: &Host, url: &str) -> String {
    host.options.runtime.web_origin(url).unwrap_or_else(|| url.to_owned())
}

/// A hosted repository's URL for the host's Git. Git reads only its path.
pub(crate) fn local_url(repo_id: &str) -> String {
    format!("http://git.internal/{repo_id}.git")
}

/// Whether a branch with this name may be used. A name that contains a credential may not.
fn is_free(redaction: &Redaction, name: &str) -> bool {
    redaction.name(name) == name
}

fn without(redaction: &Redaction, error: EngineError) -> EngineError {
    EngineError { message: redaction.text(&error.message), code: redaction.text(&error.code), ..error }
}

/// The most characters of an error.
const MAX_MESSAGE: usize = 4_000;
