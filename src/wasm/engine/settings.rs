//! What a caller asks for, and the checks that only Rust can do.

use std::time::Duration;

use gix_hash::ObjectId;
use serde::Deserialize;
use tsify::Tsify;

use super::arguments::OPERATION;
use crate::{
    error::Refusal,
    git::Limits,
    glob::Glob,
    globs::Globs,
    sync::{Move, Policy, Selection},
};

/// A Git repository on a smart-HTTP server, and the credential for it.
#[derive(Clone, Deserialize, Tsify)]
pub struct RemoteSettings {
    /// Its URL, `http` or `https`; a user name and password in it are used and never shown.
    pub url: String,
    /// The user name, if the server needs a particular one.
    #[tsify(optional)]
    pub username: Option<String>,
    /// The password, or an access token. The default is the one in the URL, if it has one.
    #[tsify(optional)]
    pub password: Option<String>,
}

/// The globs of a call. If a kind is left out, its refs take no part. At least one kind must be given.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GlobLists {
    branches: Option<Globs>,
    tags: Option<Globs>,
}

impl GlobLists {
    pub(super) fn selection(self) -> Result<Selection, Refusal> {
        match self {
            Self { branches: None, tags: None } => {
                let refusal = "needs at least one of the keys branches and tags; leave ref_globs out to sync all refs";
                Err(Refusal::of_field(OPERATION, "ref_globs", refusal))
            }
            Self { branches, tags } => {
                Ok(Selection { branches: branches.unwrap_or_default(), tags: tags.unwrap_or_default() })
            }
        }
    }
}

/// A request to the engine: what to sync, and how.
#[derive(Clone, Deserialize, Tsify)]
#[serde(rename_all = "snake_case")]
pub struct SyncSettings {
    /// Where refs come from.
    pub source: RemoteSettings,
    /// Where refs go to.
    pub destination: RemoteSettings,
    /// Which refs take part. Default: all branches and tags.
    #[tsify(
        optional,
        type = "{ branches?: string | readonly string[] | undefined; tags?: string | readonly string[] | undefined }"
    )]
    pub ref_globs: Option<GlobLists>,
    /// Move diverged refs too. Their old commits are kept under `refs/refsync/backup/`. Default: off.
    #[serde(default)]
    #[tsify(optional)]
    pub force: bool,
    /// Delete refs that match the globs and that the source does not have, at most this many. Default: none.
    #[tsify(optional)]
    pub prune: Option<u32>,
    /// Move all refs or none: a rejected ref holds back all others. Default: off.
    #[serde(default)]
    #[tsify(optional)]
    pub atomic: bool,
    /// Keep the old commits of deleted refs under `refs/refsync/backup/` too. Default: off.
    #[serde(default)]
    #[tsify(optional)]
    pub keep_deleted: bool,
    /// Diverged refs and refs to delete wait, except for these moves: each line is `old-id new-id name`, as in a push. The
    /// new id is all zeros if the source does not have the ref. Wins over `force`. Default: nothing waits.
    #[tsify(optional)]
    pub hold: Option<String>,
    /// Globs of full ref names, such as `refs/heads/wip/*`. These refs are left out even if `ref_globs` matches them.
    #[serde(default)]
    #[tsify(optional, type = "string[]")]
    pub exclude: Vec<Glob>,
    /// Push options for the destination's hooks, as `git push --push-option` sends them. Default: none.
    #[serde(default)]
    #[tsify(optional)]
    pub push_options: Vec<String>,
    /// How long the whole sync may take, in milliseconds. Default: no limit.
    #[tsify(optional)]
    pub timeout: Option<f64>,
    /// How long a remote may be silent before the sync gives up, in milliseconds. Default: 120,000.
    #[tsify(optional)]
    pub stall_timeout: Option<f64>,
    /// The most bytes of a pack that are collected if the runtime cannot stream a request. Default: 256 MiB.
    #[tsify(optional)]
    pub collect_limit: Option<f64>,
    /// The fewest bytes that must come from a remote in `min_rate_time` of waiting. Default: 1,000. 0 allows any rate.
    #[tsify(optional)]
    pub min_rate_bytes: Option<f64>,
    /// The time for `min_rate`, in milliseconds. Default: 60,000.
    #[tsify(optional)]
    pub min_rate_time: Option<f64>,
    /// The most refs that a remote may list. Default: 1,000,000.
    #[tsify(optional)]
    pub max_refs: Option<f64>,
    /// The most commits that are read to prove that branches move forward. Default: 4,000,000.
    #[tsify(optional)]
    pub max_commits: Option<f64>,
    /// The most bytes of memory that the engine may have. Default: 2 GiB.
    #[tsify(optional)]
    pub max_memory: Option<f64>,
}

