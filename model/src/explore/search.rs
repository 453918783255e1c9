//! Breadth first, level by level, in rounds.
//!
//! A round takes some states of the level in blocks. First every block is visited: facts are asked, and successors
//! are posted to the shards to which they belong. Then every shard takes in what was posted to it, in the order of
//! the blocks. Threads only share out blocks, and then shards, so nothing depends on how many there are.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant};

use super::block::{Asked, Block};
use super::fact::Fact;
use super::limits::{Budget, Cut, Limits, Progress};
use super::shard::{Id, NOBODY, SHARDS, Shard, shard_of};
use super::{Canonical, Pack};
use crate::property::Kind;

/// States of a round, at most.
const ROUND: usize = 1 << 14;
/// States of a block, at most.
const BLOCK: usize = 1 << 9;
/// How often the clock is read and progress is told, in states.
const EVERY: usize = 2_048;
/// Work that is worth waking a thread for.
const WORTH: Duration = Duration::from_micros(300);

/// When a run ends before every state was visited, other than by a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Until {
    /// Never: every state is visited.
    Exhausted,
    /// A state breaks an `Always` fact.
    FirstBroken,
    /// A fact is broken, and every other is decided.
    Settled,
    /// A state decides the first fact.
    Reached,
}

/// What a run is told.
pub(super) struct Plan<'a, M: Pack> {
    pub(super) model: &'a M,
    pub(super) canonical: Option<&'a Canonical<M>>,
    pub(super) facts: &'a [Fact<M>],
    pub(super) limits: Limits,
    pub(super) until: Until,
    pub(super) threads: usize,
    pub(super) progress: &'a Progress,
}

/// A run: what it was told, and what it has visited.
pub(super) struct Search<'a, M: Pack> {
    plan: Plan<'a, M>,
    pub(super) budget: Budget,
    began: Instant,
    shards: Vec<RwLock<Shard>>,
    blocks: Vec<RwLock<Block>>,
    pub(super) visited: usize,
    pub(super) transitions: usize,
    /// How far the farthest visited state is.
    pub(super) depth: usize,
    /// For each fact, the first state that decided it.
    pub(super) decided: Vec<Option<Id>>,
    pub(super) cut: Option<Cut>,
    /// Whether every reachable state was visited.
    pub(super) exhausted: bool,
    told: usize,
}

impl<'a, M: Pack + Sync> Search<'a, M> {
    /// Explores as far as it is told.
    pub(super) fn run(plan: Plan<'a, M>) -> Self {
        let width = plan.model.width();
        let shards = (0..SHARDS).map(|_| RwLock::new(Shard::new(width)));
        let mut search = Self {
            budget: Budget::new(plan.limits.memory),
            began: Instant::now(),
            shards: shards.collect(),
            blocks: Vec::new(),
            visited: 0,
            transitions: 0,
            depth: 0,
            decided: vec![None; plan.facts.len()],
            cut: None,
            exhausted: false,
            told: 0,
            plan,
        };
        search.cut = search.explore().err();
        for block in std::mem::take(&mut search.blocks) {
            let block = block.into_inner().unwrap_or_else(PoisonError::into_inner);
            search.budget.give_back(block.bytes());
        }
        search
    }

    /// When it began.
    pub(super) fn began(&self) -> Instant {
        self.began
    }

    /// The visited states, and the bytes they hold, when the search is over.
    pub(super) fn into_parts(self) -> (Vec<Shard>, Budget) {
        let shard = |lock: RwLock<Shard>| lock.into_inner().unwrap_or_else(PoisonError::into_inner);
        (self.shards.into_iter().map(shard).collect(), self.budget)
    }

    fn explore(&mut self) -> Result<(), Cut> {
        self.begin()?;
        let mut starts = vec![0; SHARDS];
        for level in 0.. {
            let ends: Vec<usize> = self.shards.iter().map(|shard| read(shard).len()).collect();
            if starts == ends {
                self.exhausted = true;
                break;
            }
            if level > 0 && self.plan.limits.depth == Some(self.depth) {
                return Err(Cut::Depth);
            }
            let mut left: Vec<(usize, usize, usize)> = (0..SHARDS)
                .filter(|shard| starts[*shard] < ends[*shard])
                .map(|shard| (shard, starts[shard], ends[shard]))
                .collect();
            left.reverse();
            while !left.is_empty() {
                self.round(level, &mut left)?;
                if self.is_answered() {
                    return Ok(());
                }
            }
            starts = ends;
        }
        Ok(())
    }

    /// Takes in the initial states.
    fn begin(&mut self) -> Result<(), Cut> {
        let model = self.plan.model;
        let mut block = Block::new(model.width());
        let mut bytes = Vec::new();
        for state in model.init_states() {
            if model.within_boundary(&state) {
                bytes.clear();
                self.asked().pack(&state, &mut bytes);
                block.post(&bytes, model.hash(&bytes), NOBODY, &self.budget)?;
            }
        }
        self.blocks.push(RwLock::new(block));
        self.take_in(1, 1)
    }

