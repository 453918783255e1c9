//! What the operations of `zave2017` are held to, as facts about states: what is not ideal can be repaired, what is settled
//! is left alone, and what single steps owe.

use super::state::{State, Status};
use super::{Action, AtomicRing, Place};
use crate::chord::view::Ring;
use crate::explore::Fact;
use crate::space::circle::between;

/// A promise of the operations, and when it is put to the test.
pub(super) struct Promise {
    name: &'static str,
    is_kept: fn(&AtomicRing, &State) -> bool,
    arises: fn(&AtomicRing, &State) -> bool,
}

/// Every promise.
const PROMISES: [Promise; 6] = [
    Promise {
        name: "what_is_not_ideal_is_repaired",
        is_kept: |ring, state| ring.is_ideal(state) || ring.is_repairable(state),
        arises: |ring, state| !ring.is_ideal(state),
    },
    Promise {
        name: "what_is_settled_stays_settled",
        is_kept: |ring, state| !ring.is_settled(state) || ring.is_left_alone(state),
        // Ideal again, and somebody is still in the middle of something that changes nothing.
        arises: |ring, state| ring.is_settled(state) && !ring.is_at_rest(state),
    },
    Promise {
        name: "the_ideal_ring_stays_in_reach",
        is_kept: |ring, state| ring.settles(state),
        arises: |ring, state| !ring.is_ideal(state),
    },
    Promise {
        name: "everybody_may_join_an_ideal_ring",
        is_kept: |ring, state| !ring.is_ideal(state) || ring.admits_everybody(state),
        arises: |ring, state| ring.is_ideal(state) && state.size() < usize::from(ring.scope.ids),
    },
    Promise {
        name: "live_predecessors_only_come_nearer",
        is_kept: AtomicRing::keeps_near_predecessors,
        arises: |ring, state| ring.replacements(state).next().is_some(),
    },
    Promise {
        name: "lists_are_full",
        is_kept: AtomicRing::has_full_lists,
        // A list that was filled up with the identifier of nobody.
        arises: |_, state| {
            let lists = state.live().map(|member| state.at(member).list().last());
            lists.flatten().any(|last| !state.is_live(last))
        },
    },
];

/// The promise of that name.
pub(super) fn named(name: &str) -> Option<&'static Promise> {
    PROMISES.iter().find(|promise| promise.name == name)
}

impl Promise {
    /// The fact that it is kept.
    fn fact(&self) -> Fact<AtomicRing> {
        Fact::always(self.name, self.is_kept)
    }

    /// The fact that it is put to the test somewhere, and is kept there.
    pub(super) fn partner(&'static self) -> Fact<AtomicRing> {
        Fact::sometimes(self.name, |ring, state| {
            (self.arises)(ring, state) && (self.is_kept)(ring, state)
        })
    }
}

impl AtomicRing {
    /// What the operations of `zave2017` are held to: whatever is not ideal can be repaired, what is ideal is left alone,
    /// once churn stops the ideal ring stays in reach, and what single steps owe.
    pub fn upkeep_facts() -> Vec<Fact<Self>> {
        PROMISES.iter().map(Promise::fact).collect()
    }

    /// Whether nobody is in the middle of anything.
    fn is_at_rest(&self, state: &State) -> bool {
        state
            .live()
            .all(|member| state.at(member).status == Status::Idle)
    }

    /// Whether no maintenance step of anybody changes a pointer, or leads to a state that is not settled.
    fn is_left_alone(&self, state: &State) -> bool {
        let mut actions = Vec::new();
        self.offer_maintenance(state, &mut actions);
        actions.iter().all(|action| {
            let after = self.step(state, *action);
            after.is_none_or(|after| after.pointers_equal(state) && self.is_settled(&after))
        })
    }

    /// Whether each node that is not there can join through somebody.
    fn admits_everybody(&self, state: &State) -> bool {
        let absent = (0..self.scope.ids).filter(|node| !state.is_live(*node));
        let mut absent = absent.map(|node| {
            let mut through = state.live().map(|via| Action::Join(node, via));
            through.any(|join| self.step(state, join).is_some())
        });
        absent.all(|admitted| admitted)
    }

    /// The live predecessors that pending notifications replace, each as the member, the old one and the new one.
    fn replacements(&self, state: &State) -> impl Iterator<Item = (Place, Place, Place)> {
        state.live().filter_map(|node| {
            let old = state.at(node).predecessor();
            let old = old.filter(|old| state.is_live(*old))?;
            let after = self.step(state, Action::Rectify(node, state.at(node).saved))?;
            let new = after.at(node).predecessor()?;
            (old != new).then_some((node, old, new))
        })
    }

    /// Whether the pending notifications of a state replace live predecessors by nearer ones only.
    fn keeps_near_predecessors(&self, state: &State) -> bool {
        let mut replacements = self.replacements(state);
        replacements.all(|(node, old, new)| between(old, new, node))
    }

    /// Whether every list has as many entries as the scope says.
    fn has_full_lists(&self, state: &State) -> bool {
        let length = usize::from(self.scope.successors);
        let mut lists = state.live().map(|member| state.at(member).list());
        lists.all(|list| list.count() == length)
    }

    /// Whether maintenance alone, one member after the other, leads to a settled ring.
    ///
    /// One way there is enough to show that it is in reach. A ring of n members that is repaired at all is repaired
    /// within some multiple of n turns; the bound is generous.
    fn settles(&self, state: &State) -> bool {
        let mut now = *state;
        let mut actions = Vec::new();
        for _ in 0..4 * usize::from(self.scope.ids) {
            if self.is_settled(&now) {
                return true;
            }
            for node in now.live() {
                // What it is in the middle of, a whole stabilization, and what the notified one makes of it.
                for _ in 0..3 {
                    actions.clear();
                    self.offer_maintenance(&now, &mut actions);
                    for action in actions.iter().filter(|action| action.node() == node) {
                        now = self.step(&now, *action).unwrap_or(now);
                    }
                }
            }
        }
        false
    }
}
