//! `peerproof check` as a shell sees it: exit statuses, JSON, traces.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

use std::process::{Command, Output, Stdio};

use peerproof_model::bittorrent::mutant::Mutant;
use peerproof_model::bittorrent::system::{Scope, swarm};
use peerproof_model::explore::replay_named;
use serde_json::{Value, json};

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

fn peerproof(args: &[&str]) -> Output {
    Command::new(assert_cmd::cargo::cargo_bin!("peerproof"))
        .args(args)
        .output()
        .unwrap()
}

#[test]
fn the_corrected_ring_holds_and_says_what_its_goal_assumes() {
    let output = peerproof(&["check", "chord", "--liveness", "--json", "-"]);
    assert_eq!(output.status.code(), Some(0));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    // docs/spec/chord.md has the counts, which Stateright's depth-first search counts as well.
    assert_eq!(report["states"], 2_577);
    assert_eq!(report["scope"]["ids"], 4);
    assert_eq!(report["scope"]["successors"], 2);
    let properties = report["properties"].as_array().unwrap();
    let goal = properties.iter().find(|it| it["kind"] == "eventually");
    let goal = goal.unwrap();
    assert_eq!(goal["verdict"], "holds");
    let assumptions = goal["assumptions"].as_array().unwrap();
    assert!(
        assumptions[1]
            .as_str()
            .unwrap()
            .starts_with("strongly fair")
    );
    assert!(
        properties
            .iter()
            .all(|it| it["verdict"] == "holds" && it["put_to_the_test"] == true)
    );
    let turned = peerproof(&["check", "chord", "--symmetry", "--json", "-"]);
    assert_eq!(turned.status.code(), Some(0));
    let turned: Value = serde_json::from_slice(&turned.stdout).unwrap();
    assert!(turned["states"].as_u64().unwrap() < 2_577 / 3);
}

/// docs/spec/chord.md has the counts, which Stateright's depth-first search counts as well.
#[test]
fn rings_with_fingers_and_with_a_key_hold() {
    let runs: [(&[&str], u64, &[&str]); 2] = [
        (
            &["--fingers"],
            88_440,
            &[
                "fingers_are_right",
                "fingers_never_loop",
                "lookups_end_at_the_owner",
            ],
        ),
        (
            &["--keys", "2"],
            59_356,
            &[
                "fingers_never_loop",
                "lookups_end_at_the_owner",
                "keys_are_with_their_owner",
                "keys_are_replicated",
                "no_key_is_lost",
            ],
        ),
    ];
    for (flags, states, names) in runs {
        let output = peerproof(&[&["check", "chord", "--json", "-"], flags].concat());
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(report["states"], states);
        let properties = report["properties"].as_array().unwrap();
        let asked: Vec<_> = properties.iter().map(|it| &it["name"]).collect();
        assert_eq!(asked, names);
        assert!(
            properties
                .iter()
                .all(|it| it["verdict"] == "holds" && it["put_to_the_test"] == true)
        );
    }
}

#[test]
fn counterexamples_of_rings_and_swarms_replay() {
    let room = tempfile::tempdir().unwrap();
    let file = room.path().join("trace.json");
    let file = file.to_str().unwrap();
    let runs: [(&[&str], &str); 7] = [
        (&["chord", "--without-base"], "at_most_one_ring"),
        (
            &["chord", "--fingers", "--mutant", "fingers-off-by-one"],
            "fingers_are_right",
        ),
        (
            &["chord", "--keys", "2", "--mutant", "forgets-what-moves"],
            "no_key_is_lost",
        ),
        (
            &[
                "chord",
                "--variant",
                "ton2003",
                "--property",
                "no_loopy_ring",
                "--ids",
                "3",
            ],
            "no_loopy_ring",
        ),
        (
            &["chord", "--mutant", "never-wraps"],
            "everybody_may_join_an_ideal_ring",
        ),
        (
            &[
                "chord",
                "--scope",
                "suspicion",
                "--property",
                "enough_principals",
            ],
            "enough_principals",
        ),
        (
            &["bittorrent", "--scope", "endgame", "--mutant", "no-cancel"],
            "duplicates_are_cancelled_on_arrival",
        ),
    ];
    for (args, property) in runs {
        let output = peerproof(&[&["check", "--write-trace", file], args].concat());
        assert_eq!(
            output.status.code(),
            Some(1),
            "{args:?}: {}",
            text(&output.stderr)
        );
        let output = peerproof(&["replay", file]);
        let said = text(&output.stdout);
        assert_eq!(output.status.code(), Some(0), "{args:?}: {said}");
        assert!(said.contains(&format!("broken {property}: ")), "{said}");
        assert!(
            said.ends_with(&format!("ends where it breaks {property}\n")),
            "{said}"
        );
    }
}

