//! Numbers for ids: the first id that is seen is 0, the next one 1, and so on.
//!
//! Ids lie one behind the other in blocks, and an open-addressing index with linear probing finds them. An id takes its 20 or 32
//! bytes, and five to eleven for its place in the index.

use gix_hash::ObjectId;

use super::blocks::Blocks;

/// Ids of one format, each with its number.
#[derive(Clone, Debug, Default)]
pub(super) struct IdTable {
    ids: Ids,
    /// A number plus one, or zero for an empty slot; the length is a power of two.
    slots: Vec<u32>,
    /// Goes into each hash. It changes whenever the index is built anew, so nobody can choose ids that all want the same slots.
    seed: u64,
    /// How many slots may be tried for a new id before the index is built anew.
    patience: usize,
}

/// The ids. A block of either kind holds no more than the ids themselves.
#[derive(Clone, Debug, Default)]
enum Ids {
    #[default]
    None,
    Sha1(Blocks<[u8; 20]>),
    Sha256(Blocks<[u8; 32]>),
}

/// What a search found, and how many slots it tried.
enum Found {
    Number(u32),
    FreeSlot(usize, usize),
}

impl IdTable {
    /// How many ids there are.
    pub(super) fn len(&self) -> usize {
        match &self.ids {
            Ids::None => 0,
            Ids::Sha1(ids) => ids.len(),
            Ids::Sha256(ids) => ids.len(),
        }
    }

    /// The id with a number that is there.
    pub(super) fn id(&self, number: u32) -> ObjectId {
        match &self.ids {
            Ids::None => unreachable!("an empty table has given no number"),
            Ids::Sha1(ids) => ObjectId::Sha1(ids.at(number as usize)),
            Ids::Sha256(ids) => ObjectId::Sha256(ids.at(number as usize)),
        }
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

    /// The id's number; a new one if it has none. All ids of a table are of one format.
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
                    self.push(id);
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
        let ids = match &self.ids {
            Ids::None => 0,
            Ids::Sha1(ids) => ids.bytes(),
            Ids::Sha256(ids) => ids.bytes(),
        };
        ids + self.slots.capacity() * size_of::<u32>()
    }

    fn push(&mut self, id: &ObjectId) {
        match (id, &mut self.ids) {
            (ObjectId::Sha1(id), Ids::Sha1(ids)) => ids.push(*id),
            (ObjectId::Sha256(id), Ids::Sha256(ids)) => ids.push(*id),
            (id, Ids::None) => {
                self.ids = match id {
                    ObjectId::Sha1(_) => Ids::Sha1(Blocks::default()),
                    _ => Ids::Sha256(Blocks::default()),
                };
                self.push(id);
            }
            _ => unreachable!("whoever fills it reads ids of one format"),
        }
    }

    fn find(&self, id: &ObjectId) -> Found {
        let mask = self.slots.len() - 1;
        let home = self.home(id);
        for tried in 0.. {
            let slot = (home + tried) & mask;
            match self.slots[slot].checked_sub(1) {
                None => return Found::FreeSlot(slot, tried),
                Some(number) if self.is(number, id) => return Found::Number(number),
                Some(_) => {}
            }
        }
        unreachable!("a quarter of the slots is free")
    }

    fn is(&self, number: u32, id: &ObjectId) -> bool {
        match (&self.ids, id) {
            (Ids::Sha1(ids), ObjectId::Sha1(id)) => ids.at(number as usize) == *id,
            (Ids::Sha256(ids), ObjectId::Sha256(id)) => ids.at(number as usize) == *id,
            _ => false,
        }
    }

    /// The slot that an id wants.
    fn home(&self, id: &ObjectId) -> usize {
        let hash = (first_bytes(id) ^ self.seed).wrapping_mul(MULTIPLIER);
        (hash >> 32) as usize & (self.slots.len() - 1)
    }

    /// Builds the index anew, with another seed.
    fn rebuild(&mut self, slots: usize, id: &ObjectId) {
        self.seed = (self.seed ^ first_bytes(id)).rotate_left(17).wrapping_mul(MULTIPLIER);
        self.slots = Vec::new();
        self.slots.resize(slots, 0);
        for number in 0..self.len() as u32 {
            if let Found::FreeSlot(slot, _) = self.find(&self.id(number)) {
                self.slots[slot] = number + 1;
            }
        }
    }
}

fn first_bytes(id: &ObjectId) -> u64 {
    let first = id.as_slice().first_chunk().expect("an id has 20 bytes or more");
    u64::from_le_bytes(*first)
}

const FEWEST_SLOTS: usize = 64;
/// Many times what ids that nobody chose ever need.
const PATIENCE: usize = 512;
/// Spreads the bits of a hash (the golden ratio of 64 bits, as Knuth has it).
const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u64) -> ObjectId {
        let mut bytes = [0; 20];
        bytes[..8].copy_from_slice(&number.to_le_bytes());
        ObjectId::Sha1(bytes)
    }

    #[test]
    fn an_id_keeps_its_number() {
        let mut table = IdTable::default();
        assert_eq!(table.number(&id(0)), None, "it is empty");
        for number in 0..100_000 {
            assert_eq!(table.insert(&id(u64::from(number) * 7)), number);
        }
        for number in 0..100_000 {
            assert_eq!(table.insert(&id(u64::from(number) * 7)), number, "a second time");
            assert_eq!(table.number(&id(u64::from(number) * 7)), Some(number));
            assert_eq!(table.id(number), id(u64::from(number) * 7));
        }
        assert_eq!((table.len(), table.number(&id(1))), (100_000, None));
    }

    #[test]
    fn ids_that_want_one_slot_cost_little() {
        let mut table = IdTable::default();
        // All of them have the same product's upper half in an index without a seed.
        let inverse = (0..6).fold(MULTIPLIER, |x, _| x.wrapping_mul(2u64.wrapping_sub(MULTIPLIER.wrapping_mul(x))));
        let chosen = |n: u64| id(n.wrapping_mul(inverse));
        let start = std::time::Instant::now();
        for n in 0..200_000 {
            table.insert(&chosen(n));
        }
        assert_eq!(table.len(), 200_000);
        assert!(start.elapsed().as_secs() < 5, "it took {:?}", start.elapsed());
    }
}
