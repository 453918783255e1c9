//! What broken nodes do: refused where a log can show it, and told apart from what it cannot.

use peerproof::judge::{Report, Verdict};
use peerproof::serve::chord::BREAKS;
use serde_json::json;

use crate::stories::judged;
use crate::town::Town;

/// The violations that no log can show, because what they leave out may as well come later.
const UNSEEN: &[&str] = &["settles-down", "never-asks-again", "dies-of-duplicates"];

/// What every broken ring goes through.
fn run(bug: &'static str) -> Report {
    let mut town = Town::new(
        json!({"bits": 7, "successors": 3, "replicas": 2, "stabilize_ms": 200, "timeout_ms": 400}),
    );
    town.bug = Some(bug);
    let points = [45, 16, 80, 112, 32, 96];
    for point in points {
        town.start(point, (point != 45).then_some(45));
        town.ask(point, json!({"type": "join"}));
        town.seconds(1);
        town.ask(point, json!({"type": "state"}));
        town.ask(point, json!({"type": "lookup", "key": 120}));
        town.seconds(1);
    }
    let mut ask = |point: u64, body: serde_json::Value| {
        town.ask(point, body);
        town.seconds(2);
    };
    for key in [30, 42, 50, 70, 100, 120] {
        ask(80, json!({"type": "put", "key": key, "value": "old"}));
        ask(80, json!({"type": "lookup", "key": key}));
        ask(16, json!({"type": "put", "key": key, "value": "new"}));
        ask(32, json!({"type": "get", "key": key}));
    }
    ask(32, json!({"type": "delete", "key": 50}));
    ask(96, json!({"type": "leave"}));
    ask(16, json!({"type": "put", "key": 90, "value": "newer"}));
    ask(96, json!({"type": "join"}));
    ask(96, json!({"type": "get", "key": 90}));
    ask(32, json!({"type": "state"}));
    town.crash(45);
    town.seconds(4);
    for point in [80, 16, 96] {
        town.ask(point, json!({"type": "state"}));
        town.ask(point, json!({"type": "get", "key": 42}));
        town.seconds(2);
    }
    judged(&town)
}

#[test]
fn every_violation_that_a_log_can_show_is_refused() {
    let mut explained = Vec::new();
    for it in BREAKS {
        let report = run(it.name);
        match &report.verdict {
            Verdict::Refused(refusal) => assert!(refusal.line > 0),
            Verdict::Explained(_) => explained.push(it.name),
            Verdict::Incomplete { .. } => panic!("{}: {report:?}", it.name),
        }
    }
    assert_eq!(explained, UNSEEN);
}

/// docs/judging.md says of every violation whether a log shows it.
#[test]
fn the_page_says_what_a_log_shows() {
    let page = include_str!("../../../docs/judging.md");
    for it in BREAKS {
        let shown = if UNSEEN.contains(&it.name) {
            "no"
        } else {
            "yes"
        };
        let row = format!("\n| {} | {shown} | ", it.name);
        assert!(page.contains(&row), "{row}");
    }
}
