//! The corrected protocol keeps its promises, exhaustively at small scope, and by induction at a smaller one.

use std::collections::BTreeSet;
use std::sync::Arc;

use peerproof_model::chord::ring::{
    Action, AtomicRing, Churn, Pointers, Scope, ScopeError, Start, State, Status, Variant,
};
use peerproof_model::explore::{
    Counterexample, Explorer, Fact, Fairness, LivenessVerdict, Pack, PropertyVerdict, Verdict,
    count_depth_first, replay,
};
use peerproof_model::space::circle::between;
use stateright::Model;

fn scope(ids: u8, successors: u8) -> Scope {
    Scope::new(Variant::Zave2017, ids, successors)
}

fn ring(scope: Scope) -> AtomicRing {
    AtomicRing::new(scope).expect("a possible scope")
}

fn kept() -> Vec<Fact<AtomicRing>> {
    let fact = |name| AtomicRing::fact(name).expect("a fact of that name");
    AtomicRing::KEPT.map(fact).into()
}

/// Identifiers, successors; states, transitions, depth.
const COUNTS: &[(u8, u8, usize, usize, usize)] = &[
    (3, 2, 7, 15, 2),
    (4, 2, 2_577, 10_724, 23),
    (5, 3, 17_851, 89_765, 30),
    (5, 2, 777_771, 4_953_005, 40),
];

#[test]
fn the_corrected_protocol_keeps_its_invariants_and_repairs_the_ring() {
    for (ids, successors, states, transitions, depth) in COUNTS {
        let ring = ring(scope(*ids, *successors));
        let mut facts = kept();
        facts.extend(AtomicRing::upkeep_facts());
        let report = Explorer::new(&ring).threads(2).check(&facts);
        assert_eq!(report.verdict, Verdict::Holds, "{ids} {successors}");
        let counts = (report.states, report.transitions, report.depth);
        assert_eq!(
            counts,
            (*states, *transitions, *depth),
            "{ids} {successors}"
        );
    }
}

#[test]
fn a_second_search_counts_the_same_states() {
    for (ids, successors, states, ..) in &COUNTS[..3] {
        let ring = Arc::new(ring(scope(*ids, *successors)));
        assert_eq!(count_depth_first(&ring), *states, "{ids} {successors}");
    }
}

/// Every state that is reachable.
fn reachable(ring: &AtomicRing) -> BTreeSet<State> {
    let mut seen: BTreeSet<State> = ring.init_states().into_iter().collect();
    let mut open: Vec<State> = seen.iter().copied().collect();
    while let Some(state) = open.pop() {
        for next in ring.next_states(&state) {
            if seen.insert(next) {
                open.push(next);
            }
        }
    }
    seen
}

#[test]
fn states_are_their_bytes() {
    for (ids, successors) in [(4, 2), (5, 3)] {
        let ring = ring(scope(ids, successors));
        let width = ring.width().expect("a fixed width");
        let mut packed = BTreeSet::new();
        let states = reachable(&ring);
        for state in &states {
            let mut bytes = Vec::new();
            ring.pack(state, &mut bytes);
            assert_eq!(bytes.len(), width);
            assert_eq!(ring.unpack(&bytes), *state);
            packed.insert(bytes);
        }
        assert_eq!(packed.len(), states.len());
    }
    assert_eq!(ring(scope(6, 3)).width(), Some(12));
}

/// A member is only ever stabilizing from a node that lies between it and its successor.
#[test]
fn what_is_saved_lies_between() {
    let ring = ring(scope(5, 2));
    let lies_between = Fact::always("saved_lies_between", |_: &AtomicRing, state: &State| {
        state.live().all(|node| {
            let pointers = state.at(node);
            let first = pointers.list().next().expect("a first entry");
            match pointers.pending() {
                (Status::Stabilizing, Some(saved)) => between(node, saved, first),
                _ => true,
            }
        })
    });
    assert_eq!(
        Explorer::new(&ring).check(&[lies_between]).verdict,
        Verdict::Holds
    );
}

