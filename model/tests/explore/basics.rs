//! Counting, traces, verdicts and limits.

use std::sync::Arc;
use std::time::Duration;

use peerproof_model::explore::{
    Explorer, Fact, Limits, Progress, PropertyVerdict, Verdict, check, check_facts, find, replay,
    replay_named,
};
use peerproof_model::property::Kind;
use stateright::{Model, Property};

/// Counts up to a bound, by one or by two.
#[derive(Clone, Debug)]
struct Counter {
    to: u32,
    properties: fn() -> Vec<Property<Counter>>,
}

impl Model for Counter {
    type State = u32;
    type Action = u32;

    fn init_states(&self) -> Vec<u32> {
        vec![0]
    }

    fn actions(&self, state: &u32, actions: &mut Vec<u32>) {
        actions.extend([1, 2].into_iter().filter(|by| state + by <= self.to));
    }

    fn next_state(&self, state: &u32, by: u32) -> Option<u32> {
        Some(state + by)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        (self.properties)()
    }
}

pack_number!(Counter);

fn counter(to: u32, properties: fn() -> Vec<Property<Counter>>) -> Arc<Counter> {
    Arc::new(Counter { to, properties })
}

#[test]
fn a_complete_run_counts_states_transitions_and_depth() {
    let model = counter(10, || vec![Property::always("small", |_, n| *n <= 10)]);
    let report = check(&model, Limits::default());
    assert_eq!(report.verdict, Verdict::Holds);
    // 0..=10; two steps from each of 0..=8, one from 9; ten reached in five steps.
    assert_eq!((report.states, report.transitions), (11, 19));
    assert_eq!(report.depth, 5);
}

#[test]
fn the_trace_is_shortest_and_replays() {
    let model = counter(100, || {
        vec![
            Property::always("below_seven", |_, n| *n < 7),
            Property::always("below_fifty", |_, n| *n < 50),
            Property::sometimes("three", |_, n| *n == 3),
        ]
    });
    let report = check(&model, Limits::default());
    let property = "below_seven";
    assert_eq!(report.verdict, Verdict::Violated { property });
    let broken = report.property("below_seven").expect("asked");
    assert_eq!(broken.trace.len(), 4);
    let states = replay(&*model, &broken.trace).expect("a trace of the model");
    assert!(states.last().is_some_and(|end| *end >= 7));
    // By name it replays as well.
    let names = broken.trace.names(&*model);
    let (again, _) = replay_named(&*model, 0, &names).expect("a trace of the model");
    assert_eq!(again, broken.trace);
    // The run goes on until the other fact has its own shortest trace, and ends there.
    let later = report.property("below_fifty").expect("asked");
    assert_eq!(later.verdict, PropertyVerdict::Violated);
    assert_eq!(later.trace.len(), 25);
    assert!(report.states < 100);
    // Alone, it has the same.
    let alone = Fact::always("below_fifty", |_: &Counter, n: &u32| *n < 50);
    let report = check_facts(
        &model,
        vec![alone],
        Limits::default(),
        Progress::unwatched(),
    );
    assert_eq!(report.properties[0].trace.len(), 25);
    // Where the run is to stop at the first broken fact, what it did not reach is not known.
    let report = Explorer::new(&*model)
        .stops_at_first()
        .check(&Fact::of(&*model));
    assert_eq!(report.verdict, Verdict::Violated { property });
    assert_eq!(
        report.property("below_seven").expect("asked").trace.len(),
        4
    );
    let later = report.property("below_fifty").expect("asked");
    assert_eq!(later.verdict, PropertyVerdict::Unknown);
}

#[test]
fn a_trace_of_another_model_does_not_replay() {
    let model = counter(3, Vec::new);
    let names = ["2".to_owned(), "2".to_owned()];
    let error = replay_named(&*model, 0, &names).expect_err("4 is beyond the bound");
    assert_eq!(error.to_string(), "step 2 is not possible: 2");
    assert!(replay_named(&*model, 1, &[]).is_err());
}

