//! One node of Chord, as a state machine.
//!
//! It names the others by their place on the circle; whoever runs it knows their addresses. A node that does not
//! answer in time counts as dead after [`Config::tries`] questions, whether it lives or not.
//!
//! | file | holds |
//! |---|---|
//! | `config.rs` | the figures and choices of a node |
//! | `speech.rs` | what it hears of its user, what it tells, and why it refuses |
//! | `admit.rs` | everything that can be refused, in one place |
//! | `stabilize.rs` | stabilize, notify, rectify, check predecessor |
//! | `lookup.rs` | find-successor, iterative and recursive |
//! | `errand.rs` | what lookups are for: joining, fingers, put, get, delete, stray keys |
//! | `join.rs` | both joins, and leaving |
//! | `storage.rs` | what it stores: ownership, handing over, replicas |

mod admit;
mod config;
mod errand;
mod join;
mod lookup;
mod speech;
mod stabilize;
mod storage;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub use config::{Config, ConfigError, Joining, Routing, Timing};
pub use lookup::Lookup;
pub use speech::{Errand, Event, Rejected, Request, Timer};
pub use stabilize::{Check, Round, Stage};
pub use storage::{Handover, Stored, Write};

use super::message::{Answer, Message, Query};
use super::mutant::Mutant;
use super::rules::Rules;
use super::view::{Finger, MemberView};
use crate::choose::Choose;
use crate::node::{Input, Node, Output};
use crate::space::circle::Id;

/// Where a node is between two lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// It takes no part.
    Out,
    /// It looks for its place, by way of this member.
    Joining(Id),
    /// It is a member.
    In,
    /// It has said goodbye and waits until its keys are kept elsewhere.
    Leaving,
}

/// A node.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChordNode {
    config: config::Shared,
    phase: Phase,
    predecessor: Option<Id>,
    /// Nearest first, at most r.
    successors: Vec<Id>,
    /// By exponent; the first is kept in the successor list.
    fingers: BTreeMap<u32, Id>,
    /// The finger that is looked up next.
    next_finger: u32,
    round: Option<Round>,
    check: Option<Check>,
    errands: BTreeMap<Errand, Lookup>,
    store: BTreeMap<Id, Stored>,
    /// Keys that are being handed over, by receiver.
    handovers: BTreeMap<Id, Handover>,
    /// Writes that wait for their replicas.
    writes: BTreeMap<Id, Write>,
    last_tag: u32,
}

/// What the handlers of one step share.
struct Act<'a> {
    out: &'a mut Vec<Output<ChordNode>>,
}

impl Act<'_> {
    fn say(&mut self, to: Id, message: Message) {
        self.out.push(Output::Send { to, message });
    }

    fn ask(&mut self, to: Id, tag: u32, query: Query) {
        self.say(to, Message::Query { tag, query });
    }

    fn answer(&mut self, to: Id, tag: u32, answer: Answer) {
        self.say(to, Message::Answer { tag, answer });
    }

    fn tell(&mut self, event: Event) {
        self.out.push(Output::Tell(event));
    }

    fn set(&mut self, timer: Timer, after: std::time::Duration) {
        self.out.push(Output::SetTimer { timer, after });
    }

    fn cancel(&mut self, timer: Timer) {
        self.out.push(Output::CancelTimer(timer));
    }
}

impl Node for ChordNode {
    type Id = Id;
    type Message = Message;
    type Timer = Timer;
    type Request = Request;
    type Event = Event;
    type Rejected = Rejected;

    fn step(
        &mut self,
        input: Input<Self>,
        _: &mut dyn Choose,
        out: &mut Vec<Output<Self>>,
    ) -> Result<(), Rejected> {
        // Everything that can be refused is refused here; the handlers below cannot fail.
        if let Err(refused) = self.admit(&input) {
            if self.is(Mutant::CountsTheRefused) {
                self.fresh_tag();
            }
            return Err(refused);
        }
        let before = self.told();
        let mut act = Act { out };
        match input {
            Input::Receive { from, message } => self.on_message(from, message, &mut act),
            Input::Expire(timer) => self.on_timer(timer, &mut act),
            Input::Ask(request) => self.on_request(request, &mut act),
            Input::Opened(_) | Input::Closed(_) => {}
        }
        if self.told() != before {
            act.tell(Event::Neighbours {
                member: self.is_member(),
                predecessor: self.predecessor,
                successors: self.successors.clone(),
            });
        }
        Ok(())
    }
}

