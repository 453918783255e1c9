//! Nodes come and go.

use super::state::State;
use super::{Action, AtomicRing, Place, Variant};
use crate::chord::mutant::Mutant;
use crate::chord::properties::{is_principal, principals};
use crate::chord::view::Ring;

impl AtomicRing {
    /// All churn that is worth trying.
    pub(super) fn offer_churn(&self, state: &State, actions: &mut Vec<Action>) {
        let churn = self.scope.churn;
        for node in 0..self.scope.ids {
            if state.is_live(node) {
                if churn.fails {
                    actions.push(Action::Fail(node));
                }
                if churn.leaves {
                    actions.push(Action::Leave(node));
                }
            } else if churn.joins {
                actions.extend(state.live().map(|via| Action::Join(node, via)));
            }
        }
    }

    /// A node joins between a member and that member's successor. Until 2003 it takes the successor alone, which the
    /// first fix wants to be live; in 2017 it takes the whole list, and the member as predecessor.
    pub(super) fn join(&self, state: &mut State, node: Place, via: Place) -> bool {
        if state.is_live(node) || !state.is_live(via) {
            return false;
        }
        let member = *state.at(via);
        let successor = member.first();
        if !self.rules.fits_between(via, node, successor) {
            return false;
        }
        match self.scope.variant {
            Variant::Zave2017 => {
                let length = usize::from(self.scope.successors);
                let joined = state.insert(node);
                if self.rules.is(Mutant::JoinsWithTheMember) {
                    joined.set_list(std::iter::once(via).chain(member.list()).take(length));
                } else if self.rules.is(Mutant::JoinsWithOneEntry) {
                    joined.set_list([successor]);
                } else if self.rules.is(Mutant::SwapsNeighbours) {
                    joined.set_list([via]);
                } else {
                    joined.set_list(member.list());
                }
                joined.predecessor = via;
                if self.rules.is(Mutant::SwapsNeighbours) {
                    joined.predecessor = successor;
                }
            }
            Variant::Ton2003 {
                live_join: true, ..
            }
            | Variant::Podc2002
                if !state.is_live(successor) =>
            {
                return false;
            }
            _ => state.insert(node).successors[0] = successor,
        }
        true
    }

    /// A member fails. That leaves every other member a live entry in its list, judged on what is left, and somebody
    /// is left. Where a base of principals is kept, a principal stays while there are no more than r + 1 of them.
    pub(super) fn fail(&self, state: &mut State, node: Place) -> bool {
        if !state.is_live(node) || state.size() == 1 {
            return false;
        }
        let base = usize::from(self.scope.successors) + 1;
        if self.scope.base && is_principal(state, node) && principals(state).count() <= base {
            return false;
        }
        state.remove(node);
        state.everyone_has_a_live_successor()
    }

    /// A member leaves: its predecessor puts the last of its list in its place, its successor takes its
    /// predecessor for its own. In 2017 leaving is failing.
    pub(super) fn leave(&self, state: &mut State, node: Place) -> bool {
        if !state.is_live(node) {
            return false;
        }
        let leaving = *state.at(node);
        if !self.fail(state, node) {
            return false;
        }
        if self.scope.variant == Variant::Zave2017 {
            return true;
        }
        if let Some(before) = leaving
            .predecessor()
            .filter(|before| state.is_live(*before))
        {
            let length = usize::from(self.scope.successors);
            let kept = state.at(before).list().filter(|entry| *entry != node);
            let list = kept.chain(leaving.list().last()).take(length);
            state.at_mut(before).set_list(list);
        }
        let after = leaving.first();
        if state.is_live(after) && state.at(after).predecessor() == Some(node) {
            state.at_mut(after).predecessor = leaving.predecessor;
        }
        state.everyone_has_a_live_successor()
    }
}
