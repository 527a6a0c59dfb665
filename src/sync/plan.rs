//! The plan of a sync, made from the refs of both sides and the globs, without IO and without a clock.
//!
//! Refs that the source does not have stay at the destination, unless the policy says to prune them.

use std::{borrow::Cow, cell::Cell, collections::HashSet};

use gix_hash::{Kind, ObjectId};
use gix_object::bstr::{BStr, BString, ByteSlice, ByteVec};

use super::{
    policy::{Policy, backup_name},
    selection::{HEADS, Selection, TAGS, Unmatched, head_branch},
    verdict::RefusedRef,
};
use crate::{
    api::{MessageSide, Outcome, Reason, SyncRunMessage, SyncRunRef},
    git::{Command, Ref},
};

/// What to do with every source ref that matches the globs, by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The entries, sorted by name.
    pub entries: Vec<Entry>,
    /// The format of its ids.
    pub object_format: Kind,
    /// Messages of the remotes, each text once.
    pub messages: Vec<SyncRunMessage>,
    /// Whether a change may move another ref too, because the destination does not mark its symbolic refs.
    pub(super) may_move_others: bool,
    /// The full name of the branch that the source's `HEAD` names; `None` if the source does not tell it. It need not be an
    /// entry.
    pub head: Option<BString>,
    /// The globs that match no ref of the source.
    pub unmatched: Unmatched,
    /// Whether the destination has no branch yet.
    into_empty: bool,
    /// Whether the old commits of deleted refs are kept.
    keeps_deleted: bool,
}

/// One ref.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The full name.
    pub name: BString,
    /// The source's id; the null id if the source does not have the ref and it is to be deleted.
    pub source: ObjectId,
    /// The commit that the source's annotated tag finally points to.
    pub source_peeled: Option<Box<ObjectId>>,
    /// The destination's id.
    pub destination: Option<ObjectId>,
    /// What to do.
    pub decision: Decision,
    /// The index in [`Plan::messages`] of a remote's message about the request with this ref.
    pub message_index: Option<u32>,
    /// How many commits only the source has, and how many only the destination has, if the ref is held and they were counted.
    pub divergence: Option<(u32, u32)>,
    /// Whether the destination has done it.
    pub(super) is_done: bool,
}

/// What to do with a ref. After the sync: what was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Both sides have the same.
    Unchanged,
    /// The destination has no such ref: create it.
    Create,
    /// The destination has another id. It is not proved yet that this is a fast-forward.
    Candidate,
    /// Proved: move it.
    FastForward,
    /// It has diverged: move it anyway. Its old commit is kept under another name.
    Force,
    /// The source has no such ref: delete it.
    Delete,
    /// Left out on purpose.
    Filtered(Reason),
    /// Left out because the destination has a symbolic ref of this name. This is its target.
    Alias(BString),
    /// Not done, with the destination's message.
    Rejected(Reason, Option<String>),
}

impl Plan {
    /// Plans a sync of the refs that `selection` names.
    pub fn new(
        source: Vec<Ref>,
        destination: &[Ref],
        selection: &Selection,
        policy: &Policy,
        object_format: Kind,
    ) -> Self {
        let head = head_branch(&source);
        let unmatched = selection.unmatched(&source);
        let into_empty = !destination.iter().any(|r| r.name.starts_with(HEADS));
        let there = ByName::new(destination.iter());
        let deletions =
            if policy.prune.is_some() { deletions(&source, destination, selection, policy) } else { Vec::new() };
        let gone: HashSet<&BStr> = deletions.iter().map(|r| r.name.as_bstr()).collect();
        let staying = if gone.is_empty() {
            Cow::Borrowed(&there)
        } else {
            Cow::Owned(ByName::new(destination.iter().filter(|r| !gone.contains(r.name.as_bstr()))))
        };
        // Almost all refs match, and a growing vector would copy them again and again.
        let mut entries = Vec::with_capacity(source.len() + deletions.len());
        entries.extend(source.into_iter().filter(|r| selection.matches(r.name.as_bstr())).map(|r| {
            let destination = there.id(r.name.as_bstr());
            let decision = decide(&r, destination, &staying, policy);
            Entry {
                name: r.name,
                source: r.id,
                source_peeled: r.peeled,
                destination,
                decision,
                message_index: None,
                divergence: None,
                is_done: false,
            }
        }));
        entries.extend(deletions.into_iter().map(|r| Entry {
            name: r.name.clone(),
            source: object_format.null(),
            source_peeled: None,
            destination: Some(r.id),
            decision: match policy.holds(r.name.as_bstr(), Some(r.id), object_format.null()) {
                true => Decision::Rejected(Reason::Held, None),
                false => Decision::Delete,
            },
            message_index: None,
            divergence: None,
            is_done: false,
        }));
        sort_by_name(&mut entries, |entry| entry.name.as_bstr());
        Self {
            entries,
            object_format,
            messages: Vec::new(),
            may_move_others: false,
            head,
            unmatched,
            into_empty,
            keeps_deleted: policy.keep_deleted,
        }
    }

