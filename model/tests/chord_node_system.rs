//! Rings with messages are explored completely in every scope: which facts of the atomic models are kept there, which
//! break, how soon, and which mutants break the rest.

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

/// Facts about the shape of the ring, with the scopes where they are never put to the test.
const UNASKED: &[(&str, &[&str])] = &[
    ("at_least_one_ring", &["late-answers"]),
    (
        "at_most_one_ring",
        &["late-answers", "lookup-one-successor"],
    ),
    ("ordered_ring", &["late-answers", "lookup-one-successor"]),
    ("no_loopy_ring", &["late-answers", "lookup-one-successor"]),
    (
        "connected_appendages",
        &[
            "crash",
            "late-answers",
            "lookup",
            "write",
            "delete",
            "crash-endless",
        ],
    ),
    (
        "ordered_merges",
        &[
            "crash",
            "late-answers",
            "lookup",
            "lookup-one-successor",
            "write",
            "delete",
            "crash-endless",
            "two-losses",
            "two-losses-kept",
            "two-losses-rejoining",
        ],
    ),
    (
        "ordered_appendages",
        &[
            "join",
            "crash",
            "join-and-crash",
            "late-join",
            "confirmed-join",
            "join-and-crash-2003",
            "join-and-crash-2003-fixed",
            "suspicion",
            "late-answers",
            "lookup",
            "lookup-suspicion",
            "lookup-one-successor",
            "write",
            "delete",
            "handover",
            "handover-loss",
            "duplicates",
            "join-pair",
            "crash-endless",
            "one-loss",
            "two-losses",
            "two-losses-kept",
            "two-losses-rejoining",
        ],
    ),
    (
        "valid_successor_lists",
        &[
            "crash",
            "late-answers",
            "lookup",
            "lookup-one-successor",
            "write",
            "delete",
            "crash-endless",
        ],
    ),
    ("no_duplicates", &["late-answers"]),
    ("ordered_successor_lists", &["late-answers"]),
    ("everyone_has_a_live_successor", &["late-answers"]),
    ("principals_are_on_the_ring", &["late-answers"]),
    ("enough_principals", &["late-answers"]),
];

/// Facts about what is said, with the only scopes where they are put to the test.
const ASKED: &[(&str, &[&str])] = &[
    ("late_answers_change_nothing", &["late-answers"]),
    (
        "a_joiner_knows_no_predecessor",
        &[
            "two-joins-2003",
            "join-and-crash-2003",
            "join-and-crash-2003-fixed",
        ],
    ),
    (
        "failed_nodes_are_not_named_again",
        &[
            "confirmed-join",
            "join-and-crash-2003-fixed",
            "loss",
            "lookup",
            "write",
            "delete",
        ],
    ),
    (
        "a_lookup_names_the_owner",
        &["lookup", "lookup-suspicion", "lookup-one-successor"],
    ),
    ("deleted_values_stay_deleted", &["delete"]),
    (
        "a_refused_input_leaves_no_trace",
        &[
            "suspicion",
            "late-answers",
            "lookup-suspicion",
            "duplicates",
            "two-losses-rejoining",
        ],
    ),
];

/// The scopes where the fact is put to the test.
fn scopes_that_ask(name: &str) -> Vec<&'static str> {
    let scopes = COUNTED.iter().map(|counted| counted.0);
    let unasked = UNASKED.iter().find(|(fact, _)| *fact == name);
    let asked = ASKED.iter().find(|(fact, _)| *fact == name);
    let asks = |scope: &&str| match (unasked, asked) {
        (Some((_, not)), None) => !not.contains(scope),
        (None, Some((_, only))) => only.contains(scope),
        _ => panic!("{name} is in one of the two lists"),
    };
    scopes.filter(asks).collect()
}

#[test]
fn every_fact_is_put_to_the_test_just_where_the_lists_say() {
    for (name, ..) in COUNTED {
        let model = Arc::new(ring(&scope(name), None));
        let run = check_facts(&model, Vec::new(), Limits::default(), Progress::unwatched());
        assert_eq!(run.verdict, Verdict::Holds);
        let tested = model.tally.names();
        for fact in model.facts() {
            let listed = scopes_that_ask(fact.name).contains(name);
            assert_eq!(
                tested.contains(fact.name),
                listed,
                "{} in {name}",
                fact.name
            );
        }
    }
}