    /// Visits the next states of the level, and keeps what follows them.
    fn round(&mut self, level: usize, left: &mut Vec<(usize, usize, usize)>) -> Result<(), Cut> {
        let room = match self.plan.limits.states {
            Some(limit) => limit - self.visited,
            None => ROUND,
        };
        if room == 0 {
            return Err(Cut::States);
        }
        let (blocks, states) = self.share_out(left, room.min(ROUND));
        let threads = self.threads_for(states);
        let (asked, open) = (self.asked(), self.open());
        each(threads, blocks, |at| {
            let block = &mut *write(&self.blocks[at]);
            let shard = read(&self.shards[block.source]);
            block.visit(&asked, &shard, &open);
        });
        let cuts = self.blocks[..blocks].iter();
        if let Some(cut) = cuts.filter_map(|block| read(block).cut).next() {
            return Err(cut);
        }
        self.take_in(blocks, threads)?;
        self.account(blocks, states);
        self.depth = level;
        self.look_around()
    }

    /// Makes the next blocks of the level, and says how many, with how many states in all.
    fn share_out(&mut self, left: &mut Vec<(usize, usize, usize)>, most: usize) -> (usize, usize) {
        let (mut blocks, mut states) = (0, 0);
        while states < most
            && let Some((shard, start, end)) = left.last_mut()
        {
            let count = (*end - *start).min(BLOCK).min(most - states);
            if blocks == self.blocks.len() {
                let width = self.plan.model.width();
                self.blocks.push(RwLock::new(Block::new(width)));
            }
            write(&self.blocks[blocks]).set(*shard, *start..*start + count);
            *start += count;
            if start == end {
                left.pop();
            }
            blocks += 1;
            states += count;
        }
        (blocks, states)
    }

    /// Every shard keeps those of the successors that are new.
    fn take_in(&self, blocks: usize, threads: usize) -> Result<(), Cut> {
        let blocks: Vec<RwLockReadGuard<'_, Block>> =
            self.blocks[..blocks].iter().map(read).collect();
        let blocks: Vec<&Block> = blocks.iter().map(|block| &**block).collect();
        let touched = blocks.iter().fold(0, |sum, block| sum | block.touched);
        let touched: Vec<usize> = (0..SHARDS).filter(|s| touched >> s & 1 == 1).collect();
        let full = RwLock::new(None);
        each(threads, touched.len(), |at| {
            let shard = &mut *write(&self.shards[touched[at]]);
            for batch in blocks
                .iter()
                .filter_map(|block| block.successors(touched[at]))
            {
                let remark = |bytes: &[u8]| shard_of(self.plan.model.hash(bytes)).1;
                if let Err(why) = shard.add(batch, &self.budget, remark) {
                    *write(&full) = Some(why);
                    return;
                }
            }
        });
        match full.into_inner().unwrap_or_else(PoisonError::into_inner) {
            Some(full) => Err(full.into()),
            None => Ok(()),
        }
    }

    /// Enters what the blocks of a round found.
    fn account(&mut self, blocks: usize, states: usize) {
        self.visited += states;
        for block in &self.blocks[..blocks] {
            let block = read(block);
            self.transitions += block.transitions;
            for (fact, id) in &block.decided {
                self.decided[*fact].get_or_insert(*id);
            }
        }
    }

    /// Looks at the clock and at the memory of the model, and tells how far the run is.
    fn look_around(&mut self) -> Result<(), Cut> {
        if self.visited - self.told >= EVERY {
            self.told = self.visited;
            self.plan.progress.tell(self.visited);
            if self
                .plan
                .limits
                .time
                .is_some_and(|limit| self.began.elapsed() >= limit)
            {
                return Err(Cut::Time);
            }
        }
        if self.budget.exceeded_with(self.plan.model.held()) {
            return Err(Cut::Memory);
        }
        Ok(())
    }

    fn is_answered(&self) -> bool {
        let broken = || {
            let facts = self.plan.facts.iter().zip(&self.decided);
            facts
                .into_iter()
                .any(|(fact, by)| fact.kind == Kind::Always && by.is_some())
        };
        match self.plan.until {
            Until::Exhausted => false,
            Until::FirstBroken => broken(),
            Until::Settled => broken() && self.open().is_empty(),
            Until::Reached => self.decided.first().is_some_and(Option::is_some),
        }
    }

    /// The facts that no state has decided yet.
    fn open(&self) -> Vec<usize> {
        let is_open = |fact: &usize| {
            let kind = self.plan.facts[*fact].kind;
            self.decided[*fact].is_none() && !matches!(kind, Kind::Eventually { .. })
        };
        (0..self.decided.len()).filter(is_open).collect()
    }

    fn asked(&self) -> Asked<'_, M> {
        Asked {
            model: self.plan.model,
            canonical: self.plan.canonical,
            facts: self.plan.facts,
            budget: &self.budget,
            deadline: self.plan.limits.time.map(|limit| self.began + limit),
        }
    }

    /// How many threads are worth while, judged by the speed so far.
    fn threads_for(&self, states: usize) -> usize {
        if self.plan.threads <= 1 || self.visited == 0 {
            return 1;
        }
        let each = self.began.elapsed().as_secs_f64() / self.visited as f64;
        if each * states as f64 > WORTH.as_secs_f64() {
            self.plan.threads
        } else {
            1
        }
    }
}

/// Does every task once, in any order, on so many threads.
pub(super) fn each(threads: usize, tasks: usize, work: impl Fn(usize) + Sync) {
    let next = AtomicUsize::new(0);
    let toil = || {
        loop {
            let task = next.fetch_add(1, Ordering::Relaxed);
            if task >= tasks {
                return;
            }
            work(task);
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads.min(tasks) {
            scope.spawn(toil);
        }
        toil();
    });
}

/// A panic of the model ends the run in any case, so a poisoned lock needs no care.
fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}
