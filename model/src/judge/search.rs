//! The search: the possible states of a node, those first that explain most of the log with the fewest timers.
//!
//! What may follow a state is worked out only when its turn comes; so a log that is explained costs little more
//! than its length, and one that is not costs every possibility.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::rc::Rc;

use super::{Delivery, Finding, Life, Limits, Sight, Verdict, Witnessed};
use crate::choose::every_outcome;
use crate::node::{Input, Output};

/// How many inputs that nobody has taken up are looked back at, where nobody knows what reached the node.
const WINDOW: usize = 64;

/// How many of the nearest actions are kept.
const NEAREST: usize = 5;

/// How many actions are compared with what was seen.
const COMPARED: usize = 256;

/// How often the time is looked at, in states.
const LOOK_UP: usize = 256;

/// A possible state of the node, and how much of the log it explains.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Possible<N: Witnessed> {
    node: N,
    timers: BTreeSet<N::Timer>,
    names: N::Names,
    /// How many inputs it has taken up, in order.
    heard: usize,
    /// The inputs that it has taken up, where there is no order.
    taken: BTreeSet<usize>,
    /// How many of the things that it did are explained.
    did: usize,
}

impl<N: Witnessed> Possible<N> {
    /// What stands for this state among those that were tried: two states of one mark are one in 2^128.
    fn mark(&self) -> u128 {
        let half = |salt: u8| {
            let mut hasher = DefaultHasher::new();
            salt.hash(&mut hasher);
            self.hash(&mut hasher);
            u128::from(hasher.finish())
        };
        half(0) << 64 | half(1)
    }
}

/// What may happen next to a state.
struct Next<N: Witnessed> {
    before: Rc<Possible<N>>,
    step: Step<N>,
    /// How many timers ran out since something was explained.
    timers: usize,
}

enum Step<N: Witnessed> {
    Hears(usize),
    Expires(N::Timer),
}

/// What is tried first is least: much explained, few timers, in the order in which it was thought of.
type Rank = (std::cmp::Reverse<usize>, usize, usize);