/// What neither a scope nor a mutant breaks here: a node that left a trace of what it refused, or told what is not
/// so, would be a fault of the program, not of the protocol.
const NEVER_BROKEN: [&str; 2] = ["a_refused_input_leaves_no_trace", "nodes_tell_what_is_so"];

#[test]
fn every_fact_is_put_to_the_test_somewhere_and_breaks_somewhere() {
    let join = scope("join");
    for fact in facts(&join, &ring(&join, None)) {
        let of_states = facts_of_states(&join);
        let of_state = of_states.iter().any(|other| other.name == fact.name);
        assert!(
            of_state || !scopes_that_ask(fact.name).is_empty(),
            "{}",
            fact.name
        );
        let mut scopes = COUNTED.iter();
        let in_a_scope = scopes.any(|counted| counted.4.iter().any(|(name, _)| *name == fact.name));
        let by_a_mutant = KILLED
            .iter()
            .any(|(mutant, ..)| mutant.breaks() == fact.name);
        let breaks = in_a_scope || by_a_mutant;
        assert_eq!(breaks, !NEVER_BROKEN.contains(&fact.name), "{}", fact.name);
    }
}

#[test]
fn the_page_says_where_each_fact_is_put_to_the_test() {
    let page = page();
    let named = |names: &[&str]| {
        let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        names.join(", ")
    };
    for (fact, scopes) in UNASKED {
        let all_but = if scopes.is_empty() {
            "everywhere".to_owned()
        } else {
            format!("everywhere but in {}", named(scopes))
        };
        let row = format!("| `{fact}` | {all_but} |");
        assert!(page.contains(&row), "the page lacks\n{row}");
    }
    for (fact, scopes) in ASKED {
        let row = format!("| `{fact}` | only in {} |", named(scopes));
        assert!(page.contains(&row), "the page lacks\n{row}");
    }
}

/// Nobody fails; three live nodes are taken for dead, and the ring falls into two.
const SPLIT: &str = "\
N0: timer Stabilize
N0 -> N2: Query { tag: 0, query: Neighbours }
N0: timer Round
N0 -> N5: Notify
N0: timer Stabilize
N0 -> N5: Query { tag: 0, query: Neighbours }
N5 -> N0: Answer { tag: 0, answer: Neighbours { predecessor: Some(2), successors: [0, 2] } }
N2: timer Stabilize
N2: timer Round
N5: timer Stabilize
N5 -> N0: Query { tag: 0, query: Neighbours }
N0 -> N5: Answer { tag: 0, answer: Neighbours { predecessor: Some(5), successors: [5, 0] } }
N2 -> N0: Answer { tag: 0, answer: Neighbours { predecessor: Some(0), successors: [5, 0] } }
N5: timer Stabilize
N5: timer Round";

fn replayed(
    scope: &Scope,
    trace: &str,
) -> (
    MessageRing,
    RingState,
    Trace<<MessageRing as Model>::Action>,
) {
    let model = ring(scope, None);
    let names: Vec<String> = trace.lines().map(str::to_owned).collect();
    let (trace, mut states) = replay_named(&model, 0, &names).expect("the trace replays");
    let last = states.pop().expect("states");
    (model, last, trace)
}

#[test]
fn wrong_suspicion_alone_splits_the_ring_of_2017() {
    let (model, state, trace) = replayed(&Scope::suspicion_unbounded(), SPLIT);
    assert!(state.broken.contains("at_most_one_ring"));
    let steps = model.findings_along(&trace).expect("it replays");
    let broken_at =
        |step: &Vec<(&str, String)>| step.iter().any(|(name, _)| *name == "at_most_one_ring");
    assert_eq!(steps.iter().position(broken_at), Some(14));
}

/// Goes on at random, `steps` steps or until the ring is ideal.
fn walk(model: &MessageRing, mut state: RingState, seed: u64, steps: usize) -> bool {
    let mut chance = Seeded::new(seed);
    for _ in 0..steps {
        if is_ideal(&state.memory.ring, 2) {
            return true;
        }
        let next = model.next_steps(&state);
        if next.is_empty() {
            return false;
        }
        let chosen = chance.choose(next.len());
        state = next.into_iter().nth(chosen).expect("one of them").1;
    }
    is_ideal(&state.memory.ring, 2)
}

