//! One of the fixed number of parts of the visited states: a state belongs to the part that its hash names.

use super::arena::{Arena, Rows};
use super::batch::Batch;
use super::hash::same;
use super::limits::{Budget, Full};

/// How many shards there are, as a power of two. It is fixed: results must not depend on the number of threads.
const SHARD_BITS: u32 = 6;
/// How many shards there are.
pub(super) const SHARDS: usize = 1 << SHARD_BITS;
/// The parent of an initial state.
pub(super) const NOBODY: Id = Id(u32::MAX);
/// States that a shard can number; the last number of the last shard would be nobody's.
const MOST: usize = (1 << (u32::BITS - SHARD_BITS)) - 1;
/// Candidates that are looked up together, so that the memory they need is fetched at the same time.
const TOGETHER: usize = 32;

/// Names a visited state: its shard, and its number there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Id(u32);

impl Id {
    pub(super) fn new(shard: usize, number: usize) -> Self {
        Self((number << SHARD_BITS | shard) as u32)
    }

    pub(super) fn shard(self) -> usize {
        self.0 as usize % SHARDS
    }

    pub(super) fn number(self) -> usize {
        (self.0 >> SHARD_BITS) as usize
    }
}

/// The shard to which a state with this hash belongs.
#[inline]
pub(super) fn shard_of(hash: u64) -> usize {
    hash as usize % SHARDS
}

/// States, their parents, and a table that finds a state by its hash.
#[derive(Debug)]
pub(super) struct Shard {
    states: Arena,
    parents: Rows<u32>,
    /// Open addressing with 2^`bits` slots. A slot is 0, or holds a state's number plus one in its lowest `bits`
    /// bits, and as many bits of its hash as remain: so the bytes of few other states are compared.
    slots: Vec<u32>,
    bits: u32,
}

