//! Part of a round: some states of one shard, what is true of them, and what follows them.

use std::ops::Range;
use std::time::Instant;

use stateright::Model;

use super::batch::Batch;
use super::fact::Fact;
use super::limits::{Budget, Cut, Full};
use super::shard::{Id, SHARDS, Shard, shard_of};
use super::{Canonical, Pack};
use crate::property::Kind;

/// The model as the explorer asks it, with what the asking may cost.
pub(super) struct Asked<'a, M: Model> {
    pub(super) model: &'a M,
    pub(super) canonical: Option<&'a Canonical<M>>,
    pub(super) facts: &'a [Fact<M>],
    pub(super) budget: &'a Budget,
    /// When the run has no more time.
    pub(super) deadline: Option<Instant>,
}

impl<M: Pack> Asked<'_, M> {
    /// Appends the bytes by which a state is known: those of its canonical form, where there is one.
    #[inline]
    pub(super) fn pack(&self, state: &M::State, bytes: &mut Vec<u8>) {
        match self.canonical {
            Some(canonical) => self.model.pack(&canonical(self.model, state), bytes),
            None => self.model.pack(state, bytes),
        }
    }

    fn is_late(&self) -> bool {
        self.deadline
            .is_some_and(|deadline| Instant::now() >= deadline)
    }
}

/// How many states are visited before the clock is read within a block.
const UNWATCHED: usize = 64;

/// Some states of one shard, and their successors by shard.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) source: usize,
    pub(super) states: Range<usize>,
    successors: Vec<Batch>,
    /// Which shards have successors here, as bits.
    pub(super) touched: u64,
    pub(super) transitions: usize,
    /// The first state here that decides a fact: breaks `Always`, reaches `Sometimes`.
    pub(super) decided: Vec<(usize, Id)>,
    pub(super) cut: Option<Cut>,
}

impl Block {
    pub(super) fn new(width: Option<usize>) -> Self {
        Self {
            source: 0,
            states: 0..0,
            successors: (0..SHARDS).map(|_| Batch::new(width)).collect(),
            touched: 0,
            transitions: 0,
            decided: Vec::new(),
            cut: None,
        }
    }

    /// Makes it a block of other states.
    pub(super) fn set(&mut self, source: usize, states: Range<usize>) {
        (self.source, self.states) = (source, states);
        for (shard, batch) in self.successors.iter_mut().enumerate() {
            if self.touched >> shard & 1 == 1 {
                batch.clear();
            }
        }
        (self.touched, self.transitions, self.cut) = (0, 0, None);
        self.decided.clear();
    }

    /// The bytes of what waits here, as the budget counts them.
    pub(super) fn bytes(&self) -> usize {
        self.successors.iter().map(Batch::bytes).sum()
    }

    pub(super) fn successors(&self, shard: usize) -> Option<&Batch> {
        (self.touched >> shard & 1 == 1).then(|| &self.successors[shard])
    }

    /// Puts a state where its shard will find it.
    #[inline]
    pub(super) fn post(
        &mut self,
        bytes: &[u8],
        hash: u64,
        parent: Id,
        budget: &Budget,
    ) -> Result<(), Full> {
        let (shard, mark) = shard_of(hash);
        self.touched |= 1 << shard;
        self.successors[shard].push(bytes, mark, parent, budget)
    }

    /// Asks the `open` facts about each state, and takes every step from it.
    pub(super) fn visit<M: Pack>(&mut self, asked: &Asked<'_, M>, shard: &Shard, open: &[usize]) {
        self.cut = self.try_visit(asked, shard, open).err();
    }

    fn try_visit<M: Pack>(
        &mut self,
        asked: &Asked<'_, M>,
        shard: &Shard,
        open: &[usize],
    ) -> Result<(), Cut> {
        let model = asked.model;
        let (mut actions, mut bytes) = (Vec::new(), Vec::new());
        let mut open = open.to_vec();
        for (visited, number) in self.states.clone().enumerate() {
            if visited % UNWATCHED == UNWATCHED - 1 && asked.is_late() {
                return Err(Cut::Time);
            }
            let state = model.unpack(shard.state(number));
            let id = Id::new(self.source, number);
            open.retain(|fact| {
                let decided = decides(&asked.facts[*fact], model, &state);
                if decided {
                    self.decided.push((*fact, id));
                }
                !decided
            });
            model.actions(&state, &mut actions);
            for action in actions.drain(..) {
                let Some(next) = model.next_state(&state, action) else {
                    continue;
                };
                if !model.within_boundary(&next) {
                    continue;
                }
                self.transitions += 1;
                bytes.clear();
                asked.pack(&next, &mut bytes);
                self.post(&bytes, model.hash(&bytes), id, asked.budget)?;
            }
        }
        Ok(())
    }
}

/// Whether a state settles a fact: nothing that is seen later can change the answer.
fn decides<M: Model>(fact: &Fact<M>, model: &M, state: &M::State) -> bool {
    match fact.kind {
        Kind::Always => !(fact.holds)(model, state),
        Kind::Sometimes => (fact.holds)(model, state),
        Kind::Eventually { .. } => false,
    }
}
