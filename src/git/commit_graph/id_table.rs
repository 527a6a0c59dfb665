//! Numbers for ids: the first id that is seen is 0, the next one 1, and so on.
//!
//! Ids are stored one after the other in blocks. An open-addressing index with linear probing finds them. An id takes its
//! 20 or 32 bytes, and five to eleven bytes in the index.

use gix_hash::ObjectId;

/// Ids of one format, each with its number.
#[derive(Clone, Debug, Default)]
pub(super) struct IdTable {
    ids: Ids,
    /// A number plus one, or zero for an empty slot; the length is a power of two.
    slots: Vec<u32>,
    /// The seed of the hash. It changes whenever the index is rebuilt, so nobody can choose ids that all hash to the same
    /// slots.
    seed: u64,
    /// How many slots may be tried for a new id before the index is rebuilt.
    patience: usize,
}

/// The ids, one after the other, in blocks.
#[derive(Clone, Debug, Default)]
struct Ids {
    /// How many bytes an id has.
    width: usize,
    len: usize,
    blocks: Vec<Vec<u8>>,
}

/// The result of a search, and how many slots it tried.
enum Found {
    Number(u32),
    FreeSlot(usize, usize),
}

impl IdTable {
    /// How many ids there are.
    pub(super) fn len(&self) -> usize {
        self.ids.len
    }

    /// The id with this number, which must exist.
    pub(super) fn id(&self, number: u32) -> ObjectId {
        ObjectId::from_bytes_or_panic(self.ids.at(number))
    }

    /// The id's number, if it has one.
    pub(super) fn number(&self, id: &ObjectId) -> Option<u32> {
        if self.slots.is_empty() {
            return None;
        }
        match self.find(id) {
            Found::Number(number) => Some(number),
            Found::FreeSlot(..) => None,
        }
    }

    /// The id's number. A new id gets a new number. All ids of a table have the same format.
    pub(super) fn insert(&mut self, id: &ObjectId) -> u32 {
        if (self.len() + 1) * 4 > self.slots.len() * 3 {
            self.patience = PATIENCE;
            self.rebuild((self.slots.len() * 2).max(FEWEST_SLOTS), id);
        }
        loop {
            match self.find(id) {
                Found::Number(number) => return number,
                Found::FreeSlot(slot, tried) if tried <= self.patience => {
                    let number = u32::try_from(self.len()).expect("there is memory for far fewer");
                    self.ids.push(id.as_slice());
                    self.slots[slot] = number + 1;
                    return number;
                }
                Found::FreeSlot(..) => {
                    self.patience *= 2;
                    self.rebuild(self.slots.len(), id);
                }
            }
        }
    }

    /// How many bytes it takes in memory.
    pub(super) fn bytes(&self) -> usize {
        let ids: usize = self.ids.blocks.iter().map(Vec::capacity).sum();
        ids + self.slots.capacity() * size_of::<u32>()
    }

    fn find(&self, id: &ObjectId) -> Found {
        let mask = self.slots.len() - 1;
        let home = self.home(id);
        for tried in 0.. {
            let slot = (home + tried) & mask;
            match self.slots[slot].checked_sub(1) {
                None => return Found::FreeSlot(slot, tried),
                Some(number) if self.ids.at(number) == id.as_slice() => return Found::Number(number),
                Some(_) => {}
            }
        }
        unreachable!("a quarter of the slots is free")
    }

    /// The first slot to try for an id.
    fn home(&self, id: &ObjectId) -> usize {
        hash(id, self.seed) as usize & (self.slots.len() - 1)
    }

    /// Rebuilds the index with another seed.
    fn rebuild(&mut self, slots: usize, id: &ObjectId) {
        self.seed = hash(id, self.seed.rotate_left(17));
        self.slots = Vec::new();
        self.slots.resize(slots, 0);
        for number in 0..self.len() as u32 {
            if let Found::FreeSlot(slot, _) = self.find(&self.id(number)) {
                self.slots[slot] = number + 1;
            }
        }
    }
}

impl Ids {
    fn at(&self, number: u32) -> &[u8] {
        let number = number as usize;
        &self.blocks[number / BLOCK][number % BLOCK * self.width..][..self.width]
    }

    fn push(&mut self, id: &[u8]) {
        self.width = id.len();
        if self.len.is_multiple_of(BLOCK) {
            // The first block starts small, because most tables are small.
            self.blocks.push(Vec::with_capacity(if self.len == 0 { 0 } else { BLOCK * id.len() }));
        }
        self.blocks.last_mut().expect("one was added if there was none").extend_from_slice(id);
        self.len += 1;
    }
}

/// All bytes go into the hash: a commit may name any parents, including many that begin alike.
fn hash(id: &ObjectId, seed: u64) -> u64 {
    id.as_slice().chunks(8).fold(seed, |hash, bytes| {
        let mut word = [0; 8];
        word[..bytes.len()].copy_from_slice(bytes);
        let mixed = (hash ^ u64::from_le_bytes(word)).wrapping_mul(MULTIPLIER);
        mixed ^ mixed >> 32
    })
}

/// How many ids a block has.
const BLOCK: usize = 1 << 13;
const FEWEST_SLOTS: usize = 64;
/// Many times more than random ids ever need.
const PATIENCE: usize = 512;
/// Spreads the bits of a hash (the golden ratio of 64 bits, as Knuth has it).
const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

#[cfg(test)]
mod tests {
    use super::*;

    /// Ids that differ in these eight bytes only.
    fn id(number: u64, at: usize) -> ObjectId {
        let mut bytes = [0; 20];
        bytes[at..at + 8].copy_from_slice(&number.to_be_bytes());
        ObjectId::Sha1(bytes)
    }

    #[test]
    fn an_id_keeps_its_number() {
        let mut table = IdTable::default();
        assert_eq!(table.number(&id(0, 0)), None, "it is empty");
        for number in 0..100_000 {
            assert_eq!(table.insert(&id(u64::from(number) * 7, 0)), number);
        }
        for number in 0..100_000 {
            assert_eq!(table.insert(&id(u64::from(number) * 7, 0)), number, "a second time");
            assert_eq!(table.number(&id(u64::from(number) * 7, 0)), Some(number));
            assert_eq!(table.id(number), id(u64::from(number) * 7, 0));
        }
        assert_eq!((table.len(), table.number(&id(1, 0))), (100_000, None));
    }

    #[test]
    fn ids_that_are_alike_cost_little() {
        for at in 0..=12 {
            let mut table = IdTable::default();
            let start = std::time::Instant::now();
            for n in 0..50_000 {
                table.insert(&id(n, at));
            }
            assert_eq!(table.len(), 50_000);
            assert!(start.elapsed().as_secs() < 5, "at byte {at} it took {:?}", start.elapsed());
        }
    }

    #[test]
    fn ids_that_want_the_same_slots_cost_little() {
        // Out of a few million ids, those that collide under the seed of a table of this size.
        let mut table = IdTable::default();
        for n in 0..40_000 {
            table.insert(&id(n, 0));
        }
        let slots = table.slots.len();
        let chosen = (0..4_000_000).map(|n| id(n, 12)).filter(|id| table.home(id) < slots / 512);
        let chosen: Vec<ObjectId> = chosen.take(6000).collect();
        assert_eq!(chosen.len(), 6000, "there are so many");
        let seed = table.seed;
        for id in &chosen {
            table.insert(id);
        }
        assert_ne!(table.seed, seed, "the index was built anew");
        assert!(chosen.iter().all(|id| table.number(id).is_some()));
    }
}
