//! Fingers, lookups and keys in every reachable state of the corrected ring, at small scope.

use std::collections::BTreeSet;
use std::sync::Arc;

use peerproof_model::chord::mutant::Mutant;
use peerproof_model::chord::properties;
use peerproof_model::chord::ring::{Equipment, EquippedRing, Scope, Variant};
use peerproof_model::chord::rules::Rules;
use peerproof_model::explore::{Explorer, Pack, PropertyVerdict, Verdict, count_depth_first};
use stateright::Model;

const BARE: Equipment = Equipment {
    fingers: false,
    replication: 0,
};
const FINGERS: Equipment = Equipment {
    fingers: true,
    replication: 0,
};

/// A key on so many members.
const fn copies(replication: u8) -> Equipment {
    Equipment {
        fingers: false,
        replication,
    }
}

fn ring((ids, successors): Size, equipment: Equipment, mutant: Option<Mutant>) -> EquippedRing {
    let scope = Scope::new(Variant::Zave2017, ids, successors);
    let ring = EquippedRing::new(scope, equipment).expect("a possible scope");
    ring.with(Rules { mutant })
}

/// Identifiers and successors.
type Size = (u8, u8);
/// States, transitions, depth.
type Counts = (usize, usize, usize);
/// What breaks a property: the mutant, identifiers and successors, equipment, steps of the shortest trace.
type Killer = (&'static str, Mutant, Size, Equipment, usize);

const COUNTS: &[(Size, Equipment, Counts)] = &[
    ((4, 2), BARE, (2_577, 10_724, 23)),
    ((4, 2), FINGERS, (88_440, 590_436, 30)),
    ((4, 2), copies(2), (59_356, 273_492, 41)),
    ((4, 2), copies(3), (97_528, 480_496, 28)),
];

#[test]
fn fingers_lookups_and_keys_are_right_in_every_reachable_state() {
    for (scope, equipment, counts) in COUNTS {
        let ring = ring(*scope, *equipment, None);
        let mut facts = ring.facts();
        facts.extend(ring.partners());
        let report = Explorer::new(&ring).threads(2).check(&facts);
        assert_eq!(report.verdict, Verdict::Holds, "{equipment:?}");
        let found = (report.states, report.transitions, report.depth);
        assert_eq!(found, *counts, "{equipment:?}");
    }
}

#[test]
fn a_second_search_counts_the_same_states() {
    for (scope, equipment, (states, ..)) in COUNTS {
        let ring = Arc::new(ring(*scope, *equipment, None));
        assert_eq!(count_depth_first(&ring), *states, "{equipment:?}");
    }
}

/// States with fingers and a key are their bytes.
#[test]
fn states_are_their_bytes() {
    let both = Equipment {
        fingers: true,
        replication: 2,
    };
    let ring = ring((3, 2), both, None);
    let mut seen: BTreeSet<_> = ring.init_states().into_iter().collect();
    let mut open: Vec<_> = seen.iter().copied().collect();
    while let Some(state) = open.pop() {
        let mut bytes = Vec::new();
        ring.pack(&state, &mut bytes);
        assert_eq!(Some(bytes.len()), ring.width());
        assert_eq!(ring.unpack(&bytes), state);
        let next = ring.next_states(&state).into_iter();
        open.extend(next.filter(|next| seen.insert(*next)));
    }
    assert_eq!(seen.len(), count_depth_first(&Arc::new(ring)));
}

/// Every killer.
pub(super) const KILLERS: &[Killer] = &[
    (
        "fingers_are_right",
        Mutant::FingersOffByOne,
        (4, 2),
        FINGERS,
        3,
    ),
    (
        "fingers_never_loop",
        Mutant::LookupOvershoots,
        (4, 2),
        BARE,
        0,
    ),
    (
        "lookups_end_at_the_owner",
        Mutant::AnswersTooEarly,
        (4, 2),
        BARE,
        0,
    ),
    (
        "lookups_end_at_the_owner",
        Mutant::LookupOvershoots,
        (4, 1),
        FINGERS,
        1,
    ),
    (
        "keys_are_with_their_owner",
        Mutant::OwnsUpToPredecessor,
        (4, 2),
        copies(1),
        0,
    ),
    (
        "keys_are_with_their_owner",
        Mutant::ForgetsWhatMoves,
        (4, 2),
        copies(2),
        8,
    ),
    (
        "keys_are_replicated",
        Mutant::KeepsOneCopy,
        (4, 2),
        copies(2),
        4,
    ),
    (
        "no_key_is_lost",
        Mutant::ForgetsWhatMoves,
        (4, 2),
        copies(2),
        6,
    ),
];

/// The line of the page that is about a killer.
pub(super) fn line(killer: &Killer) -> String {
    let (property, mutant, (ids, successors), equipment, steps) = killer;
    let with = match equipment {
        Equipment { fingers: true, .. } => "fingers".to_owned(),
        Equipment { replication: 0, .. } => "lists alone".to_owned(),
        Equipment { replication, .. } => format!("copies: {replication}"),
    };
    let name = mutant.name();
    format!("| `{property}` | `{name}` | {ids} | {successors} | {with} | {steps} |")
}

#[test]
fn every_property_has_a_killer_and_every_mutant_is_one() {
    let upkeep = properties::upkeep::<u8>();
    let properties: BTreeSet<_> = upkeep.iter().map(|property| property.name).collect();
    let killed: BTreeSet<_> = KILLERS.iter().map(|killer| killer.0).collect();
    assert_eq!(killed, properties);
    let of_upkeep = Mutant::ALL
        .iter()
        .filter(|mutant| !mutant.needs_messages() && !mutant.is_of_the_ring());
    for mutant in of_upkeep {
        let declared = |killer: &Killer| killer.1 == *mutant && killer.0 == mutant.breaks();
        assert!(KILLERS.iter().any(declared), "{}", mutant.name());
    }
}

#[test]
fn killers_break_what_they_are_to_break() {
    for killer in KILLERS {
        let (property, mutant, scope, equipment, steps) = killer;
        let ring = ring(*scope, *equipment, Some(*mutant));
        let mut facts = ring.facts();
        facts.retain(|fact| fact.name == *property);
        let report = Explorer::new(&ring).check(&facts);
        let found = &report.properties[0];
        assert_eq!(found.verdict, PropertyVerdict::Violated, "{}", line(killer));
        assert_eq!(found.trace.len(), *steps, "{}", line(killer));
    }
}
