//! Which commits descend from which, as far as a pack shows.
//!
//! In a pack that answers `want X, have D`, the commit D is an ancestor of X exactly when some commit in the pack that is
//! reachable from X has D as a parent (`gitglossary`, "fast-forward"). With several haves the walk from X may stop at
//! another have first. Then D may still be an ancestor of that have, and the answer is [`Ancestry::Unknown`].
//!
//! A catch-up may bring a million commits, so everything lies in flat lists: at most 64 bytes for a commit with one parent.

mod blocks;
mod id_table;
mod many;

use std::collections::VecDeque;

use gix_hash::ObjectId;

use self::{blocks::Blocks, id_table::IdTable};
use crate::git::limits::Exceeded;

/// Commits and their parents.
#[derive(Clone, Debug)]
pub struct CommitGraph {
    /// Ids of commits, and of the parents that they name.
    ids: IdTable,
    /// For each id the index of its first parent in `parents`; [`UNSEEN`] for a commit that is only named as a parent,
    /// [`ROOT`] for one without parents.
    starts: Blocks<u32>,
    /// For each id the place of its commit in the pack, or zero.
    places: Blocks<u64>,
    /// The parents' numbers. [`LAST`] marks the last parent of a commit.
    parents: Blocks<u32>,
    /// How many different commits came, and how many came again.
    commits: usize,
    again: usize,
    /// The most ids that it may hold.
    most: usize,
}

/// Whether one commit is an ancestor of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ancestry {
    /// It is.
    Ancestor,
    /// It is not: the walk saw the whole history down to its roots.
    NotAncestor,
    /// Not decided: the walk reached commits that are not known.
    Unknown,
}

impl CommitGraph {
    /// An empty graph for at most this many commits. A named parent counts as one.
    pub fn new(most: usize) -> Self {
        Self {
            ids: IdTable::default(),
            starts: Blocks::default(),
            places: Blocks::default(),
            parents: Blocks::default(),
            commits: 0,
            again: 0,
            most: most.min(LAST as usize),
        }
    }

    /// Adds a commit and its place in the pack, which is never zero. A known commit does not change.
    ///
    /// # Errors
    ///
    /// If the graph would have too many commits.
    pub fn insert(
        &mut self,
        commit: &ObjectId,
        place: u64,
        parents: impl Iterator<Item = ObjectId>,
    ) -> Result<(), Exceeded> {
        let number = self.number(commit)?;
        if self.starts.at(number) != UNSEEN {
            self.again += 1;
            return if self.again > self.most { Err(Exceeded::Commits(self.most)) } else { Ok(()) };
        }
        self.places.set(number, place);
        let start = self.parents.len();
        for parent in parents {
            let parent = self.number(&parent)? as u32;
            self.parents.push(parent);
            if self.parents.len() > self.most.saturating_mul(2) {
                return Err(Exceeded::Commits(self.most));
            }
        }
        match self.parents.len() {
            end if end == start => self.starts.set(number, ROOT),
            end => {
                self.parents.set(end - 1, self.parents.at(end - 1) | LAST);
                self.starts.set(number, start as u32);
            }
        }
        self.commits += 1;
        Ok(())
    }

    /// How many commits are known.
    pub fn len(&self) -> usize {
        self.commits
    }

    /// Whether no commit is known.
    pub fn is_empty(&self) -> bool {
        self.commits == 0
    }

    /// Whether this commit is known.
    pub fn contains(&self, commit: &ObjectId) -> bool {
        self.ids.number(commit).is_some_and(|number| self.is_known(number))
    }

    /// The commit's place in the pack, if it is known.
    pub fn place(&self, commit: &ObjectId) -> Option<u64> {
        let number = self.ids.number(commit).filter(|number| self.is_known(*number))?;
        Some(self.places.at(number as usize))
    }

    /// How many bytes it takes in memory.
    pub fn bytes(&self) -> usize {
        self.ids.bytes() + self.starts.bytes() + self.places.bytes() + self.parents.bytes()
    }

