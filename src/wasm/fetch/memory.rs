//! The memory of this WebAssembly instance: how it grows, and how large it may get.

use std::{arch::wasm32::memory_size, hint::black_box};

use crate::http::{Error, ErrorKind};

/// The most bytes that the memory may have before a sync is given up. If the memory were full, the instance would trap, and
/// a trapped instance cannot be used again.
#[derive(Clone, Copy)]
pub(crate) struct MemoryLimit(usize);

impl MemoryLimit {
    /// A limit of this many bytes. Memory never shrinks, so an instance that already has more may keep it.
    pub(crate) fn new(bytes: usize) -> Self {
        Self(bytes.max(size()))
    }

    /// Makes room for the bytes that come next.
    ///
    /// Growing by 64 KiB at a time is expensive, because the host makes a new buffer each time. So a large block is
    /// allocated and freed at once: the memory stays large.
    ///
    /// # Errors
    ///
    /// If the memory is larger than it may be.
    pub(crate) fn make_room(self) -> Result<(), Error> {
        let size = size();
        if size > self.0 {
            let megabytes = self.0 >> 20;
            let message = format!(
                "the sync needs more than {megabytes} MiB of memory; to allow this, raise maxMemory (--max-memory)"
            );
            return Err(Error::new(ErrorKind::OutOfMemory, message));
        }
        let mut block = Vec::<u8>::new();
        // If the host refuses, there may still be room for smaller blocks.
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
