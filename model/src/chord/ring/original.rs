//! Stabilize, notify, reconcile, update, flush, as published from 2001 to 2003.

use super::state::State;
use super::{AtomicRing, Place, Variant};
use crate::chord::mutant::Mutant;

impl AtomicRing {
    /// A member whose successor is live asks it for its predecessor, adopts that when it lies between the two (and
    /// is live, with the second fix), and notifies whom it has now.
    pub(super) fn stabilize(&self, state: &mut State, node: Place) -> bool {
        let successor = state.at(node).first();
        if !state.is_live(successor) {
            return false;
        }
        let asks_if_live = match self.scope.variant {
            Variant::Sigcomm2001 => false,
            Variant::Ton2003 { live_stabilize, .. } => live_stabilize,
            Variant::Podc2002 | Variant::Zave2017 => true,
        };
        let mut adopted = successor;
        if let Some(candidate) = state.at(successor).predecessor() {
            let better = self.rules.is_better_successor(node, candidate, successor)
                && (!asks_if_live || state.is_live(candidate))
                && self.may_adopt(state, node);
            if better {
                adopted = candidate;
                state.at_mut(node).successors[0] = candidate;
            }
        }
        self.notify(state, adopted, node);
        true
    }

    /// A member is notified, and takes the notifying one for its predecessor when it has none, or when that is a
    /// better one. A notification to a dead node is lost.
    fn notify(&self, state: &mut State, notified: Place, by: Place) {
        if !state.is_live(notified) || self.rules.is(Mutant::NeverNotifies) {
            return;
        }
        let predecessor = state.at(notified).predecessor();
        if self.rules.is_better_predecessor(notified, by, predecessor) {
            state.at_mut(notified).predecessor = by;
        }
    }

    /// A member whose successor is live takes the list of the successor for the rest of its own.
    pub(super) fn reconcile(&self, state: &mut State, node: Place) -> bool {
        let successor = state.at(node).first();
        if !state.is_live(successor) {
            return false;
        }
        let length = usize::from(self.scope.successors);
        let its_list = state.at(successor).list();
        let list = self.rules.adopted_list(successor, its_list, length);
        state.at_mut(node).set_list(list);
        true
    }

    /// A member whose successor is dead drops it, when it has another.
    pub(super) fn update(&self, state: &mut State, node: Place) -> bool {
        let pointers = state.at(node);
        if state.is_live(pointers.first()) || pointers.list().count() < 2 {
            return false;
        }
        state.at_mut(node).drop_first();
        true
    }

    /// A member whose predecessor is dead forgets it.
    pub(super) fn flush(&self, state: &mut State, node: Place) -> bool {
        let pointers = state.at(node);
        let dead = pointers
            .predecessor()
            .is_some_and(|before| !state.is_live(before));
        if !dead || self.rules.is(Mutant::KeepsDeadPredecessor) {
            return false;
        }
        state.at_mut(node).forget_predecessor();
        true
    }
}
