//! Liveness: the traps into which checkers fall, and a second opinion on small random graphs.

mod limits;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crate::models::{Net, Rules, Step, goal, token_ring};
use Fairness::{Strong, Unfair, Weak};
use peerproof_model::explore::{
    ActionClass, Counterexample, Explorer, Fairness, Goal, Limits, LivenessError, LivenessVerdict,
    MOST_CLASSES, Pack, Verdict, replay,
};
use proptest::prelude::*;
use stateright::Model;

fn net(steps: &[Step]) -> Net {
    Net {
        starts: vec![0],
        steps: steps.to_vec(),
    }
}

/// The answer, whose counterexample, if it is one, was followed step by step.
fn converges(net: &Net, goal: &Goal<Net>) -> LivenessVerdict<Step> {
    let report = Explorer::new(net).converges(goal).expect("it can be asked");
    assert_eq!(report.assumptions, goal.assumptions());
    if let LivenessVerdict::Violated(counterexample) = &report.verdict {
        assert_is_unfulfilled(net, goal, counterexample);
    }
    report.verdict
}

/// A counterexample is a way through the net after which nothing need happen, or a fair loop that never keeps the goal.
fn assert_is_unfulfilled(net: &Net, goal: &Goal<Net>, found: &Counterexample<Step>) {
    let states = replay(net, found.stem()).expect("the stem is one of the model");
    let end = *states.last().expect("a first state");
    let is_fair = |class: &usize| goal.classes[*class].fairness != Unfair;
    match found {
        Counterexample::Rest { .. } => {
            assert!(!keeps(net, goal).contains(&end));
            assert!(
                !possible(net, end).iter().any(is_fair),
                "something must happen"
            );
        }
        Counterexample::Loop { cycle, .. } => {
            let mut at = end;
            let mut passed = Vec::new();
            for (from, class, to) in cycle {
                assert!(net.steps.contains(&(*from, *class, *to)) && *from == at);
                assert!(class.is_some(), "churn has stopped");
                assert!(!keeps(net, goal).contains(to));
                passed.push(*to);
                at = *to;
            }
            assert!(at == end && !cycle.is_empty(), "it is a loop");
            let taken: BTreeSet<usize> = cycle.iter().filter_map(|(_, class, _)| *class).collect();
            assert!(is_fair_loop(net, goal, &passed, &taken));
        }
        Counterexample::OutOfReach { .. } => panic!("not asked"),
    }
}

/// The classes that are possible in a state.
fn possible(net: &Net, state: u32) -> BTreeSet<usize> {
    let steps = net.steps.iter().filter(|(from, ..)| *from == state);
    steps.filter_map(|(_, class, _)| *class).collect()
}

/// Whether a run that passes these states and takes these classes for ever is fair.
fn is_fair_loop(net: &Net, goal: &Goal<Net>, states: &[u32], taken: &BTreeSet<usize>) -> bool {
    let there = |class: usize| {
        states
            .iter()
            .filter(move |s| possible(net, **s).contains(&class))
    };
    (0..goal.classes.len()).all(|class| match goal.classes[class].fairness {
        Unfair => true,
        Weak => taken.contains(&class) || there(class).count() < states.len(),
        Strong => taken.contains(&class) || there(class).count() == 0,
    })
}

/// All states that some way without churn reaches, this one among them.
fn ahead(net: &Net, state: u32) -> BTreeSet<u32> {
    let mut seen = BTreeSet::from([state]);
    loop {
        let more: BTreeSet<u32> = net
            .steps
            .iter()
            .filter(|(from, class, _)| class.is_some() && seen.contains(from))
            .map(|(_, _, to)| *to)
            .collect();
        let before = seen.len();
        seen.extend(more);
        if seen.len() == before {
            return seen;
        }
    }
}

fn reachable(net: &Net) -> BTreeSet<u32> {
    let any = |(from, _, to): &Step| (*from, Some(0), *to);
    let unchurned = Net {
        starts: net.starts.clone(),
        steps: net.steps.iter().map(any).collect(),
    };
    let starts = net.starts.iter();
    starts.flat_map(|start| ahead(&unchurned, *start)).collect()
}

/// The reachable states from which the goal is never lost.
fn keeps(net: &Net, goal: &Goal<Net>) -> BTreeSet<u32> {
    let all = |state: &u32| {
        ahead(net, *state)
            .iter()
            .all(|next| (goal.holds)(net, next))
    };
    reachable(net).into_iter().filter(all).collect()
}

