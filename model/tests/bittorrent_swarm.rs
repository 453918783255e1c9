//! The swarm is explored completely in every scope; each property that it is held to can be put to the test there,
//! and each has a mutant that breaks it.

use std::sync::Arc;

use peerproof_model::bittorrent::mutant::Mutant;
use peerproof_model::bittorrent::system::{Scope, Swarm, examine, swarm};
use peerproof_model::explore::{
    Fact, Limits, Progress, PropertyVerdict, Verdict, check_facts, count_depth_first, find,
    replay_named,
};
use stateright::Model;

fn scope(name: &str) -> Scope {
    Scope::named(name).expect("a scope of that name")
}

/// What a complete run of a scope counts: states, transitions, depth.
const COUNTS: &[(&str, usize, usize, usize)] = &[
    ("pair", 208, 380, 26),
    ("pair-fast", 171, 317, 28),
    ("pair-any-moment", 14_592, 40_136, 31),
    ("slots", 184, 348, 29),
    ("optimistic", 344, 989, 24),
    ("exchange", 60_920, 176_875, 50),
    ("rarest", 7_561, 17_748, 50),
    ("endgame", 10_810, 26_612, 39),
    ("endgame-fast", 8_089, 20_580, 43),
    ("liar", 731, 1_541, 34),
    ("late-seeder", 16_606, 60_465, 40),
    ("after-the-seed", 705, 1_500, 42),
    ("churn", 2_292, 5_069, 50),
    ("churn-any-moment", 8_336, 19_946, 42),
    ("free-riders", 3_765, 7_747, 42),
];

/// A property of the specification, where it is put to the test, and the mutant that breaks it.
struct Kept {
    property: &'static str,
    /// The scope, and the length of the shortest way to a step that puts the property to the test.
    tested: (&'static str, usize),
    /// Each mutant, declared to break exactly this property, the scope, and the length of the shortest way there.
    broken: &'static [(Mutant, &'static str, usize)],
}

const KEPT: &[Kept] = &[
    Kept {
        property: "requests_only_while_unchoked",
        tested: ("pair", 9),
        broken: &[(Mutant::RequestsChoked, "pair", 7)],
    },
    Kept {
        property: "requests_only_what_the_neighbour_has",
        tested: ("rarest", 7),
        broken: &[(Mutant::RequestsUnannounced, "rarest", 7)],
    },
    Kept {
        property: "never_more_unchoked_than_slots",
        tested: ("slots", 5),
        broken: &[(Mutant::ExtraSlot, "slots", 10)],
    },
    Kept {
        property: "only_verified_pieces_are_announced",
        tested: ("pair", 5),
        broken: &[
            (Mutant::HaveBeforeVerification, "pair", 11),
            (Mutant::AcceptsBadPieces, "liar", 10),
        ],
    },
    Kept {
        property: "the_chosen_piece_is_a_rarest_one",
        tested: ("rarest", 11),
        broken: &[
            (Mutant::InOrder, "rarest", 11),
            (Mutant::RandomOrder, "rarest", 11),
            (Mutant::CommonestFirst, "rarest", 11),
        ],
    },
    Kept {
        property: "a_started_piece_is_finished_first",
        tested: ("pair", 9),
        broken: &[(Mutant::NoStrictPriority, "pair", 9)],
    },
    Kept {
        property: "duplicates_only_in_endgame",
        tested: ("endgame", 14),
        broken: &[(Mutant::EarlyDuplicates, "rarest", 14)],
    },
    Kept {
        property: "duplicates_are_cancelled_on_arrival",
        tested: ("endgame", 16),
        broken: &[(Mutant::NoCancel, "endgame", 16)],
    },
    Kept {
        property: "free_riders_get_only_the_optimistic_slot_while_reciprocators_wait",
        tested: ("free-riders", 8),
        broken: &[(Mutant::FavoursFreeRiders, "free-riders", 8)],
    },
    Kept {
        property: "stopped_peers_are_not_listed",
        tested: ("churn", 6),
        broken: &[(Mutant::ReturnsStopped, "churn", 6)],
    },
];

#[test]
fn every_property_holds_in_every_scope() {
    let names: Vec<&str> = Scope::all().iter().map(|scope| scope.name).collect();
    let counted: Vec<&str> = COUNTS.iter().map(|(name, ..)| *name).collect();
    assert_eq!(names, counted);
    for (name, states, transitions, depth) in COUNTS {
        let limits = Limits::default();
        let found = examine(&scope(name), None, None, limits, 1, Progress::unwatched());
        let report = found.report;
        assert_eq!(report.verdict, Verdict::Holds, "{name}");
        let counts = (report.states, report.transitions, report.depth);
        assert_eq!(counts, (*states, *transitions, *depth), "{name}");
        for property in &report.properties {
            let innocent = matches!(
                property.verdict,
                PropertyVerdict::Holds | PropertyVerdict::NotChecked(_)
            );
            assert!(innocent, "{name}: {}", property.name);
        }
    }
}

#[test]
fn stateright_counts_as_many_states_depth_first() {
    for (name, states, ..) in COUNTS.iter().filter(|counts| counts.1 < 12_000) {
        let model = Arc::new(swarm(&scope(name), None));
        assert_eq!(count_depth_first(&model), *states, "{name}");
    }
}

#[test]
fn every_property_of_the_list_is_put_to_the_test() {
    for kept in KEPT {
        let (name, length) = kept.tested;
        let mut model = swarm(&scope(name), None);
        model.watched = Some(kept.property);
        let partner = Swarm::put_to_the_test(kept.property);
        let found = find(&Arc::new(model), partner, Limits::default());
        let trace = found.expect("the run is complete or the partner is found");
        let reached = trace.map(|trace| trace.len());
        assert_eq!(reached, Some(length), "{} in {name}", kept.property);
    }
}