#[test]
fn a_fact_that_is_never_reached_fails_the_check() {
    let model = counter(10, || vec![Property::sometimes("eleven", |_, n| *n == 11)]);
    let report = check(&model, Limits::default());
    assert_eq!(report.verdict, Verdict::Violated { property: "eleven" });
    assert_eq!(report.properties[0].verdict, PropertyVerdict::NeverReached);
    assert_eq!(report.states, 11);
}

#[test]
fn a_run_that_is_cut_short_never_passes() {
    let model = counter(100_000, || {
        vec![
            Property::always("small", |_, n| *n <= 100_000),
            Property::sometimes("one", |_, n| *n == 1),
        ]
    });
    let limits = [
        Limits {
            states: Some(50_000),
            ..Limits::default()
        },
        Limits {
            depth: Some(20),
            ..Limits::default()
        },
        Limits {
            time: Some(Duration::ZERO),
            ..Limits::default()
        },
    ];
    for limits in limits {
        let report = check(&model, limits);
        let Verdict::Incomplete { why } = &report.verdict else {
            panic!("{limits:?} gave {:?}", report.verdict);
        };
        assert!(why.contains("limit of"), "{why}");
        assert_eq!(report.properties[0].verdict, PropertyVerdict::Unknown);
        assert_eq!(report.properties[1].verdict, PropertyVerdict::Holds);
        assert!(report.states > 20 && report.states <= 50_000);
    }
}

#[test]
fn limits_that_are_not_met_do_not_cut() {
    let model = counter(10, || vec![Property::always("small", |_, n| *n <= 10)]);
    let limits = Limits {
        states: Some(11),
        depth: Some(5),
        time: Some(Duration::from_secs(3_600)),
        memory: Some(100_000),
    };
    assert_eq!(check(&model, limits).verdict, Verdict::Holds);
    let tighter = [
        Limits {
            states: Some(10),
            ..limits
        },
        Limits {
            depth: Some(4),
            ..limits
        },
    ];
    for limits in tighter {
        let verdict = check(&model, limits).verdict;
        assert!(matches!(verdict, Verdict::Incomplete { .. }), "{limits:?}");
    }
}

#[test]
fn depth_is_that_of_the_farthest_visited_state() {
    // 2n - 1 and 2n are n steps away: with one state visited it is the first, with two to three a state of depth 1.
    let model = counter(100, Vec::new);
    for (states, depth) in [(1, 0), (2, 1), (3, 1), (4, 2), (5, 2), (6, 3)] {
        let limits = Limits {
            states: Some(states),
            ..Limits::default()
        };
        let report = check(&model, limits);
        assert_eq!((report.states, report.depth), (states, depth));
        let why = format!("the limit of {states} states was reached at depth {depth}");
        assert_eq!(report.verdict, Verdict::Incomplete { why });
    }
}

#[test]
fn liveness_is_listed_but_not_checked() {
    let model = counter(4, || {
        vec![
            Property::eventually("two_is_met", |_, n| *n == 2),
            Property::always("small", |_, n| *n <= 4),
        ]
    });
    let report = check(&model, Limits::default());
    assert_eq!(report.verdict, Verdict::Holds);
    let listed = &report.properties[0];
    assert!(matches!(listed.kind, Kind::Eventually { .. }));
    assert_eq!(
        listed.verdict,
        PropertyVerdict::NotChecked("liveness is asked apart from safety")
    );
}

#[test]
fn what_is_looked_for_is_found_by_a_shortest_trace() {
    let model = counter(9, Vec::new);
    let at = |wanted: u32| Fact::sometimes("met", move |_: &Counter, n: &u32| *n == wanted);
    let found = find(&model, at(7), Limits::default()).expect("complete");
    assert_eq!(found.expect("reachable").len(), 4);
    assert_eq!(
        find(&model, at(0), Limits::default()),
        Ok(Some(Default::default()))
    );
    assert_eq!(find(&model, at(10), Limits::default()), Ok(None));
    let cut = Limits {
        states: Some(3),
        ..Limits::default()
    };
    assert!(find(&model, at(9), cut).is_err());
}