/// Each suspicion may happen once in this scope, and has: nobody is suspected any more.
#[test]
fn the_split_ring_heals_once_nobody_is_suspected() {
    let (model, state, _) = replayed(&Scope::suspicion_unbounded(), SPLIT);
    let healed: Vec<bool> = (0..8)
        .map(|seed| walk(&model, state.clone(), seed, 5_000))
        .collect();
    assert_eq!(healed, [true; 8]);
}

/// A newcomer hears of two nodes that have died since; the fail guard had no objection.
const LATE: &str = "\
N0: timer Stabilize
N1: joins and is asked Join(0)
N1 -> N0: Query { tag: 0, query: Route { key: 1, failed: [] } }
N2: crashes
N0: timer Round
N0 -> N4: Notify
N0: timer Stabilize
N0 -> N4: Query { tag: 0, query: Neighbours }
N4 -> N0: Answer { tag: 0, answer: Neighbours { predecessor: Some(2), successors: [6, 7] } }
N4: crashes
N0 -> N1: Answer { tag: 0, answer: Owner { key: 1, successors: [2, 4], hops: 0 } }";

#[test]
fn a_newcomer_that_came_too_late_is_saved_by_joining_anew() {
    let go_on = |rejoins| {
        let scope = Scope {
            rejoins,
            ..Scope::late_join_unbounded()
        };
        let (model, state, _) = replayed(&scope, LATE);
        assert!(state.broken.contains("everyone_has_a_live_successor"));
        (0..8)
            .map(|seed| walk(&model, state.clone(), seed, 5_000))
            .collect::<Vec<_>>()
    };
    assert_eq!(go_on(false), [false; 8]);
    assert_eq!(go_on(true), [true; 8]);
}

fn page() -> String {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../docs/spec/chord-messages.md"
    );
    std::fs::read_to_string(path).expect("the page of the specification")
}

/// The number as the page writes it.
fn grouped(number: usize) -> String {
    if number < 1_000 {
        number.to_string()
    } else {
        format!("{},{:03}", number / 1_000, number % 1_000)
    }
}

#[test]
fn the_page_has_every_scope_with_its_counts_and_what_breaks_in_it() {
    let page = page();
    for (name, states, transitions, depth, broken) in COUNTED {
        let counts = [grouped(*states), grouped(*transitions), depth.to_string()].join(" | ");
        let row = format!("| `{name}` |");
        let line = page
            .lines()
            .find(|line| line.starts_with(&row))
            .expect(name);
        assert!(line.contains(&format!("| {counts} |")), "{name}");
        for (property, length) in *broken {
            assert!(
                line.contains(&format!("`{property}` {length}")),
                "{name}, {property}"
            );
        }
    }
}

/// The diagrams of the page: scope, and the fact that breaks, or the steps of a trace that was found before.
const DRAWN: &[(&str, &str)] = &[
    ("join-and-crash-2003", "everyone_has_a_live_successor"),
    ("late-join", "everyone_has_a_live_successor"),
    ("suspicion", "no_loopy_ring"),
    ("lookup-suspicion", "a_lookup_names_the_owner"),
    ("two-joins-2003", "ordered_merges"),
];

#[test]
fn the_page_draws_shortest_traces() {
    let page = page();
    let mut drawn = Vec::new();
    for (name, property) in DRAWN {
        let scope = scope(name);
        let model = Arc::new(ring(&scope, None));
        let asked = vec![fact(&scope, &model, property)];
        let report = check_facts(&model, asked, Limits::default(), Progress::unwatched());
        let diagram = model
            .mermaid(&report.properties[0].trace)
            .expect("it replays");
        drawn.push((*name, diagram));
    }
    let (model, _, trace) = replayed(&Scope::suspicion_unbounded(), SPLIT);
    drawn.push(("the split", model.mermaid(&trace).expect("it replays")));
    for (name, diagram) in &drawn {
        if !page.contains(diagram) {
            println!("{name} is to be drawn so:\n{diagram}");
        }
    }
    assert!(drawn.iter().all(|(_, diagram)| page.contains(diagram)));
}

#[test]
fn the_page_names_every_mutant_of_this_list() {
    let page = page();
    for (mutant, ..) in KILLED {
        for name in [mutant.name(), mutant.breaks()] {
            assert!(page.contains(&format!("`{name}`")), "{name}");
        }
    }
}
