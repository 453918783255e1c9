//! The corrected operations.
//!
//! A notification takes effect later, when the notified member rectifies; a later one takes its place, and the place of
//! a stabilization that is not finished. A notification to a dead node is lost.

use super::state::{State, Status};
use super::{AtomicRing, Place};
use crate::chord::mutant::Mutant;

impl AtomicRing {
    /// An idle member asks its successor. A dead one is dropped, and the list filled up with the identifier after its
    /// last. A live one gives its list and its predecessor, which will be asked next when it lies between.
    pub(super) fn stabilize_from_successor(&self, state: &mut State, node: Place) -> bool {
        if state.at(node).status != Status::Idle {
            return false;
        }
        let successor = state.at(node).first();
        if !state.is_live(successor) {
            return self.drop_dead_successor(state, node);
        }
        let asked = *state.at(successor);
        self.adopt(state, node, successor);
        if self.rules.is(Mutant::ForgetsItsPredecessor) {
            state.at_mut(node).forget_predecessor();
        }
        let better = asked
            .predecessor()
            .filter(|candidate| self.is_asked_next(node, *candidate, successor));
        match better {
            Some(candidate) if self.rules.is(Mutant::AdoptsBeforeAsking) => {
                state.at_mut(node).set_list([candidate]);
                self.notify_later(state, candidate, node);
            }
            Some(candidate) => state.at_mut(node).begin(Status::Stabilizing, candidate),
            None => self.notify_later(state, successor, node),
        }
        true
    }

    /// Whether a member that is told of its successor's predecessor asks that one next: it is the better successor.
    fn is_asked_next(&self, node: Place, candidate: Place, successor: Place) -> bool {
        let oneself = candidate == node && self.rules.is(Mutant::ClosesTheInterval);
        let better = self.rules.is_better_successor(node, candidate, successor);
        (oneself || better) && !self.rules.is(Mutant::NeverAdopts)
    }

    fn drop_dead_successor(&self, state: &mut State, node: Place) -> bool {
        let length = usize::from(self.scope.successors);
        let list = state.at(node).list();
        if self.rules.is(Mutant::KeepsDeadSuccessor) {
            return false;
        }
        if self.rules.is(Mutant::ReconcilesBeforeUpdating) {
            // Copies the list of the next entry while the dead one is still at the head.
            let Some(next) = list.clone().nth(1).filter(|next| state.is_live(*next)) else {
                return false;
            };
            let its_list = std::iter::once(next).chain(state.at(next).list());
            let copied = std::iter::once(state.at(node).first())
                .chain(its_list)
                .take(length);
            state.at_mut(node).set_list(copied);
            return true;
        }
        let instead = match self.rules.mutant {
            Some(Mutant::TurnsToItself) => Some(node),
            Some(Mutant::ForgetsTheList) => list.clone().next().map(|dead| self.next_id(dead)),
            _ => None,
        };
        if let Some(only) = instead {
            state.at_mut(node).set_list([only]);
            self.notify_later(state, only, node);
            return true;
        }
        let last = list.clone().last().unwrap_or(node);
        let filler = if self.rules.is(Mutant::RepeatsTheLastEntry) {
            last
        } else {
            self.next_id(last)
        };
        let shorter = self.rules.is(Mutant::NeverFillsUp);
        let filler = (!shorter).then_some(filler);
        state.at_mut(node).set_list(list.skip(1).chain(filler));
        if shorter && state.at(node).list().next().is_none() {
            return false;
        }
        let next = state.at(node).first();
        self.notify_later(state, next, node);
        true
    }

    /// A stabilizing member asks the saved node: a live one that lies between is adopted with its list, and notified;
    /// else the successor is notified.
    pub(super) fn stabilize_from_predecessor(&self, state: &mut State, node: Place) -> bool {
        let (Status::Stabilizing, Some(saved)) = state.at(node).pending() else {
            return false;
        };
        state.at_mut(node).finish();
        let first = state.at(node).first();
        let better = self.is_asked_next(node, saved, first);
        if better && state.is_live(saved) {
            self.adopt(state, node, saved);
        } else if better && self.rules.is(Mutant::AdoptsTheDead) {
            let length = usize::from(self.scope.successors);
            let list = std::iter::once(saved)
                .chain(state.at(node).list())
                .take(length);
            state.at_mut(node).set_list(list);
        }
        let successor = state.at(node).first();
        self.notify_later(state, successor, node);
        true
    }

    /// A notified member takes the saved node for its predecessor when it is a better one, or its own is dead.
    pub(super) fn rectify(&self, state: &mut State, node: Place, by: Place) -> bool {
        let (Status::Rectifying, Some(saved)) = state.at(node).pending() else {
            return false;
        };
        if saved != by {
            return false;
        }
        let predecessor = state.at(node).predecessor();
        let dead = predecessor.is_none_or(|before| !state.is_live(before))
            && !self.rules.is(Mutant::KeepsDeadPredecessor);
        let rectified = state.at_mut(node);
        rectified.finish();
        if dead || self.rules.is_better_predecessor(node, saved, predecessor) {
            rectified.predecessor = saved;
        }
        true
    }

    /// Takes `head` and its list for the own list.
    fn adopt(&self, state: &mut State, node: Place, head: Place) {
        let length = usize::from(self.scope.successors);
        let its_list = state.at(head).list();
        let list = self.rules.adopted_list(head, its_list, length);
        state.at_mut(node).set_list(list);
    }

    fn notify_later(&self, state: &mut State, notified: Place, by: Place) {
        if state.is_live(notified) && !self.rules.is(Mutant::NeverNotifies) {
            state.at_mut(notified).begin(Status::Rectifying, by);
        }
    }
}
