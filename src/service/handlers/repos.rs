//! Repositories and their upstreams.

use std::collections::BTreeMap;

use futures_util::{StreamExt, TryStreamExt, stream};
use serde::{Serialize, de::IgnoredAny};
use serde_json::json;

use crate::api::{
    AuthKind, CreateRepoRequest, DeleteResult, FieldError, PolicyRequest, Repo, RepoPage, Schedule, ScheduleRequest,
    SyncRun, UpdateRepoRequest, UpstreamAuth, UpstreamUpdate, Verbatim, max_age_refusal,
};
use crate::service::{
    auth::Caller,
    error::Error,
    handlers::{
        hooks,
        list_size::{self, MAX_BYTES, MAX_ITEMS_BYTES},
    },
    host::{Host, Look},
    hosting::{
        change_id, damage, head,
        repository::{self, RepoRow},
    },
    http::{
        body,
        call::Incoming,
        page::{Page, Row, parameter},
    },
    names,
    queue::schedule::{self, Moment},
    remotes::{self, SealedAuth, origin, upstream},
    store,
};

pub(crate) async fn show(host: &Host, call: &Incoming<'_>) -> Result<Repo, Error> {
    repository::find(host, &call.caller, &call.params.repo).await?.shown(host).await
}

pub(crate) async fn list(host: &Host, call: &Incoming<'_>) -> Result<RepoPage, Error> {
    let page = Page::parse(call.query, LIST)?;
    let tags = parameter(call.query, "tags")?.map_or_else(|| Ok(BTreeMap::new()), |tags| tags_filter(&tags))?;
    let params = json!({
        "org_id": call.caller.org.id,
        "after": page.after,
        "limit": page.rows(),
        "tags": tags,
        "max_bytes": MAX_ITEMS_BYTES,
    });
    let rows: Vec<Row<RepoRow>> = store::rows(host.database(), sql!("sql/repo_list.sql"), params).await?;
    let (mut rows, next_cursor) = page.cut_rows(rows, LIST);
    let taken: usize = rows.iter().map(|row| row.bytes).sum();
    let runs = rows.iter_mut().filter_map(|row| row.stats_bytes.zip(row.item.latest_sync()));
    list_size::put_stats(host, runs.collect(), MAX_BYTES.saturating_sub(taken)).await?;
    let stored = stream::iter(rows.into_iter().map(|row| row.item));
    let repos = stored.map(|repo| repo.listed(host)).buffered(HEADS_AT_ONCE).try_collect().await?;
    Ok(RepoPage { has_more: next_cursor.is_some(), next_cursor, repos })
}