    /// The commands that are still to do, including candidates. Deletions come first, because a deleted name may be in the
    /// way of a new one. If the destination has no branch, the branch of the source's `HEAD` comes before everything else,
    /// because hosts make the first pushed branch the default.
    pub fn commands(&self) -> Vec<Command> {
        let command = |entry: &Entry| Command { name: entry.name.clone(), old: entry.destination, new: entry.source };
        let is_first = |entry: &Entry| self.into_empty && self.head.as_ref() == Some(&entry.name);
        let rank = |entry: &Entry| match entry.decision {
            _ if is_first(entry) => 0,
            Decision::Delete => 1,
            _ => 2,
        };
        let open = || self.entries.iter().filter(|entry| entry.is_open());
        (0..=2).flat_map(|place| open().filter(move |entry| rank(entry) == place)).map(command).collect()
    }

    /// Takes over the source's new ids. Refs that are done or decided do not change.
    pub(super) fn relist(&mut self, source: &[Ref], destination: &[Ref], policy: &Policy) {
        self.head = head_branch(source);
        let (here, there) = (ByName::new(source.iter()), ByName::new(destination.iter()));
        self.entries.retain_mut(|entry| {
            if !entry.is_open() {
                return true;
            }
            let found = here.get(entry.name.as_bstr());
            if entry.decision == Decision::Delete {
                return found.is_none();
            }
            let Some(found) = found else { return false };
            if found.id != entry.source {
                entry.source = found.id;
                entry.source_peeled = found.peeled.clone();
                entry.decision = decide(found, entry.destination, &there, policy);
            }
            true
        });
    }

    /// Refuses to force a ref whose old commit could not be kept.
    pub(super) fn reject_unkept(&mut self, name: &BString, refusal: &RefusedRef) {
        let message_index = self.say(refusal.side, &refusal.words);
        let message = format!("its old commit could not be kept: {}", refusal.why);
        for entry in self.entries.iter_mut().filter(|entry| entry.name == *name) {
            entry.decision = Decision::Rejected(Reason::RemoteRefused, Some(message.clone()));
            entry.message_index = message_index;
        }
    }

    /// Keeps a message of a remote once, and returns its index; `None` if there is no room for it.
    pub(super) fn say(&mut self, side: MessageSide, text: &str) -> Option<u32> {
        let message = SyncRunMessage { side, text: text.to_owned() };
        let known = self.messages.iter().position(|other| *other == message);
        let at = known.or_else(|| {
            let has_room = !text.is_empty() && self.messages.len() < MAX_MESSAGES;
            has_room.then(|| {
                self.messages.push(message);
                self.messages.len() - 1
            })
        });
        at.and_then(|at| u32::try_from(at).ok())
    }

    /// Applies the policy: forces or holds diverged refs if it says so, and moves nothing beside a rejected ref if it says
    /// all or none.
    pub fn apply(&mut self, policy: &Policy) {
        if policy.force || policy.hold.is_some() {
            self.force(policy);
        }
        if policy.atomic {
            self.hold_together();
        }
    }

    fn force(&mut self, policy: &Policy) {
        for entry in &mut self.entries {
            if matches!(&entry.decision, Decision::Rejected(Reason::NonFastForward | Reason::TagMoved, None)) {
                entry.decision = match policy.holds(entry.name.as_bstr(), entry.destination, entry.source) {
                    true => Decision::Rejected(Reason::Held, None),
                    false => Decision::Force,
                };
            }
        }
    }

