//! Which facts are put to the test in which scopes.

use super::*;

/// Facts about the shape of the ring, with the scopes where they are never put to the test.
pub(super) const UNASKED: &[(&str, &[&str])] = &[
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
pub(super) const ASKED: &[(&str, &[&str])] = &[
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
        assert!(in_a_scope || by_a_mutant, "{}", fact.name);
    }
}
