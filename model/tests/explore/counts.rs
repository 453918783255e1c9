//! The explorer on models whose state spaces are known from elsewhere, beside Stateright's depth-first search,
//! and on any number of threads.

use std::sync::Arc;

use crate::models::{
    Rules, TwoPhase, bounded_queue, counters, hanoi, increment, peterson, philosophers, river,
    sliding, tic_tac_toe, tic_tac_toe_form, token_ring, water_jugs,
};
use peerproof_model::explore::{
    Explorer, Fact, Limits, Progress, PropertyVerdict, Verdict, check, check_facts,
    count_depth_first, find, replay,
};

/// How many states a complete run visits, and how deep it goes; Stateright must count as many.
fn visited(rules: &Rules) -> (usize, usize) {
    let (states, depth) = visited_by_us(rules);
    let model = Arc::new(rules.clone());
    assert_eq!(states, count_depth_first(&model), "{}", rules.name);
    (states, depth)
}

fn visited_by_us(rules: &Rules) -> (usize, usize) {
    let model = Arc::new(rules.clone());
    let nothing = Fact::always("anything", |_: &Rules, _: &Vec<u8>| true);
    let report = check_facts(
        &model,
        vec![nothing],
        Limits::default(),
        Progress::unwatched(),
    );
    assert_eq!(report.verdict, Verdict::Holds, "{}", rules.name);
    (report.states, report.depth)
}

/// The length of a shortest trace to a state like that.
fn distance(rules: Rules, is_wanted: impl Fn(&[u8]) -> bool + Send + Sync + 'static) -> usize {
    let model = Arc::new(rules);
    let wanted = Fact::sometimes("wanted", move |_: &Rules, state: &Vec<u8>| is_wanted(state));
    let found = find(&model, wanted, Limits::default()).expect("a small model");
    let trace = found.expect("it is reachable");
    let states = replay(&*model, &trace).expect("a trace of the model");
    assert_eq!(states.len(), trace.len() + 1);
    trace.len()
}

#[test]
fn two_phase_commit_has_the_published_state_counts() {
    for (managers, states) in [(3, 288), (5, 8_832)] {
        let model = Arc::new(TwoPhase { managers });
        let report = check(&model, Limits::default());
        assert_eq!(report.verdict, Verdict::Holds);
        assert_eq!(report.states, states);
        assert_eq!(count_depth_first(&model), states);
        // Every manager prepares and is heard, the decision, every manager hears it.
        assert_eq!(report.depth, 3 * usize::from(managers) + 1);
        let holds = |verdict: &PropertyVerdict| *verdict == PropertyVerdict::Holds;
        assert!(
            report
                .properties
                .iter()
                .all(|property| holds(&property.verdict))
        );
    }
}

#[test]
fn spaces_with_a_formula_have_the_size_it_says() {
    assert_eq!(visited(&counters(4, 9)), (10_000, 36));
    assert_eq!(visited(&counters(1, 0)), (1, 0));
    // All words of at most six bits; the longest way fills the queue, and exchanges its bits.
    assert_eq!(visited(&bounded_queue(6)).0, 127);
    // Every state is an initial one.
    assert_eq!(visited(&token_ring(4, 4)), (256, 0));
    // Every position of every disc.
    assert_eq!(visited(&hanoi(5)).0, 243);
}

#[test]
fn threads_that_lose_an_update_have_the_thirteen_states_of_staterights_example() {
    assert_eq!(visited(&increment(2)), (13, 4));
    // Both read before either writes.
    let lost = |state: &[u8]| state[2] == 2 && state[4] == 2 && state[0] == 1;
    assert_eq!(distance(increment(2), lost), 4);
}

#[test]
fn positions_of_puzzles_and_games_are_those_of_the_literature() {
    // Half of the permutations; no position is farther than 21 and 31 moves.
    assert_eq!(visited(&sliding(2, 3)), (360, 21));
    // Stateright keeps a whole path for every state that is waiting, too much for paths of 100,000 moves.
    assert_eq!(visited_by_us(&sliding(3, 3)), (181_440, 31));
    assert_eq!(visited(&tic_tac_toe()), (5_478, 9));
    // One jug is empty or full whenever water was moved: the perimeter of 3 by 5.
    assert_eq!(visited(&water_jugs()).0, 16);
}

#[test]
fn the_famous_solutions_are_found_and_are_shortest() {
    assert_eq!(distance(water_jugs(), |jugs| jugs[1] == 4), 6);
    assert_eq!(distance(river(), |bank| bank == [0, 0, 0]), 11);
    for discs in 1..=6 {
        let moves = (1 << discs) - 1;
        assert_eq!(
            distance(hanoi(discs), |pegs| pegs.iter().all(|peg| *peg == 2)),
            moves
        );
    }
}

#[test]
fn petersons_algorithm_excludes_and_philosophers_block() {
    let excluded = Fact::always("one_at_a_time", |_: &Rules, state: &Vec<u8>| {
        state[..2] != [3, 3]
    });
    let model = Arc::new(peterson());
    let report = check_facts(
        &model,
        vec![excluded],
        Limits::default(),
        Progress::unwatched(),
    );
    assert_eq!(report.verdict, Verdict::Holds);
    assert_eq!(report.states, count_depth_first(&model));
    // Everybody takes the left fork.
    assert_eq!(
        distance(philosophers(5), |all| all.iter().all(|one| *one == 1)),
        5
    );
    // With all states known: no fork is held twice, so a neighbour of one who eats never holds that fork.
    let brute = (0..3usize.pow(5)).filter(|n| {
        let who = |at: usize| n / 3usize.pow(at as u32 % 5) % 3;
        (0..5).all(|at| who(at) != 2 || who(at + 1) == 0)
    });
    assert_eq!(visited(&philosophers(5)).0, brute.count());
}