    /// The refs to move or delete whose old commits are kept first: their names, and the names that keep the commits.
    pub(super) fn backups(&self) -> impl Iterator<Item = (BString, Ref)> {
        self.entries.iter().filter(|entry| entry.is_open()).filter_map(|entry| {
            let id = entry.old_kept(self.keeps_deleted)?;
            let name = backup_name(entry.name.as_bstr(), id);
            Some((entry.name.clone(), Ref { name, id, peeled: None, symref_target: None }))
        })
    }

    fn hold_together(&mut self) {
        let Some(rejected) = self.entries.iter().find(|entry| entry.is_rejected()) else { return };
        let message = format!("{} is rejected, and all refs move or none", rejected.name);
        for entry in self.entries.iter_mut().filter(|entry| entry.is_open()) {
            entry.decision = Decision::Rejected(Reason::AtomicPushFailed, Some(message.clone()));
        }
    }

    /// How many refs are to be deleted.
    pub fn deletions(&self) -> usize {
        self.entries.iter().filter(|entry| entry.decision == Decision::Delete).count()
    }

    /// Marks every candidate as proved.
    pub fn accept_candidates(&mut self) {
        self.entries.iter_mut().for_each(Entry::accept_candidate);
    }

    /// The refs of the stats if everything that is still to do succeeds, one by one: the texts of 100,000 refs at once would take 20 MB.
    pub fn into_refs(self) -> impl Iterator<Item = SyncRunRef> {
        let null = self.object_format.null();
        let keeps_deleted = self.keeps_deleted;
        self.entries.into_iter().map(move |entry| {
            let kept = entry.old_kept(keeps_deleted);
            let backup = kept.map(|old| Vec::from(backup_name(entry.name.as_bstr(), old)).into_string_lossy());
            let source = entry.is_held().then(|| hex(entry.source));
            let (ahead, behind) = entry.divergence.unzip();
            let (outcome, reason, message) = match entry.decision {
                Decision::Create | Decision::FastForward | Decision::Force | Decision::Delete => {
                    (Outcome::Updated, None, None)
                }
                Decision::Unchanged => (Outcome::Unchanged, None, None),
                Decision::Filtered(reason) => (Outcome::Filtered, Some(reason), None),
                Decision::Alias(target) => {
                    let message = format!("at the destination it is a symbolic ref to {target}");
                    (Outcome::Filtered, Some(Reason::SymbolicRef), Some(message))
                }
                Decision::Rejected(reason, message) => (Outcome::Rejected, Some(reason), message),
                Decision::Candidate => (Outcome::Rejected, Some(Reason::NonFastForward), None),
            };
            let before = entry.destination.map(hex);
            let after = match (outcome, &before) {
                (Outcome::Updated, _) => hex(entry.source),
                (_, Some(before)) => before.clone(),
                (_, None) => hex(null),
            };
            let name = Vec::from(entry.name).into_string_lossy();
            let message_index = entry.message_index;
            SyncRunRef { name, before, after, outcome, reason, message, message_index, backup, source, ahead, behind }
        })
    }
}

impl Entry {
    /// Whether it is a tag.
    pub fn is_tag(&self) -> bool {
        self.name.starts_with(TAGS)
    }

    /// Whether it is still to be done, or was done.
    pub fn is_pending(&self) -> bool {
        use Decision::{Candidate, Create, Delete, FastForward, Force};
        matches!(self.decision, Create | Candidate | FastForward | Force | Delete)
    }

    /// The old commit, if it is kept under another name.
    fn old_kept(&self, keeps_deleted: bool) -> Option<ObjectId> {
        let is_kept = self.decision == Decision::Force || self.decision == Decision::Delete && keeps_deleted;
        self.destination.filter(|_| is_kept)
    }

    /// Marks it as proved, if it is a candidate.
    pub(super) fn accept_candidate(&mut self) {
        if self.decision == Decision::Candidate {
            self.decision = Decision::FastForward;
        }
    }

    /// Whether it is still to be done.
    pub(super) fn is_open(&self) -> bool {
        self.is_pending() && !self.is_done
    }

    /// Whether it was asked for but not done.
    pub fn is_rejected(&self) -> bool {
        matches!(self.decision, Decision::Rejected(..))
    }

    /// Whether it waits for an approval.
    pub(super) fn is_held(&self) -> bool {
        self.decision == Decision::Rejected(Reason::Held, None)
    }