pub(crate) async fn create(host: &Host, call: Incoming<'_>) -> Result<Repo, Error> {
    let request: CreateRepoRequest = body::read(call.body).await?;
    let mut refusals = Refusals::default();
    refusals.check("name", request.name.as_deref().and_then(names::repo_refusal));
    refusals.check("default_bookmark", request.default_bookmark.as_deref().and_then(names::branch_refusal));
    let tags = request.tags.unwrap_or_default();
    refusals.check("tags", tags_refusal(tags.iter().map(|(key, value)| (key, Some(value))), MAX_TAGS));
    let upstream = request.upstream.map(|upstream| {
        let schedule = upstream.schedule.and_then(|schedule| refusals.schedule(host, schedule));
        let policy = upstream.policy.map(|policy| refusals.policy(policy));
        refusals.max_age(upstream.max_age.as_deref());
        let triggers = (upstream.on_push, upstream.max_age, upstream.public_badge);
        (refusals.remote(host, "upstream", &upstream.url, upstream.auth.map(Some)), schedule, policy, triggers)
    });
    let origin = request.origin.map(|origin| refusals.remote(host, "origin", &origin.url, origin.auth.map(Some)));
    refusals.into_result()?;

    let repo_id: Option<String> = store::row(host.database(), sql!("sql/repo_id.sql"), ()).await?;
    let repo_id = repo_id.ok_or_else(|| Error::Internal("the database made no id".into()))?;
    let name = request.name.unwrap_or_else(|| format!("repo-{}", &repo_id[repo_id.len() - 12..]));
    let is_asked_for = request.default_bookmark.is_some();
    let default_bookmark = request.default_bookmark.unwrap_or_else(|| "main".into());
    let (url, auth, schedule, policy, (on_push, max_age, public_badge)) = match upstream {
        Some(((url, auth), schedule, policy, triggers)) => (Some(url), auth.flatten(), schedule, policy, triggers),
        None => Default::default(),
    };
    let (origin_url, origin_auth) = origin.map_or((None, None), |(url, auth)| (Some(url), auth.flatten()));
    let owner = origin::owner(&repo_id);
    let params = json!({
        "id": repo_id,
        "org_id": call.caller.org.id,
        "name": name,
        "default_bookmark": default_bookmark,
        "default_bookmark_asked_for": is_asked_for,
        "tags": tags,
        "change_id": change_id::derive(None),
        "upstream_url": url,
        "upstream_auth": remotes::seal_auth(host, auth.as_ref(), url.as_deref().unwrap_or_default(), &repo_id).await?,
        "upstream_policy": policy,
        "on_push": on_push,
        "max_age": max_age,
        "public_badge": public_badge,
        "schedule": schedule,
        "schedule_at": first_tick(host, schedule.as_ref(), &repo_id).await?,
        "origin_url": origin_url,
        "origin_auth": remotes::seal_auth(host, origin_auth.as_ref(), origin_url.as_deref().unwrap_or_default(), &owner).await?,
    });
    // The Git repository is made first, so that no row exists without one.
    let git = &host.options.git;
    git.create(&repo_id, &default_bookmark)
        .await
        .map_err(|e| Error::Internal(format!("git: create {repo_id}: {e}")))?;
    let added = store::row::<RepoRow>(host.database(), sql!("sql/repo_add.sql"), params).await;
    // Not after an error of the database: the row may exist anyway.
    if matches!(added, Ok(None))
        && let Err(error) = git.remove(&repo_id).await
    {
        host.log(&format!("git: remove {repo_id}, which is not used: {error}"));
    }
    added?.ok_or_else(|| name_taken(&name))?.shown(host).await
}

