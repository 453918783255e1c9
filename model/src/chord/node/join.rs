//! Becoming a member, lazily or in three steps, and leaving.

use super::lookup::Seek;
use super::{Act, ChordNode, Errand, Event, Joining, Lookup, Phase, Timer};
use crate::chord::message::{Message, Query};
use crate::chord::mutant::Mutant;
use crate::space::circle::{Id, between};

impl ChordNode {
    pub(super) fn on_create(&mut self, act: &mut Act) {
        self.predecessor = Some(self.id());
        self.successors = vec![self.id()];
        self.become_member(act);
    }

    pub(super) fn on_join(&mut self, via: Id, act: &mut Act) {
        self.phase = Phase::Joining(via);
        match self.config().joining {
            Joining::Lazy => self.begin(Errand::Join, None, act),
            Joining::ThreeSteps => self.begin(Errand::Finger(0), None, act),
        }
    }

    fn become_member(&mut self, act: &mut Act) {
        self.phase = Phase::In;
        act.tell(Event::Joined);
        self.start_timers(act);
    }

    /// The lazy join: `from` is the member before this node, and `list` begins with the one after it.
    pub(super) fn on_place_found(&mut self, from: Id, mut list: Vec<Id>, act: &mut Act) {
        let own = self.id();
        // Where `from` still takes this node for a member, it says as well who follows; and if it knows nobody
        // else, it is itself the one that lives.
        list.retain(|other| *other != own);
        if list.is_empty() {
            list.push(from);
        }
        let head = list[0];
        if self.config().joins_only_live() {
            let tag = self.fresh_tag();
            if let Some(lookup) = self.errands.get_mut(&Errand::Join) {
                lookup.tag = tag;
                lookup.tries = 1;
                // Who comes before, for those rules that tell a newcomer so.
                lookup.rest = vec![from];
            }
            return self.confirm(Errand::Join, head, act);
        }
        self.end(Errand::Join, act);
        if self.config().rectifies() {
            self.predecessor = Some(from);
            self.successors = list;
        } else {
            self.successors = vec![head];
            if self.is(Mutant::InventsPredecessor) {
                self.predecessor = Some(from);
            }
        }
        self.become_member(act);
    }

    pub(super) fn confirm(&mut self, errand: Errand, head: Id, act: &mut Act) {
        if let Some(lookup) = self.errands.get_mut(&errand) {
            lookup.stage = Seek::Confirming(head);
            act.ask(head, lookup.tag, Query::Neighbours);
            act.set(Timer::Errand(errand), self.config().timing.answer);
        }
    }

    /// The successor-to-be lives.
    pub(super) fn on_confirmed(
        &mut self,
        head: Id,
        predecessor: Option<Id>,
        its_list: &[Id],
        act: &mut Act,
    ) {
        let lookup = self.end(Errand::Join, act);
        self.adopt(head, its_list);
        if self.config().rectifies() || self.is(Mutant::InventsPredecessor) {
            self.predecessor = lookup.and_then(|lookup| lookup.rest.first().copied());
        }
        if self.config().joining == Joining::ThreeSteps {
            self.predecessor = predecessor.filter(|other| *other != self.id());
            self.become_member(act);
            self.notify(head, act);
            self.update_others(0, act);
        } else {
            self.become_member(act);
        }
    }

    /// The first of the three steps: the fingers are looked up one after the other, then the successor is asked
    /// for its predecessor.
    pub(super) fn on_first_finger(&mut self, exponent: u32, list: Vec<Id>, act: &mut Act) {
        if exponent == 0 {
            self.successors = list;
        }
        if exponent + 1 < self.config().circle.bits() {
            self.begin(Errand::Finger(exponent + 1), None, act);
            return;
        }
        let head = self.successors.first().copied().unwrap_or(self.id());
        if head == self.id() {
            return self.on_join_failed(act);
        }
        let mut lookup = Lookup::new(self.id(), None);
        lookup.tag = self.fresh_tag();
        self.errands.insert(Errand::Join, lookup);
        self.confirm(Errand::Join, head, act);
    }

