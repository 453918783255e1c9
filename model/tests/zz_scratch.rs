use std::sync::Arc;
use std::time::Duration;
use peerproof_model::chord::mutant::Mutant;
use peerproof_model::chord::system::{MessageRing, Scope, facts_of_states, ring, RingState};
use peerproof_model::chord::properties::is_ideal;
use peerproof_model::choose::{Choose, Seeded};
use peerproof_model::explore::{Fact, Limits, Progress, Verdict, check_facts, replay_named};
use peerproof_model::system::Expiries;
use stateright::Model;

fn all(scope: &Scope, model: &MessageRing) -> Vec<Fact<MessageRing>> { let mut f = model.facts(); f.extend(facts_of_states(scope)); f }

fn run(scope: &Scope, limit: usize) {
    let model = Arc::new(ring(scope, None));
    let limits = Limits { states: Some(limit), ..Limits::default() };
    let r = check_facts(&model, vec![], limits, Progress::unwatched());
    let mut broken = String::new();
    for f in all(scope, &model) {
        let r = check_facts(&model, vec![f.clone()], limits, Progress::unwatched());
        match r.verdict { Verdict::Violated{property} => broken += &format!("(\"{property}\", {}), ", r.properties[0].trace.len()), Verdict::Incomplete{..} => { broken += "INCOMPLETE"; break }, _ => {} }
    }
    println!("(\"{}\", {}, {}, {}, &[{broken}]), {:?} tested {:?}", scope.name, r.states, r.transitions, r.depth, matches!(r.verdict, Verdict::Holds), model.tally.names());
}

fn kill(m: Mutant, scope: Scope) {
    for base in [None, Some(m)] {
    let model = Arc::new(ring(&scope, base));
    let limits = Limits { states: Some(200_000), ..Limits::default() };
    let mut out = vec![];
    for f in all(&scope, &model) {
        if base.is_none() && f.name != m.breaks() { continue; }
        let r = check_facts(&model, vec![f.clone()], limits, Progress::unwatched());
        match r.verdict { Verdict::Violated{property} => out.push(format!("{property}@{}", r.properties[0].trace.len())), Verdict::Incomplete{..} => out.push(format!("{}?", f.name)), _ => {} }
    }
    println!("KILL {m:?} {} {base:?} declared {} : {out:?}", scope.name, m.breaks());
    }
}

fn walk(model: &MessageRing, mut state: RingState, seed: u64, steps: usize, r: usize) -> (bool, RingState) {
    let mut c = Seeded::new(seed);
    for _ in 0..steps {
        if is_ideal(&state.memory.ring, r) { return (true, state); }
        let next = model.next_steps(&state);
        if next.is_empty() { break; }
        let n = c.choose(next.len());
        state = next.into_iter().nth(n).unwrap().1;
    }
    (is_ideal(&state.memory.ring, r), state)
}

#[test]
fn scratch() {
    for scope in Scope::all() { run(&scope, 300_000); }
    kill(Mutant::AnyAnswerWill, Scope::late_answers());
    kill(Mutant::NamesFailedNodes, Scope::lookup());
    kill(Mutant::FallsBackToFingers, Scope::lookup_one_successor());
    kill(Mutant::AcknowledgesEarly, Scope::write());
    kill(Mutant::DropsBeforeHeld, Scope::handover_loss());
    kill(Mutant::NeverHandsOver, Scope::handover());
    kill(Mutant::ForgetsDeletions, Scope::delete());
    kill(Mutant::InventsPredecessor, Scope::join_and_crash_2003());
    kill(Mutant::SkipsAnEntry, Scope::join());
    kill(Mutant::AdoptsAnySuccessor, Scope::join());
    kill(Mutant::AdoptsTheDead, Scope::join_and_crash());
    kill(Mutant::NotifyAcceptsAnything, Scope::join());
    kill(Mutant::NeverWraps, Scope::join());
    let names: Vec<String> = "N0: timer Stabilize
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
N5: timer Round".lines().map(String::from).collect();
    let model = ring(&Scope::suspicion_unbounded(), None);
    let (_, states) = replay_named(&model, 0, &names).unwrap();
    for seed in 0..12 { let (ok, s) = walk(&model, states.last().unwrap().clone(), seed, 20000, 2); println!("split heals {ok} {:?}", s.memory.ring.members); }
    for rejoins in [false, true] {
        let scope = Scope { rejoins, rounds: Expiries::Unbounded, idle: vec![], ..Scope::late_join() };
        let model = ring(&scope, None);
        let names: Vec<String> = "N0: timer Stabilize
N1: joins and is asked Join(0)
N1 -> N0: Query { tag: 0, query: Route { key: 1, failed: [] } }
N2: crashes
N0: timer Round
N0 -> N4: Notify
N0: timer Stabilize
N0 -> N4: Query { tag: 0, query: Neighbours }
N4 -> N0: Answer { tag: 0, answer: Neighbours { predecessor: Some(2), successors: [6, 7] } }
N4: crashes
N0 -> N1: Answer { tag: 0, answer: Owner { key: 1, successors: [2, 4], hops: 0 } }".lines().map(String::from).collect();
        match replay_named(&model, 0, &names) { Err(e) => println!("{e}"), Ok((_, states)) => 
        for seed in 0..6 { let (ok, s) = walk(&model, states.last().unwrap().clone(), seed, 20000, 2); println!("late rejoins {rejoins} heals {ok} {:?}", s.memory.ring.members.keys()); } }
    }
}
