//! Rings with messages are explored completely in every scope: which facts of the atomic models are kept there, which
//! break, how soon, and which mutants break the rest.

mod asked;
mod page;
mod stories;

use std::sync::Arc;

use peerproof_model::choose::{Choose, Seeded};
use peerproof_model::chord::mutant::Mutant;
use peerproof_model::chord::properties::is_ideal;
use peerproof_model::chord::system::{MessageRing, RingState, Scope, facts_of_states, ring};
use peerproof_model::explore::{
    Fact, Limits, Progress, Trace, Verdict, check_facts, count_depth_first, replay_named,
};
use stateright::Model;

/// What a complete run of a scope counts (states, transitions, depth), and the facts that break in it with the
/// lengths of the shortest ways there.
type Counted = (
    &'static str,
    usize,
    usize,
    usize,
    &'static [(&'static str, usize)],
);

const COUNTED: &[Counted] = &[
    ("join", 10_125, 50_375, 36, &[]),
    ("crash", 3_979, 13_833, 19, &[]),
    ("join-and-crash", 119_586, 528_081, 31, &[]),
    (
        "late-join",
        15_742,
        64_172,
        23,
        &[
            ("connected_appendages", 11),
            ("everyone_has_a_live_successor", 11),
        ],
    ),
    (
        "confirmed-join",
        63_730,
        294_894,
        32,
        &[
            ("connected_appendages", 13),
            ("everyone_has_a_live_successor", 13),
        ],
    ),
    (
        "two-joins-2003",
        5_122,
        15_274,
        29,
        &[
            ("ordered_merges", 17),
            ("no_duplicates", 5),
            ("ordered_successor_lists", 5),
            ("enough_principals", 5),
        ],
    ),
    (
        "join-and-crash-2003",
        24_560,
        99_629,
        25,
        &[
            ("connected_appendages", 6),
            ("everyone_has_a_live_successor", 6),
            ("enough_principals", 1),
        ],
    ),
    (
        "join-and-crash-2003-fixed",
        59_400,
        252_252,
        34,
        &[("enough_principals", 1)],
    ),
    (
        "suspicion",
        49_422,
        195_588,
        24,
        &[
            ("enough_principals", 2),
            ("valid_successor_lists", 2),
            ("ordered_merges", 4),
            ("no_duplicates", 6),
            ("ordered_ring", 6),
            ("no_loopy_ring", 6),
        ],
    ),
    (
        "loss",
        74_851,
        264_773,
        31,
        &[
            ("enough_principals", 3),
            ("valid_successor_lists", 3),
            ("ordered_merges", 7),
            ("no_duplicates", 7),
            ("ordered_ring", 11),
            ("no_loopy_ring", 11),
            ("connected_appendages", 12),
            ("everyone_has_a_live_successor", 12),
            ("ordered_successor_lists", 15),
            ("ordered_appendages", 16),
        ],
    ),
    ("late-answers", 961, 2_976, 16, &[]),
    ("lookup", 300, 801, 12, &[]),
    (
        "lookup-suspicion",
        73,
        143,
        9,
        &[
            ("enough_principals", 2),
            ("valid_successor_lists", 2),
            ("a_lookup_names_the_owner", 3),
        ],
    ),
    (
        "lookup-one-successor",
        216,
        556,
        11,
        &[
            ("at_least_one_ring", 1),
            ("connected_appendages", 1),
            ("everyone_has_a_live_successor", 1),
            ("principals_are_on_the_ring", 1),
        ],
    ),
    ("write", 93, 142, 22, &[]),
    ("delete", 664, 1_298, 61, &[]),
    ("handover", 53_972, 173_570, 39, &[]),
    (
        "handover-loss",
        135,
        237,
        15,
        &[
            ("connected_appendages", 6),
            ("everyone_has_a_live_successor", 6),
        ],
    ),
    ("duplicates", 960, 6_698, 13, &[]),
    (
        "join-pair",
        2_215,
        7_935,
        32,
        &[("no_duplicates", 5), ("enough_principals", 5)],
    ),
    ("crash-endless", 8_247, 37_237, 26, &[]),
    (
        "one-loss",
        8_916,
        32_466,
        26,
        &[
            ("valid_successor_lists", 3),
            ("no_duplicates", 7),
            ("enough_principals", 3),
        ],
    ),
    (
        "two-losses",
        1_809,
        3_990,
        26,
        &[
            ("at_least_one_ring", 15),
            ("at_most_one_ring", 6),
            ("ordered_ring", 6),
            ("connected_appendages", 12),
            ("valid_successor_lists", 3),
            ("no_duplicates", 3),
            ("ordered_successor_lists", 4),
            ("everyone_has_a_live_successor", 12),
            ("principals_are_on_the_ring", 15),
            ("enough_principals", 3),
        ],
    ),
    ("two-losses-kept", 1_779, 3_956, 26, WHEN_TWO_ARE_LOST),
    ("two-losses-rejoining", 2_757, 5_878, 33, WHEN_TWO_ARE_LOST),
];

