//! The properties as facts about states; what is ideal, and what repairs it.

use super::state::{State, Status};
use super::{Action, AtomicRing, Variant};
use crate::chord::properties;
use crate::explore::Fact;

/// The classes of maintenance steps, as results name them.
pub const CLASSES: [&str; 8] = [
    "stabilize",
    "reconcile",
    "update",
    "flush",
    "look up itself",
    "stabilize from successor",
    "stabilize from predecessor",
    "rectify",
];

impl AtomicRing {
    /// The fact of that name, if it is one about the shape of a ring.
    pub fn fact(name: &str) -> Option<Fact<Self>> {
        let property = properties::shape_named::<State>(name)?;
        let judge = property.judge;
        Some(Fact::always(property.name, move |_, state: &State| {
            !judge(state).is_broken()
        }))
    }

    /// The facts that a variant claims to keep, each as a fact about states.
    pub fn facts() -> Vec<Fact<Self>> {
        let facts = properties::shape::<State>();
        let facts = facts
            .into_iter()
            .filter_map(|property| Self::fact(property.name));
        facts.collect()
    }

    /// Whether nothing is left to repair: every pointer is what it is to be. What a member is in the middle of does not
    /// count.
    pub fn is_ideal(&self, state: &State) -> bool {
        properties::is_ideal(state, usize::from(self.scope.successors))
    }

    /// Whether the ring is ideal, and no step that is under way will change that.
    pub fn is_settled(&self, state: &State) -> bool {
        self.is_ideal(state)
            && state.live().all(|node| {
                let pending = match state.at(node).status {
                    Status::Idle => return true,
                    Status::Stabilizing => Action::StabilizeFromPredecessor(node),
                    Status::Rectifying => Action::Rectify(node),
                };
                let after = self.step(state, pending);
                after.is_none_or(|after| after.pointers_equal(state))
            })
    }

    /// Whether a round of maintenance of some member, undisturbed, changes a pointer: stabilization, with what
    /// it asks for next, and what the notified member makes of it.
    pub fn is_repairable(&self, state: &State) -> bool {
        state.live().any(|node| {
            let round = match self.scope.variant {
                Variant::Zave2017 => vec![self.round(state, node)],
                _ => {
                    let mut actions = Vec::new();
                    self.offer_maintenance(state, &mut actions);
                    let own = actions.into_iter().filter(|action| action.node() == node);
                    own.filter_map(|action| self.step(state, action)).collect()
                }
            };
            round.iter().any(|after| !after.pointers_equal(state))
        })
    }

    /// One whole stabilization of a member that nobody interrupts, with the notification at its end.
    fn round(&self, state: &State, node: super::Place) -> State {
        let mut now = *state;
        for member in state.live() {
            now.at_mut(member).finish();
        }
        let idle = now;
        let steps = [
            Action::StabilizeFromSuccessor(node),
            Action::StabilizeFromPredecessor(node),
        ];
        for step in steps {
            now = self.step(&now, step).unwrap_or(now);
        }
        for notified in idle.live() {
            now = self.step(&now, Action::Rectify(notified)).unwrap_or(now);
        }
        now
    }
}

impl State {
    /// Whether both have the same members with the same pointers, whatever they are in the middle of.
    pub(super) fn pointers_equal(&self, other: &Self) -> bool {
        let quiet = |state: &Self| {
            let mut quiet = *state;
            for member in state.live() {
                quiet.at_mut(member).finish();
            }
            quiet
        };
        quiet(self) == quiet(other)
    }
}