#[test]
fn every_mutant_of_the_list_breaks_the_property_declared_for_it() {
    for kept in KEPT {
        for (mutant, name, length) in kept.broken {
            assert_eq!(mutant.breaks(), kept.property, "declared beforehand");
            let model = Arc::new(swarm(&scope(name), Some(*mutant)));
            let asked = vec![Swarm::fact(kept.property)];
            let report = check_facts(&model, asked, Limits::default(), Progress::unwatched());
            let property = kept.property;
            assert_eq!(report.verdict, Verdict::Violated { property }, "{mutant:?}");
            let trace = &report.properties[0].trace;
            assert_eq!(trace.len(), *length, "{mutant:?} in {name}");
            // The last step breaks it, and no step before.
            let findings = model.findings_along(trace).expect("the trace replays");
            let broken_at = |step: &Vec<(&str, String)>| step.iter().any(|(n, _)| *n == property);
            let first = findings.iter().position(broken_at);
            assert_eq!(first, Some(length - 1), "{mutant:?}");
            // It replays by the names of its actions as well.
            let names = trace.names(&*model);
            let (again, states) = replay_named(&*model, trace.start, &names).expect("by name");
            assert_eq!(again, *trace);
            assert!(
                states
                    .last()
                    .is_some_and(|state| state.broken.contains(property))
            );
        }
    }
}

/// How many peers have everything.
fn complete(state: &<Swarm as Model>::State) -> usize {
    let peers = state.nodes.iter().flatten().filter_map(|node| node.peer());
    peers.filter(|peer| peer.have().is_complete()).count()
}

#[test]
fn one_copy_of_everything_is_enough_once_the_seed_has_left() {
    let model = Arc::new(swarm(&scope("after-the-seed"), None));
    let all = Fact::sometimes("everybody_completes", |_: &Swarm, state: &_| {
        complete(state) == 3
    });
    let found = find(&model, all, Limits::default()).expect("complete");
    assert_eq!(found.map(|trace| trace.len()), Some(26));
    // And wherever nothing can happen any more but choke rounds, everybody has.
    let facts = vec![Fact::always(
        "nobody_is_left_behind",
        |model: &Swarm, state: &_| {
            let idle = |(_, next): &(_, <Swarm as Model>::State)| next == state;
            complete(state) == 3 || !model.next_steps(state).iter().all(idle)
        },
    )];
    let report = check_facts(&model, facts, Limits::default(), Progress::unwatched());
    assert_eq!(report.verdict, Verdict::Holds);
}

#[test]
fn without_a_copy_of_a_piece_nobody_completes() {
    let mut scope = scope("after-the-seed");
    scope.pieces = 3;
    let model = Arc::new(swarm(&scope, None));
    let facts = vec![Fact::always("nobody_completes", |_: &Swarm, state: &_| {
        complete(state) == 0
    })];
    let report = check_facts(&model, facts, Limits::default(), Progress::unwatched());
    assert_eq!(report.verdict, Verdict::Holds);
}

#[test]
fn liveness_is_stated_and_never_passed() {
    let found = examine(
        &Scope::pair(),
        None,
        None,
        Limits::default(),
        1,
        Progress::unwatched(),
    );
    let stated = [
        "while_some_live_peer_has_every_missing_piece_every_leecher_completes",
        "no_interested_peer_starves_for_ever",
    ];
    for name in stated {
        let report = found.report.property(name).expect("listed");
        let verdict = PropertyVerdict::NotChecked("liveness is asked apart from safety");
        assert_eq!(report.verdict, verdict);
    }
}

#[test]
fn a_result_says_of_what_it_is_true() {
    let scope = scope("liar");
    let terms = peerproof_model::bittorrent::system::terms(
        &scope,
        Some(Mutant::AcceptsBadPieces),
        &swarm(&scope, None),
    );
    assert_eq!(terms.variant, "bep3, mutant accepts-bad-pieces");
    assert_eq!(terms.network, "first-in-first-out links that do not break");
    assert_eq!(
        terms.timing,
        "untimed: any set timer may expire, only in a quiet network; rechokes without a bound, \
         optimistic moves without a bound, regular announces and time-outs never"
    );
    assert_eq!(terms.fairness, "none: safety only");
    let members = terms.scope.iter().find(|(name, _)| *name == "members");
    assert_eq!(
        members.map(|(_, text)| text.as_str()),
        Some(
            "seeder begins with everything; liar begins with everything, sends wrong blocks; \
             leecher begins with nothing"
        )
    );
}

#[test]
fn a_run_beyond_its_limit_is_incomplete() {
    let limits = Limits {
        states: Some(100),
        ..Limits::default()
    };
    let found = examine(&Scope::pair(), None, None, limits, 1, Progress::unwatched());
    assert!(matches!(found.report.verdict, Verdict::Incomplete { .. }));
    assert_eq!(found.report.states, 100);
}

#[test]
fn threads_change_nothing() {
    // One that holds, and mutants that are found with a trace; values are numbered in another order each time.
    let runs = [
        ("churn", None),
        ("rarest", Some(Mutant::RandomOrder)),
        ("liar", Some(Mutant::AcceptsBadPieces)),
    ];
    for (name, mutant) in runs {
        let run = |threads: usize| {
            let limits = Limits::default();
            let progress = Progress::unwatched();
            let found = examine(&scope(name), mutant, None, limits, threads, progress);
            let mut report = found.report;
            (report.seconds, report.bytes, report.bytes_per_state) = (0.0, 0, 0.0);
            (report, found.tested)
        };
        let alone = run(1);
        for threads in 2..=3 {
            assert_eq!(run(threads), alone, "{name} on {threads} threads");
        }
    }
}
