//! Strong stabilization: a rendering of what the extended papers add, so that loopy rings are repaired.
//!
//! Each member looks itself up from its successor. Whoever is on the cycle and is told of somebody else knows that
//! the cycle winds round more than once, and adopts what it was told when that is nearer. Whoever is not on
//! the cycle rejoins through a member that is. And only members on the cycle adopt their successor's
//! predecessor: one that is not could cut itself off with those who follow it.

use super::state::State;
use super::{AtomicRing, Place, Variant};
use crate::chord::view::Ring;
use crate::space::circle::between_or_last;

impl AtomicRing {
    /// Whether stabilizing may change the successor of that member.
    pub(super) fn may_adopt(&self, state: &State, node: Place) -> bool {
        self.scope.variant != Variant::Podc2002 || state.is_on_a_ring(node)
    }

    /// A member looks itself up, and adopts what it finds when that is nearer, or when it was off the cycle.
    pub(super) fn look_up_itself(&self, state: &mut State, node: Place) -> bool {
        let Some(successor) = state.best_successor(node) else {
            return false;
        };
        let found = if state.is_on_a_ring(node) {
            let found = successor_of(state, successor, node);
            found.filter(|found| self.rules.is_better_successor(node, *found, successor))
        } else {
            let on_the_cycle = state.walk(node).find(|met| state.is_on_a_ring(*met));
            on_the_cycle.and_then(|from| successor_of(state, from, node))
        };
        match found {
            Some(found) if found != node => {
                state.at_mut(node).successors[0] = found;
                true
            }
            _ => false,
        }
    }
}

/// Who follows `id`, asked from a member on, along best successors; `None` when nobody answers within one cycle.
fn successor_of(state: &State, from: Place, id: Place) -> Option<Place> {
    let mut at = from;
    for met in state.walk(from) {
        if between_or_last(at, id, met) {
            return Some(met);
        }
        at = met;
    }
    None
}
