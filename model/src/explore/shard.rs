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
pub(super) struct Id(pub(super) u32);

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

/// The part of a state's hash that its shard uses: the half that did not choose the shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark(pub(super) u32);

/// The shard to which a state with this hash belongs, and its mark there.
#[inline]
pub(super) fn shard_of(hash: u64) -> (usize, Mark) {
    (hash as usize % SHARDS, Mark((hash >> 32) as u32))
}

/// States, their parents, and a table that finds a state by its mark.
#[derive(Debug)]
pub(super) struct Shard {
    states: Arena,
    parents: Rows<u32>,
    /// Open addressing with 2^`bits` slots. A slot is 0, or holds a state's number plus one in its lowest `bits`
    /// bits, and above them what of its mark does not say where the search begins: so the bytes of few other states
    /// are compared.
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
    pub(super) fn find(&self, mark: Mark, bytes: &[u8]) -> Option<usize> {
        if self.slots.is_empty() {
            return None;
        }
        self.probe(mark, bytes).ok()
    }

    /// Adds those candidates that are new, in their order.
    pub(super) fn add(
        &mut self,
        batch: &Batch,
        budget: &Budget,
        remark: impl Fn(&[u8]) -> Mark,
    ) -> Result<(), Full> {
        let mut known = [false; TOGETHER];
        let mut first = 0;
        while first < batch.len() {
            let count = (batch.len() - first).min(TOGETHER);
            self.grow(count, budget, &remark)?;
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

    /// Finds nearly all of the states that are known already, without waiting for the memory of one before the next:
    /// first where the search begins, then who may be the same, then whether it is.
    fn look(&self, batch: &Batch, first: usize, known: &mut [bool]) {
        let mut slots = [0; TOGETHER];
        for (at, slot) in slots[..known.len()].iter_mut().enumerate() {
            *slot = self.slots[self.home(batch.mark(first + at))];
        }
        for (at, slot) in slots[..known.len()].iter_mut().enumerate() {
            let mark = batch.mark(first + at);
            let tag = self.tag(mark);
            if *slot != 0 && *slot >> self.bits != tag {
                *slot = self.like(mark);
            }
        }
        for (at, known) in known.iter_mut().enumerate() {
            let slot = slots[at];
            *known = slot != 0 && same(self.states.get(self.number(slot)), batch.state(first + at));
        }
    }

    /// The first slot with that mark, or an empty one.
    fn like(&self, mark: Mark) -> u32 {
        let (tag, mask) = (self.tag(mark), self.slots.len() - 1);
        let mut at = self.home(mark);
        loop {
            let slot = self.slots[at & mask];
            if slot == 0 || slot >> self.bits == tag {
                return slot;
            }
            at += 1;
        }
    }

    fn add_one(&mut self, batch: &Batch, at: usize, budget: &Budget) -> Result<(), Full> {
        let (mark, bytes) = (batch.mark(at), batch.state(at));
        let Err(free) = self.probe(mark, bytes) else {
            return Ok(());
        };
        let number = self.states.len();
        if number >= MOST {
            return Err(Full::Numbers("states"));
        }
        self.states.push(bytes, budget)?;
        self.parents.push(&[batch.parent(at).0], budget)?;
        self.slots[free] = self.slot(mark, number);
        Ok(())
    }

    /// The number of the state, or the free slot where it belongs.
    fn probe(&self, mark: Mark, bytes: &[u8]) -> Result<usize, usize> {
        let (tag, mask) = (self.tag(mark), self.slots.len() - 1);
        let mut at = self.home(mark);
        loop {
            let slot = self.slots[at];
            if slot == 0 {
                return Err(at);
            }
            if slot >> self.bits == tag {
                let number = self.number(slot);
                if same(self.states.get(number), bytes) {
                    return Ok(number);
                }
            }
            at = (at + 1) & mask;
        }
    }

    /// Keeps at least a quarter of the slots free when `more` states come.
    fn grow(
        &mut self,
        more: usize,
        budget: &Budget,
        remark: impl Fn(&[u8]) -> Mark,
    ) -> Result<(), Full> {
        let needed = self.states.len() + more;
        if needed * 4 <= self.slots.len() * 3 {
            return Ok(());
        }
        let bits = (needed * 4).div_ceil(3).next_power_of_two().ilog2();
        budget.take(((1 << bits) - self.slots.len()) * size_of::<u32>())?;
        // The old table goes first: the marks come from the bytes again.
        self.slots = Vec::new();
        self.slots = vec![0; 1 << bits];
        self.bits = bits;
        let mask = self.slots.len() - 1;
        for number in 0..self.states.len() {
            let mark = remark(self.states.get(number));
            let mut at = self.home(mark);
            while self.slots[at] != 0 {
                at = (at + 1) & mask;
            }
            self.slots[at] = self.slot(mark, number);
        }
        Ok(())
    }

    /// Where the search begins: the topmost bits of the mark.
    #[inline]
    fn home(&self, mark: Mark) -> usize {
        (mark.0 >> (u32::BITS - self.bits)) as usize
    }

    /// The other bits of the mark.
    #[inline]
    fn tag(&self, mark: Mark) -> u32 {
        mark.0 & (u32::MAX >> self.bits)
    }

    #[inline]
    fn slot(&self, mark: Mark, number: usize) -> u32 {
        (self.tag(mark) << self.bits) | (number as u32 + 1)
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

    fn add(shard: &mut Shard, states: &[u32], mark: impl Fn(&[u8]) -> Mark) {
        let budget = Budget::new(None);
        let mut batch = Batch::new(Some(4));
        for state in states {
            let bytes = state.to_le_bytes();
            batch
                .push(&bytes, mark(&bytes), NOBODY, &budget)
                .expect("no limit");
        }
        shard.add(&batch, &budget, mark).expect("no limit");
    }

    #[test]
    fn every_state_is_kept_once() {
        let mark = |bytes: &[u8]| shard_of(hash_of(bytes)).1;
        let mut shard = Shard::new(Some(4));
        for _ in 0..2 {
            for part in (0..10_000).collect::<Vec<u32>>().chunks(700) {
                add(&mut shard, part, mark);
            }
        }
        assert_eq!(shard.len(), 10_000);
        for n in 0u32..10_001 {
            let bytes = n.to_le_bytes();
            let expected = (n < 10_000).then_some(n as usize);
            assert_eq!(shard.find(mark(&bytes), &bytes), expected);
        }
    }

    /// States that all have the same mark are still told apart: bytes decide.
    #[test]
    fn a_bad_hash_costs_time_and_nothing_else() {
        for mark in [0, u32::MAX, 0xffff_0000].map(Mark) {
            let mut shard = Shard::new(Some(4));
            add(&mut shard, &[1, 2, 3, 1, 2, 3, 4], |_| mark);
            add(&mut shard, &(0..100).collect::<Vec<_>>(), |_| mark);
            assert_eq!(shard.len(), 100);
            assert_eq!(shard.find(mark, &99u32.to_le_bytes()), Some(99));
            assert_eq!(shard.find(mark, &100u32.to_le_bytes()), None);
        }
    }
}