pub(crate) async fn update(host: &Host, call: Incoming<'_>) -> Result<Repo, Error> {
    let repo = repository::find(host, &call.caller, &call.params.repo).await?;
    let request: UpdateRepoRequest = body::read(call.body).await?;
    let mut refusals = Refusals::default();
    refusals.check("name", request.name.as_deref().and_then(names::repo_refusal));
    refusals.check("default_bookmark", request.default_bookmark.as_deref().and_then(names::branch_refusal));
    let tags = request.tags.unwrap_or_default();
    // A request may replace all labels at once.
    refusals.check("tags", tags_refusal(tags.iter().map(|(key, value)| (key, value.as_ref())), 2 * MAX_TAGS));
    let upstream = request.upstream.map(|upstream| {
        upstream.map(|upstream| {
            let schedule = upstream.schedule.map(|set| set.and_then(|schedule| refusals.schedule(host, schedule)));
            let (url, auth) = refusals.remote(host, "upstream", &upstream.url, upstream.auth);
            let policy = upstream.policy.map(|set| set.map(|policy| refusals.policy(policy)));
            let UpstreamUpdate { on_push, max_age, public_badge, .. } = upstream;
            refusals.max_age(max_age.as_ref().and_then(Option::as_deref));
            NewRemote { url, auth, schedule, policy, on_push, max_age, public_badge }
        })
    });
    let origin = request.origin.map(|origin| {
        origin.map(|origin| {
            let (url, auth) = refusals.remote(host, "origin", &origin.url, origin.auth);
            NewRemote { url, auth, schedule: None, policy: None, on_push: None, max_age: None, public_badge: None }
        })
    });
    refusals.into_result()?;

    // A credential that is left out stays, but only if the server is the same.
    let of_upstream = Left::of(host, repo.upstream.as_ref().map(|u| (&u.url, u.auth_kind)), upstream.as_ref());
    let of_origin = Left::of(host, repo.origin.as_ref().map(|o| (&o.url, o.auth_kind)), origin.as_ref());
    let is_origin_removed = matches!(origin, Some(None));
    let default_bookmark = request.default_bookmark.as_deref().unwrap_or(&repo.default_bookmark);
    let (head, damaged) = repo.head_or_damage(host, &format!("refs/heads/{default_bookmark}")).await?;
    let params = Changes {
        repo_id: &repo.id,
        name: request.name.as_deref(),
        default_bookmark: request.default_bookmark.as_deref(),
        tags: &tags,
        max_tags: MAX_TAGS,
        change_id: change_id::derive(head.as_deref()),
        upstream: RemoteChanges::of(host, &repo.id, upstream, of_upstream.as_ref(), &repo.id).await?,
        origin: RemoteChanges::of(host, &repo.id, origin, of_origin.as_ref(), &origin::owner(&repo.id)).await?,
    };
    let updated = store::row::<RepoRow>(host.database(), sql!("sql/repo_update.sql"), params).await;
    let updated = match updated {
        Err(error) if error.is_unique_violation() => {
            return Err(name_taken(request.name.as_deref().unwrap_or(&repo.name)));
        }
        other => match other? {
            Some(updated) => updated,
            None => return Err(not_updated(host, &call.caller, &repo, &tags).await),
        },
    };
    // If a repository comes back from another server, its local HEAD is out of date.
    if request.default_bookmark.is_some() || is_origin_removed {
        let branch = &updated.default_bookmark;
        let moved = host.options.git.set_head(&repo.id, branch).await;
        // If the repository is damaged, the branch takes effect when a pull has recreated it.
        let moved = if damaged.is_some() { Ok(()) } else { moved };
        moved.map_err(|error| Error::Internal(format!("git: point HEAD of {} at {branch}: {error}", repo.id)))?;
    }
    let upstream_auth = updated.upstream.as_ref().and_then(|upstream| upstream.auth_kind);
    let origin_auth = updated.origin.as_ref().and_then(|origin| origin.auth_kind);
    let warnings = [
        of_upstream.and_then(|left| left.warning("upstream", upstream_auth)),
        of_origin.and_then(|left| left.warning("origin", origin_auth)),
    ];
    let warning = warnings.into_iter().flatten().reduce(|all, one| format!("{all} {one}"));
    Ok(Repo { warning, ..updated.shown(host).await? })
}

pub(crate) async fn delete(host: &Host, call: &Incoming<'_>) -> Result<DeleteResult, Error> {
    let repo = repository::find(host, &call.caller, &call.params.repo).await?;
    // A repository can be deleted even if its head cannot be read.
    let head = repo.commit_id(host, "HEAD").await.unwrap_or(None);
    let params = json!({"repo_id": repo.id, "head_change_id": change_id::derive(head.as_deref())});
    store::row::<IgnoredAny>(host.database(), sql!("sql/repo_remove.sql"), params).await?;
    // Nobody can reach it any more. If a failing disk keeps some files, the operator must remove them.
    if let Err(error) = host.options.git.remove(&repo.id).await {
        host.log(&format!("git: remove {}: {error}", repo.id));
    }
    Ok(DeleteResult { success: true })
}

impl RepoRow {
    /// A single repository, with the stats of its newest run and the current head of its Git repository.
    async fn shown(mut self, host: &Host) -> Result<Repo, Error> {
        let latest = self.latest_sync().map(|run| (0, run));
        list_size::put_stats(host, latest.into_iter().collect(), 0).await?;
        self.with_head(host).await
    }