/// With a base of three among four there is one appendage at most, so that none has an order; among five there are two,
/// and they are in order.
#[test]
fn appendages_are_in_order_as_far_as_there_are_any() {
    let partner = || AtomicRing::put_to_the_test("ordered_appendages").expect("a fact");
    let four = ring(scope(4, 2));
    let report = Explorer::new(&four).check(&[partner()]);
    assert_eq!(report.properties[0].verdict, PropertyVerdict::NeverReached);
    let five = ring(scope(5, 2));
    let fact = AtomicRing::fact("ordered_appendages").expect("a fact");
    let report = Explorer::new(&five).threads(2).check(&[fact, partner()]);
    assert_eq!((report.verdict, report.states), (Verdict::Holds, 777_771));
    assert_eq!(report.properties[1].trace.len(), 4);
}

/// Leaving is failing here, so that it adds no state.
#[test]
fn leaving_adds_no_state() {
    let ring = ring(scope(4, 2).churning(Churn::ALL));
    assert_eq!(Explorer::new(&ring).check(&kept()).states, 2_577);
}

/// Turning the circle joins states into classes; the classes that the explorer visits are all of them.
#[test]
fn one_state_stands_for_its_rotations() {
    let ring = ring(scope(5, 3));
    let classes: BTreeSet<State> = reachable(&ring)
        .iter()
        .map(|state| ring.canonical(state))
        .collect();
    let explorer = Explorer::new(&ring).canonical(AtomicRing::canonical);
    let report = explorer.check(&kept());
    assert_eq!(report.verdict, Verdict::Holds);
    assert_eq!(report.states, classes.len());
    assert_eq!(classes.len(), 3_571);
}

/// Two invariants that were claimed before are none here either; they are repaired.
#[test]
fn merges_and_lists_may_be_out_of_order_for_a_while() {
    let ring = ring(scope(5, 2));
    for (name, depth) in [("ordered_merges", 4), ("valid_successor_lists", 3)] {
        let fact = AtomicRing::fact(name).expect("a fact");
        let report = Explorer::new(&ring).check(&[fact]);
        let property = &report.properties[0];
        assert_eq!(property.verdict, PropertyVerdict::Violated, "{name}");
        assert_eq!(property.trace.len(), depth, "{name}");
    }
}

/// The negative control: without a base of r + 1 principals the ring falls apart.
#[test]
fn without_a_base_the_ring_falls_apart() {
    let ring = ring(scope(4, 2).without_base());
    for (name, depth) in [("at_most_one_ring", 6), ("ordered_ring", 6)] {
        let fact = AtomicRing::fact(name).expect("a fact");
        let report = Explorer::new(&ring).check(&[fact]);
        let property = &report.properties[0];
        assert_eq!(property.verdict, PropertyVerdict::Violated, "{name}");
        assert_eq!(property.trace.len(), depth, "{name}");
    }
}

/// Once churn stops the ring becomes ideal and stays so, when each kind of step of each member is strongly fair,
/// notifications by different members being of different kinds.
#[test]
fn the_corrected_ring_converges() {
    for ((ids, successors, states, ..), kept) in COUNTS.iter().zip([7, 83, 256, 801]) {
        let ring = ring(scope(*ids, *successors));
        let goal = ring.convergence(Fairness::Strong);
        let report = Explorer::new(&ring)
            .threads(2)
            .converges(&goal)
            .expect("a goal that can be asked");
        assert_eq!(report.verdict, LivenessVerdict::Holds, "{ids} {successors}");
        assert_eq!(
            (report.states, report.good),
            (*states, kept),
            "{ids} {successors}"
        );
    }
}

