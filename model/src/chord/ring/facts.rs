//! The properties of the shape of a ring as facts about states, the goal, what is ideal, and what repairs it.

use std::sync::Arc;

use stateright::Property;

use super::state::{State, Status};
use super::{Action, AtomicRing, Variant, promises};
use crate::chord::properties;
use crate::explore::{ActionClass, Fact, Fairness, Goal};
use crate::property::Judgement;

macro_rules! listed {
    ($($name:literal),* $(,)?) => {
        vec![$(Property::always($name, |_, state: &State| is_kept($name, state))),*]
    };
}

/// The facts about the shape of a ring as Stateright's Explorer lists them: of `zave2017` those that it keeps.
pub(super) fn listed(variant: Variant) -> Vec<Property<AtomicRing>> {
    let mut listed: Vec<Property<AtomicRing>> = listed![
        "at_least_one_ring",
        "at_most_one_ring",
        "ordered_ring",
        "no_loopy_ring",
        "connected_appendages",
        "ordered_merges",
        "ordered_appendages",
        "valid_successor_lists",
        "no_duplicates",
        "ordered_successor_lists",
        "everyone_has_a_live_successor",
        "principals_are_on_the_ring",
        "enough_principals",
    ];
    listed.retain(|property| {
        variant != Variant::Zave2017 || AtomicRing::KEPT.contains(&property.name)
    });
    listed
}

fn is_kept(name: &str, state: &State) -> bool {
    properties::shape_named::<State>(name)
        .is_some_and(|property| !(property.judge)(state).is_broken())
}

impl AtomicRing {
    /// The fact of that name, if it is one about the shape of a ring.
    pub fn fact(name: &str) -> Option<Fact<Self>> {
        let property = properties::shape_named::<State>(name)?;
        let judge = property.judge;
        Some(Fact::always(property.name, move |_, state: &State| {
            !judge(state).is_broken()
        }))
    }

    /// The reachable partner of the property of that name: somewhere it is put to the test, and holds.
    pub fn put_to_the_test(name: &str) -> Option<Fact<Self>> {
        if let Some(promise) = promises::named(name) {
            return Some(promise.partner());
        }
        let property = properties::shape_named::<State>(name)?;
        let judge = property.judge;
        Some(Fact::sometimes(property.name, move |_, state: &State| {
            judge(state) == Judgement::Holds
        }))
    }

    /// Every property of the shape of a ring as a fact about states, whether the variant keeps it or not.
    pub fn facts() -> Vec<Fact<Self>> {
        let facts = properties::shape::<State>();
        let facts = facts
            .into_iter()
            .filter_map(|property| Self::fact(property.name));
        facts.collect()
    }

    /// The facts that `zave2017` keeps in every reachable state, by name.
    pub const KEPT: [&'static str; 10] = [
        "at_least_one_ring",
        "at_most_one_ring",
        "ordered_ring",
        "no_loopy_ring",
        "connected_appendages",
        "no_duplicates",
        "ordered_successor_lists",
        "everyone_has_a_live_successor",
        "principals_are_on_the_ring",
        "enough_principals",
    ];

    /// Once churn stops the ring becomes ideal and stays so, when every kind of step of every member is that fair.
    /// Notifications by different nodes are different kinds, because a later one takes the place of an earlier one.
    pub fn convergence(&self, fairness: Fairness) -> Goal<Self> {
        let mut kinds = Vec::new();
        for node in 0..self.scope.ids {
            // A member that is alone notifies itself.
            let others = 0..self.scope.ids;
            match self.scope.variant {
                Variant::Zave2017 => {
                    kinds.push(Action::StabilizeFromSuccessor(node));
                    kinds.push(Action::StabilizeFromPredecessor(node));
                    kinds.extend(others.map(|by| Action::Rectify(node, by)));
                }
                Variant::Sigcomm2001 => kinds.push(Action::Stabilize(node)),
                Variant::Ton2003 { .. } | Variant::Podc2002 => kinds.extend([
                    Action::Stabilize(node),
                    Action::Reconcile(node),
                    Action::Update(node),
                    Action::Flush(node),
                    Action::LookUpItself(node),
                ]),
            }
        }
        let class = |kind: &Action| ActionClass {
            name: kind.to_string(),
            fairness,
        };
        Goal {
            name: "the_ring_becomes_and_stays_ideal",
            holds: Arc::new(|ring: &Self, state: &State| ring.is_ideal(state)),
            churn: "nobody joins, leaves or fails any more",
            classes: kinds.iter().map(class).collect(),
            class_of: Arc::new(move |_: &Self, action: &Action| {
                let kind = kinds.iter().position(|kind| kind == action);
                // A step that is neither churn nor of a kind would be an error, and the explorer says so.
                (!action.is_churn()).then(|| kind.unwrap_or(kinds.len()))
            }),
        }
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
                    Status::Rectifying => Action::Rectify(node, state.at(node).saved),
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
            now = self
                .step(&now, Action::Rectify(notified, node))
                .unwrap_or(now);
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