    /// The repository in a list.
    async fn listed(self, host: &Host) -> Result<Repo, Error> {
        if !self.head_is_known {
            return self.with_head(host).await;
        }
        // This is only one of many in a list, so its files are checked briefly.
        let damaged = damage::look(host, &self, Look::Files).await?;
        let head = self.head.clone();
        Ok(self.into_repo(host, head.as_deref(), damaged))
    }

    /// Reads its head, and stores it if it has changed.
    async fn with_head(self, host: &Host) -> Result<Repo, Error> {
        let (head, damaged) = self.head_or_damage(host, "HEAD").await?;
        let is_news = !self.head_is_known || head != self.head;
        if damaged.is_none() && self.origin.is_none() && is_news {
            head::note(host, &self.id, head.as_deref()).await?;
        }
        Ok(self.into_repo(host, head.as_deref(), damaged))
    }

    fn latest_sync(&mut self) -> Option<&mut SyncRun> {
        self.upstream.as_mut()?.latest_sync.as_mut()
    }

    fn into_repo(mut self, host: &Host, head: Option<&str>, damaged: Option<String>) -> Repo {
        if let Some(hook) = self.upstream.as_mut().and_then(|upstream| upstream.hook.as_mut()) {
            hook.0["url"] = hooks::address(host, hook.0["url"].as_str().unwrap_or_default()).into();
        }
        Repo {
            id: self.id,
            org: self.org,
            name: self.name,
            default_bookmark: self.default_bookmark,
            head_change_id: change_id::derive(head),
            upstream: self.upstream,
            origin: self.origin,
            created_at: self.created_at,
            tags: self.tags,
            damaged,
            warning: None,
        }
    }

    /// The commit that a ref names, and the damage of the files, if any. With damage, the commit may be `None`.
    async fn head_or_damage(&self, host: &Host, ref_name: &str) -> Result<(Option<String>, Option<String>), Error> {
        let head = self.commit_id(host, ref_name).await;
        let is_well = matches!(head, Ok(Some(_))) && self.damage.is_none();
        let look = if is_well { Look::RefsIfFew } else { Look::Refs };
        match (head, damage::look(host, self, look).await?) {
            (Err(error), None) => Err(error),
            (head, damaged) => Ok((head.unwrap_or(None), damaged)),
        }
    }

    /// The commit that a ref names. For a repository on another server, this is the last known commit of its `HEAD`.
    async fn commit_id(&self, host: &Host, ref_name: &str) -> Result<Option<String>, Error> {
        match self.origin {
            Some(_) => Ok(self.head.clone()),
            None => head::commit_id(host, &self.id, ref_name).await,
        }
    }
}

/// The parameters of `repo_update.sql`.
#[derive(Serialize)]
struct Changes<'a> {
    repo_id: &'a str,
    name: Option<&'a str>,
    default_bookmark: Option<&'a str>,
    tags: &'a BTreeMap<String, Option<String>>,
    max_tags: usize,
    change_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    upstream: Option<Option<RemoteChanges>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<Option<RemoteChanges>>,
}

#[derive(Serialize)]
struct RemoteChanges {
    url: String,
    kept_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    auth: Option<Option<SealedAuth>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    schedule: Option<Option<Schedule>>,
    schedule_at: Option<Moment>,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<Option<Verbatim<PolicyRequest>>>,
    on_push: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_age: Option<Option<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    public_badge: Option<Verbatim<bool>>,
}

impl RemoteChanges {
    async fn of(
        host: &Host,
        repo_id: &str,
        new: Option<Option<NewRemote>>,
        left: Option<&Left>,
        owner_id: &str,
    ) -> Result<Option<Option<Self>>, Error> {
        let NewRemote { url, auth, schedule, policy, on_push, max_age, public_badge } = match new {
            None => return Ok(None),
            Some(None) => return Ok(Some(None)),
            Some(Some(new)) => new,
        };
        let auth = match auth {
            Some(auth) => Some(remotes::seal_auth(host, auth.as_ref(), &url, owner_id).await?),
            None => None,
        };
        let schedule_at = first_tick(host, schedule.as_ref().and_then(Option::as_ref), repo_id).await?;
        let kept_url = left.and_then(Left::kept_url);
        Ok(Some(Some(Self { url, kept_url, auth, schedule, schedule_at, policy, on_push, max_age, public_badge })))
    }
}

