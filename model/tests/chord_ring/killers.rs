//! Every property of the ring can fail and is put to the test: for each a flawed ring whose exploration breaks it, and a sound
//! one whose exploration gives it an occasion to hold.

use std::collections::BTreeSet;

use peerproof_model::chord::mutant::Mutant;
use peerproof_model::chord::ring::{AtomicRing, Scope, Variant};
use peerproof_model::chord::rules::Rules;
use peerproof_model::explore::{Explorer, Fact, Fairness, LivenessVerdict, PropertyVerdict};

/// The goal, which is no fact about single states.
const GOAL: &str = "the_ring_becomes_and_stays_ideal";

/// What is wrong with a ring.
#[derive(Clone, Copy, Debug)]
pub(super) enum Flaw {
    /// `zave2017` with a broken rule.
    Mutant(Mutant),
    /// A published generation that does not keep the property.
    Published(Variant),
}
use Flaw::{Mutant as Seeded, Published};

/// A flawed ring breaks the property at these identifiers and successors; the shortest trace has that many steps.
pub(super) struct Killer {
    pub(super) property: &'static str,
    pub(super) flaw: Flaw,
    pub(super) ids: u8,
    pub(super) successors: u8,
    pub(super) steps: usize,
}

const fn killer(
    property: &'static str,
    flaw: Flaw,
    (ids, successors): (u8, u8),
    steps: usize,
) -> Killer {
    Killer {
        property,
        flaw,
        ids,
        successors,
        steps,
    }
}

const FIXED: Flaw = Published(Variant::TON2003_FIXED);

/// Every killer. The first of each mutant is of the property that was declared for it.
pub(super) const KILLERS: &[Killer] = &[
    killer(
        "at_least_one_ring",
        Seeded(Mutant::AdoptsBeforeAsking),
        (4, 2),
        3,
    ),
    killer(
        "at_least_one_ring",
        Seeded(Mutant::AdoptsTheDead),
        (5, 2),
        5,
    ),
    killer("at_most_one_ring", Seeded(Mutant::TurnsToItself), (4, 2), 4),
    killer("at_most_one_ring", FIXED, (4, 2), 11),
    killer("ordered_ring", Seeded(Mutant::ClosesTheInterval), (4, 2), 4),
    killer(
        "ordered_ring",
        Seeded(Mutant::AdoptsAnySuccessor),
        (5, 3),
        7,
    ),
    killer("no_loopy_ring", Seeded(Mutant::SwapsNeighbours), (4, 2), 3),
    killer(
        "no_loopy_ring",
        Seeded(Mutant::JoinsWithTheMember),
        (4, 2),
        3,
    ),
    killer(
        "connected_appendages",
        Seeded(Mutant::JoinsWithOneEntry),
        (5, 2),
        2,
    ),
    killer(
        "connected_appendages",
        Seeded(Mutant::AdoptsTheDead),
        (5, 2),
        5,
    ),
    killer("ordered_merges", FIXED, (4, 2), 4),
    killer("ordered_merges", Seeded(Mutant::JoinsAnywhere), (4, 2), 1),
    killer("ordered_appendages", FIXED, (4, 2), 9),
    killer(
        "ordered_appendages",
        Seeded(Mutant::JoinsAnywhere),
        (4, 2),
        3,
    ),
    killer("valid_successor_lists", FIXED, (4, 2), 8),
    killer(
        "no_duplicates",
        Seeded(Mutant::RepeatsTheLastEntry),
        (4, 2),
        2,
    ),
    killer(
        "ordered_successor_lists",
        Seeded(Mutant::AdoptsAnySuccessor),
        (5, 3),
        3,
    ),
    killer(
        "ordered_successor_lists",
        Seeded(Mutant::JoinsAnywhere),
        (4, 2),
        1,
    ),
    killer(
        "ordered_successor_lists",
        Seeded(Mutant::JoinsWithTheMember),
        (4, 2),
        1,
    ),
    killer(
        "everyone_has_a_live_successor",
        Seeded(Mutant::AdoptsTheDead),
        (5, 2),
        5,
    ),
    killer(
        "principals_are_on_the_ring",
        Seeded(Mutant::ForgetsTheList),
        (5, 2),
        2,
    ),
    killer("enough_principals", Seeded(Mutant::SkipsAnEntry), (4, 2), 1),
    killer(
        "what_is_not_ideal_is_repaired",
        Seeded(Mutant::KeepsDeadSuccessor),
        (4, 2),
        1,
    ),
    killer(
        "what_is_not_ideal_is_repaired",
        Seeded(Mutant::ReconcilesBeforeUpdating),
        (4, 2),
        1,
    ),
    killer(
        "what_is_not_ideal_is_repaired",
        Seeded(Mutant::KeepsDeadPredecessor),
        (4, 2),
        3,
    ),
    killer(
        "what_is_not_ideal_is_repaired",
        Seeded(Mutant::NeverNotifies),
        (4, 2),
        1,
    ),
    killer(
        "what_is_settled_stays_settled",
        Seeded(Mutant::ForgetsItsPredecessor),
        (4, 2),
        0,
    ),
    killer(
        "the_ideal_ring_stays_in_reach",
        Seeded(Mutant::NeverAdopts),
        (4, 2),
        1,
    ),
    killer(
        "the_ideal_ring_stays_in_reach",
        Seeded(Mutant::ForgetsItsPredecessor),
        (4, 2),
        1,
    ),
    killer(
        "everybody_may_join_an_ideal_ring",
        Seeded(Mutant::NeverWraps),
        (4, 2),
        0,
    ),
    killer(
        "live_predecessors_only_come_nearer",
        Seeded(Mutant::NotifyAcceptsAnything),
        (5, 2),
        3,
    ),
    killer("lists_are_full", Seeded(Mutant::NeverFillsUp), (5, 2), 2),
    killer(GOAL, Seeded(Mutant::NeverAdopts), (4, 2), 3),
    killer(GOAL, Seeded(Mutant::KeepsDeadSuccessor), (4, 2), 1),
];

