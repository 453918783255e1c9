//! The example nodes are correct: the ring of the lectures, played over the control plane.
//!
//! A node that needs a program which this machine lacks shows as ignored, with the reason;
//! with PEERPROOF_REQUIRE_CLIENTS=1, as in continuous integration, it fails.

#[path = "example_nodes/ring.rs"]
mod ring;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::Arc;

use libtest_mimic::{Arguments, Failed, Trial};
use peerproof::control::adapter::Adapted;
use peerproof::control::process::{Limits, Programs};
use peerproof::control::ring::Network;
use peerproof::control::{ErrorCode, Starter};
use peerproof::fleet::Answered;
use ring::{Ring, Worked};
use serde_json::{Value, json};

/// The ring of the lectures, m = 7.
const LECTURE: [u64; 6] = [16, 32, 45, 80, 96, 112];

/// A node, and what it has to show.
#[derive(Clone, Copy)]
struct Example {
    /// Its file, in `conformance/examples`.
    file: &'static str,
    network: Network,
    /// Whether its state has fingers, and its lookups have paths.
    shows_routes: bool,
}

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // Nodes wait more than they work.
    arguments.test_threads.get_or_insert(5);
    let example = |file, network, shows_routes| Example {
        file,
        network,
        shows_routes,
    };
    let examples = [
        example("nodes/ring_node.py", Network::Kit, true),
        example("nodes/ring_node.py", Network::Sockets, true),
        example("adapters/prompt_ring.toml", Network::Sockets, true),
        example("adapters/cmd_ring.toml", Network::Sockets, false),
        example("adapters/http_ring.toml", Network::Sockets, true),
    ];
    let mut trials = Vec::new();
    for network in [Network::Kit, Network::Sockets] {
        let it = example("ring_node", network, true);
        let name = format!("{} {network:?}", it.file).to_lowercase();
        let lectures = move || in_the_lectures(it).map_err(Failed::from);
        let crashes = move || two_of_six_crash(it).map_err(Failed::from);
        trials.push(Trial::test(format!("{name} lectures"), lectures));
        trials.push(Trial::test(format!("{name} crashes"), crashes));
    }
    for it in examples {
        let name = format!("{} {:?}", it.file, it.network).to_lowercase();
        trials.push(needs_python(&format!("{name} lectures"), move || {
            in_the_lectures(it)
        }));
        trials.push(needs_python(&format!("{name} crashes"), move || {
            two_of_six_crash(it)
        }));
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// A trial that is ignored where Python is absent, unless it must be there.
fn needs_python(name: &str, run: impl FnOnce() -> Worked + Send + 'static) -> Trial {
    let required = std::env::var("PEERPROOF_REQUIRE_CLIENTS").is_ok_and(|value| value == "1");
    let version = Command::new("python3").arg("--version").output();
    let trial = Trial::test(name, || run().map_err(Failed::from));
    match version {
        Err(_) if !required => trial.with_kind("absent: python3").with_ignored_flag(true),
        _ => trial,
    }
}

/// The example node in Rust. A test that is run alone does not build examples.
fn in_rust() -> Worked<PathBuf> {
    let test = std::env::current_exe().map_err(|error| error.to_string())?;
    let profile = test.parent().and_then(Path::parent).ok_or("no directory")?;
    let mut command = Command::new(env!("CARGO"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).args([
        "build",
        "--quiet",
        "--offline",
        "--example",
        "ring_node",
    ]);
    if !cfg!(debug_assertions) {
        command.arg("--release");
    }
    let status = command.status().map_err(|error| error.to_string())?;
    if status.success() {
        Ok(profile.join("examples/ring_node"))
    } else {
        Err(format!("the example is not built: {status}"))
    }
}

impl Example {
    fn starter(self) -> Worked<Arc<dyn Starter>> {
        let file = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("examples")
            .join(self.file);
        let limits = Limits::default();
        let starter: Result<Arc<dyn Starter>, _> = if self.file.ends_with(".toml") {
            Adapted::read(&file, limits).map(|it| Arc::new(it) as _)
        } else if self.file == "ring_node" {
            let line = format!("exec '{}'", in_rust()?.display());
            Programs::new(&line, limits).map(|it| Arc::new(it) as _)
        } else {
            Programs::new(&format!("exec python3 '{}'", file.display()), limits)
                .map(|it| Arc::new(it) as _)
        };
        starter.map_err(|error| error.to_string())
    }
}

/// The first of the points at or clockwise of the key.
fn owner(points: &[u64], key: u64) -> u64 {
    let next = points.iter().find(|point| **point >= key);
    *next.unwrap_or(&points[0])
}

/// Starts the ring of the lectures, and waits until every node knows its place.
fn lecture_ring(example: Example, replicas: usize) -> Worked<Ring> {
    let mut ring = Ring::new(example.starter()?, example.network, replicas)?;
    for point in LECTURE {
        ring.start(point, LECTURE[0])?;
        ring.expect(point, &json!({"type": "join"}))?;
    }
    settles(example, &mut ring, &LECTURE)?;
    Ok(ring)
}

/// Waits until these are the members, in order, with the right fingers.
fn settles(example: Example, ring: &mut Ring, points: &[u64]) -> Worked {
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
                && (!example.shows_routes || state["fingers"] == json!(fingers))
        })?;
    }
    Ok(())
}