#[test]
fn a_run_that_never_gets_there_replays_its_loop() {
    let room = tempfile::tempdir().unwrap();
    let file = room.path().join("trace.json");
    let file = file.to_str().unwrap();
    let goal = [
        "--property",
        "the_ring_becomes_and_stays_ideal",
        "--fairness",
        "weak",
    ];
    let output = peerproof(&[&["check", "chord", "--write-trace", file], &goal[..]].concat());
    assert_eq!(output.status.code(), Some(1));
    let output = peerproof(&["replay", file]);
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("again and again"), "{said}");
    // A loop that is cut short does not lead back.
    let mut trace: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    trace["actions"].as_array_mut().unwrap().pop();
    std::fs::write(file, trace.to_string()).unwrap();
    assert_eq!(peerproof(&["replay", file]).status.code(), Some(1));
}

#[test]
fn a_trace_that_is_none_is_one_line_and_status_2() {
    let room = tempfile::tempdir().unwrap();
    let file = room.path().join("trace.json");
    let good = json!({ "protocol": "chord", "variant": "zave2017", "property": "ordered_ring", "start": 0,
        "scope": { "ids": 4, "successors": 2 }, "actions": ["3 joins through 2"] });
    let with = |key: &str, value: Value| {
        let mut trace = good.clone();
        trace[key] = value;
        trace.to_string()
    };
    let cases = [
        ("nonsense".to_owned(), "is no trace"),
        (with("protocol", json!("cord")), "did you mean `chord`"),
        (
            with("variant", json!("zave")),
            "no variant is called `zave`",
        ),
        (
            with("actions", json!(["3 flies"])),
            "step 1 is not possible: 3 flies",
        ),
        (with("actions", json!([7])), "action 1 is no text"),
        (with("start", json!(99)), "no initial state number 99"),
        (
            with("scope", json!({ "ids": 400, "successors": 2 })),
            "its scope has no ids",
        ),
        (
            with("scope", json!({ "ids": 12, "successors": 2 })),
            "12 identifiers are not possible",
        ),
        (with("loops_after", json!(1)), "its loop has no step"),
        (
            with("mutant", json!("no-such")),
            "no mutant is called `no-such`",
        ),
    ];
    for (text_of_trace, says) in cases {
        std::fs::write(&file, &text_of_trace).unwrap();
        let output = peerproof(&["replay", file.to_str().unwrap()]);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{text_of_trace}: {said}");
        assert!(said.contains(says), "{text_of_trace}: {said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
    // It replays, and what it says is not so.
    std::fs::write(&file, good.to_string()).unwrap();
    assert_eq!(
        peerproof(&["replay", file.to_str().unwrap()]).status.code(),
        Some(1)
    );
}

#[test]
fn traces_have_the_formats_of_other_tools() {
    let room = tempfile::tempdir().unwrap();
    for (name, begins) in [
        ("t.itf.json", "{"),
        ("t.dot", "digraph"),
        ("t.mmd", "stateDiagram"),
    ] {
        let file = room.path().join(name);
        peerproof(&[
            "check",
            "chord",
            "--without-base",
            "--write-trace",
            file.to_str().unwrap(),
        ]);
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.starts_with(begins), "{name}: {text}");
        assert!(text.contains("3 joins through 2"), "{name}: {text}");
    }
}

#[test]
fn impossible_rings_are_one_line_and_status_2() {
    let cases: [(&[&str], &str); 15] = [
        (&["--ids", "9"], "9 identifiers are not possible"),
        (
            &["--ids", "4", "--successors", "4"],
            "need a base of 5 members",
        ),
        (
            &["--successors", "9"],
            "lists of 9 successors are not possible",
        ),
        (
            &["--variant", "sigcomm2001", "--successors", "2"],
            "has one successor",
        ),
        (
            &["--variant", "ton2003", "--fingers"],
            "fingers and keys go with zave2017",
        ),
        (
            &["--keys", "4"],
            "lists of 2 successors keep at most 3 copies of a key, not 4",
        ),
        (
            &["--mutant", "fingers-off-by-one"],
            "add --fingers or --keys 2",
        ),
        (
            &["--keys", "2", "--mutant", "fingers-off-by-one"],
            "give --fingers",
        ),
        (&["--scope", "join", "--fingers"], "--fingers means nothing"),
        (&["--variant", "zave"], "no variant is called `zave`"),
        (&["--churn", "join,die"], "no churn is called `die`"),
        (&["--peers", "2"], "--peers means nothing to chord"),
        (&["--scope", "join", "--ids", "4"], "--ids means nothing"),
        // A node with messages that has this mutant would be sound.
        (
            &["--scope", "join", "--mutant", "joins-with-the-member"],
            "no mutant is called `joins-with-the-member`",
        ),
        (
            &["--ids", "8", "--successors", "3", "--liveness"],
            "a goal has at most 64 classes of actions",
        ),
    ];
    for (args, says) in cases {
        let output = peerproof(&[&["check", "chord"], args].concat());
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {said}");
        assert!(said.contains(says), "{args:?}: {said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
    // The rule that 0 is no special place is the one that is broken: no state stands for its rotations.
    let broken = [
        "--ids",
        "5",
        "--mutant",
        "never-wraps",
        "--property",
        "ordered_merges",
    ];
    let broken = peerproof(&[&["check", "chord", "--symmetry"], &broken[..]].concat());
    assert_eq!(broken.status.code(), Some(1), "{}", text(&broken.stdout));
    let limited = peerproof(&["check", "chord", "--ids", "5", "--limit-memory", "1000000"]);
    assert_eq!(limited.status.code(), Some(3));
    assert!(text(&limited.stdout).contains("the limit of 1000000 bytes was reached after"));
    // The farthest of 2,577 states is 23 steps away (docs/spec/chord.md).
    for (depth, status) in [("22", 3), ("23", 0)] {
        let limited = peerproof(&["check", "chord", "--limit-depth", depth]);
        assert_eq!(
            limited.status.code(),
            Some(status),
            "{}",
            text(&limited.stdout)
        );
    }
}

#[test]
fn a_state_space_is_shown_in_a_browser() {
    use std::io::{BufRead as _, Read as _, Write as _};
    // A port that nobody uses: the program says when it cannot have it.
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let address = format!("127.0.0.1:{port}");
    let mut child = Command::new(assert_cmd::cargo::cargo_bin!("peerproof"))
        .args(["explore", "chord", "--listen", &address])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    std::io::BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    assert!(line.contains(&format!("http://{address}/")), "{line}");
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    let states = loop {
        let mut answer = String::new();
        if let Ok(mut stream) = std::net::TcpStream::connect(&address) {
            stream.write_all(b"GET /.states HTTP/1.0\r\n\r\n").unwrap();
            stream.read_to_string(&mut answer).unwrap();
        }
        if !answer.is_empty() || std::time::Instant::now() > deadline {
            break answer;
        }
        std::thread::yield_now();
    };
    child.kill().unwrap();
    child.wait().unwrap();
    // Every initial state comes with a drawing of its ring.
    assert!(states.contains("<svg xmlns"), "{states}");
}
