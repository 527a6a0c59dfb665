//! Whole syncs between two real Git repositories.

mod aliases;
mod head;
mod limits;
mod narrow;
mod outcomes;
mod pace;
mod plan;
mod policies;
mod progress;
mod proof;
mod questions;
mod remotes;
mod rewrites;
mod servers;
mod words;

use futures_executor::block_on;
use refsync::{
    api::{Outcome, Reason, RefGlobs, SyncRunRef, SyncRunStats},
    git::Remote,
    sync::{self, Options, Plan, Selection},
};

use crate::support::{Backend, Repository};

/// Pulls from one repository into another, with these globs as JSON.
fn pull(upstream: &Repository, local: &Repository, ref_globs: &str) -> SyncRunStats {
    let (upstream, _) = Backend::new(upstream).remote();
    let (local, _) = Backend::new(local).remote();
    run(&upstream, &local, ref_globs).unwrap_or_else(|e| panic!("the pull failed: {e}"))
}

fn run(source: &Remote, destination: &Remote, ref_globs: &str) -> Result<SyncRunStats, sync::Error> {
    block_on(sync::run(&selection(ref_globs), source, destination, &Options::default())).map(stats)
}

/// The stats of a plan that was carried out.
fn stats(mut plan: Plan) -> SyncRunStats {
    let messages = std::mem::take(&mut plan.messages);
    SyncRunStats { refs: plan.into_refs().collect(), messages }
}

/// The refs that these globs select.
fn selection(ref_globs: &str) -> Selection {
    let ref_globs: RefGlobs = serde_json::from_str(ref_globs).expect("the test's globs are valid");
    (&ref_globs).into()
}

/// All branches and tags.
const ALL: &str = r#"{"branches":"*","tags":"*"}"#;

/// The outcome and reason of every ref, by its short name.
fn outcomes(stats: &SyncRunStats) -> Vec<(&str, Outcome, Option<Reason>)> {
    let short = |name: &'_ str| name.splitn(3, '/').nth(2).map_or(0, |short| name.len() - short.len());
    stats.refs.iter().map(|r| (&r.name[short(&r.name)..], r.outcome, r.reason.clone())).collect()
}

fn find<'a>(stats: &'a SyncRunStats, name: &str) -> &'a SyncRunRef {
    stats.refs.iter().find(|r| r.name == name).unwrap_or_else(|| panic!("{name} is not in the stats"))
}
