//! The search: possible states, in the order of how much of the log they have used up.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::{Delivery, Finding, Life, Limits, Sight, Verdict, Witnessed};
use crate::choose::every_outcome;
use crate::node::{Input, Output};

/// How many unexplained inputs are looked back at where nobody knows what reached the node.
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
    /// How much of the log it has used up.
    fn progress(&self) -> usize {
        self.heard + self.taken.len() + self.did
    }
}

pub(super) struct Search<'a, N: Witnessed> {
    heard: Vec<(usize, &'a Input<N>)>,
    did: Vec<(usize, &'a N::Seen)>,
    delivery: Delivery,
    limits: Limits,
    /// By progress: whatever is behind is done with.
    levels: BTreeMap<usize, HashSet<Possible<N>>>,
    waiting: usize,
    states: usize,
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
        let start = Possible {
            node: life.node.clone(),
            timers: BTreeSet::new(),
            names: N::Names::default(),
            heard: 0,
            taken: BTreeSet::new(),
            did: 0,
        };
        Self {
            heard,
            did,
            delivery: life.delivery,
            limits,
            levels: BTreeMap::from([(0, HashSet::from([start]))]),
            waiting: 1,
            states: 0,
            furthest: 0,
            instead: Vec::new(),
            narrowed: false,
        }
    }

    pub(super) fn run(mut self, goes_on: &mut dyn FnMut() -> bool) -> Verdict<N> {
        let finding = self.find(goes_on);
        Verdict {
            finding,
            states: self.states,
        }
    }

    fn find(&mut self, goes_on: &mut dyn FnMut() -> bool) -> Finding<N> {
        while let Some((progress, level)) = self.levels.pop_first() {
            let mut todo: Vec<Possible<N>> = level.iter().cloned().collect();
            let mut known = level;
            while let Some(possible) = todo.pop() {
                if possible.did == self.did.len() {
                    return Finding::Explained;
                }
                self.states += 1;
                let late = self.states % LOOK_UP == 1 && !goes_on();
                let many = self.waiting + known.len() > self.limits.at_a_time;
                if late || many || self.states > self.limits.states {
                    return Finding::Incomplete;
                }
                for next in self.after(&possible) {
                    if next.progress() > progress {
                        let new = self.levels.entry(next.progress()).or_default().insert(next);
                        self.waiting += usize::from(new);
                    } else if !known.contains(&next) {
                        known.insert(next.clone());
                        todo.push(next);
                    }
                }
            }
            self.waiting = self.levels.values().map(HashSet::len).sum();
        }
        self.refused()
    }

    fn refused(&mut self) -> Finding<N> {
        let Some((place, seen)) = self.did.get(self.furthest).copied() else {
            return Finding::Explained;
        };
        if self.narrowed {
            return Finding::Incomplete;
        }
        let mut nearest = std::mem::take(&mut self.instead);
        nearest.sort_by_key(|did| std::cmp::Reverse(N::likeness(did, seen)));
        nearest.truncate(NEAREST);
        Finding::Refused { place, nearest }
    }

    /// Every state that may follow.
    fn after(&mut self, possible: &Possible<N>) -> Vec<Possible<N>> {
        let Some((place, _)) = self.did.get(possible.did).copied() else {
            return Vec::new();
        };
        let mut next = Vec::new();
        for index in self.inputs(possible, place) {
            let input = N::translated(&possible.names, self.heard[index].1);
            let mut taken = possible.clone();
            match self.delivery {
                Delivery::InOrder => taken.heard += 1,
                Delivery::Perhaps => {
                    taken.taken.insert(index);
                }
            }
            self.step(&taken, &input, &mut next);
        }
        for timer in &possible.timers {
            let mut expired = possible.clone();
            expired.timers.remove(timer);
            self.step(&expired, &Input::Expire(timer.clone()), &mut next);
        }
        next
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

    /// What becomes of a state by an input, with every outcome of its free choices.
    fn step(&mut self, before: &Possible<N>, input: &Input<N>, next: &mut Vec<Possible<N>>) {
        let timer = matches!(input, Input::Expire(_));
        let outcomes = every_outcome(|choose| {
            let mut node = before.node.clone();
            let mut out = Vec::new();
            let done = node.step(input.clone(), choose, &mut out);
            done.is_ok().then_some((node, out))
        });
        for (_, outcome) in outcomes {
            match outcome {
                Some((node, out)) => {
                    let after = Possible {
                        node,
                        ..before.clone()
                    };
                    next.extend(self.explained(after, &out));
                }
                // What a node refuses leaves no trace: in an order it is behind, else it may as well be left out.
                None if !timer && self.delivery == Delivery::InOrder => next.push(before.clone()),
                None => {}
            }
        }
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
        self.reach(did);
        let room = self.instead.len() < COMPARED;
        if did == self.furthest && room && !self.instead.contains(output) {
            self.instead.push(output.clone());
        }
    }
}
