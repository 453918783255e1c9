//! Runs that are told in docs/spec/chord-messages.md, and how they go on.

use super::*;

/// Nobody fails; three live nodes are taken for dead, and the ring falls into two.
pub(super) const SPLIT: &str = "\
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

pub(super) fn replayed(
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
