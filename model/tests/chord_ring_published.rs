//! The published counterexamples to Chord's claimed invariants replay, and violate what they are said to violate.

use peerproof_model::chord::properties;
use peerproof_model::chord::ring::{Action, AtomicRing, Scope, State, Variant};
use stateright::Model;

const NO_FIX1: Variant = Variant::Ton2003 {
    live_join: false,
    live_stabilize: true,
};
const NO_FIX2: Variant = Variant::Ton2003 {
    live_join: true,
    live_stabilize: false,
};

struct Published {
    violates: &'static str,
    variant: Variant,
    sequence: &'static str,
    /// Every property of the claimed invariants that some state on the way violates, with the first such step.
    on_the_way: &'static [(&'static str, usize)],
}

const PUBLISHED: &[Published] = &[
    Published {
        violates: "ordered_merges",
        variant: Variant::TON2003_FIXED,
        sequence: "J3 S3 S0 J1 J2 S1 S2 S0",
        on_the_way: &[],
    },
    Published {
        violates: "ordered_appendages",
        variant: Variant::TON2003_FIXED,
        sequence: "J1 J2 J3 S2 S0 S3 S1 R2 R3 F0 U2 U3 L3 S3",
        on_the_way: &[],
    },
    Published {
        violates: "valid_successor_lists",
        variant: Variant::TON2003_FIXED,
        sequence: "J2 S2 S0 J1 R1 J3 S3 S2 R0 S1 S0 F2 U1",
        on_the_way: &[],
    },
    Published {
        violates: "connected_appendages",
        variant: NO_FIX1,
        sequence: "J2 S2 S0 R0 F2 J1 U0",
        on_the_way: &[],
    },
    Published {
        violates: "at_least_one_ring",
        variant: NO_FIX2,
        sequence: "J2 S2 S0 J1 S1 F1 S0 L2",
        on_the_way: &[],
    },
    Published {
        violates: "at_most_one_ring",
        variant: Variant::TON2003_FIXED,
        sequence: "J2 S2 S0 R0 R2 J1 S1 S0 J3 S3 S2 F1 F3 U0 U2",
        on_the_way: &[],
    },
];

/// The states along a sequence of short names. A name that changes nothing is a step that leaves the state.
fn replayed(ring: &AtomicRing, sequence: &str) -> Vec<State> {
    let mut states = ring.init_states();
    assert_eq!(states.len(), 1);
    for code in sequence.split(' ') {
        let now = *states.last().expect("a state");
        let mut actions = Vec::new();
        ring.actions(&now, &mut actions);
        let named = actions.into_iter().filter(|action| action.code() == code);
        let mut next: Vec<(Action, State)> = named.filter_map(|action| Some((action, ring.step(&now, action)?))).collect();
        next.dedup_by_key(|(_, state)| *state);
        eprintln!("{code}: {next:?}");
        assert!(next.len() < 2, "{code} of {sequence}");
        states.push(next.first().map_or(now, |(_, state)| *state));
    }
    states
}

#[test]
fn published_counterexamples_violate_what_they_say() {
    for published in PUBLISHED {
        let ring = AtomicRing::new(Scope::new(published.variant, 4, 2)).expect("a possible scope");
        let states = replayed(&ring, published.sequence);
        let mut first = Vec::new();
        for property in properties::shape::<State>() {
            let step = states.iter().position(|state| (property.judge)(state).is_broken());
            first.extend(step.map(|step| (property.name, step)));
        }
        eprintln!("{} {first:?} of {}", published.violates, states.len() - 1);
        let named = properties::shape_named::<State>(published.violates).expect("a property");
        assert!((named.judge)(states.last().expect("a state")).is_broken(), "{}", published.violates);
    }
}
