//! Each broken rule is noticed by the property that was declared for it beforehand.

use peerproof_model::chord::mutant::Mutant;
use peerproof_model::chord::ring::{AtomicRing, Scope, Variant};
use peerproof_model::chord::rules::Rules;
use peerproof_model::explore::{Explorer, Fact, PropertyVerdict};

fn fact(name: &str) -> Fact<AtomicRing> {
    let upkeep = AtomicRing::upkeep_facts()
        .into_iter()
        .find(|fact| fact.name == name);
    let fact = upkeep.or_else(|| AtomicRing::fact(name));
    fact.unwrap_or_else(|| panic!("no fact is called {name}"))
}

/// Mutants of the corrected ring, at these identifiers and successors, and the length of the shortest trace.
const KILLED: &[(Mutant, u8, u8, usize)] = &[
    (Mutant::NeverWraps, 4, 2, 0),
    (Mutant::NotifyAcceptsAnything, 5, 2, 3),
    (Mutant::AdoptsAnySuccessor, 5, 3, 3),
    (Mutant::JoinsAnywhere, 4, 2, 1),
    (Mutant::JoinsWithTheMember, 4, 2, 1),
    (Mutant::SkipsAnEntry, 4, 2, 1),
    (Mutant::KeepsDeadSuccessor, 4, 2, 1),
    (Mutant::ReconcilesBeforeUpdating, 4, 2, 1),
    (Mutant::RepeatsTheLastEntry, 4, 2, 2),
    (Mutant::NeverFillsUp, 5, 2, 2),
    (Mutant::AdoptsTheDead, 5, 2, 5),
    (Mutant::KeepsDeadPredecessor, 4, 2, 3),
    (Mutant::NeverNotifies, 4, 2, 1),
];

#[test]
fn every_mutant_of_the_ring_breaks_what_was_declared_for_it() {
    let mut found = Vec::new();
    for (mutant, ids, successors, _) in KILLED {
        let scope = Scope::new(Variant::Zave2017, *ids, *successors);
        let rules = Rules {
            mutant: Some(*mutant),
        };
        let ring = AtomicRing::new(scope)
            .expect("a possible scope")
            .with(rules);
        let report = Explorer::new(&ring).check(&[fact(mutant.breaks())]);
        let property = &report.properties[0];
        assert_eq!(property.verdict, PropertyVerdict::Violated, "{mutant:?}");
        found.push((*mutant, *ids, *successors, property.trace.len()));
    }
    assert_eq!(found, KILLED);
}
