//! Keeping successors and predecessor right: stabilize, notify, rectify, check predecessor.
//!
//! One round asks the successor for its neighbours. When a better successor shows, it is asked, too, unless the
//! node trusts what it was told; then whoever is the successor by now is notified, and the next round is due.

use super::{Act, ChordNode, Event, Timer};
use crate::chord::message::{Message, Query};
use crate::chord::mutant::Mutant;
use crate::space::circle::Id;

/// The question of stabilization that a node waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Round {
    /// Whether the successor is asked, or a better one.
    pub stage: Stage,
    /// Whom.
    pub to: Id,
    /// Under which tag.
    pub tag: u32,
    /// How often by now.
    pub tries: u8,
}

/// How far a round of stabilization is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// The successor is asked for its neighbours.
    Successor,
    /// The successor's predecessor is asked: it would be the better successor.
    Candidate,
}

/// The sign of life of its predecessor that a node waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Check {
    /// Who is asked.
    pub of: Id,
    /// Who takes its place if it is silent.
    pub candidate: Option<Id>,
    /// Under which tag.
    pub tag: u32,
    /// How often by now.
    pub tries: u8,
}

impl ChordNode {
    pub(super) fn start_timers(&mut self, act: &mut Act) {
        let timing = self.config().timing;
        act.set(Timer::Stabilize, timing.stabilize);
        if let Some(after) = timing.check_predecessor {
            act.set(Timer::CheckPredecessor, after);
        }
        if let Some(after) = timing.fix_fingers.filter(|_| self.config().fingers) {
            act.set(Timer::FixFingers, after);
        }
        if let Some(after) = timing.repair {
            act.set(Timer::Repair, after);
        }
    }

    pub(super) fn on_stabilize(&mut self, act: &mut Act) {
        let Some(head) = self.successors.first().copied() else {
            return;
        };
        if head == self.id() {
            let list = self.successors.clone();
            self.hear(head, self.predecessor, &list, act);
        } else {
            self.ask_in_round(Stage::Successor, head, act);
        }
    }

    fn ask_in_round(&mut self, stage: Stage, to: Id, act: &mut Act) {
        let tag = self.fresh_tag();
        self.round = Some(Round {
            stage,
            to,
            tag,
            tries: 1,
        });
        act.ask(to, tag, Query::Neighbours);
        act.set(Timer::Round, self.config().timing.answer);
    }

    /// Whether the round waits for an answer of that node under that tag.
    pub(super) fn round_waits(&self, from: Id, tag: u32) -> bool {
        let any = self.is(Mutant::AnyAnswerWill);
        self.round
            .is_some_and(|round| round.to == from && (any || round.tag == tag))
    }

    pub(super) fn on_neighbours(
        &mut self,
        from: Id,
        tag: u32,
        predecessor: Option<Id>,
        successors: &[Id],
        act: &mut Act,
    ) {
        let Some(round) = self.round.filter(|_| self.round_waits(from, tag)) else {
            return self.on_confirmed(from, predecessor, successors, act);
        };
        act.cancel(Timer::Round);
        match round.stage {
            Stage::Successor => self.hear(from, predecessor, successors, act),
            Stage::Candidate => self.adopt_and_notify(from, successors, act),
        }
    }

    /// The successor, perhaps the node itself, has told its neighbours.
    fn hear(&mut self, head: Id, predecessor: Option<Id>, successors: &[Id], act: &mut Act) {
        let own = self.id();
        let rules = self.config().rules;
        self.adopt(head, successors);
        let better = predecessor.filter(|other| rules.is_better_successor(own, *other, head));
        match better {
            Some(better) if self.config().adopts_only_live() => {
                self.ask_in_round(Stage::Candidate, better, act);
            }
            Some(better) => {
                let list = self.successors.clone();
                self.adopt_and_notify(better, &list, act);
            }
            None => self.notify_and_rest(head, act),
        }
    }

    pub(super) fn adopt(&mut self, head: Id, its_list: &[Id]) {
        let (rules, length) = (self.config().rules, self.config().successors);
        let list = rules.adopted_list(head, its_list.iter().copied(), length);
        self.successors = list.collect();
    }

    fn adopt_and_notify(&mut self, head: Id, its_list: &[Id], act: &mut Act) {
        self.adopt(head, its_list);
        self.notify_and_rest(head, act);
    }

    /// The round ends; the next one is due after a while.
    fn notify_and_rest(&mut self, head: Id, act: &mut Act) {
        self.notify(head, act);
        self.round = None;
        act.set(Timer::Stabilize, self.config().timing.stabilize);
    }

