//! The example nodes are correct: the ring of the lectures, played over the control plane.
//!
//! A node that needs a program which this machine lacks shows as ignored, with the reason;
//! with PEERPROOF_REQUIRE_CLIENTS=1, as in continuous integration, it fails.

#[path = "example_nodes/router.rs"]
mod router;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use router::{Ring, Worked};
use serde_json::{Value, json};

/// The ring of the lectures, m = 7.
const LECTURE: [u64; 6] = [16, 32, 45, 80, 96, 112];

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let python = concat!(
        "exec python3 ",
        env!("CARGO_MANIFEST_DIR"),
        "/examples/nodes/ring_node.py"
    );
    let mut trials = Vec::new();
    for network in ["kit", "sockets"] {
        let lectures = move || in_the_lectures(python, network);
        let crashes = move || two_of_six_crash(python, network);
        trials.push(needs_python(
            &format!("ring_node.py lectures {network}"),
            lectures,
        ));
        trials.push(needs_python(
            &format!("ring_node.py crashes {network}"),
            crashes,
        ));
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// A trial that is ignored where Python is absent, unless it must be there.
fn needs_python(name: &str, run: impl FnOnce() -> Worked + Send + 'static) -> Trial {
    let required = std::env::var("PEERPROOF_REQUIRE_CLIENTS").is_ok_and(|value| value == "1");
    let version = std::process::Command::new("python3")
        .arg("--version")
        .output();
    let trial = Trial::test(name, || run().map_err(Failed::from));
    match version {
        Err(_) if !required => trial.with_kind("absent: python3").with_ignored_flag(true),
        _ => trial,
    }
}

/// The first of the points at or clockwise of the key.
fn owner(points: &[u64], key: u64) -> u64 {
    let next = points.iter().find(|point| **point >= key);
    *next.unwrap_or(&points[0])
}

/// Starts the ring of the lectures, and waits until every node knows its place.
fn lecture_ring(command: &str, network: &str, replicas: u64) -> Worked<Ring> {
    let mut ring = Ring::new(command, network, replicas)?;
    for point in LECTURE {
        ring.start(point, LECTURE[0])?;
        ring.expect(point, &json!({"type": "join"}), "join_ok")?;
    }
    settles(&mut ring, &LECTURE)?;
    Ok(ring)
}

/// Waits until these are the members, in order, with the right fingers.
fn settles(ring: &mut Ring, points: &[u64]) -> Worked {
    let count = points.len();
    for (place, point) in points.iter().enumerate() {
        let successors: Vec<u64> = (1..=3).map(|step| points[(place + step) % count]).collect();
        let before = points[(place + count - 1) % count];
        let fingers: Vec<Value> = (0..7)
            .map(|finger| (point + (1 << finger)) % 128)
            .map(|start| json!({"start": start, "node": owner(points, start)}))
            .collect();
        ring.until(*point, &json!({"type": "state"}), |state| {
            state["successors"] == json!(successors)
                && state["predecessor"] == json!(before)
                && state["fingers"] == json!(fingers)
        })?;
    }
    Ok(())
}

/// The worked examples: the fingers of 80, the way to 42, and what moves when 40 joins.
fn in_the_lectures(command: &str, network: &str) -> Worked {
    let mut ring = lecture_ring(command, network, 1)?;
    let state = ring.expect(80, &json!({"type": "state"}), "state_ok")?;
    let fingers = [96, 96, 96, 96, 96, 112, 16];
    let shown = state["fingers"].as_array().into_iter().flatten();
    let shown: Vec<Value> = shown.map(|finger| finger["node"].clone()).collect();
    assert_eq!(json!(shown), json!(fingers), "{state:?}");

    let lookup = ring.expect(80, &json!({"type": "lookup", "key": 42}), "lookup_ok")?;
    assert_eq!(lookup["owner"], 45);
    assert_eq!(lookup["path"], json!([80, 16, 32, 45]));
    assert_eq!(lookup["hops"], 3);

    for key in [34, 38, 42] {
        let put = json!({"type": "put", "key": key, "value": format!("value {key}")});
        ring.expect(80, &put, "put_ok")?;
    }
    ring.start(40, 16)?;
    ring.expect(40, &json!({"type": "join"}), "join_ok")?;
    let mut points = LECTURE.to_vec();
    points.insert(2, 40);
    settles(&mut ring, &points)?;
    for (point, keys) in [(40, json!([34, 38])), (45, json!([42]))] {
        ring.until(point, &json!({"type": "state"}), |state| {
            state["keys"] == keys
        })?;
    }
    for key in [34, 38, 42] {
        let got = ring.expect(112, &json!({"type": "get", "key": key}), "get_ok")?;
        assert_eq!(got["value"], format!("value {key}"));
    }

    ring.expect(80, &json!({"type": "leave"}), "leave_ok")?;
    settles(&mut ring, &[16, 32, 40, 45, 96, 112])?;
    ring.expect(80, &json!({"type": "join"}), "join_ok")?;
    settles(&mut ring, &points)?;
    ring.expect(16, &json!({"type": "delete", "key": 42}), "delete_ok")?;
    let gone = ring.expect(32, &json!({"type": "get", "key": 42}), "error")?;
    assert_eq!(gone["code"], 20);
    Ok(())
}

/// With three copies, two crashes lose no key, and nobody names the dead any more.
fn two_of_six_crash(command: &str, network: &str) -> Worked {
    let mut ring = lecture_ring(command, network, 3)?;
    for key in [42, 60, 90] {
        let put = json!({"type": "put", "key": key, "value": format!("value {key}")});
        ring.expect(16, &put, "put_ok")?;
    }
    ring.crash(45);
    ring.crash(80);
    let left = [16, 32, 96, 112];
    settles(&mut ring, &left)?;
    for asked in left {
        for key in [0, 17, 42, 45, 80, 81, 97, 113] {
            let lookup = ring.expect(asked, &json!({"type": "lookup", "key": key}), "lookup_ok")?;
            assert_eq!(lookup["owner"], owner(&left, key), "{key} by {asked}");
        }
        for key in [42, 60, 90] {
            let got = ring.expect(asked, &json!({"type": "get", "key": key}), "get_ok")?;
            assert_eq!(got["value"], format!("value {key}"));
        }
    }
    Ok(())
}