#[test]
fn symmetric_states_are_visited_once_and_traces_are_of_the_model_itself() {
    // The number of essentially different positions, and the published eight of the two threads.
    let board = tic_tac_toe();
    let explorer = Explorer::new(&board).canonical(|_, state| tic_tac_toe_form(state));
    let anything = Fact::always("anything", |_: &Rules, _: &Vec<u8>| true);
    let report = explorer.check(std::slice::from_ref(&anything));
    assert_eq!((report.states, report.depth), (765, 9));

    let threads = increment(2);
    let explorer = Explorer::new(&threads).canonical(|_, state| {
        let (one, other) = (state[1..3].to_vec(), state[3..5].to_vec());
        let (low, high) = if one <= other {
            (one, other)
        } else {
            (other, one)
        };
        [vec![state[0]], low, high].concat()
    });
    let kept = Fact::always("no_update_is_lost", |_: &Rules, state: &Vec<u8>| {
        let written = [state[2], state[4]]
            .iter()
            .filter(|done| **done == 2)
            .count();
        usize::from(state[0]) >= written
    });
    assert_eq!(explorer.check(&[anything]).states, 8);
    let report = explorer.check(&[kept]);
    assert_eq!(report.properties[0].verdict, PropertyVerdict::Violated);
    let trace = &report.properties[0].trace;
    assert_eq!(trace.len(), 4);
    let states = replay(&threads, trace).expect("a trace of the model, not of the forms");
    assert_eq!(states[4][0], 1);
}

/// Facts of which some are broken at once, some late, some never, and one is never reached.
fn mixed_facts() -> Vec<Fact<Rules>> {
    let sum = |state: &[u8]| state.iter().map(|n| u32::from(*n)).sum::<u32>();
    vec![
        Fact::always("below_twenty", move |_, state: &Vec<u8>| sum(state) < 20),
        Fact::always("the_first_is_no_six", |_, state: &Vec<u8>| state[0] != 6),
        Fact::sometimes("all_equal_seven", |_, state: &Vec<u8>| {
            state.iter().all(|n| *n == 7)
        }),
        Fact::sometimes("more_than_there_is", move |_, state: &Vec<u8>| {
            sum(state) > 54
        }),
        Fact::always("small", |_, state: &Vec<u8>| state.iter().all(|n| *n < 10)),
    ]
}

#[test]
fn every_fact_has_its_own_shortest_trace_in_one_run() {
    let model = counters(6, 8);
    let report = Explorer::new(&model).check(&mixed_facts());
    let lengths: Vec<usize> = report
        .properties
        .iter()
        .map(|fact| fact.trace.len())
        .collect();
    assert_eq!(lengths, [20, 6, 42, 0, 0]);
    let verdicts: Vec<_> = report.properties.iter().map(|fact| &fact.verdict).collect();
    use PropertyVerdict::{Holds, NeverReached, Violated};
    assert_eq!(
        verdicts,
        [&Violated, &Violated, &Holds, &NeverReached, &Holds]
    );
    assert_eq!((report.states, report.depth), (9usize.pow(6), 48));
}

#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    let model = counters(6, 8);
    let limits = [
        Limits::default(),
        Limits {
            states: Some(200_001),
            ..Limits::default()
        },
        Limits {
            depth: Some(17),
            ..Limits::default()
        },
        Limits {
            memory: Some(5_000_000),
            ..Limits::default()
        },
    ];
    for limits in limits {
        for stops_at_first in [false, true] {
            let run = |threads: usize| {
                let explorer = Explorer::new(&model).limits(limits).threads(threads);
                let explorer = if stops_at_first {
                    explorer.stops_at_first()
                } else {
                    explorer
                };
                let mut report = explorer.check(&mixed_facts());
                report.seconds = 0.0;
                report
            };
            let alone = run(1);
            for threads in 2..=4 {
                assert_eq!(run(threads), alone, "{threads} threads, {limits:?}");
            }
        }
    }
}

#[test]
fn a_memory_limit_ends_a_run_before_it_is_exceeded() {
    let model = counters(6, 9);
    let anything = || vec![Fact::always("anything", |_: &Rules, _: &Vec<u8>| true)];
    let full = Explorer::new(&model).check(&anything());
    assert_eq!(full.verdict, Verdict::Holds);
    // Six bytes, a parent of four, slots of four that are at least three eighths used; and the successors that wait.
    assert!(full.bytes_per_state < 24.0, "{}", full.bytes_per_state);
    assert!(full.bytes_per_state > 6.0 + 4.0 + 4.0 / 0.75);
    let run = |memory: usize| {
        let limits = Limits {
            memory: Some(memory),
            ..Limits::default()
        };
        Explorer::new(&model)
            .limits(limits)
            .threads(2)
            .check(&anything())
    };
    // Exactly what it needs is enough, a byte less is not.
    assert_eq!(run(full.bytes).verdict, Verdict::Holds);
    let mut before = full.states;
    for memory in [
        full.bytes - 1,
        full.bytes / 2,
        full.bytes / 10,
        20_000,
        1_000,
        0,
    ] {
        let report = run(memory);
        let Verdict::Incomplete { why } = &report.verdict else {
            panic!("{memory} bytes gave {:?}", report.verdict);
        };
        assert!(why.contains(&format!("limit of {memory} bytes")), "{why}");
        assert!(
            why.contains(&format!("after {} states", report.states)),
            "{why}"
        );
        assert!(report.bytes <= memory, "{} of {memory}", report.bytes);
        assert!(report.states < before || report.states == 0);
        before = report.states;
    }
}
