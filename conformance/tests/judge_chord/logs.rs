//! Logs by hand: what the judge says about them, and what it cannot read.

use std::process::Command;

use peerproof::judge::{Verdict, judge, read};
use peerproof_model::judge::Limits;
use serde_json::json;

use crate::stories::text;
use crate::town::Town;

const INIT: &str = r#"{"event":"asked","node":"n45","body":{"type":"init","msg_id":1,"node_id":"n45","node_ids":["n45"],"protocol":"chord","network":"kit","ring":{"bits":7,"id":45,"successors":3,"replicas":2,"stabilize_ms":200,"timeout_ms":400}}}
{"event":"answered","node":"n45","body":{"type":"init_ok","in_reply_to":1}}"#;

fn verdict(log: &str) -> Verdict {
    let log = read(log.as_bytes()).unwrap();
    judge(&log, Limits::default(), &mut || true)
        .unwrap()
        .verdict
}

fn program(log: &str, more: &[&str]) -> (Option<i32>, String, String) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("trace");
    std::fs::write(&path, log).unwrap();
    let output = Command::new(assert_cmd::cargo::cargo_bin!("peerproof"))
        .args(["judge", "chord", path.to_str().unwrap()])
        .args(more)
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.code(),
        text(output.stdout),
        text(output.stderr),
    )
}

/// Alone a node owns every key: it must name itself.
#[test]
fn a_node_alone_that_names_another_owner_is_refused() {
    let joined = r#"{"event":"asked","node":"n45","body":{"type":"join","msg_id":2}}
{"event":"answered","node":"n45","body":{"type":"join_ok","in_reply_to":2}}
{"event":"asked","node":"n45","body":{"type":"lookup","msg_id":3,"key":7}}"#;
    let right = r#"{"event":"answered","node":"n45","body":{"type":"lookup_ok","in_reply_to":3,"owner":45}}"#;
    let wrong = r#"{"event":"answered","node":"n45","body":{"type":"lookup_ok","in_reply_to":3,"owner":7}}"#;
    let good = format!("{INIT}\n{joined}\n{right}\n");
    assert!(matches!(verdict(&good), Verdict::Explained(_)));
    let bad = format!("{INIT}\n{joined}\n{wrong}\n");
    let Verdict::Refused(refusal) = verdict(&bad) else {
        panic!("explained");
    };
    assert_eq!((refusal.line, refusal.node.as_str()), (6, "n45"));
    assert_eq!(
        refusal.nearest,
        ["answer question 3: the owner is 45, by way of [45]"]
    );
    let (status, out, _) = program(&bad, &[]);
    assert_eq!(status, Some(1));
    assert!(
        out.contains("line 6") && out.contains("the owner is 45"),
        "{out}"
    );
    let (status, out, _) = program(&bad, &["--json"]);
    let report: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        (status, &report["verdict"], &report["refused"]["line"]),
        (Some(1), &json!("refused"), &json!(6))
    );
    assert_eq!(program(&good, &[]).0, Some(0));
}

#[test]
fn an_answer_before_its_question_and_a_message_that_nobody_sent_are_refused() {
    let early = format!(
        "{INIT}\n{}",
        r#"{"event":"answered","node":"n45","body":{"type":"join_ok","in_reply_to":2}}
{"event":"asked","node":"n45","body":{"type":"join","msg_id":2}}"#
    );
    assert!(matches!(verdict(&early), Verdict::Refused(refusal) if refusal.line == 3));
    let invented = format!(
        "{INIT}\n{}",
        r#"{"event":"delivered","node":"n45","peer":"n16","body":{"type":"notify"}}"#
    );
    assert!(matches!(verdict(&invented), Verdict::Refused(refusal) if refusal.line == 3));
    let eager = r#"{"event":"started","node":"n16"}
{"event":"sent","node":"n16","peer":"n45","body":{"type":"notify"}}"#;
    assert!(matches!(verdict(eager), Verdict::Refused(refusal) if refusal.line == 2));
}

#[test]
fn tags_of_ones_own_are_explained_unless_they_change() {
    let mut town = Town::new(
        json!({"bits": 7, "successors": 3, "replicas": 2, "stabilize_ms": 200, "timeout_ms": 400}),
    );
    town.join(16, None);
    town.join(80, Some(16));
    town.seconds(2);
    let renamed = |from: u64| {
        let log = town.trace.iter().enumerate().map(|(turn, line)| {
            let mut line = line.clone();
            if turn as u64 >= from
                && let Some(tag) = line.pointer_mut("/body/tag")
            {
                *tag = (tag.as_u64().unwrap() + 1_000_000).into();
            }
            line.to_string()
        });
        log.collect::<Vec<_>>().join("\n")
    };
    assert!(matches!(verdict(&renamed(0)), Verdict::Explained(_)));
    // An answer with another tag than its question.
    let answer = town
        .trace
        .iter()
        .position(|line| line["event"] == "sent" && line["body"]["type"] == "answer");
    assert!(matches!(
        verdict(&renamed(answer.unwrap() as u64)),
        Verdict::Refused(_)
    ));
}