/// The upstream or the origin in a request. A field that the request leaves out is `None`.
struct NewRemote {
    url: String,
    auth: Option<Option<UpstreamAuth>>,
    schedule: Option<Option<Schedule>>,
    policy: Option<Option<Verbatim<PolicyRequest>>>,
    on_push: Option<bool>,
    max_age: Option<Option<String>>,
    public_badge: Option<Verbatim<bool>>,
}

/// The stored credential, if a change of its remote does not mention it. It belongs to the server (scheme, host and port)
/// of the old URL, and stays only if the new URL has the same server.
struct Left {
    url: String,
    has_auth: bool,
    server: String,
    new_server: String,
}

impl Left {
    /// `None` if there is no remote yet, or if the request has another credential or no URL.
    fn of(host: &Host, stored: Option<(&String, Option<AuthKind>)>, new: Option<&Option<NewRemote>>) -> Option<Self> {
        let new = new?.as_ref().filter(|new| new.auth.is_none())?;
        let (url, auth_kind) = stored?;
        let [server, new_server] = [url, &new.url].map(|url| remotes::server_of(host, url));
        Some(Self { url: url.clone(), has_auth: auth_kind.is_some(), server, new_server })
    }

    /// The credential stays only if this URL is still stored; `None` if it does not stay.
    fn kept_url(&self) -> Option<String> {
        (self.server == self.new_server).then(|| self.url.clone())
    }

    /// The warning if the credential did not stay.
    fn warning(&self, field: &str, auth_kind: Option<AuthKind>) -> Option<String> {
        let Self { has_auth, server, new_server, .. } = self;
        (*has_auth && auth_kind.is_none()).then(|| {
            format!(
                "The stored credential of the {field} was removed: it belongs to {server}, and the new URL is at \
                 {new_server}. Set {field}.auth if that server needs a credential."
            )
        })
    }
}

/// Collects every bad field, so that the answer names all of them.
#[derive(Default)]
struct Refusals(Vec<FieldError>);

impl Refusals {
    fn check(&mut self, field: &str, refusal: Option<String>) {
        self.0.extend(refusal.map(|message| FieldError { field: field.to_owned(), message }));
    }

    /// A remote's URL without a credential, and its credential; `None` keeps a stored one. `name` is the field: `upstream`
    /// or `origin`.
    fn remote(
        &mut self,
        host: &Host,
        name: &str,
        url: &str,
        auth: Option<Option<UpstreamAuth>>,
    ) -> (String, Option<Option<UpstreamAuth>>) {
        if let Some((field, message)) = auth.iter().flatten().find_map(upstream::refusal) {
            self.check(&format!("{name}.auth.{field}"), Some(message.to_owned()));
        }
        match upstream::parse(url) {
            Ok(parsed) if parsed.auth.is_some() && auth.is_some() => {
                let given = auth.iter().flatten().next();
                if let Some(joined) =
                    parsed.auth.iter().zip(given).find_map(|(auth, given)| upstream::join(auth, given))
                {
                    return (parsed.url, Some(Some(joined)));
                }
                let message = format!("has a credential, and {name}.auth is there too; leave one of them out");
                self.check(&format!("{name}.url"), Some(message));
                (parsed.url, auth)
            }
            Ok(parsed) => {
                if host.options.runtime.web_origin(&parsed.url).is_none() {
                    self.check(&format!("{name}.url"), Some("has a host that the URL standard does not allow".into()));
                }
                (parsed.url, auth.or_else(|| parsed.auth.map(Some)))
            }
            Err(message) => {
                self.check(&format!("{name}.url"), Some(message));
                (String::new(), auth)
            }
        }
    }

