//! Which commits descend from which, as far as a pack tells.
//!
//! In a pack that answers `want X, have D`, the commit D is an ancestor of X exactly when some commit in the pack that is
//! reachable from X has D as a parent (`gitglossary`, "fast-forward"). With several haves the walk from X may stop at
//! another have first: then D may still be below that one, and the answer is [`Ancestry::Unknown`].

use std::collections::{HashMap, HashSet, VecDeque};

use gix_hash::ObjectId;

/// Commits and their parents.
#[derive(Clone, Debug, Default)]
pub struct CommitGraph {
    parents: HashMap<ObjectId, Vec<ObjectId>>,
}

/// Whether one commit is an ancestor of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ancestry {
    /// It is.
    Ancestor,
    /// It is not: the walk met the whole history down to its roots.
    NotAncestor,
    /// The walk left the known commits before it met it.
    Unknown,
}

impl CommitGraph {
    /// Adds a commit.
    pub fn insert(&mut self, commit: ObjectId, parents: Vec<ObjectId>) {
        self.parents.insert(commit, parents);
    }

    /// How many commits are known.
    pub fn len(&self) -> usize {
        self.parents.len()
    }

    /// Whether none is known.
    pub fn is_empty(&self) -> bool {
        self.parents.is_empty()
    }

    /// `tip` and its first parents, as far as they are known.
    pub fn first_parents(&self, tip: ObjectId) -> Vec<ObjectId> {
        let parent = |commit: &ObjectId| self.parents.get(commit)?.first().copied();
        let known = |commit: &ObjectId| self.parents.contains_key(commit);
        std::iter::successors(Some(tip), parent).take_while(known).collect()
    }

    /// Whether `ancestor` is an ancestor of `tip`, or the same.
    pub fn ancestry(&self, ancestor: ObjectId, tip: ObjectId) -> Ancestry {
        // The nearest first: a branch mostly moves by a few commits, however far what it was merged from goes back.
        let (mut seen, mut queue) = (HashSet::from([tip]), VecDeque::from([tip]));
        let mut left_the_graph = false;
        while let Some(commit) = queue.pop_front() {
            if commit == ancestor {
                return Ancestry::Ancestor;
            }
            let Some(parents) = self.parents.get(&commit) else {
                left_the_graph = true;
                continue;
            };
            queue.extend(parents.iter().copied().filter(|parent| seen.insert(*parent)));
        }
        if left_the_graph { Ancestry::Unknown } else { Ancestry::NotAncestor }
    }
}