    /// The parents that are named but not known.
    pub fn frontier(&self) -> impl Iterator<Item = ObjectId> {
        (0..self.ids.len() as u32).filter(|number| !self.is_known(*number)).map(|number| self.ids.id(number))
    }

    /// `tip` and its first parents, as far as they are known.
    pub fn first_parents(&self, tip: ObjectId) -> Vec<ObjectId> {
        let known = |number: &u32| self.is_known(*number);
        let first = self.ids.number(&tip).filter(known);
        let line = std::iter::successors(first, |number| self.parents(*number).next().filter(known));
        line.map(|number| self.ids.id(number)).collect()
    }

    /// Whether `ancestor` is an ancestor of `tip`, or `tip` itself.
    pub fn ancestry(&self, ancestor: ObjectId, tip: ObjectId) -> Ancestry {
        if ancestor == tip {
            return Ancestry::Ancestor;
        }
        let Some(tip) = self.ids.number(&tip) else { return Ancestry::Unknown };
        let ancestor = self.ids.number(&ancestor);
        // Breadth-first: branches usually move by a few commits, even if a merge reaches far back.
        let (mut seen, mut queue) = (vec![0u64; self.ids.len() / 64 + 1], VecDeque::from([tip]));
        let mut left_the_graph = false;
        while let Some(number) = queue.pop_front() {
            if Some(number) == ancestor {
                return Ancestry::Ancestor;
            }
            left_the_graph |= !self.is_known(number);
            for parent in self.parents(number) {
                let (word, bit) = (parent as usize / 64, 1 << (parent % 64));
                if seen[word] & bit == 0 {
                    seen[word] |= bit;
                    queue.push_back(parent);
                }
            }
        }
        if left_the_graph { Ancestry::Unknown } else { Ancestry::NotAncestor }
    }

    /// How many known commits `one` reaches and `other` does not, and the reverse.
    pub fn divergence(&self, one: ObjectId, other: ObjectId) -> (u32, u32) {
        let reached = [one, other].map(|tip| {
            let mut seen = vec![false; self.ids.len()];
            let mut open: Vec<u32> = self.ids.number(&tip).into_iter().collect();
            while let Some(number) = open.pop() {
                if !std::mem::replace(&mut seen[number as usize], true) {
                    open.extend(self.parents(number));
                }
            }
            seen
        });
        let only = |mine: usize| {
            let is_only = |number: &u32| reached[mine][*number as usize] && !reached[1 - mine][*number as usize];
            (0..self.ids.len() as u32).filter(|number| self.is_known(*number)).filter(is_only).count() as u32
        };
        (only(0), only(1))
    }

    /// The number of an id. A new id gets the next number.
    fn number(&mut self, id: &ObjectId) -> Result<usize, Exceeded> {
        let number = self.ids.insert(id) as usize;
        if number == self.starts.len() {
            if number >= self.most {
                return Err(Exceeded::Commits(self.most));
            }
            self.starts.push(UNSEEN);
            self.places.push(0);
        }
        Ok(number)
    }

    fn is_known(&self, number: u32) -> bool {
        self.starts.at(number as usize) != UNSEEN
    }

    /// The parents of a commit; none if the commit is only named.
    fn parents(&self, number: u32) -> impl Iterator<Item = u32> {
        let mut next = match self.starts.at(number as usize) {
            UNSEEN | ROOT => None,
            start => Some(start as usize),
        };
        std::iter::from_fn(move || {
            let parent = self.parents.at(next?);
            next = if parent & LAST == 0 { next.map(|at| at + 1) } else { None };
            Some(parent & !LAST)
        })
    }
}

/// An id that is named as a parent, but its commit has not come.
const UNSEEN: u32 = u32::MAX;
/// A commit without parents.
const ROOT: u32 = u32::MAX - 1;
/// In the number of a commit's last parent.
const LAST: u32 = 1 << 31;