    /// The schedule, if it is valid.
    fn schedule(&mut self, host: &Host, request: ScheduleRequest) -> Option<Schedule> {
        schedule::parse(request, &*host.options.runtime).map_err(|refusals| self.0.extend(refusals)).ok()
    }

    /// The policy. A bad one is refused.
    fn policy(&mut self, request: Verbatim<PolicyRequest>) -> Verbatim<PolicyRequest> {
        if let Some((field, message)) = request.refusal() {
            self.check(&format!("upstream.policy.{field}"), Some(message));
        }
        request
    }

    fn max_age(&mut self, max_age: Option<&str>) {
        self.check("upstream.max_age", max_age.and_then(max_age_refusal));
    }

    fn into_result(self) -> Result<(), Error> {
        if self.0.is_empty() { Ok(()) } else { Err(Error::Invalid(self.0)) }
    }
}

/// The first time of a new schedule.
async fn first_tick(host: &Host, schedule: Option<&Schedule>, repo_id: &str) -> Result<Option<Moment>, Error> {
    match schedule {
        Some(schedule) => Ok(schedule::first_tick(host, schedule, repo_id).await?),
        None => Ok(None),
    }
}

/// Why a repository was not updated: it no longer exists, or it would have too many tags.
async fn not_updated(host: &Host, caller: &Caller, repo: &RepoRow, tags: &BTreeMap<String, Option<String>>) -> Error {
    let RepoRow { tags: stored, .. } = match repository::find(host, caller, &repo.id).await {
        Ok(stored) => stored,
        Err(Error::NotFound(_)) => return Error::NotFound(format!("the repository {} was just deleted", repo.name)),
        Err(error) => return error,
    };
    let removed = stored.keys().filter(|key| matches!(tags.get(*key), Some(None))).count();
    let added = tags.iter().filter(|(key, value)| value.is_some() && !stored.contains_key(*key)).count();
    let count = stored.len() + added - removed;
    let message = format!(
        "would be {count} tags; a repository has at most {MAX_TAGS}, so set others to null, which removes them"
    );
    Error::field("tags", message)
}

fn tags_refusal<'a>(tags: impl Iterator<Item = (&'a String, Option<&'a String>)>, most: usize) -> Option<String> {
    for (at, (key, value)) in tags.enumerate() {
        if at == most {
            return Some(format!("has more than {most} tags"));
        }
        let value = value.map_or("", String::as_str);
        if key.is_empty() || key.len() > 256 || value.len() > 1024 {
            return Some("a tag's key has 1 to 256 bytes, its value at most 1024".into());
        }
        if key.contains('\0') || value.contains('\0') {
            return Some("must not have a NUL".into());
        }
    }
    None
}

/// The tags of a `?tags` query: `key:value` or `key=value`, several with commas, or a JSON object.
fn tags_filter(text: &str) -> Result<BTreeMap<String, String>, Error> {
    let refused =
        || Error::field("tags", "must be key:value, several with commas between them, or a JSON object of strings");
    if text.trim_start().starts_with('{') {
        let tags: BTreeMap<String, String> = serde_json::from_slice(text.as_bytes()).map_err(|_| refused())?;
        let refusal = tags_refusal(tags.iter().map(|(key, value)| (key, Some(value))), MAX_TAGS);
        return refusal.map_or(Ok(tags), |message| Err(Error::field("tags", message)));
    }
    let pairs = text.split(',').filter(|pair| !pair.trim().is_empty());
    let parsed = pairs.map(|pair| {
        let (key, value) = pair.split_once([':', '='])?;
        Some((key.trim().to_owned(), value.trim().to_owned()))
    });
    parsed.collect::<Option<_>>().ok_or_else(refused)
}

fn name_taken(name: &str) -> Error {
    Error::Conflict(format!("the organisation has a repository {name} already; names are compared without case"))
}

const LIST: &str = "repos";
/// How many repositories of a list are read at the same time for their heads.
const HEADS_AT_ONCE: usize = 8;
/// How many tags a repository may have.
const MAX_TAGS: usize = 100;
