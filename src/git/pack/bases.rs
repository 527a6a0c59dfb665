//! The latest commits with their whole content, because later objects may be deltas to them.
//!
//! They are stored in blocks. If there is no room, the oldest block is dropped. So no commit has an allocation of its own,
//! and memory does not depend on the number of commits.

use std::collections::VecDeque;

/// Contents of commits, by their positions in the pack.
#[derive(Debug)]
pub(super) struct Bases {
    blocks: VecDeque<Block>,
    /// How many bytes the blocks have room for.
    bytes: usize,
    /// The most bytes of all blocks.
    most: usize,
}

/// Contents one after the other, in the order in which they came.
#[derive(Debug)]
struct Block {
    /// The position of each commit in the pack, and the start of its content in this block.
    starts: Vec<(u64, usize)>,
    content: Vec<u8>,
}

impl Bases {
    /// Keeps at most this many bytes.
    pub(super) fn new(most: usize) -> Self {
        Self { blocks: VecDeque::new(), bytes: 0, most }
    }

    /// Keeps a commit that starts after all others. A commit that is larger than all the room is not kept.
    pub(super) fn keep(&mut self, start: u64, content: &[u8]) {
        if content.len() > self.most {
            return;
        }
        let block_size = self.most / BLOCKS;
        let fits = |block: &Block| block.content.len() + content.len() <= block_size;
        if !self.blocks.back().is_some_and(fits) {
            let size = block_size.max(content.len());
            self.bytes += size;
            while self.bytes > self.most {
                let oldest = self.blocks.pop_front().expect("the bytes are those of blocks");
                self.bytes -= block_size.max(oldest.content.len());
            }
            // The first block starts small, because most packs are small.
            let capacity = if self.blocks.is_empty() { content.len() } else { size };
            self.blocks.push_back(Block { starts: Vec::new(), content: Vec::with_capacity(capacity) });
        }
        let block = self.blocks.back_mut().expect("it was added if there was none");
        block.starts.push((start, block.content.len()));
        block.content.extend_from_slice(content);
    }

    /// The commit at this position, if it is still kept.
    pub(super) fn at(&self, start: u64) -> Option<&[u8]> {
        let block = self.blocks.partition_point(|block| block.starts.first().is_some_and(|(first, _)| *first <= start));
        let block = self.blocks.get(block.checked_sub(1)?)?;
        let at = block.starts.binary_search_by_key(&start, |(start, _)| *start).ok()?;
        let end = block.starts.get(at + 1).map_or(block.content.len(), |(_, next)| *next);
        Some(&block.content[block.starts[at].1..end])
    }
}

/// The number of blocks. One block is dropped at a time.
const BLOCKS: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_are_there_and_the_oldest_have_gone() {
        let mut bases = Bases::new(16_000);
        let content = |n: u64| vec![n as u8; 100 + n as usize % 50];
        for n in 0..1000 {
            bases.keep(n * 10, &content(n));
            for back in 0..n.min(90) {
                assert_eq!(bases.at((n - back) * 10), Some(&content(n - back)[..]), "{back} before {n}");
            }
            assert_eq!(bases.at(n * 10 + 1), None, "nothing starts there");
            let held: usize = bases.blocks.iter().map(|block| block.content.len()).sum();
            assert!(held <= 16_000, "{held} bytes");
        }
        assert_eq!(bases.at(0), None, "it has gone");
    }

    #[test]
    fn one_that_is_large_takes_the_place_of_others_and_one_that_is_larger_is_not_kept() {
        let mut bases = Bases::new(1600);
        for n in 0..10 {
            bases.keep(n, &[1; 100]);
        }
        bases.keep(10, &[2; 1500]);
        assert_eq!(bases.at(10), Some(&[2; 1500][..]));
        assert_eq!((bases.at(9), bases.at(8)), (Some(&[1; 100][..]), None), "there is room for one beside it");
        bases.keep(11, &[3; 1601]);
        assert_eq!(bases.at(11), None);
        bases.keep(12, &[4; 1600]);
        assert_eq!((bases.at(12), bases.at(10)), (Some(&[4; 1600][..]), None));
    }
}
