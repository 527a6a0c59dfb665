//! The ancestry of many pairs at once.
//!
//! One walk a pair would read the whole history for each branch that has diverged. Here one pass over all commits answers
//! for 64 ancestors: a commit reaches itself and everything that its parents reach.

use gix_hash::ObjectId;

use super::{Ancestry, CommitGraph};

impl CommitGraph {
    /// [`CommitGraph::ancestry`] for each pair of an ancestor and a tip.
    pub fn ancestries(&self, pairs: &[(ObjectId, ObjectId)]) -> Vec<Ancestry> {
        if pairs.len() <= FEW {
            return pairs.iter().map(|(ancestor, tip)| self.ancestry(*ancestor, *tip)).collect();
        }
        let order = self.parents_first();
        let unknown: Vec<u32> = (0..self.ids.len() as u32).filter(|number| !self.is_known(*number)).collect();
        let leaves = self.reached(&order, unknown.iter().map(|number| (*number, 1)));
        let unless_found = |(ancestor, tip): &(ObjectId, ObjectId)| match self.ids.number(tip) {
            _ if ancestor == tip => Ancestry::Ancestor,
            Some(tip) if leaves[tip as usize] == 0 => Ancestry::NotAncestor,
            _ => Ancestry::Unknown,
        };
        let mut ancestries: Vec<Ancestry> = pairs.iter().map(unless_found).collect();
        drop(leaves);

        let numbers = |(at, (ancestor, tip)): (usize, &(ObjectId, ObjectId))| {
            Some((self.ids.number(ancestor)?, self.ids.number(tip)?, at))
        };
        let mut looked_for: Vec<(u32, u32, usize)> = pairs.iter().enumerate().filter_map(numbers).collect();
        looked_for.sort_unstable();
        let of_one_ancestor: Vec<&[(u32, u32, usize)]> = looked_for.chunk_by(|a, b| a.0 == b.0).collect();
        for group in of_one_ancestor.chunks(64) {
            let reached = self.reached(&order, group.iter().enumerate().map(|(bit, same)| (same[0].0, 1 << bit)));
            for (bit, same) in group.iter().enumerate() {
                for (_, _, at) in same.iter().filter(|(_, tip, _)| reached[*tip as usize] >> bit & 1 == 1) {
                    ancestries[*at] = Ancestry::Ancestor;
                }
            }
        }
        ancestries
    }

    /// Which of the marks each commit reaches.
    fn reached(&self, parents_first: &[u32], marks: impl Iterator<Item = (u32, u64)>) -> Vec<u64> {
        let mut reached = vec![0; self.ids.len()];
        for (number, mark) in marks {
            reached[number as usize] |= mark;
        }
        for number in parents_first {
            let by_parents = self.parents(*number).fold(0, |all, parent| all | reached[parent as usize]);
            reached[*number as usize] |= by_parents;
        }
        reached
    }

    /// All numbers, parents before children.
    fn parents_first(&self) -> Vec<u32> {
        let all = 0..self.ids.len() as u32;
        let mut children = vec![0u32; self.ids.len()];
        for parent in all.clone().flat_map(|number| self.parents(number)) {
            children[parent as usize] += 1;
        }
        // Children come first until it is reversed. The list is also the queue of the walk.
        let mut order: Vec<u32> = all.filter(|number| children[*number as usize] == 0).collect();
        let mut next = 0;
        while let Some(number) = order.get(next).copied() {
            next += 1;
            for parent in self.parents(number) {
                children[parent as usize] -= 1;
                if children[parent as usize] == 0 {
                    order.push(parent);
                }
            }
        }
        order.reverse();
        order
    }
}

/// Up to this many pairs, one walk a pair is faster.
const FEW: usize = 8;
