//! The memory of this WebAssembly instance: how it grows, and how large it may get.

use std::{arch::wasm32::memory_size, hint::black_box};

use crate::http::{Error, ErrorKind};

/// The most bytes that the memory may have before a sync is given up. A memory that is full ends in a trap, and an instance
/// that has trapped is of no more use.
#[derive(Clone, Copy)]
pub(super) struct MemoryLimit(usize);

impl MemoryLimit {
    /// A limit of so many bytes. Memory never shrinks: an instance that has more already may keep what it has.
    pub(super) fn new(bytes: usize) -> Self {
        Self(bytes.max(size()))
    }

    /// Makes room for what is about to come.
    ///
    /// Memory that grows by 64 KiB at a time costs more than what is done with it, because the host makes a new buffer each time.
    /// A block that is taken and given back leaves its room behind.
    ///
    /// # Errors
    ///
    /// If the memory is larger than it may be.
    pub(super) fn make_room(self) -> Result<(), Error> {
        let size = size();
        if size > self.0 {
            let megabytes = self.0 >> 20;
            let message = format!(
                "the sync needs more than {megabytes} MiB of memory; if that is in order, raise maxMemory (--max-memory)"
            );
            return Err(Error::new(ErrorKind::OutOfMemory, message));
        }
        let mut block = Vec::<u8>::new();
        // If the host gives no more, there may still be room for smaller blocks.
        let _ = block.try_reserve_exact((size / 8).clamp(LEAST_STEP, MOST_STEP));
        drop(black_box(block));
        Ok(())
    }
}

impl Default for MemoryLimit {
    fn default() -> Self {
        Self::new(2 << 30)
    }
}

fn size() -> usize {
    memory_size::<0>() * PAGE
}

const PAGE: usize = 64 << 10;
const LEAST_STEP: usize = 1 << 20;
const MOST_STEP: usize = 16 << 20;