    /// The second step: the last node that may have this one as a finger of that exponent is told.
    pub(super) fn update_others(&mut self, exponent: u32, act: &mut Act) {
        let three = self.config().joining == Joining::ThreeSteps;
        if !three || !self.is_member() || exponent >= self.config().circle.bits() {
            return;
        }
        match self.predecessor {
            // The last node at or before n - 1 is the predecessor.
            Some(before) if exponent == 0 => {
                let (node, finger) = (self.id(), exponent);
                act.say(before, Message::UpdateFinger { node, finger });
                self.update_others(1, act);
            }
            _ => self.begin(Errand::Update(exponent), None, act),
        }
    }

    pub(super) fn on_update_finger(&mut self, node: Id, exponent: u32, act: &mut Act) {
        let own = self.id();
        let start = self.finger_start(exponent);
        let Some(current) = self.finger(exponent).filter(|_| node != own) else {
            return;
        };
        let nearer = current != start && (node == start || between(start, node, current));
        if !nearer {
            return;
        }
        if exponent > 0 {
            self.fingers.insert(exponent, node);
        } else if !self.config().rectifies() {
            let list = self.successors.clone();
            self.adopt(node, &list);
        }
        // Those before this node may have the same finger.
        if let Some(before) = self.predecessor
            && before != own
            && before != node
        {
            let finger = exponent;
            act.say(before, Message::UpdateFinger { node, finger });
        }
    }

    pub(super) fn on_join_failed(&mut self, act: &mut Act) {
        self.forget_everything(act);
        act.tell(Event::JoinFailed);
    }

    pub(super) fn on_leave(&mut self, act: &mut Act) {
        let own = self.id();
        let head = self.successors.first().copied().filter(|head| *head != own);
        let mut told: Vec<Id> = self.predecessor.into_iter().chain(head).collect();
        told.retain(|other| *other != own);
        told.dedup();
        for other in told {
            let goodbye = Message::Goodbye {
                predecessor: self.predecessor,
                successors: self.successors.clone(),
            };
            act.say(other, goodbye);
        }
        self.phase = Phase::Leaving;
        if let Some(head) = head {
            let owned: Vec<Id> = self.owned_keys();
            self.hand_over(head, owned, act);
        }
        self.leave_when_nothing_is_left(act);
    }

    pub(super) fn leave_when_nothing_is_left(&mut self, act: &mut Act) {
        if self.phase == Phase::Leaving && self.handovers.is_empty() {
            self.forget_everything(act);
            act.tell(Event::Left);
        }
    }

    fn forget_everything(&mut self, act: &mut Act) {
        let errands = self.errands.keys().map(|errand| Timer::Errand(*errand));
        let handovers = self.handovers.keys().map(|to| Timer::Handover(*to));
        let fixed = [
            Timer::Stabilize,
            Timer::CheckPredecessor,
            Timer::FixFingers,
            Timer::Repair,
            Timer::Round,
            Timer::Check,
        ];
        for timer in errands.chain(handovers).chain(fixed) {
            act.cancel(timer);
        }
        *self = Self {
            last_tag: self.last_tag,
            ..Self::new(std::sync::Arc::clone(&self.config.0))
        };
    }

    /// A neighbour leaves.
    pub(super) fn on_goodbye(
        &mut self,
        from: Id,
        predecessor: Option<Id>,
        successors: &[Id],
        act: &mut Act,
    ) {
        let (own, length) = (self.id(), self.config().successors);
        self.fingers.retain(|_, finger| *finger != from);
        if self.successors.first() == Some(&from) {
            // What follows the one that leaves, as if its list had been adopted.
            let rest = successors.iter().copied().filter(|other| *other != from);
            self.successors = rest.take(length).collect();
        } else {
            self.successors.retain(|other| *other != from);
        }
        if self.successors.is_empty() {
            self.successors.push(own);
        }
        if self.predecessor == Some(from) {
            let believed = !self.config().rectifies();
            let named = predecessor.filter(|other| believed && *other != from);
            self.predecessor = named.or_else(|| (self.successors == [own]).then_some(own));
        }
        let waited = self.round.is_some_and(|round| round.to == from);
        if waited {
            act.cancel(Timer::Round);
            self.round = None;
            act.set(Timer::Stabilize, self.config().timing.stabilize);
        }
    }
}
