//! What a sync is going to do: from the refs of both sides and the globs, without IO and without a clock.
//!
//! Deletions are never planned: what the source lacks stays at the destination.

use std::{
    collections::{BTreeSet, HashMap},
    ops::Bound,
};

use gix_hash::{Kind, ObjectId};
use gix_object::bstr::{BStr, BString, ByteSlice};

use crate::{
    git::{Command, Ref},
    model::{Outcome, Reason, RefGlobs, SyncRunRef, SyncRunStats},
};

/// What to do with every source ref that matches the globs, by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The entries, sorted by name.
    pub entries: Vec<Entry>,
    object_format: Kind,
}

/// One ref.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The full name.
    pub name: BString,
    /// What the source has.
    pub source: ObjectId,
    /// What the source's annotated tag points to in the end.
    pub source_peeled: Option<ObjectId>,
    /// What the destination has.
    pub destination: Option<ObjectId>,
    /// What to do.
    pub decision: Decision,
}

/// What to do with a ref, and in the end what was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Both sides have the same.
    Unchanged,
    /// The destination has no such ref: create it.
    Create,
    /// The destination has another id, and it is still to be proved that this is a fast-forward.
    Candidate,
    /// Proved: move it.
    FastForward,
    /// Left out on purpose.
    Filtered(Reason),
    /// Not done, and what the destination said about it.
    Rejected(Reason, Option<String>),
}

impl Plan {
    /// Plans a sync of the refs that match `globs`.
    pub fn new(source: &[Ref], destination: &[Ref], globs: &RefGlobs, object_format: Kind) -> Self {
        let there: HashMap<&BStr, ObjectId> = destination.iter().map(|r| (r.name.as_bstr(), r.id)).collect();
        let names: BTreeSet<&BStr> = there.keys().copied().collect();
        let mut entries: Vec<Entry> = source
            .iter()
            .filter(|r| matches(globs, r.name.as_bstr()))
            .map(|r| {
                let destination = there.get(r.name.as_bstr()).copied();
                Entry {
                    name: r.name.clone(),
                    source: r.id,
                    source_peeled: r.peeled,
                    destination,
                    decision: decide(r, destination, &names),
                }
            })
            .collect();
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Self { entries, object_format }
    }

    /// The ref prefixes that cover everything the globs can match.
    pub fn prefixes(globs: &RefGlobs) -> Vec<BString> {
        [("refs/heads/", &globs.branches), ("refs/tags/", &globs.tags)]
            .into_iter()
            .filter(|(_, glob)| !glob.is_none())
            .map(|(namespace, glob)| BString::from(format!("{namespace}{}", glob.literal_prefix())))
            .collect()
    }

    /// The commands that make the destination so, candidates among them.
    pub fn commands(&self) -> Vec<Command> {
        self.entries
            .iter()
            .filter(|entry| matches!(entry.decision, Decision::Create | Decision::Candidate | Decision::FastForward))
            .map(|entry| Command { name: entry.name.clone(), old: entry.destination, new: entry.source })
            .collect()
    }

    /// Takes every candidate for proved.
    pub fn accept_candidates(&mut self) {
        for entry in self.entries.iter_mut().filter(|entry| entry.decision == Decision::Candidate) {
            entry.decision = Decision::FastForward;
        }
    }

    /// The stats, where everything that was still to be done is done.
    pub fn into_stats(self) -> SyncRunStats {
        let null = self.object_format.null();
        let refs = self.entries.into_iter().map(|entry| {
            let (outcome, reason, message) = match entry.decision {
                Decision::Create | Decision::FastForward => (Outcome::Updated, None, None),
                Decision::Unchanged => (Outcome::Unchanged, None, None),
                Decision::Filtered(reason) => (Outcome::Filtered, Some(reason), None),
                Decision::Rejected(reason, message) => (Outcome::Rejected, Some(reason), message),
                Decision::Candidate => (Outcome::Rejected, Some(Reason::NonFastForward), None),
            };
            let after = if outcome == Outcome::Updated { entry.source } else { entry.destination.unwrap_or(null) };
            SyncRunRef {
                name: entry.name.to_string(),
                before: entry.destination.map(|id| id.to_string()),
                after: after.to_string(),
                outcome,
                reason,
                message,
            }
        });
        SyncRunStats { refs: refs.collect() }
    }
}

impl Entry {
    /// Whether it is a tag.
    pub fn is_tag(&self) -> bool {
        self.name.starts_with(TAGS)
    }

    /// Refuses a move that is not a fast-forward, in the word that fits the ref's kind.
    pub fn reject_move(&mut self) {
        let reason = if self.is_tag() { Reason::TagMoved } else { Reason::NonFastForward };
        self.decision = Decision::Rejected(reason, None);
    }
}

/// Whether the ref's short name matches the glob of its kind. A name that is not UTF-8 is compared with its bad bytes replaced.
fn matches(globs: &RefGlobs, name: &BStr) -> bool {
    let (glob, short) = match (name.strip_prefix(HEADS), name.strip_prefix(TAGS)) {
        (Some(branch), _) => (&globs.branches, branch),
        (_, Some(tag)) => (&globs.tags, tag),
        _ => return false,
    };
    glob.matches(&short.to_str_lossy())
}

fn decide(source: &Ref, destination: Option<ObjectId>, names: &BTreeSet<&BStr>) -> Decision {
    let name = source.name.as_bstr();
    if source.symref_target.is_some() {
        return Decision::Filtered(Reason::SymbolicRef);
    }
    if name.to_str().is_err() || gix_validate::reference::branch_name(name).is_err() {
        return Decision::Rejected(Reason::InvalidName, None);
    }
    match destination {
        Some(id) if id == source.id => Decision::Unchanged,
        Some(_) => Decision::Candidate,
        None => match conflict(name, names) {
            Some(other) => {
                let message = format!("the destination has {other}, and a ref cannot be a directory too");
                Decision::Rejected(Reason::NameConflict, Some(message))
            }
            None => Decision::Create,
        },
    }
}

/// A name at the destination that is a directory of `name`, or that has `name` as a directory.
fn conflict<'a>(name: &BStr, names: &BTreeSet<&'a BStr>) -> Option<&'a BStr> {
    let parents = name.find_iter(b"/").filter_map(|at| names.get(name[..at].as_bstr()));
    let mut directory = name.to_owned();
    directory.push(b'/');
    let children = names
        .range::<BStr, _>((Bound::Included(directory.as_bstr()), Bound::Unbounded))
        .next()
        .filter(|n| n.starts_with(&directory));
    parents.chain(children).next().copied()
}

const HEADS: &[u8] = b"refs/heads/";
const TAGS: &[u8] = b"refs/tags/";
