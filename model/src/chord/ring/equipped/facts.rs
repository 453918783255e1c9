//! The properties of fingers, lookups and keys as facts about states.

use super::state::Seen;
use super::{EquippedRing, EquippedState};
use crate::chord::properties::{
    ends_at_the_owner, fingers_are_right, keys_are_replicated, keys_are_with_their_owner,
    never_loops, no_key_is_lost,
};
use crate::chord::view::Ring;
use crate::explore::Fact;
use crate::property::Judgement::{self, Unknown};

type Judge = fn(&EquippedRing, &EquippedState) -> Judgement;
type Occasion = fn(&EquippedRing, &EquippedState) -> bool;

/// A property by name, what it says of a state, and which states put it to the test best.
struct Asked {
    name: &'static str,
    judge: Judge,
    arises: Occasion,
}

const ASKED: [Asked; 6] = [
    Asked {
        name: "fingers_are_right",
        judge: |model, state| model.once_at_rest(state, fingers_are_right),
        arises: |_, _| true,
    },
    Asked {
        name: "fingers_never_loop",
        judge: |model, state| never_loops(&Seen::of(model, state), model.ring.rules),
        arises: |model, state| !model.ring.is_ideal(&state.ring),
    },
    Asked {
        name: "lookups_end_at_the_owner",
        judge: |model, state| ends_at_the_owner(&Seen::of(model, state), model.ring.rules),
        // With fingers: one of them is stale.
        arises: |model, state| {
            !model.equipment.fingers || fingers_are_right(&Seen::of(model, state)).is_broken()
        },
    },
    Asked {
        name: "keys_are_with_their_owner",
        judge: |model, state| model.once_at_rest(state, keys_are_with_their_owner),
        // The owner was not there at first, or its replica has taken over.
        arises: |model, state| {
            model
                .stored(EquippedState::bare(state.ring), state.key().unwrap_or(0))
                .ne(state)
        },
    },
    Asked {
        name: "keys_are_replicated",
        judge: |model, state| model.once_at_rest(state, keys_are_replicated),
        arises: |model, state| {
            let seen = Seen::of(model, state);
            seen.size() > usize::from(model.equipment.replication)
        },
    },
    Asked {
        name: "no_key_is_lost",
        judge: |model, state| no_key_is_lost(&Seen::of(model, state)),
        arises: |_, state| state.failed > 0,
    },
];

impl EquippedRing {
    /// What the equipment of the ring is held to: fingers and lookups always, keys where there is one.
    pub fn facts(&self) -> Vec<Fact<Self>> {
        let asked = self.asked().map(|asked| {
            Fact::always(asked.name, |model, state| {
                !(asked.judge)(model, state).is_broken()
            })
        });
        asked.collect()
    }

    /// The reachable partners of the facts: somewhere each is put to the test, and holds.
    pub fn partners(&self) -> Vec<Fact<Self>> {
        let asked = self.asked().map(|asked| {
            Fact::sometimes(asked.name, |model, state| {
                (asked.arises)(model, state) && (asked.judge)(model, state) == Judgement::Holds
            })
        });
        asked.collect()
    }

    /// What each of the facts says of a state, by name.
    pub fn judgements(&self, state: &EquippedState) -> Vec<(&'static str, Judgement)> {
        let asked = self.asked();
        asked
            .map(|asked| (asked.name, (asked.judge)(self, state)))
            .collect()
    }

    fn asked(&self) -> impl Iterator<Item = &'static Asked> {
        let Self { equipment, .. } = *self;
        ASKED.iter().filter(move |asked| match asked.name {
            "fingers_are_right" => equipment.fingers,
            "fingers_never_loop" | "lookups_end_at_the_owner" => true,
            _ => equipment.replication > 0,
        })
    }

    /// What `judge` says of the ring, once that is settled and no step about fingers or keys changes anything.
    fn once_at_rest<'a>(
        &'a self,
        state: &'a EquippedState,
        judge: fn(&Seen<'a>) -> Judgement,
    ) -> Judgement {
        if !self.ring.is_settled(&state.ring) {
            return Unknown;
        }
        let mut upkeep = Vec::new();
        self.offer_upkeep(state, &mut upkeep);
        let mut after = upkeep.iter().map(|action| self.step(state, *action));
        if after.any(|after| after.is_some()) {
            return Unknown;
        }
        judge(&Seen::of(self, state))
    }
}