/// With weak fairness it need not: an appendage's notification may be overwritten by another one each time, before the
/// notified member looks at it. One saved node is too little memory.
#[test]
fn weak_fairness_is_not_enough() {
    let ring = ring(scope(4, 2));
    let goal = ring.convergence(Fairness::Weak);
    let report = Explorer::new(&ring)
        .converges(&goal)
        .expect("a goal that can be asked");
    let LivenessVerdict::Violated(Counterexample::Loop { stem, cycle }) = report.verdict else {
        panic!("{:?}", report.verdict);
    };
    assert_eq!(stem.len(), 1);
    let before = *replay(&ring, &stem)
        .expect("a trace")
        .last()
        .expect("a state");
    let mut now = before;
    for action in &cycle {
        now = ring.step(&now, *action).expect("a possible step");
        assert!(!ring.is_ideal(&now));
    }
    assert_eq!(now, before);
}

/// Every way in which four members or fewer can have lists of two entries, dead ones included.
fn every_list(ids: u8) -> impl Iterator<Item = State> {
    let ways = u32::from(ids).pow(2) + 1;
    (1..ways.pow(u32::from(ids))).map(move |code| {
        let mut left = code;
        let mut members = Vec::new();
        for place in 0..ids {
            let way = left % ways;
            left /= ways;
            if let Some(way) = way.checked_sub(1) {
                let list = [way / u32::from(ids), way % u32::from(ids)].map(|entry| entry as u8);
                members.push((place, Pointers::new(&list, None)));
            }
        }
        State::of(&members)
    })
}

/// The invariant: every member has a live successor, and there are r + 1 principals.
fn invariant() -> impl Fn(&AtomicRing, &State) -> bool {
    let parts = ["everyone_has_a_live_successor", "enough_principals"];
    let parts = parts.map(|name| AtomicRing::fact(name).expect("a fact"));
    move |ring, state| parts.iter().all(|fact| (fact.holds)(ring, state))
}

/// The same state with the predecessor and the pending step of one member replaced.
fn with(state: &State, place: u8, predecessor: Option<u8>, pending: Option<(Status, u8)>) -> State {
    let members: Vec<(u8, Pointers)> = state
        .live()
        .map(|member| {
            let old = *state.at(member);
            if member != place {
                return (member, old);
            }
            let list: Vec<u8> = old.list().collect();
            let new = Pointers::new(&list, predecessor);
            let new = pending.map_or(new, |(status, saved)| new.amid(status, saved));
            (member, new)
        })
        .collect();
    State::of(&members)
}

/// Every step from a state, whatever predecessors and pending steps there are. The invariant is about lists, and what
/// a step makes of lists depends on nothing but lists, one predecessor (which may begin a stabilization, and changes no
/// list) and the saved node of the member that acts.
fn every_step(ring: &AtomicRing, state: &State, ids: u8, mut told: impl FnMut(Action, State)) {
    let mut act = |state: &State, action: Action| {
        if let Some(next) = ring.step(state, action) {
            told(action, next);
        }
    };
    for node in 0..ids {
        for via in state.live() {
            act(state, Action::Join(node, via));
        }
        if !state.live().any(|member| member == node) {
            continue;
        }
        act(state, Action::Fail(node));
        act(state, Action::Leave(node));
        let successor = state.at(node).list().next().expect("a first entry");
        for predecessor in (0..ids).map(Some).chain([None]) {
            act(
                &with(state, successor, predecessor, None),
                Action::StabilizeFromSuccessor(node),
            );
        }
        for saved in 0..ids {
            let stabilizing = with(state, node, None, Some((Status::Stabilizing, saved)));
            act(&stabilizing, Action::StabilizeFromPredecessor(node));
            let rectifying = with(state, node, Some(saved), Some((Status::Rectifying, saved)));
            act(&rectifying, Action::Rectify(node, saved));
        }
    }
}

#[test]
fn every_step_keeps_the_invariant_from_every_state_that_has_it() {
    for (ids, counts) in [(3, (1, 30)), (4, (29, 1_340)), (5, (591, 40_895))] {
        assert_eq!(induction(ids), counts, "{ids}");
    }
}