const WHEN_TWO_ARE_LOST: &[(&str, usize)] = &[
    ("at_most_one_ring", 6),
    ("ordered_ring", 6),
    ("valid_successor_lists", 3),
    ("no_duplicates", 3),
    ("ordered_successor_lists", 4),
    ("enough_principals", 3),
];

/// Each mutant with the scope that kills it by the property declared for it, and the length of the shortest way.
const KILLED: &[(Mutant, &str, usize)] = &[
    (Mutant::AnyAnswerWill, "late-answers", 5),
    (Mutant::NamesFailedNodes, "lookup", 4),
    (Mutant::FallsBackToFingers, "lookup-one-successor", 4),
    (Mutant::AcknowledgesEarly, "write", 6),
    (Mutant::DropsBeforeHeld, "handover-loss", 10),
    (Mutant::NeverHandsOver, "handover", 16),
    (Mutant::ForgetsDeletions, "delete", 19),
    (Mutant::InventsPredecessor, "join-and-crash-2003", 5),
    (Mutant::SkipsAnEntry, "join", 3),
    (Mutant::AdoptsAnySuccessor, "join", 10),
    (Mutant::CountsTheRefused, "late-answers", 4),
    (Mutant::TellsListsOnly, "join", 9),
];

fn scope(name: &str) -> Scope {
    Scope::named(name).expect("a scope of that name")
}

/// Every fact that is asked of a ring.
fn facts(scope: &Scope, model: &MessageRing) -> Vec<Fact<MessageRing>> {
    let mut facts = model.facts();
    facts.extend(facts_of_states(scope));
    facts
}

fn fact(scope: &Scope, model: &MessageRing, name: &str) -> Fact<MessageRing> {
    let mut facts = facts(scope, model).into_iter();
    facts.find(|fact| fact.name == name).expect(name)
}

/// How soon the fact breaks; `None` when it holds. A run that ends early is neither.
fn breaks(scope: &Scope, mutant: Option<Mutant>, name: &str) -> Option<usize> {
    let model = Arc::new(ring(scope, mutant));
    let asked = vec![fact(scope, &model, name)];
    let limits = Limits {
        states: Some(300_000),
        ..Limits::default()
    };
    let report = check_facts(&model, asked, limits, Progress::unwatched());
    match report.verdict {
        Verdict::Holds => None,
        Verdict::Violated { .. } => Some(report.properties[0].trace.len()),
        Verdict::Incomplete { why } => panic!("{}, {name}: {why}", scope.name),
    }
}

#[test]
fn every_scope_is_counted_and_keeps_what_does_not_break() {
    let names: Vec<&str> = Scope::all().iter().map(|scope| scope.name).collect();
    let counted: Vec<&str> = COUNTED.iter().map(|counted| counted.0).collect();
    assert_eq!(names, counted);
    for (name, states, transitions, depth, broken) in COUNTED {
        let scope = scope(name);
        let model = Arc::new(ring(&scope, None));
        let mut kept = facts(&scope, &model);
        kept.retain(|fact| broken.iter().all(|(name, _)| *name != fact.name));
        let report = check_facts(&model, kept, Limits::default(), Progress::unwatched());
        assert_eq!(report.verdict, Verdict::Holds, "{name}");
        let counts = (report.states, report.transitions, report.depth);
        assert_eq!(counts, (*states, *transitions, *depth), "{name}");
    }
}

#[test]
fn what_breaks_breaks_as_soon_as_pinned() {
    for (name, _, _, _, broken) in COUNTED {
        for (property, length) in *broken {
            let found = breaks(&scope(name), None, property);
            assert_eq!(found, Some(*length), "{property} in {name}");
        }
    }
}

#[test]
fn stateright_counts_as_many_states_depth_first() {
    for (name, states, ..) in COUNTED.iter().filter(|counted| counted.1 < 11_000) {
        let model = Arc::new(ring(&scope(name), None));
        assert_eq!(count_depth_first(&model), *states, "{name}");
    }
}

#[test]
fn every_mutant_breaks_the_property_declared_for_it() {
    let mut wrong = Vec::new();
    for (mutant, name, length) in KILLED {
        let property = mutant.breaks();
        let scope = scope(name);
        assert_eq!(breaks(&scope, None, property), None, "{property} in {name}");
        let found = breaks(&scope, Some(*mutant), property);
        if found != Some(*length) {
            wrong.push((mutant, found));
        }
    }
    assert_eq!(wrong, []);
    let with_messages = Mutant::ALL.iter().filter(|mutant| mutant.needs_messages());
    for mutant in with_messages {
        assert!(
            KILLED.iter().any(|(killed, ..)| killed == mutant),
            "{mutant:?}"
        );
    }
}