impl Killer {
    fn ring(&self) -> AtomicRing {
        let (variant, mutant) = match self.flaw {
            Seeded(mutant) => (Variant::Zave2017, Some(mutant)),
            Published(variant) => (variant, None),
        };
        let ring = AtomicRing::new(Scope::new(variant, self.ids, self.successors));
        ring.expect("a possible scope").with(Rules { mutant })
    }

    /// Whose flaw it is, as the pages say it.
    fn name(&self) -> &'static str {
        match self.flaw {
            Seeded(mutant) => mutant.name(),
            Published(variant) => variant.name(),
        }
    }

    /// The line of the page that is about it.
    pub(super) fn line(&self) -> String {
        let Self {
            property,
            ids,
            successors,
            steps,
            ..
        } = self;
        let name = self.name();
        format!("| `{property}` | `{name}` | {ids} | {successors} | {steps} |")
    }

    /// How many steps the shortest way to break the property has.
    fn shortest(&self) -> Option<usize> {
        let ring = self.ring();
        if self.property == GOAL {
            let goal = ring.convergence(Fairness::Strong);
            let report = Explorer::new(&ring).converges(&goal);
            return match report.expect("a goal that can be asked").verdict {
                LivenessVerdict::Violated(found) => Some(found.stem().len()),
                _ => None,
            };
        }
        let report = Explorer::new(&ring)
            .threads(2)
            .check(&[fact(self.property)]);
        let property = &report.properties[0];
        (property.verdict == PropertyVerdict::Violated).then(|| property.trace.len())
    }
}

fn fact(name: &str) -> Fact<AtomicRing> {
    let mut upkeep = AtomicRing::upkeep_facts().into_iter();
    let fact = upkeep
        .find(|fact| fact.name == name)
        .or_else(|| AtomicRing::fact(name));
    fact.unwrap_or_else(|| panic!("no fact is called {name}"))
}