/// How many states have the invariant, and how many steps from them keep it: all there are.
fn induction(ids: u8) -> (usize, usize) {
    let ring = ring(scope(ids, 2).churning(Churn::ALL));
    let implied = kept();
    let invariant = invariant();
    let mut inductive = 0;
    let mut steps = 0;
    for state in every_list(ids) {
        if !invariant(&ring, &state) {
            continue;
        }
        inductive += 1;
        for fact in &implied {
            assert!((fact.holds)(&ring, &state), "{} in {state:?}", fact.name);
        }
        every_step(&ring, &state, ids, |action, next| {
            steps += 1;
            assert!(invariant(&ring, &next), "{action} from {state:?}");
        });
    }
    (inductive, steps)
}

/// Without the base, failing breaks the invariant: the induction is not vacuous.
#[test]
fn without_the_base_failing_breaks_the_invariant() {
    let ring = ring(scope(4, 2).without_base());
    let invariant = invariant();
    let mut breaks = BTreeSet::new();
    for state in every_list(4).filter(|state| invariant(&ring, state)) {
        every_step(&ring, &state, 4, |action, next| {
            if !invariant(&ring, &next) {
                breaks.insert(action.code().remove(0));
            }
        });
    }
    assert_eq!(breaks, BTreeSet::from(['F', 'G']));
}

#[test]
fn impossible_scopes_are_refused_with_the_reason() {
    let refused = |scope: Scope| {
        AtomicRing::new(scope)
            .expect_err("an impossible scope")
            .to_string()
    };
    assert_eq!(
        refused(scope(1, 1)),
        "1 identifiers are not possible: 2 to 8 are"
    );
    assert_eq!(
        refused(scope(9, 2)),
        "9 identifiers are not possible: 2 to 8 are"
    );
    assert_eq!(
        refused(scope(8, 5)),
        "lists of 5 successors are not possible: 1 to 4 are"
    );
    assert_eq!(
        refused(scope(4, 0)),
        "lists of 0 successors are not possible: 1 to 4 are"
    );
    assert_eq!(
        refused(scope(3, 3)),
        "lists of 3 successors need a base of 4 members, and there are 3 identifiers"
    );
    assert_eq!(
        refused(Scope::new(Variant::Sigcomm2001, 4, 2)),
        "sigcomm2001 has one successor, not 2"
    );
    let foreign = State::of(&[(5, Pointers::new(&[5], None))]);
    assert_eq!(
        refused(scope(4, 2).from(Start::Given(vec![foreign]))),
        "start number 0 does not fit the scope"
    );
    assert_eq!(
        "chord".parse::<Variant>(),
        Err(ScopeError::Variant {
            name: "chord".to_owned()
        })
    );
    for variant in Variant::ALL {
        assert_eq!(variant.name().parse(), Ok(variant));
    }
}

#[test]
fn the_browser_lists_every_fact_about_the_shape_of_a_ring() {
    use stateright::Model;
    let listed = |variant| {
        let ring = AtomicRing::new(Scope::new(variant, 4, 2)).expect("a possible scope");
        let listed = ring.properties().into_iter();
        listed.map(|property| property.name).collect::<Vec<_>>()
    };
    let facts = AtomicRing::facts();
    let all: Vec<&str> = facts.iter().map(|fact| fact.name).collect();
    assert_eq!(listed(Variant::TON2003_FIXED), all);
    assert_eq!(listed(Variant::Zave2017), AtomicRing::KEPT);
}

/// A member that is left alone notifies itself, and settles: that step is maintenance, not churn.
#[test]
fn who_is_left_alone_becomes_an_ideal_ring() {
    let churn = Churn {
        joins: false,
        leaves: false,
        fails: true,
    };
    let scope = Scope::new(Variant::Zave2017, 2, 2)
        .without_base()
        .churning(churn);
    let ring = AtomicRing::new(scope).expect("a possible scope");
    let goal = ring.convergence(Fairness::Strong);
    let report = Explorer::new(&ring)
        .converges(&goal)
        .expect("it can be asked");
    assert_eq!(report.verdict, LivenessVerdict::Holds);
}