/// Whether every fair run meets one of these states, by trying every set of states that a run could pass for ever.
fn by_trying_every_set(net: &Net, goal: &Goal<Net>, good: &BTreeSet<u32>) -> bool {
    let open: Vec<u32> = reachable(net).difference(good).copied().collect();
    let is_fair = |class: &usize| goal.classes[*class].fairness != Unfair;
    let rests = |state: &u32| !possible(net, *state).iter().any(is_fair);
    if open.iter().any(rests) {
        return false;
    }
    let fair = |bits: &u32| {
        let chosen = open
            .iter()
            .enumerate()
            .filter(|(at, _)| bits >> at & 1 == 1);
        let states: Vec<u32> = chosen.map(|(_, state)| *state).collect();
        let within: Vec<Step> = net
            .steps
            .iter()
            .filter(|(from, class, to)| {
                class.is_some() && states.contains(from) && states.contains(to)
            })
            .copied()
            .collect();
        let taken = within.iter().filter_map(|(_, class, _)| *class).collect();
        let part = Net {
            starts: states.clone(),
            steps: within.clone(),
        };
        // Every state of the set leads to every other within it.
        let connected = states
            .iter()
            .all(|state| ahead(&part, *state).len() == states.len());
        !within.is_empty() && connected && is_fair_loop(net, goal, &states, &taken)
    };
    !(1..1 << open.len()).any(|bits| fair(&bits))
}

#[test]
fn a_cycle_of_two_states_is_a_run_that_never_gets_there() {
    // Stateright's `eventually` passes this.
    let steps = [(0, Some(0), 1), (1, Some(0), 0), (1, Some(1), 2)];
    let verdict = converges(&net(&steps), &goal(&[2], &[Unfair, Unfair]));
    assert!(matches!(verdict, LivenessVerdict::Violated(_)));
    let verdict = converges(&net(&steps), &goal(&[2], &[Weak, Weak]));
    let LivenessVerdict::Violated(Counterexample::Loop { stem, cycle }) = verdict else {
        panic!(
            "the way out is not possible in state 0, so weak fairness does not force it: {verdict:?}"
        );
    };
    assert_eq!((stem.len(), cycle.len()), (0, 2));
    assert_eq!(
        converges(&net(&steps), &goal(&[2], &[Weak, Strong])),
        LivenessVerdict::Holds
    );
}

#[test]
fn a_join_of_two_paths_hides_nothing() {
    // The way through 1 reaches the goal; the way through 2 joins it later without, and loops.
    let steps = [
        (0, Some(0), 1),
        (0, Some(1), 2),
        (1, Some(0), 3),
        (2, Some(0), 3),
        (3, Some(0), 4),
        (4, Some(0), 3),
    ];
    for reached in [&[1][..], &[1, 3]] {
        let verdict = converges(&net(&steps), &goal(reached, &[Weak, Weak]));
        assert!(
            matches!(verdict, LivenessVerdict::Violated(_)),
            "{reached:?}"
        );
    }
    assert_eq!(
        converges(&net(&steps), &goal(&[3, 4], &[Weak, Weak])),
        LivenessVerdict::Holds
    );
}

#[test]
fn a_self_loop_holds_a_run_back_only_if_the_way_out_is_unfair() {
    let steps = [(0, Some(0), 0), (0, Some(1), 1)];
    for (fairness, holds) in [
        ([Weak, Unfair], false),
        ([Unfair, Unfair], false),
        ([Unfair, Weak], true),
        ([Weak, Weak], true),
        ([Strong, Strong], true),
    ] {
        let verdict = converges(&net(&steps), &goal(&[1], &fairness));
        assert_eq!(verdict == LivenessVerdict::Holds, holds, "{fairness:?}");
    }
}

#[test]
fn where_nothing_need_happen_a_run_may_rest() {
    // State 1 has no step at all, and nobody need leave state 0.
    let stuck = net(&[(0, Some(0), 1)]);
    let LivenessVerdict::Violated(Counterexample::Rest { stem }) =
        converges(&stuck, &goal(&[7], &[Weak]))
    else {
        panic!("state 1 is a dead end");
    };
    assert_eq!(stem.len(), 1);
    assert_eq!(
        converges(&stuck, &goal(&[1], &[Weak])),
        LivenessVerdict::Holds
    );
    let LivenessVerdict::Violated(Counterexample::Rest { stem }) =
        converges(&stuck, &goal(&[1], &[Unfair]))
    else {
        panic!("nobody need leave state 0");
    };
    assert!(stem.is_empty());
}