    pub(super) fn notify(&mut self, head: Id, act: &mut Act) {
        if self.is(Mutant::NeverNotifies) {
            return;
        }
        if head == self.id() {
            self.on_notify(head, act);
        } else {
            act.say(head, Message::Notify);
        }
    }

    pub(super) fn on_round_overdue(&mut self, act: &mut Act) {
        let Some(mut round) = self.round else {
            return;
        };
        if round.tries < self.config().tries {
            round.tries += 1;
            self.round = Some(round);
            act.ask(round.to, round.tag, Query::Neighbours);
            act.set(Timer::Round, self.config().timing.answer);
            return;
        }
        match round.stage {
            Stage::Candidate => {
                let head = self.successors.first().copied().unwrap_or(self.id());
                self.notify_and_rest(head, act);
            }
            Stage::Successor => self.give_successor_up(round.to, act),
        }
    }

    /// The successor is silent: the next of the list takes its place.
    fn give_successor_up(&mut self, head: Id, act: &mut Act) {
        self.suspect(head, act);
        // In a tiny ring the list repeats the last one.
        let last = self.config().keeps_last && self.successors.iter().all(|known| *known == head);
        if !last && !self.is(Mutant::KeepsDeadSuccessor) {
            // Something else may have come before it meanwhile.
            self.successors.retain(|known| *known != head);
        }
        self.round = None;
        match self.successors.first().copied() {
            None => self.on_isolated(act),
            Some(next) if self.config().rectifies() && next != head => {
                self.notify_and_rest(next, act);
            }
            Some(_) => act.set(Timer::Stabilize, self.config().timing.stabilize),
        }
    }

    /// Nobody is left in the successor list.
    fn on_isolated(&mut self, act: &mut Act) {
        act.tell(Event::Isolated);
        let (own, rejoins) = (self.id(), self.config().rejoins);
        let before = self.predecessor.filter(|before| rejoins && *before != own);
        if let Some(before) = before
            && !self.errands.contains_key(&super::Errand::Join)
        {
            self.predecessor = None;
            // Nobody waits for a predecessor that is not there any more; as a member it begins anew.
            self.check = None;
            act.cancel(Timer::Check);
            self.on_join(before, act);
        }
    }

    /// A node was silent: it is no finger any more.
    pub(super) fn suspect(&mut self, silent: Id, act: &mut Act) {
        self.fingers.retain(|_, finger| *finger != silent);
        act.tell(Event::Suspected(silent));
    }

    pub(super) fn on_notify(&mut self, from: Id, act: &mut Act) {
        let own = self.id();
        let rules = self.config().rules;
        if rules.is_better_predecessor(own, from, self.predecessor) {
            self.become_successor_of(from, act);
            return;
        }
        let rectifies = self.config().rectifies();
        match self.predecessor {
            Some(old) if rectifies && old != from && old != own && self.check.is_none() => {
                self.ask_after(old, Some(from), act);
            }
            _ => {}
        }
    }

    fn ask_after(&mut self, of: Id, candidate: Option<Id>, act: &mut Act) {
        let tag = self.fresh_tag();
        self.check = Some(Check {
            of,
            candidate,
            tag,
            tries: 1,
        });
        act.ask(of, tag, Query::Ping);
        act.set(Timer::Check, self.config().timing.answer);
    }

    pub(super) fn on_check_predecessor(&mut self, act: &mut Act) {
        if let Some(after) = self.config().timing.check_predecessor {
            act.set(Timer::CheckPredecessor, after);
        }
        let own = self.id();
        if let Some(old) = self.predecessor.filter(|old| *old != own)
            && self.check.is_none()
        {
            self.ask_after(old, None, act);
        }
    }

    pub(super) fn on_alive(&mut self, act: &mut Act) {
        self.check = None;
        act.cancel(Timer::Check);
    }

    pub(super) fn on_check_overdue(&mut self, act: &mut Act) {
        let Some(mut check) = self.check.take() else {
            return;
        };
        if check.tries < self.config().tries {
            check.tries += 1;
            self.check = Some(check);
            act.ask(check.of, check.tag, Query::Ping);
            act.set(Timer::Check, self.config().timing.answer);
            return;
        }
        self.suspect(check.of, act);
        // A nearer one may have come in the meantime.
        if self.predecessor == Some(check.of) && !self.is(Mutant::KeepsDeadPredecessor) {
            self.predecessor = None;
            if let Some(candidate) = check.candidate {
                self.become_successor_of(candidate, act);
            }
        }
    }

    /// A new predecessor; whatever it owns from now on is handed over.
    pub(super) fn become_successor_of(&mut self, node: Id, act: &mut Act) {
        let old = self.predecessor.replace(node);
        if node != self.id() {
            self.hand_over_what_moves(old, node, act);
        }
    }
}