impl Shard {
    pub(super) fn new(width: Option<usize>) -> Self {
        Self {
            states: Arena::new(width),
            parents: Rows::new(1),
            slots: Vec::new(),
            bits: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.states.len()
    }

    /// The bytes of the state with that number.
    #[inline]
    pub(super) fn state(&self, number: usize) -> &[u8] {
        self.states.get(number)
    }

    pub(super) fn parent(&self, number: usize) -> Id {
        Id(self.parents.get(number)[0])
    }

    /// The number of a state, if it was visited.
    pub(super) fn find(&self, hash: u64, bytes: &[u8]) -> Option<usize> {
        if self.slots.is_empty() {
            return None;
        }
        self.probe(hash, bytes).ok()
    }

    /// Adds those candidates that are new, in their order.
    pub(super) fn add(
        &mut self,
        batch: &Batch,
        budget: &Budget,
        rehash: impl Fn(&[u8]) -> u64,
    ) -> Result<(), Full> {
        let mut known = [false; TOGETHER];
        let mut first = 0;
        while first < batch.len() {
            let count = (batch.len() - first).min(TOGETHER);
            self.grow(count, budget, &rehash)?;
            self.look(batch, first, &mut known[..count]);
            for (at, known) in known[..count].iter().enumerate() {
                if !known {
                    self.add_one(batch, first + at, budget)?;
                }
            }
            first += count;
        }
        Ok(())
    }

    /// Finds most of the states that are known already, without waiting for the memory of one before the next.
    fn look(&self, batch: &Batch, first: usize, known: &mut [bool]) {
        let mut slots = [0; TOGETHER];
        for (at, slot) in slots[..known.len()].iter_mut().enumerate() {
            *slot = self.slots[self.home(batch.hash(first + at))];
        }
        for (at, known) in known.iter_mut().enumerate() {
            let (slot, tag) = (slots[at], self.tag(batch.hash(first + at)));
            *known = slot != 0
                && slot >> self.bits == tag
                && same(self.states.get(self.number(slot)), batch.state(first + at));
        }
    }

    fn add_one(&mut self, batch: &Batch, at: usize, budget: &Budget) -> Result<(), Full> {
        let (hash, bytes) = (batch.hash(at), batch.state(at));
        let Err(free) = self.probe(hash, bytes) else {
            return Ok(());
        };
        let number = self.states.len();
        if number >= MOST {
            return Err(Full::Numbers);
        }
        self.states.push(bytes, budget)?;
        self.parents.push(&[batch.parent(at).0], budget)?;
        self.slots[free] = self.slot(hash, number);
        Ok(())
    }

    /// The number of the state, or the free slot where it belongs.
    fn probe(&self, hash: u64, bytes: &[u8]) -> Result<usize, usize> {
        let (tag, mask) = (self.tag(hash), self.slots.len() - 1);
        let mut at = self.home(hash);
        loop {
            let slot = self.slots[at];
            if slot == 0 {
                return Err(at);
            }
            let number = self.number(slot);
            if slot >> self.bits == tag && same(self.states.get(number), bytes) {
                return Ok(number);
            }
            at = (at + 1) & mask;
        }
    }

    /// Keeps at least a quarter of the slots free when `more` states come.
    fn grow(
        &mut self,
        more: usize,
        budget: &Budget,
        rehash: impl Fn(&[u8]) -> u64,
    ) -> Result<(), Full> {
        let needed = self.states.len() + more;
        if needed * 4 <= self.slots.len() * 3 {
            return Ok(());
        }
        let bits = (needed * 4).div_ceil(3).next_power_of_two().ilog2();
        budget.take(((1 << bits) - self.slots.len()) * size_of::<u32>())?;
        // The old table is not needed: the hashes come from the bytes again.
        self.slots = Vec::new();
        self.slots = vec![0; 1 << bits];
        self.bits = bits;
        let mask = self.slots.len() - 1;
        for number in 0..self.states.len() {
            let hash = rehash(self.states.get(number));
            let mut at = self.home(hash);
            while self.slots[at] != 0 {
                at = (at + 1) & mask;
            }
            self.slots[at] = self.slot(hash, number);
        }
        Ok(())
    }

    /// Where the search begins: the topmost bits of the hash.
    #[inline]
    fn home(&self, hash: u64) -> usize {
        (hash >> (u64::BITS - self.bits)) as usize
    }

    /// The bits of the hash that a slot holds: those below the ones that say where the search begins, down to
    /// the middle of the hash.
    #[inline]
    fn tag(&self, hash: u64) -> u32 {
        ((hash >> 32) as u32) & (u32::MAX >> self.bits)
    }

    #[inline]
    fn slot(&self, hash: u64, number: usize) -> u32 {
        (self.tag(hash) << self.bits) | (number as u32 + 1)
    }

    #[inline]
    fn number(&self, slot: u32) -> usize {
        ((slot & !(u32::MAX << self.bits)) - 1) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explore::hash::hash_of;

    fn add(shard: &mut Shard, states: &[u32], hash: impl Fn(&[u8]) -> u64) {
        let budget = Budget::new(None);
        let mut batch = Batch::new(Some(4));
        for state in states {
            let bytes = state.to_le_bytes();
            batch
                .push(&bytes, hash(&bytes), NOBODY, &budget)
                .expect("no limit");
        }
        shard.add(&batch, &budget, hash).expect("no limit");
    }

    #[test]
    fn every_state_is_kept_once() {
        let mut shard = Shard::new(Some(4));
        for _ in 0..2 {
            for part in (0..10_000).collect::<Vec<u32>>().chunks(700) {
                add(&mut shard, part, hash_of);
            }
        }
        assert_eq!(shard.len(), 10_000);
        for n in 0u32..10_001 {
            let bytes = n.to_le_bytes();
            let expected = (n < 10_000).then_some(n as usize);
            assert_eq!(shard.find(hash_of(&bytes), &bytes), expected);
        }
    }

    /// States that all have the same hash are still told apart: bytes decide.
    #[test]
    fn a_bad_hash_costs_time_and_nothing_else() {
        for hash in [0, u64::MAX, 0xffff_ffff_0000_0000] {
            let mut shard = Shard::new(Some(4));
            add(&mut shard, &[1, 2, 3, 1, 2, 3, 4], |_| hash);
            add(&mut shard, &(0..100).collect::<Vec<_>>(), |_| hash);
            assert_eq!(shard.len(), 100);
            assert_eq!(shard.find(hash, &99u32.to_le_bytes()), Some(99));
            assert_eq!(shard.find(hash, &100u32.to_le_bytes()), None);
        }
    }
}