/// The worked examples: the fingers of 80, the way to 42, and what moves when 40 joins.
fn in_the_lectures(example: Example) -> Worked {
    let mut ring = lecture_ring(example, 1)?;
    if example.shows_routes {
        let state = ring.expect(80, &json!({"type": "state"}))?;
        let fingers = [96, 96, 96, 96, 96, 112, 16];
        let shown = state["fingers"].as_array().into_iter().flatten();
        let shown: Vec<Value> = shown.map(|finger| finger["node"].clone()).collect();
        assert_eq!(json!(shown), json!(fingers), "{state:?}");
    }
    let lookup = ring.expect(80, &json!({"type": "lookup", "key": 42}))?;
    assert_eq!(lookup["owner"], 45);
    if example.shows_routes {
        assert_eq!(lookup["path"], json!([80, 16, 32, 45]));
    }
    assert!(lookup.get("hops").is_none_or(|hops| *hops == 3));

    for key in [34, 38, 42] {
        let put = json!({"type": "put", "key": key, "value": format!("value {key}")});
        ring.expect(80, &put)?;
    }
    ring.start(40, 16)?;
    ring.expect(40, &json!({"type": "join"}))?;
    let mut points = LECTURE.to_vec();
    points.insert(2, 40);
    settles(example, &mut ring, &points)?;
    for (point, keys) in [(40, json!([34, 38])), (45, json!([42]))] {
        ring.until(point, &json!({"type": "state"}), |state| {
            state["keys"] == keys
        })?;
    }
    for key in [34, 38, 42] {
        let got = ring.expect(112, &json!({"type": "get", "key": key}))?;
        assert_eq!(got["value"], format!("value {key}"));
    }

    ring.expect(80, &json!({"type": "leave"}))?;
    settles(example, &mut ring, &[16, 32, 40, 45, 96, 112])?;
    ring.expect(80, &json!({"type": "join"}))?;
    settles(example, &mut ring, &points)?;
    ring.expect(16, &json!({"type": "delete", "key": 42}))?;
    let gone = ring.ask(32, &json!({"type": "get", "key": 42}))?;
    assert!(
        matches!(gone, Answered::Error(ErrorCode::KEY_DOES_NOT_EXIST, _)),
        "{gone:?}"
    );
    Ok(())
}

/// With three copies, two crashes lose no key, and nobody names the dead any more.
fn two_of_six_crash(example: Example) -> Worked {
    let mut ring = lecture_ring(example, 3)?;
    for key in [42, 60, 90] {
        let put = json!({"type": "put", "key": key, "value": format!("value {key}")});
        ring.expect(16, &put)?;
    }
    ring.crash(45);
    ring.crash(80);
    let left = [16, 32, 96, 112];
    settles(example, &mut ring, &left)?;
    for asked in left {
        for key in [0, 17, 42, 45, 80, 81, 97, 113] {
            let lookup = ring.expect(asked, &json!({"type": "lookup", "key": key}))?;
            assert_eq!(lookup["owner"], owner(&left, key), "{key} by {asked}");
        }
        for key in [42, 60, 90] {
            let got = ring.expect(asked, &json!({"type": "get", "key": key}))?;
            assert_eq!(got["value"], format!("value {key}"));
        }
    }
    Ok(())
}