impl ChordNode {
    /// A node that takes no part yet.
    pub fn new(config: Arc<Config>) -> Self {
        Self {
            config: config::Shared(config),
            phase: Phase::Out,
            predecessor: None,
            successors: Vec::new(),
            fingers: BTreeMap::new(),
            next_finger: 1,
            round: None,
            check: None,
            errands: BTreeMap::new(),
            store: BTreeMap::new(),
            handovers: BTreeMap::new(),
            writes: BTreeMap::new(),
            last_tag: 0,
        }
    }

    /// A member with these neighbours, as if it had always been one; [`Request::Start`] sets its timers.
    pub fn member(config: Arc<Config>, predecessor: Option<Id>, successors: &[Id]) -> Self {
        let length = config.successors;
        Self {
            phase: Phase::In,
            predecessor,
            successors: successors.iter().copied().take(length).collect(),
            ..Self::new(config)
        }
    }

    /// The same with these finger table entries, by exponent.
    #[must_use]
    pub fn with_fingers(mut self, fingers: impl IntoIterator<Item = (u32, Id)>) -> Self {
        self.fingers = fingers.into_iter().collect();
        self
    }

    /// What it was told before it started.
    pub fn config(&self) -> &Config {
        &self.config.0
    }

    /// Where it lives.
    pub fn id(&self) -> Id {
        self.config().id
    }

    /// Where it is between two lives.
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// Whether it is a member of the ring.
    pub fn is_member(&self) -> bool {
        self.phase == Phase::In
    }

    /// Its predecessor, if it knows one.
    pub fn predecessor(&self) -> Option<Id> {
        self.predecessor
    }

    /// Its successors, nearest first.
    pub fn successors(&self) -> &[Id] {
        &self.successors
    }

    /// Its finger of that number, from 0: the first node at or clockwise of n + 2^i, as far as it knows.
    pub fn finger(&self, exponent: u32) -> Option<Id> {
        match exponent {
            0 => self.successors.first().copied(),
            _ => self.fingers.get(&exponent).copied(),
        }
    }

    /// What it stores.
    pub fn store(&self) -> &BTreeMap<Id, Stored> {
        &self.store
    }

    /// Whether something that its user asked for is under way.
    pub fn is_busy(&self) -> bool {
        self.errands.keys().any(|errand| {
            matches!(
                errand,
                Errand::Find(_) | Errand::Put(_) | Errand::Get(_) | Errand::Delete(_)
            )
        })
    }

    /// The question of stabilization that it waits for, if any.
    pub fn round(&self) -> Option<&Round> {
        self.round.as_ref()
    }

    /// Whom it waits for because of that timer.
    pub fn waits_for(&self, timer: &Timer) -> Option<Id> {
        match timer {
            Timer::Round => self.round.as_ref().map(|round| round.to),
            Timer::Check => self.check.as_ref().map(|check| check.of),
            Timer::Errand(errand) => self.errands.get(errand)?.waits_for(),
            Timer::Handover(to) => Some(*to),
            _ => None,
        }
    }

    /// What it says of itself.
    pub fn view(&self) -> MemberView<Id> {
        let m = self.config().circle.bits();
        let exponents = 0..if self.config().fingers { m } else { 0 };
        let finger = |exponent| Finger {
            start: self.finger_start(exponent),
            node: self.finger(exponent),
        };
        let kept = self
            .store
            .iter()
            .filter(|(_, stored)| stored.value.is_some());
        MemberView {
            successors: self.successors.clone(),
            predecessor: self.predecessor,
            fingers: exponents.map(finger).collect(),
            keys: kept.map(|(key, _)| *key).collect::<BTreeSet<_>>(),
        }
    }