/// Every property of the atomic ring.
fn properties() -> Vec<&'static str> {
    let facts = AtomicRing::facts();
    let upkeep = AtomicRing::upkeep_facts();
    let names = facts.iter().chain(&upkeep).map(|fact| fact.name);
    names.chain([GOAL]).collect()
}

#[test]
fn every_property_has_a_killer_and_every_mutant_is_one() {
    let killed: BTreeSet<_> = KILLERS.iter().map(|killer| killer.property).collect();
    assert_eq!(killed, BTreeSet::from_iter(properties()));
    for mutant in Mutant::ALL.iter().filter(|mutant| mutant.is_of_the_ring()) {
        let mut declared = KILLERS.iter().filter(|killer| {
            killer.property == mutant.breaks()
                && matches!(killer.flaw, Seeded(seeded) if seeded == *mutant)
        });
        assert!(declared.next().is_some(), "{}", mutant.name());
    }
}

#[test]
fn killers_break_what_they_are_to_break() {
    let found = KILLERS.iter().map(Killer::shortest);
    let wrong = found
        .zip(KILLERS)
        .filter(|(found, killer)| *found != Some(killer.steps))
        .map(|(found, killer)| format!("{} takes {found:?}", killer.line()));
    assert_eq!(wrong.collect::<Vec<_>>(), Vec::<String>::new());
}

/// The sound ring gives every property an occasion, and keeps it there: the smallest scope that does, and after how
/// many steps.
pub(super) const OCCASIONS: &[(&str, (u8, u8), usize)] = &[
    ("at_least_one_ring", (4, 2), 0),
    ("at_most_one_ring", (4, 2), 0),
    ("ordered_ring", (4, 2), 0),
    ("no_loopy_ring", (4, 2), 0),
    ("connected_appendages", (4, 2), 1),
    ("ordered_merges", (4, 2), 1),
    ("ordered_appendages", (5, 2), 4),
    ("valid_successor_lists", (4, 2), 1),
    ("no_duplicates", (4, 2), 0),
    ("ordered_successor_lists", (4, 2), 0),
    ("everyone_has_a_live_successor", (4, 2), 0),
    ("principals_are_on_the_ring", (4, 2), 0),
    ("enough_principals", (4, 2), 0),
    ("what_is_not_ideal_is_repaired", (4, 2), 1),
    ("what_is_settled_stays_settled", (4, 2), 1),
    ("the_ideal_ring_stays_in_reach", (4, 2), 1),
    ("everybody_may_join_an_ideal_ring", (4, 2), 0),
    ("live_predecessors_only_come_nearer", (4, 2), 2),
    ("lists_are_full", (4, 2), 1),
];

#[test]
fn every_property_is_put_to_the_test() {
    let mut found = Vec::new();
    for (name, (ids, successors), _) in OCCASIONS {
        let ring = AtomicRing::new(Scope::new(Variant::Zave2017, *ids, *successors));
        let ring = ring.expect("a possible scope");
        let partner = AtomicRing::put_to_the_test(name).expect("a partner");
        let report = Explorer::new(&ring).check(&[partner]);
        assert_eq!(
            report.properties[0].verdict,
            PropertyVerdict::Holds,
            "{name}"
        );
        found.push((*name, (*ids, *successors), report.properties[0].trace.len()));
    }
    assert_eq!(found, OCCASIONS);
    let names: Vec<_> = OCCASIONS
        .iter()
        .map(|(name, ..)| *name)
        .chain([GOAL])
        .collect();
    assert_eq!(names, properties());
    // The goal: the ring is not ideal all the time, and becomes so.
    let ring = AtomicRing::new(Scope::new(Variant::Zave2017, 4, 2)).expect("a possible scope");
    let report = Explorer::new(&ring).converges(&ring.convergence(Fairness::Strong));
    let report = report.expect("a goal that can be asked");
    assert_eq!(report.verdict, LivenessVerdict::Holds);
    assert!(0 < report.good && report.good < report.states);
}
