//! What a swarm reaches in the end, in small scopes, and the mutants that keep it from it.

use peerproof_model::bittorrent::mutant::Mutant;
use peerproof_model::bittorrent::system::{Scope, completion, service, swarm};
use peerproof_model::explore::{
    ActionClass, Counterexample, Explorer, Fairness, LivenessVerdict, replay,
};
use peerproof_model::system::Action;

fn scope(name: &str) -> Scope {
    Scope::named(name).expect("a scope of that name")
}

#[test]
fn every_leecher_completes() {
    // Timers without a bound, and every scope that a test explores quickly; with churn and without.
    for name in [
        "pair",
        "pair-fast",
        "slots",
        "after-the-seed",
        "liar",
        "churn",
        "rarest",
        "optimistic",
        "late-seeder",
    ] {
        let model = swarm(&scope(name), None);
        let report = Explorer::new(&model)
            .converges(&completion(&model))
            .expect("it can be asked");
        assert_eq!(report.verdict, LivenessVerdict::Holds, "{name}");
        // Not from the beginning on: there is something to reach.
        assert!(report.good < report.states, "{name}");
        assert!(report.assumptions[0].starts_with("churn stops"), "{name}");
    }
}

#[test]
fn a_leecher_does_not_complete_where_a_mutant_is_in_the_way() {
    for mutant in [
        Mutant::NeverUnchokes,
        Mutant::NeverInterested,
        Mutant::DropsRequests,
        Mutant::NoPeers,
    ] {
        let model = swarm(&scope("pair"), Some(mutant));
        let report = Explorer::new(&model)
            .converges(&completion(&model))
            .expect("it can be asked");
        let LivenessVerdict::Violated(Counterexample::Loop { stem, cycle }) = report.verdict else {
            panic!("{mutant:?}: {:?}", report.verdict);
        };
        // The loop replays, and ends where it began.
        let mut run = stem.clone();
        run.actions.extend(cycle);
        let states = replay(&model, &run).expect("a run of the swarm");
        assert_eq!(states[states.len() - 1], states[stem.len()], "{mutant:?}");
    }
}

#[test]
fn two_peers_that_cross_at_the_tracker_miss_each_other_when_nobody_announces_again() {
    // The scope leaves regular announces out. Both asked the tracker before the other was listed for them to dial.
    let model = swarm(&scope("churn-any-moment"), None);
    let report = Explorer::new(&model)
        .converges(&completion(&model))
        .expect("it can be asked");
    let LivenessVerdict::Violated(Counterexample::Rest { stem }) = report.verdict else {
        panic!("{:?}", report.verdict);
    };
    let states = replay(&model, &stem).expect("a run of the swarm");
    let end = &states[states.len() - 1];
    assert!(end.traffic.links.is_empty() && end.traffic.is_quiet());
    assert!(
        end.nodes.iter().all(Option::is_some),
        "all are there, and not connected"
    );
}

/// For each of three leechers: whether it gets a slot of the seeder again and again while it is interested, and
/// whether it is kept waiting in some state.
fn served(mutant: Mutant, draws: Fairness) -> Vec<(bool, bool)> {
    let model = swarm(&scope("optimistic"), Some(mutant));
    let asked = (1..=3).map(|asker| {
        let mut goal = service(&model, 0, asker);
        let drawn = |class: &&mut ActionClass| class.name.starts_with("optimistic");
        for class in goal.classes.iter_mut().filter(drawn) {
            class.fairness = draws;
        }
        let report = Explorer::new(&model)
            .recurs(&goal)
            .expect("it can be asked");
        let holds = report.verdict == LivenessVerdict::Holds;
        (holds, report.good < report.states)
    });
    asked.collect()
}

#[test]
fn no_interested_peer_starves_for_ever() {
    for name in ["optimistic", "slots"] {
        let model = swarm(&scope(name), None);
        let leechers = 1..=u8::try_from(model.residents.len() - 1).expect("a small scope");
        let mut waits = false;
        for asker in leechers {
            let report = Explorer::new(&model).recurs(&service(&model, 0, asker));
            let report = report.expect("it can be asked");
            assert_eq!(report.verdict, LivenessVerdict::Holds, "{name}, {asker}");
            waits |= report.good < report.states;
        }
        assert!(waits, "{name}: somebody is kept waiting somewhere");
    }
    assert_eq!(
        served(Mutant::NeverUnchokes, Fairness::Strong),
        [(false, true); 3]
    );
}

/// Where downloads end, a slot becomes free in any case. Peers that want to go on for ever depend on the draw.
#[test]
fn it_is_the_fair_draw_that_serves_peers_which_stay_interested() {
    assert_eq!(
        served(Mutant::StaysInterested, Fairness::Strong),
        [(true, true); 3]
    );
    assert_eq!(
        served(Mutant::StaysInterested, Fairness::Unfair),
        [(false, true); 3]
    );
}

/// Choke rounds of others hold up a timer that expires only in a quiet network: it is possible again and again, and
/// not all the time.
#[test]
fn a_paced_upload_waits_for_ever_if_timers_are_only_weakly_fair() {
    let model = swarm(&scope("optimistic"), None);
    let mut goal = completion(&model);
    let uploads = |class: &&mut ActionClass| class.name.starts_with("upload");
    for class in goal.classes.iter_mut().filter(uploads) {
        class.fairness = Fairness::Weak;
    }
    let report = Explorer::new(&model)
        .converges(&goal)
        .expect("it can be asked");
    let LivenessVerdict::Violated(Counterexample::Loop { cycle, .. }) = report.verdict else {
        panic!("{:?}", report.verdict);
    };
    let held_up = |action: &_| matches!(action, Action::Expire { .. });
    assert!(cycle.iter().any(held_up));
}