#[test]
fn churn_may_stop_anywhere_and_is_not_needed_to_get_there() {
    // Only churn leads from 1 to the goal.
    let steps = [(0, Some(0), 2), (0, None, 1), (1, None, 2)];
    let LivenessVerdict::Violated(Counterexample::Rest { stem }) =
        converges(&net(&steps), &goal(&[2], &[Weak]))
    else {
        panic!("state 1 is left by churn alone");
    };
    assert_eq!(stem.actions, [(0, None, 1)]);
    let report = Explorer::new(&net(&steps)).stays_reachable(&goal(&[2], &[Weak]));
    let report = report.expect("it can be asked");
    let LivenessVerdict::Violated(Counterexample::OutOfReach { stem }) = report.verdict else {
        panic!("state 1 cannot reach the goal");
    };
    assert_eq!((stem.len(), report.good), (1, 2));
}

#[test]
fn a_goal_that_can_be_lost_is_not_kept() {
    // The goal holds in 1, and a step that must happen leads out of it for good.
    let steps = [(0, Some(0), 1), (1, Some(0), 2), (2, Some(0), 2)];
    let verdict = converges(&net(&steps), &goal(&[1], &[Weak]));
    assert!(matches!(verdict, LivenessVerdict::Violated(_)));
    // It stays reachable only from 0 and 1.
    let net = net(&steps);
    let report = Explorer::new(&net)
        .stays_reachable(&goal(&[1], &[Weak]))
        .expect("asked");
    assert_eq!(report.good, 2);
    // Where churn alone leads out, it is kept once churn has stopped.
    let steps = [(0, Some(0), 1), (1, None, 2), (2, Some(0), 1)];
    let net = Net {
        starts: vec![0],
        steps: steps.to_vec(),
    };
    assert_eq!(
        converges(&net, &goal(&[1], &[Weak])),
        LivenessVerdict::Holds
    );
}

#[test]
fn strong_fairness_needs_refinement_again_and_again() {
    // Two strong classes: without the states of the first, the second is possible and not taken.
    let steps = [
        (0, Some(0), 1),
        (1, Some(0), 2),
        (2, Some(0), 0),
        (1, Some(1), 9),
        (2, Some(2), 9),
        (2, Some(0), 2),
        (0, Some(0), 0),
    ];
    // Class 0 alone can loop in 0 for ever.
    let verdict = converges(&net(&steps), &goal(&[9], &[Weak, Strong, Strong]));
    let LivenessVerdict::Violated(Counterexample::Loop { stem, cycle }) = verdict else {
        panic!("{verdict:?}");
    };
    assert!(stem.is_empty());
    assert_eq!(cycle, [(0, Some(0), 0)]);
    let without = net(&steps[..6]);
    assert_eq!(
        converges(&without, &goal(&[9], &[Weak, Strong, Strong])),
        LivenessVerdict::Holds
    );
    for one_weak in [[Weak, Weak, Strong], [Weak, Strong, Weak]] {
        let verdict = converges(&without, &goal(&[9], &one_weak));
        assert_eq!(verdict, LivenessVerdict::Holds, "{one_weak:?}");
    }
    // Weakly fair, each is impossible in a state of the round of three.
    assert!(matches!(
        converges(&without, &goal(&[9], &[Weak, Weak, Weak])),
        LivenessVerdict::Violated(_)
    ));
}

/// One cycle through a million states, with a way out of the last.
struct Round;

const ROUND: u32 = 1_000_000;

impl Model for Round {
    type State = u32;
    type Action = u8;

    fn init_states(&self) -> Vec<u32> {
        // So that the search takes few levels.
        (0..ROUND).collect()
    }

    fn actions(&self, state: &u32, actions: &mut Vec<u8>) {
        if *state < ROUND {
            actions.push(0);
        }
        if *state == ROUND - 1 {
            actions.push(1);
        }
    }