/// A log of what nodes sent alone: what reached whom is inferred.
#[test]
fn without_deliveries_they_are_inferred() {
    let mut town = Town::new(
        json!({"bits": 7, "successors": 2, "replicas": 1, "stabilize_ms": 1000, "timeout_ms": 3000}),
    );
    town.join(16, None);
    town.join(80, Some(16));
    town.run(std::time::Duration::from_millis(1500));
    town.trace.retain(|line| line["event"] != "delivered");
    assert!(matches!(verdict(&text(&town)), Verdict::Explained(_)));
}

#[test]
fn a_bound_that_is_met_is_no_verdict() {
    let mut town = Town::six(None, 2);
    town.seconds(1);
    let (status, out, _) = program(&text(&town), &["--max-states", "10"]);
    assert_eq!(status, Some(3));
    assert!(out.contains("no verdict"), "{out}");
    let (status, _, _) = program(&text(&town), &["--time", "0"]);
    assert_eq!(status, Some(3));
}

#[test]
fn what_is_no_log_is_named_with_its_line() {
    for (log, says) in [
        ("{\"event\":\"sent\"", "line 1: byte 15: "),
        ("{\"event\":\"started\",\"node\":\"n1\"}\n[]", "line 2: "),
        ("{\"event\":\"sent\",\"node\":\"n1\"}", "line 1: no `peer`"),
        ("{\"event\":\"started\"}", "line 1: no `node`"),
        (
            "{\"trace\":\"chord\",\"ring\":7}",
            "line 1: `ring` is no object",
        ),
        (
            "{\"trace\":\"chord\",\"ring\":{}}\n{\"event\":\"sent\",\"node\":\"n1\",\"peer\":\"n2\",\"body\":{\"type\":\"notify\"}}",
            "line 2: `ring` of the first line",
        ),
        (
            &INIT.replace("\"kit\"", "\"sockets\""),
            "line 1: the log has no message of nodes that talk over sockets",
        ),
        (
            "{\"event\":\"asked\",\"node\":\"n1\",\"body\":{\"type\":\"state\"}}",
            "line 1: a question without `msg_id`",
        ),
    ] {
        let (status, out, err) = program(log, &[]);
        assert_eq!((status, out.as_str()), (Some(2), ""), "{log}");
        assert!(err.contains(says) && err.lines().count() == 1, "{err}");
    }
    let (status, _, err) = program(
        "{\"event\":\"started\",\"node\":\"\u{fffd}\"}",
        &["--max-states", "x"],
    );
    assert_eq!(status, Some(2), "{err}");
}

/// Whatever a log says, it is judged or refused, without a panic and within bounds.
#[test]
fn hostile_logs_do_no_harm() {
    let mut town = Town::new(
        json!({"bits": 7, "successors": 2, "replicas": 2, "stabilize_ms": 200, "timeout_ms": 400}),
    );
    town.join(45, None);
    town.join(80, Some(45));
    town.seconds(1);
    town.put(80, 42, "apple");
    town.crash(45);
    let lines: Vec<String> = town.trace.iter().map(ToString::to_string).collect();
    let mut chance = peerproof_model::choose::Seeded::new(7);
    let limits = Limits {
        states: 2_000,
        waiting: 20_000,
    };
    for _ in 0..200 {
        let mut hostile: Vec<String> = lines.clone();
        for _ in 0..1 + peerproof_model::choose::Choose::choose(&mut chance, 4) {
            let mut pick =
                |count: usize| peerproof_model::choose::Choose::choose(&mut chance, count);
            let (at, other) = (pick(hostile.len()), pick(hostile.len()));
            match pick(5) {
                0 => hostile.swap(at, other),
                1 => {
                    hostile.remove(at);
                }
                2 => hostile[at] = hostile[at].replace("45", "4294967296"),
                3 => hostile[at] = hostile[at].replace("\"tag\":", "\"tag\":-"),
                _ => hostile[at] = hostile[other].clone(),
            }
        }
        if let Ok(log) = read(hostile.join("\n").as_bytes()) {
            // Either is fine: what counts is that it ends.
            let _ = judge(&log, limits, &mut || true);
        }
    }
}
