//! What broken nodes do: refused where a log can show it, and told apart from what it cannot.

use std::time::Duration;

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
    let soon = Duration::from_millis(150);
    for point in [45, 16, 80, 112, 96] {
        town.start(point, (point != 45).then_some(45));
        town.ask(point, json!({"type": "join"}));
        town.seconds(1);
        town.ask(point, json!({"type": "state"}));
        town.ask(point, json!({"type": "lookup", "key": 120}));
        town.run(soon);
    }
    town.seconds(2);
    for key in [42, 45, 50, 80, 90, 120] {
        for (point, body) in [
            (80, json!({"type": "put", "key": key, "value": "old"})),
            (80, json!({"type": "lookup", "key": key})),
            (16, json!({"type": "put", "key": key, "value": "new"})),
            (112, json!({"type": "get", "key": key})),
        ] {
            town.ask(point, body);
            town.run(soon);
        }
    }
    // The second is answered first.
    town.ask(80, json!({"type": "lookup", "key": 40}));
    town.ask(80, json!({"type": "lookup", "key": 81}));
    town.ask(112, json!({"type": "delete", "key": 42}));
    // Key 50 moves, and N96 keeps it no more.
    town.start(60, Some(45));
    town.ask(60, json!({"type": "join"}));
    town.seconds(4);
    town.ask(96, json!({"type": "state"}));
    town.ask(96, json!({"type": "leave"}));
    town.seconds(1);
    town.ask(16, json!({"type": "put", "key": 90, "value": "newer"}));
    town.ask(96, json!({"type": "join"}));
    town.seconds(1);
    town.ask(96, json!({"type": "get", "key": 90}));
    town.crash(45);
    town.seconds(3);
    for point in [80, 16, 60] {
        town.ask(point, json!({"type": "state"}));
        town.ask(point, json!({"type": "get", "key": 42}));
        town.run(soon);
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
