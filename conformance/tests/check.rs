//! `peerproof check` as a shell sees it: exit statuses, JSON, traces.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

use std::process::{Command, Output, Stdio};

use peerproof_model::bittorrent::mutant::Mutant;
use peerproof_model::bittorrent::system::{Scope, swarm};
use peerproof_model::explore::replay_named;
use serde_json::Value;

fn check(args: &[&str]) -> Output {
    Command::new(assert_cmd::cargo::cargo_bin!("peerproof"))
        .args(["check", "bittorrent"])
        .args(args)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn a_scope_that_holds_ends_with_status_0() {
    let output = check(&["--scope", "pair", "--json", "-"]);
    assert_eq!(output.status.code(), Some(0));
    // Nobody looks at standard error here: the report for people went there, the progress nowhere.
    assert!(text(&output.stderr).contains("holds"));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["peerproof"], env!("CARGO_PKG_VERSION"));
    assert_eq!(report["protocol"], "bittorrent");
    assert_eq!(report["variant"], "bep3");
    assert_eq!(report["scope"]["name"], "pair");
    assert_eq!(report["scope"]["peers"], 2);
    assert_eq!(report["verdict"], "holds");
    assert_eq!(report["states"], 208);
    assert_eq!(report["transitions"], 380);
    assert_eq!(report["depth"], 26);
    assert!(report["seconds"].is_f64());
    assert!(
        report["bytes_per_state"]
            .as_f64()
            .is_some_and(|bytes| bytes > 8.0)
    );
    for named in ["network", "timing", "fairness"] {
        assert!(report[named].as_str().is_some_and(|text| !text.is_empty()));
    }
    let properties = report["properties"].as_array().unwrap();
    let of = |name: &str| properties.iter().find(|it| it["name"] == name).unwrap();
    let kept = of("requests_only_while_unchoked");
    assert_eq!(kept["kind"], "always");
    assert_eq!(kept["verdict"], "holds");
    assert_eq!(kept["put_to_the_test"], true);
    assert_eq!(kept["trace"], Value::Array(Vec::new()));
    let stated = of("no_interested_peer_starves_for_ever");
    assert_eq!(stated["kind"], "eventually");
    assert_eq!(stated["verdict"], "not-checked");
}

#[test]
fn a_mutant_ends_with_status_1_and_a_trace_that_replays() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("trace.json");
    let output = check(&[
        "--mutant",
        "no-strict-priority",
        "--write-trace",
        file.to_str().unwrap(),
    ]);
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stdout);
    assert!(said.contains("a_started_piece_is_finished_first"), "{said}");
    assert!(said.contains("  1  "), "{said}");
    assert!(output.stderr.is_empty());
    let trace: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    assert_eq!(trace["mutant"], "no-strict-priority");
    let diagram = trace["diagram"].as_str().unwrap();
    assert!(diagram.starts_with("sequenceDiagram\n"), "{diagram}");
    assert!(diagram.contains("a_started_piece_is_finished_first is broken"));
    let actions = trace["actions"].as_array().unwrap().iter();
    let actions: Vec<String> = actions.map(|it| it.as_str().unwrap().to_owned()).collect();
    let scope = Scope::named(trace["scope"]["name"].as_str().unwrap()).unwrap();
    let model = swarm(&scope, Some(Mutant::NoStrictPriority));
    let start = usize::try_from(trace["start"].as_u64().unwrap()).unwrap();
    let (_, states) = replay_named(&model, start, &actions).unwrap();
    let broken = &states.last().unwrap().broken;
    assert!(broken.contains("a_started_piece_is_finished_first"));
}

#[test]
fn a_run_that_is_cut_short_ends_with_status_3() {
    let output = check(&["--scope", "pair", "--limit-states", "50", "--json", "-"]);
    assert_eq!(output.status.code(), Some(3));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["verdict"], "incomplete");
    assert!(
        report["why"]
            .as_str()
            .unwrap()
            .contains("limit of 50 states")
    );
    let verdicts = report["properties"].as_array().unwrap().iter();
    assert!(verdicts.clone().all(|it| it["verdict"] != "holds"));
    let output = check(&["--scope", "exchange", "--limit-memory", "1000000"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(text(&output.stdout).contains("limit of 1000000 bytes"));
}

#[test]
fn the_number_of_threads_changes_nothing_but_the_time_and_the_memory() {
    let run = |threads: &str| {
        let output = check(&["--scope", "rarest", "--threads", threads, "--json", "-"]);
        let mut report: Value = serde_json::from_slice(&output.stdout).unwrap();
        for measured in ["seconds", "bytes_per_state"] {
            report.as_object_mut().unwrap().remove(measured);
        }
        report
    };
    assert_eq!(run("1")["states"], 7_561);
    assert_eq!(run("1"), run("2"));
}

#[test]
fn peers_and_pieces_make_a_scope() {
    let output = check(&["--peers", "2", "--pieces", "3", "--variant", "bep3+bep6"]);
    assert_eq!(output.status.code(), Some(0));
    let said = text(&output.stdout);
    assert!(said.contains("pieces: 3"), "{said}");
    assert!(said.contains("bep3+bep6"), "{said}");
    let scopes = check(&["--list"]);
    assert!(text(&scopes.stdout).contains("free-riders"));
}

#[test]
fn a_mistake_is_one_line_and_status_2() {
    let cases: [(&[&str], &str); 9] = [
        (&["--scope", "par"], "did you mean `pair`"),
        (&["--variant", "bep7"], "no variant is called `bep7`"),
        (&["--mutant", "no-such"], "no mutant is called `no-such`"),
        (&["--property", "nothing"], "no property is called"),
        (&["--peers", "1"], "a swarm has 2 to 8 peers, not 1"),
        (
            &["--pieces", "0"],
            "a torrent has 1 to 64 pieces here, not 0",
        ),
        (&["--limit-states", "0"], "0 is not in"),
        (&["--threads", "0"], "0 is not in"),
        (
            &["--scope", "pair", "--json", "/no/such/file"],
            "cannot write",
        ),
    ];
    for (args, says) in cases {
        let output = check(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        let said = text(&output.stderr);
        assert!(said.contains(says), "{args:?}: {said}");
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(output.stdout.is_empty());
    }
    let paced = check(&[
        "--scope",
        "exchange",
        "--property",
        "requests_are_pipelined",
    ]);
    assert_eq!(paced.status.code(), Some(2));
    assert!(text(&paced.stderr).contains("pipeline of one request"));
    let unknown = Command::new(assert_cmd::cargo::cargo_bin!("peerproof"))
        .args(["check", "bittorent"])
        .output()
        .unwrap();
    assert_eq!(unknown.status.code(), Some(2));
    assert!(text(&unknown.stderr).contains("did you mean `bittorrent`"));
}
