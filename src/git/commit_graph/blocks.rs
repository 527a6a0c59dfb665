//! A list that grows by blocks.
//!
//! A full vector copies everything into one of twice the size, and for that moment both are in memory. WebAssembly's memory
//! never shrinks, so the peak would stay. Here nothing is copied once the first block is full.

/// A list of small values.
#[derive(Clone, Debug)]
pub(super) struct Blocks<T> {
    /// All but the last are full.
    blocks: Vec<Vec<T>>,
}

impl<T> Default for Blocks<T> {
    fn default() -> Self {
        Self { blocks: Vec::new() }
    }
}

impl<T: Copy> Blocks<T> {
    /// How many values there are.
    pub(super) fn len(&self) -> usize {
        self.blocks.last().map_or(0, |last| (self.blocks.len() - 1) * BLOCK + last.len())
    }

    pub(super) fn push(&mut self, value: T) {
        match self.blocks.last_mut() {
            Some(last) if last.len() < BLOCK => last.push(value),
            // The first block starts small, because most lists are short.
            None => self.blocks.push(vec![value]),
            Some(_) => {
                let mut block = Vec::with_capacity(BLOCK);
                block.push(value);
                self.blocks.push(block);
            }
        }
    }

    /// The value at an index, which must exist.
    pub(super) fn at(&self, place: usize) -> T {
        self.blocks[place / BLOCK][place % BLOCK]
    }

    /// Replaces the value at an index, which must exist.
    pub(super) fn set(&mut self, place: usize, value: T) {
        self.blocks[place / BLOCK][place % BLOCK] = value;
    }

    /// How many bytes it takes in memory.
    pub(super) fn bytes(&self) -> usize {
        self.blocks.iter().map(|block| block.capacity() * size_of::<T>()).sum()
    }
}

/// How many values a block has.
const BLOCK: usize = 1 << 13;