    /// The rules that it follows.
    pub fn rules(&self) -> Rules {
        self.config().rules
    }

    fn is(&self, mutant: Mutant) -> bool {
        self.config().rules.is(mutant)
    }

    fn finger_start(&self, exponent: u32) -> Id {
        let rules = self.config().rules;
        let exponent = rules.finger_exponent(exponent);
        self.config().circle.add_power(self.id(), exponent)
    }

    /// What it tells its user when it changes.
    fn told(&self) -> (bool, Option<Id>, Vec<Id>) {
        let predecessor = self
            .predecessor
            .filter(|_| !self.is(Mutant::TellsListsOnly));
        (self.is_member(), predecessor, self.successors.clone())
    }

    /// A tag for the next question.
    fn fresh_tag(&mut self) -> u32 {
        self.last_tag = (self.last_tag + 1) % self.config().tags.max(1);
        self.last_tag
    }

    fn on_message(&mut self, from: Id, message: Message, act: &mut Act) {
        match message {
            Message::Query { tag, query } => self.on_query(from, tag, query, act),
            Message::Answer { tag, answer } => self.on_answer(from, tag, answer, act),
            Message::Relay {
                tag,
                key,
                origin,
                hops,
            } => self.on_relay(tag, key, origin, hops, act),
            Message::Notify => self.on_notify(from, act),
            Message::UpdateFinger { node, finger } => self.on_update_finger(node, finger, act),
            Message::Goodbye {
                predecessor,
                successors,
            } => self.on_goodbye(from, predecessor, &successors, act),
        }
    }

    fn on_query(&mut self, from: Id, tag: u32, query: Query, act: &mut Act) {
        match query {
            Query::Route { key, failed } => self.on_route(from, tag, key, &failed, act),
            Query::Neighbours => {
                let (predecessor, successors) = (self.predecessor, self.successors.clone());
                let neighbours = Answer::Neighbours {
                    predecessor,
                    successors,
                };
                act.answer(from, tag, neighbours);
            }
            Query::Ping => act.answer(from, tag, Answer::Alive),
            Query::Store { key, value } => self.on_store(from, tag, key, value, act),
            Query::Fetch { key } => self.on_fetch(from, tag, key, act),
            Query::Hold { entries, as_owner } => self.on_hold(from, tag, entries, as_owner, act),
        }
    }

    fn on_answer(&mut self, from: Id, tag: u32, answer: Answer, act: &mut Act) {
        match answer {
            Answer::Neighbours {
                predecessor,
                successors,
            } => self.on_neighbours(from, tag, predecessor, &successors, act),
            Answer::Alive => self.on_alive(act),
            Answer::Held { entries } => self.on_held(from, &entries, act),
            answer => self.on_errand_answer(from, tag, &answer, act),
        }
    }

    fn on_timer(&mut self, timer: Timer, act: &mut Act) {
        match timer {
            Timer::Stabilize => self.on_stabilize(act),
            Timer::CheckPredecessor => self.on_check_predecessor(act),
            Timer::FixFingers => self.on_fix_fingers(act),
            Timer::Repair => self.on_repair(act),
            Timer::Round => self.on_round_overdue(act),
            Timer::Check => self.on_check_overdue(act),
            Timer::Errand(errand) => self.on_errand_overdue(errand, act),
            Timer::Handover(to) => self.on_handover_overdue(to, act),
        }
    }

    fn on_request(&mut self, request: Request, act: &mut Act) {
        match request {
            Request::Create => self.on_create(act),
            Request::Start => self.start_timers(act),
            Request::Join(via) => self.on_join(via, act),
            Request::Leave => self.on_leave(act),
            Request::Find(key) => self.begin(Errand::Find(key), None, act),
            Request::Put(key, value) => self.begin(Errand::Put(key), Some(value), act),
            Request::Get(key) => self.begin(Errand::Get(key), None, act),
            Request::Delete(key) => self.begin(Errand::Delete(key), None, act),
        }
    }
}

#[cfg(test)]
mod tests;