    /// Refuses a move that is not a fast-forward, with the reason that fits the ref's kind.
    pub fn reject_move(&mut self) {
        let reason = if self.is_tag() { Reason::TagMoved } else { Reason::NonFastForward };
        self.decision = Decision::Rejected(reason, None);
    }
}

/// Sorts refs. Servers mostly send them in order, and checking that takes a tenth of the time of sorting.
fn sort_by_name<T>(all: &mut [T], name: impl Fn(&T) -> &BStr) {
    if !all.is_sorted_by(|a, b| name(a) <= name(b)) {
        all.sort_by(|a, b| name(a).cmp(name(b)));
    }
}

/// An id in hexadecimal digits. (Its `Display` uses a formatter, which is noticeably slow for 100,000 ids.)
fn hex(id: ObjectId) -> String {
    id.hex_to_buf(&mut Kind::hex_buf()).to_owned()
}

/// Refs in the order of their names.
#[derive(Clone)]
struct ByName<'a> {
    refs: Vec<&'a Ref>,
    /// The index after the last ref found, because lookups mostly come in order too.
    next: Cell<usize>,
}

impl<'a> ByName<'a> {
    fn new(refs: impl Iterator<Item = &'a Ref>) -> Self {
        let mut refs: Vec<&Ref> = refs.collect();
        sort_by_name(&mut refs, |r| r.name.as_bstr());
        Self { refs, next: Cell::new(0) }
    }

    fn get(&self, name: &BStr) -> Option<&'a Ref> {
        let is_it = |at: usize| self.refs.get(at).copied().filter(|r| r.name == name);
        let next = self.next.get();
        let at = match is_it(next) {
            Some(_) => next,
            None => self.refs.partition_point(|r| r.name.as_bstr() < name),
        };
        let found = is_it(at)?;
        self.next.set(at + 1);
        Some(found)
    }

    fn id(&self, name: &BStr) -> Option<ObjectId> {
        self.get(name).map(|r| r.id)
    }

    /// The first whose name starts with `prefix`.
    fn first_below(&self, prefix: &BStr) -> Option<&'a Ref> {
        let start = self.refs.partition_point(|r| r.name.as_bstr() < prefix);
        self.refs.get(start).copied().filter(|r| r.name.starts_with(prefix))
    }
}

/// Refs that the destination has, the globs match, and the source does not have.
fn deletions<'a>(source: &[Ref], destination: &'a [Ref], selection: &Selection, policy: &Policy) -> Vec<&'a Ref> {
    let at_source: HashSet<&BStr> = source.iter().map(|r| r.name.as_bstr()).collect();
    let is_lost = |r: &&Ref| {
        selection.matches(r.name.as_bstr())
            && !at_source.contains(r.name.as_bstr())
            && !policy.excludes(&r.name.to_str_lossy())
    };
    destination.iter().filter(is_lost).collect()
}

fn decide(source: &Ref, destination: Option<ObjectId>, there: &ByName<'_>, policy: &Policy) -> Decision {
    let name = source.name.as_bstr();
    if policy.excludes(&name.to_str_lossy()) {
        return Decision::Filtered(Reason::Excluded);
    }
    if source.symref_target.is_some() {
        return Decision::Filtered(Reason::SymbolicRef);
    }
    // Not stricter than the destination: over the wire, Git accepts `refs/heads/-x` and bytes that are not UTF-8.
    if gix_validate::reference::name(name).is_err() {
        return Decision::Rejected(Reason::InvalidName, None);
    }
    match destination {
        Some(id) if id == source.id => Decision::Unchanged,
        Some(_) => Decision::Candidate,
        None => match conflict(name, there) {
            Some(other) => {
                let message = format!("the destination has {other}, and a ref cannot be a directory too");
                Decision::Rejected(Reason::NameConflict, Some(message))
            }
            None => Decision::Create,
        },
    }
}

/// A name at the destination that is a directory of `name`, or that has `name` as a directory.
fn conflict<'a>(name: &BStr, there: &ByName<'a>) -> Option<&'a BStr> {
    let mut parents = name.find_iter(b"/").filter_map(|at| there.get(name[..at].as_bstr()));
    let below = || {
        let mut directory = name.to_owned();
        directory.push(b'/');
        there.first_below(directory.as_bstr())
    };
    parents.next().or_else(below).map(|r| r.name.as_bstr())
}

/// The most messages of remotes that are kept.
const MAX_MESSAGES: usize = 32;
