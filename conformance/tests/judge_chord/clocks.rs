//! Nodes with clocks of their own, in a fleet: its log is explained, read back from a file as well.

use std::sync::Arc;
use std::time::Duration;

use peerproof::control::ring::Network;
use peerproof::fleet::{Answered, Fleet, Isolation, Plan, Weather, write_log};
use peerproof::judge::{Verdict, judge, log, read, unexplained};
use peerproof::serve::chord::Reference;
use peerproof_model::judge::Limits;
use serde_json::{Value, json};

/// A fleet that has joined, stored and lost a node, over a network with weather.
fn fleet(starter: Reference) -> Fleet {
    let plan = Plan {
        network: Network::Kit,
        isolation: Isolation::default(),
        seed: 3,
        weather: Weather {
            delay: Duration::from_millis(1)..=Duration::from_millis(8),
            loss: 0.02,
            spared: 0,
            duplicates: 0.05,
            reorder: true,
        },
        patience: Duration::from_secs(60),
    };
    let mut fleet = Fleet::new(Arc::new(starter), plan).unwrap();
    let call = |fleet: &mut Fleet, name: &str, body: &Value| {
        fleet.call(name, body.as_object().unwrap().clone()).unwrap()
    };
    for point in [16, 80, 45, 112] {
        let name = format!("n{point}");
        fleet.start(&name).unwrap();
        let introducer = (point != 16).then(|| json!({"node_id": "n16", "address": null}));
        let init = json!({"type": "init", "node_id": name, "node_ids": [name], "protocol": "chord",
            "network": "kit", "address": null, "introducer": introducer,
            "ring": {"bits": 7, "id": point, "successors": 3, "replicas": 2, "stabilize_ms": 60, "timeout_ms": 600}});
        assert!(matches!(call(&mut fleet, &name, &init), Answered::Ok(_)));
        // On a busy machine it may fail: that is to be explained, too.
        call(&mut fleet, &name, &json!({"type": "join"}));
    }
    for key in [7, 42, 90] {
        call(
            &mut fleet,
            "n80",
            &json!({"type": "put", "key": key, "value": "apple"}),
        );
        call(&mut fleet, "n16", &json!({"type": "lookup", "key": key}));
    }
    fleet.crash("n45");
    fleet.pump_for(Duration::from_millis(800));
    for name in ["n16", "n80", "n112"] {
        call(&mut fleet, name, &json!({"type": "state"}));
        call(&mut fleet, name, &json!({"type": "get", "key": 42}));
    }
    fleet
}

#[test]
fn what_a_sound_fleet_does_is_explained() {
    let fleet = fleet(Reference::sound());
    assert_eq!(fleet.dropped_events(), 0);
    let seen = log(fleet.trace());
    let report = judge(&seen, Limits::default(), &mut || true).unwrap();
    assert!(
        matches!(report.verdict, Verdict::Explained(_)),
        "{report:#?}"
    );
    assert_eq!(unexplained(fleet.trace()), None);
    let mut file = Vec::new();
    write_log(Some(&json!({"trace": "chord"})), fleet.trace(), &mut file).unwrap();
    let again = judge(
        &read(file.as_slice()).unwrap(),
        Limits::default(),
        &mut || true,
    )
    .unwrap();
    assert_eq!(again.verdict, report.verdict);
}

#[test]
fn what_a_broken_fleet_does_is_not() {
    let fleet = fleet(Reference::broken("never-notifies").unwrap());
    let what = unexplained(fleet.trace()).unwrap();
    assert!(what.contains("could send"), "{what}");
}