pub(super) struct Search<'a, N: Witnessed> {
    heard: Vec<(usize, &'a Input<N>)>,
    did: Vec<(usize, &'a N::Seen)>,
    delivery: Delivery,
    limits: Limits,
    start: &'a N,
    waiting: BTreeMap<Rank, Next<N>>,
    turn: usize,
    tried: HashSet<u128>,
    /// The first thing that is not explained, as far as is known, and what the model would have done there.
    furthest: usize,
    instead: Vec<Output<N>>,
    /// Whether there were inputs that nobody looked back at.
    narrowed: bool,
}

impl<'a, N: Witnessed> Search<'a, N> {
    pub(super) fn new(life: &'a Life<N>, limits: Limits) -> Self {
        let mut heard = Vec::new();
        let mut did = Vec::new();
        for (place, sight) in &life.sights {
            match sight {
                Sight::Heard(input) => heard.push((*place, input)),
                Sight::Did(seen) => did.push((*place, seen)),
            }
        }
        Self {
            heard,
            did,
            delivery: life.delivery,
            limits,
            start: &life.node,
            waiting: BTreeMap::new(),
            turn: 0,
            tried: HashSet::new(),
            furthest: 0,
            instead: Vec::new(),
            narrowed: false,
        }
    }

    pub(super) fn run(mut self, goes_on: &mut dyn FnMut() -> bool) -> Verdict<N> {
        let is_explained = self.is_explained(goes_on);
        let states = self.tried.len();
        let finding = match (is_explained, self.did.get(self.furthest).copied()) {
            (Some(true), _) | (_, None) => Finding::Explained,
            (verdict, Some((place, seen))) => {
                let mut nearest = std::mem::take(&mut self.instead);
                nearest.sort_by_key(|did| std::cmp::Reverse(N::likeness(did, seen)));
                nearest.truncate(NEAREST);
                if verdict.is_none() || self.narrowed {
                    Finding::Incomplete { place }
                } else {
                    Finding::Refused { place, nearest }
                }
            }
        };
        Verdict { finding, states }
    }

    /// Whether some way through the log explains it all; nothing, when a bound was met first.
    fn is_explained(&mut self, goes_on: &mut dyn FnMut() -> bool) -> Option<bool> {
        let start = Possible {
            node: self.start.clone(),
            timers: BTreeSet::new(),
            names: N::Names::default(),
            heard: 0,
            taken: BTreeSet::new(),
            did: 0,
        };
        if self.did.is_empty() {
            return Some(true);
        }
        self.tried.insert(start.mark());
        self.think_of(start, 0);
        let mut steps: usize = 0;
        while let Some((_, next)) = self.waiting.pop_first() {
            steps += 1;
            let late = steps % LOOK_UP == 1 && !goes_on();
            let many = self.waiting.len() > self.limits.waiting;
            if late || many || self.tried.len() > self.limits.states {
                return None;
            }
            for after in self.after(&next) {
                if after.did == self.did.len() {
                    return Some(true);
                }
                if self.tried.insert(after.mark()) {
                    let progress = after.did > next.before.did;
                    let timers = if progress { 0 } else { next.timers };
                    self.think_of(after, timers);
                }
            }
        }
        Some(false)
    }

    /// Everything that may happen to a state waits for its turn.
    fn think_of(&mut self, possible: Possible<N>, timers: usize) {
        let Some((place, _)) = self.did.get(possible.did).copied() else {
            return;
        };
        let possible = Rc::new(possible);
        for index in self.inputs(&possible, place) {
            self.wait(&possible, Step::Hears(index), timers);
        }
        for timer in &possible.timers {
            self.wait(&possible, Step::Expires(timer.clone()), timers + 1);
        }
    }

    fn wait(&mut self, before: &Rc<Possible<N>>, step: Step<N>, timers: usize) {
        self.turn += 1;
        let rank = (std::cmp::Reverse(before.did), timers, self.turn);
        let before = Rc::clone(before);
        let next = Next {
            before,
            step,
            timers,
        };
        self.waiting.insert(rank, next);
    }

    /// The inputs that it may take up next, before the thing at `place` was seen.
    fn inputs(&mut self, possible: &Possible<N>, place: usize) -> Vec<usize> {
        let there = |index: &usize| self.heard.get(*index).is_some_and(|(at, _)| *at < place);
        match self.delivery {
            Delivery::InOrder => Some(possible.heard).filter(there).into_iter().collect(),
            Delivery::Perhaps => {
                let end = self.heard.partition_point(|(at, _)| *at < place);
                let open = (0..end).rev().filter(|at| !possible.taken.contains(at));
                let mut open: Vec<usize> = open.take(WINDOW + 1).collect();
                self.narrowed |= open.len() > WINDOW;
                open.truncate(WINDOW);
                open
            }
        }
    }

    /// What becomes of a state, with every outcome of its free choices.
    fn after(&mut self, next: &Next<N>) -> Vec<Possible<N>> {
        let mut before = (*next.before).clone();
        let input = match &next.step {
            Step::Hears(index) => {
                match self.delivery {
                    Delivery::InOrder => before.heard += 1,
                    Delivery::Perhaps => {
                        before.taken.insert(*index);
                    }
                }
                N::translated(&before.names, self.heard[*index].1)
            }
            Step::Expires(timer) => {
                before.timers.remove(timer);
                Input::Expire(timer.clone())
            }
        };
        let outcomes = every_outcome(|choose| {
            let mut node = before.node.clone();
            let mut out = Vec::new();
            let done = node.step(input.clone(), choose, &mut out);
            done.is_ok().then_some((node, out))
        });
        // What a node refuses leaves no trace: in an order it is behind, else it may as well be left out.
        let is_behind = matches!(next.step, Step::Hears(_)) && self.delivery == Delivery::InOrder;
        let mut after = Vec::new();
        for (_, outcome) in outcomes {
            match outcome {
                Some((node, out)) => {
                    let changed = Possible {
                        node,
                        ..before.clone()
                    };
                    after.extend(self.explained(changed, &out));
                }
                None if is_behind => after.push(before.clone()),
                None => {}
            }
        }
        after
    }

    /// The state with these outputs, if they are what was seen next.
    fn explained(&mut self, mut after: Possible<N>, out: &[Output<N>]) -> Option<Possible<N>> {
        for output in out {
            match output {
                Output::SetTimer { timer, .. } => {
                    after.timers.insert(timer.clone());
                }
                Output::CancelTimer(timer) => {
                    after.timers.remove(timer);
                }
                output if N::is_seen(output) => {
                    // What was not seen any more when the log ended may have been done all the same.
                    if let Some((_, seen)) = self.did.get(after.did) {
                        if !N::fits(&mut after.names, output, seen) {
                            self.note(after.did, output);
                            return None;
                        }
                        after.did += 1;
                        self.reach(after.did);
                    }
                }
                _ => {}
            }
        }
        Some(after)
    }

    /// So many things are explained.
    fn reach(&mut self, did: usize) {
        if did > self.furthest {
            self.furthest = did;
            self.instead.clear();
        }
    }

    /// The model would have done this where something else was seen.
    fn note(&mut self, did: usize, output: &Output<N>) {
        let room = self.instead.len() < COMPARED;
        if did == self.furthest && room && !self.instead.contains(output) {
            self.instead.push(output.clone());
        }
    }
}
