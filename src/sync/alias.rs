//! Symbolic refs at the destination, such as `refs/heads/master` that points to `refs/heads/main` after a rename.
//!
//! A push to such an alias moves its target, and deleting an alias over the wire deletes **its target** (`receive-pack`
//! follows symbolic refs). So an alias is neither pushed nor deleted. Its target has its own entry in the plan.
//!
//! `receive-pack` does not mark aliases in its advertisement, but an alias always has the id of its target. So if a ref
//! that will change shares its id with another ref, the destination's `upload-pack` is asked: it marks symbolic refs in
//! protocol v2 (`gitprotocol-v2`, "ls-refs").

use std::collections::{HashMap, HashSet};

use gix_hash::ObjectId;
use gix_object::bstr::BString;

use super::plan::{Decision, Entry, Plan};
use crate::{
    api::Reason,
    git::{Ref, Remote},
};

/// The targets of the destination's aliases, by the aliases' names; `None` if the destination does not tell them.
type Targets = Option<HashMap<BString, BString>>;

/// Finds the aliases among the refs that the plan changes, and takes them out of its changes.
pub(super) async fn spare_aliases(plan: &mut Plan, there: &[Ref], destination: &Remote) {
    let suspects = suspects(plan, there);
    if suspects.is_empty() {
        return;
    }
    let targets = targets(destination, &suspects, there).await;
    spare(plan, &suspects, targets.as_ref());
}

/// The changed refs that share their id with another ref of the destination, and the names of those others.
fn suspects(plan: &Plan, there: &[Ref]) -> HashMap<BString, Vec<BString>> {
    let changed: HashSet<ObjectId> =
        plan.entries.iter().filter(|entry| entry.is_open()).filter_map(|entry| entry.destination).collect();
    if changed.is_empty() {
        return HashMap::new();
    }
    let mut by_id: HashMap<ObjectId, Vec<&BString>> = HashMap::new();
    for r in there.iter().filter(|r| changed.contains(&r.id)) {
        by_id.entry(r.id).or_default().push(&r.name);
    }
    let open = plan.entries.iter().filter(|entry| entry.is_open());
    let twins = |entry: &Entry| -> Vec<BString> {
        let same = entry.destination.and_then(|id| by_id.get(&id)).into_iter().flatten();
        same.filter(|name| ***name != entry.name).map(|name| (*name).clone()).collect()
    };
    open.map(|entry| (entry.name.clone(), twins(entry))).filter(|(_, twins)| !twins.is_empty()).collect()
}

/// Asks the destination about the suspects and the refs that they share an id with.
async fn targets(destination: &Remote, suspects: &HashMap<BString, Vec<BString>>, there: &[Ref]) -> Targets {
    let mut names: Vec<BString> =
        suspects.iter().flat_map(|(name, twins)| twins.iter().chain([name])).cloned().collect();
    names.sort_unstable();
    names.dedup();
    if names.len() > MAX_PREFIXES.min(there.len()) {
        names = vec!["refs/".into()];
    }
    let (upload, refs) = destination.list_refs(&names).await.ok()?;
    let targets = refs.into_iter().filter_map(|r| Some((r.name, r.symref_target?)));
    upload.tells_symbolic_refs().then(|| targets.collect())
}

fn spare(plan: &mut Plan, suspects: &HashMap<BString, Vec<BString>>, targets: Option<&HashMap<BString, BString>>) {
    let is_alias = |name: &BString| targets.is_some_and(|targets| targets.contains_key(name));
    plan.entries.retain(|entry| entry.decision != Decision::Delete || !is_alias(&entry.name));
    // An alias that already has the wanted id moves with its target.
    for entry in plan.entries.iter_mut().filter(|entry| entry.is_open() || entry.decision == Decision::Unchanged) {
        if let Some(target) = targets.and_then(|targets| targets.get(&entry.name)) {
            entry.decision = Decision::Alias(target.clone());
        }
    }
    let mut may_move_others = false;
    for entry in plan.entries.iter_mut().filter(|entry| entry.is_open()) {
        let (name, is_deletion) = (entry.name.clone(), entry.decision == Decision::Delete);
        match (targets, suspects.get(&name)) {
            (_, None) => {}
            (Some(targets), Some(twins)) => {
                if let Some(alias) = twins.iter().find(|twin| is_deletion && targets.get(*twin) == Some(&name)) {
                    let message = format!("at the destination {alias} is a symbolic ref to it; delete that one first");
                    entry.decision = Decision::Rejected(Reason::Protected, Some(message));
                }
            }
            (None, Some(twins)) if is_deletion => {
                let twin = &twins[0];
                let message = format!(
                    "the destination does not tell whether it is a symbolic ref to {twin}, which its deletion would delete; \
                     delete it there"
                );
                entry.decision = Decision::Rejected(Reason::Protected, Some(message));
            }
            (None, Some(_)) => may_move_others = true,
        }
    }
    plan.may_move_others |= may_move_others;
}

/// The most names that are asked for one by one. More are asked for as "all refs".
const MAX_PREFIXES: usize = 64;
