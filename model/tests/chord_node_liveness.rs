//! Rings with messages become and stay ideal once nothing is done to them any more: under stated fairness, from every
//! state of a small scope. Where they do not, and what repairs it.

use peerproof_model::chord::mutant::Mutant;
use peerproof_model::chord::system::{Scope, convergence, ring};
use peerproof_model::explore::{Counterexample, Explorer, Fairness, LivenessVerdict, replay};

fn ask(
    name: &str,
    mutant: Option<Mutant>,
    fairness: Fairness,
) -> Option<
    Counterexample<<peerproof_model::chord::system::MessageRing as stateright::Model>::Action>,
> {
    let scope = Scope::named(name).expect("a scope of that name");
    let model = ring(&scope, mutant);
    let goal = convergence(&scope, &model, fairness);
    let report = Explorer::new(&model)
        .converges(&goal)
        .expect("it can be asked");
    // Not from the beginning on: there is something to repair.
    assert!(0 < report.good && report.good < report.states, "{name}");
    match report.verdict {
        LivenessVerdict::Holds => None,
        LivenessVerdict::Violated(found) => Some(found),
        LivenessVerdict::Incomplete { why } => panic!("{name}: {why}"),
    }
}

#[test]
fn the_ring_becomes_and_stays_ideal() {
    for name in [
        "join",
        "join-pair",
        "crash-endless",
        "one-loss",
        "two-losses-kept",
        "two-losses-rejoining",
    ] {
        assert_eq!(ask(name, None, Fairness::Strong), None, "{name}");
    }
}

#[test]
fn from_every_state_the_ideal_ring_stays_in_reach() {
    for (name, reachable) in [
        ("join", true),
        ("crash-endless", true),
        ("two-losses", false),
    ] {
        let scope = Scope::named(name).expect("a scope of that name");
        let model = ring(&scope, None);
        let goal = convergence(&scope, &model, Fairness::Strong);
        let report = Explorer::new(&model)
            .stays_reachable(&goal)
            .expect("it can be asked");
        assert_eq!(
            report.verdict == LivenessVerdict::Holds,
            reachable,
            "{name}"
        );
        assert_eq!(report.good == report.states, reachable, "{name}");
    }
}

#[test]
fn a_mutant_that_stops_maintenance_breaks_it() {
    for (name, mutant) in [
        ("join", Mutant::NeverNotifies),
        ("crash-endless", Mutant::NeverNotifies),
        ("crash-endless", Mutant::KeepsDeadSuccessor),
        ("crash-endless", Mutant::KeepsDeadPredecessor),
    ] {
        let found = ask(name, Some(mutant), Fairness::Strong);
        assert!(
            matches!(found, Some(Counterexample::Loop { .. })),
            "{name}, {mutant:?}"
        );
    }
}

#[test]
fn without_fairness_nothing_need_happen() {
    let found = ask("join", None, Fairness::Unfair);
    assert!(matches!(found, Some(Counterexample::Rest { .. })));
}

/// The one goes round and round, and the other, which knows nobody, is asked every time and never asks.
#[test]
fn a_member_that_knows_nobody_stays_so_where_it_neither_keeps_the_last_nor_joins_anew() {
    let scope = Scope::two_losses();
    let model = ring(&scope, None);
    let found = ask(scope.name, None, Fairness::Strong);
    let Some(Counterexample::Loop { stem, cycle }) = found else {
        panic!("{found:?}");
    };
    let mut run = stem.clone();
    run.actions.extend(cycle);
    let states = replay(&model, &run).expect("a run of the ring");
    assert_eq!(states[states.len() - 1], states[stem.len()]);
    for state in &states[stem.len()..] {
        let lists = state.nodes.iter().flatten().map(|node| node.successors());
        assert_eq!(lists.filter(|list| list.is_empty()).count(), 1);
    }
}