/// A move, from `old-id new-id name`; `None` if an id is not one.
pub(super) fn approved(line: &str) -> Option<Move> {
    let mut words = line.splitn(3, ' ');
    let mut id = || ObjectId::from_hex(words.next()?.as_bytes()).ok();
    let (from, to) = (id()?, id()?);
    Some(Move { name: words.next()?.into(), from, to })
}

impl SyncSettings {
    /// The refs that take part.
    pub(super) fn selection(&self) -> Result<Selection, Refusal> {
        Ok(self.ref_globs.clone().map(GlobLists::selection).transpose()?.unwrap_or_default())
    }

    /// What the sync may do beyond going forward.
    pub(super) fn policy(&self) -> Result<Policy, Refusal> {
        if let Some(at) = self.exclude.iter().position(|glob| !glob.fits_full_names()) {
            let short = &self.exclude[at];
            let refusal = format!(
                "matches no full ref name, and so would leave nothing out; write refs/heads/{short} for branches, refs/tags/{short} for tags"
            );
            return Err(Refusal::of_field(OPERATION, &format!("exclude[{at}]"), refusal));
        }
        let Self { force, prune, keep_deleted, atomic, ref hold, ref exclude, .. } = *self;
        let hold = hold.as_ref().map(|lines| lines.lines().filter_map(approved).collect());
        Ok(Policy { force, prune, keep_deleted, hold, atomic, exclude: exclude.clone() })
    }

    /// The words for the destination's hooks.
    pub(super) fn push_options(&self) -> Result<Vec<String>, Refusal> {
        let is_refused = |option: &String| option.contains(['\n', '\0']) || option.len() > MAX_PUSH_OPTION;
        if self.push_options.iter().any(is_refused) {
            let refusal = "must be strings of at most 65000 bytes without line breaks";
            return Err(Refusal::of_field(OPERATION, "pushOptions", refusal));
        }
        Ok(self.push_options.clone())
    }

    /// How long the whole sync may take.
    pub(super) fn deadline(&self) -> Option<Duration> {
        positive(self.timeout)
    }

    /// How long a remote may be silent.
    pub(super) fn stall_timeout(&self) -> Option<Duration> {
        positive(self.stall_timeout)
    }

    /// How much a remote may make us keep. Numbers saturate.
    pub(super) fn limits(&self) -> Limits {
        let mut limits = Limits::default();
        if let Some(refs) = self.max_refs.filter(|refs| *refs >= 0.0) {
            limits.refs = refs as usize;
        }
        if let Some(commits) = self.max_commits.filter(|commits| *commits >= 0.0) {
            limits.commits = commits as usize;
        }
        if let Some(bytes) = self.min_rate_bytes {
            limits.min_rate.bytes = bytes as u64;
        }
        if let Some(time) = self.min_rate_time {
            limits.min_rate.time = duration(time);
        }
        limits
    }
}

/// So many milliseconds; nothing if they are not above zero, or have no end.
fn positive(milliseconds: Option<f64>) -> Option<Duration> {
    milliseconds.filter(|ms| ms.is_finite() && *ms > 0.0).map(duration)
}

/// This many milliseconds; no limit if the number is too large.
fn duration(milliseconds: f64) -> Duration {
    Duration::try_from_secs_f64(milliseconds / 1000.0).unwrap_or(Duration::MAX)
}

/// The most bytes of a push option: what fits into a packet line.
const MAX_PUSH_OPTION: usize = 65_000;