    fn next_state(&self, state: &u32, action: u8) -> Option<u32> {
        Some(if action == 1 {
            ROUND
        } else {
            (state + 1) % ROUND
        })
    }
}

pack_number!(Round);

#[test]
fn a_component_of_a_million_states_does_not_overflow_the_stack() {
    let out = |fairness| Goal {
        name: "out",
        holds: Arc::new(|_: &Round, state: &u32| *state == ROUND),
        churn: "nothing",
        classes: vec![
            ActionClass {
                name: "on".into(),
                fairness: Weak,
            },
            ActionClass {
                name: "out".into(),
                fairness,
            },
        ],
        class_of: Arc::new(|_: &Round, action: &u8| Some(usize::from(*action))),
    };
    let explorer = Explorer::new(&Round);
    let report = explorer.converges(&out(Weak)).expect("it can be asked");
    assert_eq!(
        (report.states, report.steps, report.good),
        (1_000_001, 1_000_001, 1)
    );
    let LivenessVerdict::Violated(Counterexample::Loop { stem, cycle }) = report.verdict else {
        panic!("the way out is possible in one state only");
    };
    assert_eq!((stem.len(), cycle.len()), (0, 1_000_000));
    let report = explorer.converges(&out(Strong)).expect("it can be asked");
    assert_eq!(report.verdict, LivenessVerdict::Holds);
}

/// Machines that may move.
fn privileges(ring: &Rules, state: &[u8]) -> usize {
    (ring.steps)(state).len()
}

#[test]
fn dijkstras_ring_stabilizes_with_enough_numbers_and_not_with_too_few() {
    let stabilizes = |machines: usize, numbers: u8| {
        let ring = token_ring(machines, numbers);
        let goal = Goal {
            name: "one_privilege",
            holds: Arc::new(|ring: &Rules, state: &Vec<u8>| privileges(ring, state) == 1),
            churn: "nothing: the ring begins in any state",
            // The daemon may be unfair to each machine, but some machine moves.
            classes: vec![ActionClass {
                name: "some machine".into(),
                fairness: Weak,
            }],
            class_of: Arc::new(|_: &Rules, _: &(&str, u8)| Some(0)),
        };
        let report = Explorer::new(&ring)
            .threads(2)
            .converges(&goal)
            .expect("asked");
        report.verdict == LivenessVerdict::Holds
    };
    // Dijkstra (1974): as many numbers as machines are enough. Two are too few for four machines.
    assert!(stabilizes(3, 3) && stabilizes(4, 4) && stabilizes(5, 5));
    assert!(!stabilizes(4, 2));
}

fn any_fairness() -> impl Strategy<Value = Fairness> {
    prop_oneof![Just(Unfair), Just(Weak), Just(Strong)]
}

fn any_step() -> impl Strategy<Value = Step> {
    let class = prop_oneof![1 => Just(None), 6 => (0usize..3).prop_map(Some)];
    (0u32..7, class, 0u32..7)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn small_graphs_are_judged_as_by_trying_every_set(
        steps in prop::collection::vec(any_step(), 0..16),
        fairness in prop::collection::vec(any_fairness(), 3),
        reached in prop::collection::vec(0u32..7, 0..4),
        start in 0u32..7,
    ) {
        let net = Net { starts: vec![start], steps };
        let goal = goal(&reached, &fairness);
        let expected = by_trying_every_set(&net, &goal, &keeps(&net, &goal));
        prop_assert_eq!(converges(&net, &goal) == LivenessVerdict::Holds, expected);
        let good = reached.iter().copied().collect();
        let expected = by_trying_every_set(&net, &goal, &good);
        let report = Explorer::new(&net).recurs(&goal).expect("it can be asked");
        prop_assert_eq!(report.verdict == LivenessVerdict::Holds, expected);

        let report = Explorer::new(&net).stays_reachable(&goal).expect("it can be asked");
        let lost = |state: &u32| !ahead(&net, *state).iter().any(|next| reached.contains(next));
        let lost: BTreeSet<u32> = reachable(&net).into_iter().filter(lost).collect();
        prop_assert_eq!(report.verdict == LivenessVerdict::Holds, lost.is_empty());
        if let LivenessVerdict::Violated(found) = report.verdict {
            let states = replay(&net, found.stem()).expect("a trace of the model");
            prop_assert!(lost.contains(&states[states.len() - 1]));
        }
    }
}
