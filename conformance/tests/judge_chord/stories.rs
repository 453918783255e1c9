//! Sound rings under random questions and faults: every log is explained.

use peerproof::judge::{Report, Verdict, judge, read};
use peerproof_model::choose::{Choose, Seeded};
use peerproof_model::judge::Limits;
use serde_json::{Value, json};

use crate::town::Town;

/// The log of a town, as a file has it.
pub(crate) fn text(town: &Town) -> String {
    let lines: Vec<String> = town.trace.iter().map(Value::to_string).collect();
    lines.join("\n")
}

pub(crate) fn judged(town: &Town) -> Report {
    let log = read(text(town).as_bytes()).unwrap();
    judge(&log, Limits::default(), &mut || true).unwrap()
}

/// A short life of a ring of up to six nodes: what is asked, and what goes wrong, is drawn from the seed.
fn story(seed: u64) -> Town {
    let mut chance = Seeded::new(seed);
    let bits = 3 + chance.choose(5) as u64;
    let mut town = Town::new(
        json!({"bits": bits, "successors": 1 + chance.choose(4), "replicas": 1,
        "stabilize_ms": 400, "timeout_ms": 600}),
    );
    town.ring["replicas"] = json!(1 + chance.choose(2));
    town.chance = Seeded::new(seed ^ 0xFF);
    town.lag = [0, 0, 30, 300][chance.choose(4)];
    town.loss = [0, 0, 50, 300][chance.choose(4)];
    town.duplicates = [0, 200][chance.choose(2)];
    let mut points: Vec<u64> = Vec::new();
    for _ in 0..2 + chance.choose(4) {
        let point = chance.choose(1 << bits) as u64;
        if !points.contains(&point) {
            points.push(point);
        }
    }
    for (turn, point) in points.iter().enumerate() {
        town.start(*point, (turn > 0).then_some(points[0]));
        town.ask(*point, json!({"type": "join"}));
        town.run(std::time::Duration::from_millis(chance.choose(800) as u64));
    }
    for _ in 0..4 + chance.choose(8) {
        let at = points[chance.choose(points.len())];
        let key = chance.choose(1 << bits);
        match chance.choose(12) {
            0 => town.ask(at, json!({"type": "get", "key": key})),
            1..=3 => town.ask(
                at,
                json!({"type": "put", "key": key, "value": format!("{seed}")}),
            ),
            4 => town.ask(at, json!({"type": "delete", "key": key})),
            5..=6 => town.ask(at, json!({"type": "lookup", "key": key})),
            7 => town.ask(at, json!({"type": "leave"})),
            8 => town.ask(at, json!({"type": "join"})),
            9 => {
                town.crash(at);
                0
            }
            10 => {
                if !town.apart.remove(&format!("n{at}")) {
                    town.apart.insert(format!("n{at}"));
                }
                0
            }
            _ => {
                if !town.is_there(at) {
                    town.start(at, Some(points[0]).filter(|first| *first != at));
                    town.ask(at, json!({"type": "join"}));
                }
                0
            }
        };
        if chance.choose(2) == 0 {
            town.ask(at, json!({"type": "state"}));
        }
        town.run(std::time::Duration::from_millis(chance.choose(900) as u64));
    }
    town
}

fn all_are_explained(seeds: std::ops::Range<u64>) {
    let mut acts = 0;
    for seed in seeds {
        let town = story(seed);
        let report = judged(&town);
        match report.verdict {
            Verdict::Explained(explained) => acts += explained.acts,
            other => panic!("seed {seed}: {other:#?}\n{}", text(&town)),
        }
    }
    assert!(acts > 100, "{acts}");
}

#[test]
fn the_first_thousand_stories_are_explained() {
    all_are_explained(0..1000);
}

#[test]
fn the_second_thousand_stories_are_explained() {
    all_are_explained(1000..2000);
}

#[test]
fn the_ring_of_the_lectures_is_explained() {
    let mut town = Town::six(None, 2);
    town.put(80, 42, "apple");
    town.lookup(80, 42);
    town.crash(45);
    town.seconds(5);
    town.get(112, 42);
    let report = judged(&town);
    assert!(
        matches!(report.verdict, Verdict::Explained(_)),
        "{report:#?}"
    );
    assert_eq!(report.lives, 6);
}
