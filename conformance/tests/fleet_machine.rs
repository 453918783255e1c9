//! What needs more of the machine: nodes that talk over sockets of their own, and walls that nothing gets through.
//!
//! That takes namespaces, nftables and control groups, most of them as root. Where they are missing, those tests show
//! as ignored and say why; with PEERPROOF_REQUIRE_CLIENTS=1 they fail.

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use libtest_mimic::{Arguments, Failed, Trial};
use peerproof::control::process::{Limits, Programs};
use peerproof::control::ring::Network;
use peerproof::control::{Arrival, Life, News, Starter as _};
use peerproof::fleet::{Answered, Fleet, Isolation, Plan, Trouble, Weather, can_part_sockets};
use serde_json::{Map, Value, json};

/// Far more than anything here takes.
const PATIENCE: Duration = Duration::from_secs(120);

/// A node that listens at its address and answers numbers with the same numbers, on every connection. `dial`
/// connects it to another one, from whatever address the system chooses; `ping` says whether a new number comes
/// back on that connection before long.
const NODE: &str = r#"exec python3 -c '
import json, socket, sys, threading
name, host, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind((host, port))
listener.listen()
def serve(connection):
    try:
        while data := connection.recv(100):
            connection.sendall(data)
    except OSError:
        pass
def accept():
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=serve, args=(connection,), daemon=True).start()
threading.Thread(target=accept, daemon=True).start()
line, number = None, 0
for text in sys.stdin:
    body = json.loads(text)["body"]
    good = True
    try:
        if body["type"] == "dial":
            line = socket.create_connection((body["host"], body["port"]), timeout=body["seconds"])
        elif body["type"] == "ping":
            number += 1
            line.settimeout(body["seconds"])
            line.sendall(b"%d;" % number)
            heard = b""
            while b"%d;" % number not in heard:
                heard += line.recv(100)
    except OSError:
        good = False
    answer = {"type": body["type"] + "_ok", "in_reply_to": body["msg_id"], "good": good}
    print(json.dumps({"src": name, "dest": "kit", "body": answer}), flush=True)
' {name} {host} {port}"#;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let trials = vec![
        Trial::test(
            "every_node_listens_at_its_own_address_also_after_a_crash",
            addresses,
        ),
        walled("nothing_gets_out_of_a_namespace", namespace),
        bounded("a_node_that_forks_meets_a_bound", bound),
        parting(
            "a_partition_cuts_connections_that_stand_and_new_ones",
            partition,
        ),
        parting("losses_are_those_of_the_weather", losses),
    ];
    let conclusion = libtest_mimic::run(&arguments, trials);
    // When all fleets are gone, so are their rules.
    let left = left_behind();
    if left.is_empty() {
        return conclusion.exit_code();
    }
    eprintln!("left behind: {left:?}");
    ExitCode::FAILURE
}

/// A trial that runs where the machine has what it needs.
fn needing(name: &str, has: Result<(), String>, run: fn() -> Result<(), Failed>) -> Trial {
    let required = std::env::var_os("PEERPROOF_REQUIRE_CLIENTS").is_some_and(|it| it == "1");
    match has {
        Ok(()) => Trial::test(name, run),
        Err(why) if required => Trial::test(name, move || Err(why.into())),
        Err(why) => Trial::test(name, || Ok(()))
            .with_kind(format!("absent: {why}"))
            .with_ignored_flag(true),
    }
}

fn parting(name: &str, run: fn() -> Result<(), Failed>) -> Trial {
    needing(name, can_part_sockets(), run)
}

fn walled(name: &str, run: fn() -> Result<(), Failed>) -> Trial {
    let programs = Programs::new("true", Limits::default()).expect("programs");
    let has = programs.holds_every_process().then_some(());
    needing(name, has.ok_or("no process namespaces".to_owned()), run)
}

fn bounded(name: &str, run: fn() -> Result<(), Failed>) -> Trial {
    let programs = Programs::new("true", Limits::default()).expect("programs");
    let has = programs.bounds_tasks().then_some(());
    needing(
        name,
        has.ok_or("no control groups that count processes".to_owned()),
        run,
    )
}

fn fleet_of(names: &[&str]) -> Fleet {
    let programs = Programs::new(NODE, Limits::default()).expect("programs");
    let plan = Plan {
        network: Network::Sockets,
        isolation: Isolation::Loopback,
        seed: 1,
        weather: Weather::default(),
        patience: PATIENCE,
    };
    let mut fleet = Fleet::new(Arc::new(programs), plan).expect("a fleet");
    for name in names {
        assert!(fleet.start(name).expect("a node").is_some());
    }
    fleet
}

/// What a node says to a question.
fn good(fleet: &mut Fleet, name: &str, body: &Value) -> bool {
    let body: Map<String, Value> = body.as_object().cloned().expect("an object");
    match fleet.call(name, body) {
        Ok(Answered::Ok(answer)) => answer["good"] == true,
        other => panic!("{other:?}"),
    }
}

fn dial(fleet: &mut Fleet, from: &str, to: &str, seconds: f64) -> bool {
    let address = fleet.address(to).expect("an address");
    let (host, port) = (address.ip().to_string(), address.port());
    let body = json!({"type": "dial", "host": host, "port": port, "seconds": seconds});
    good(fleet, from, &body)
}

fn ping(fleet: &mut Fleet, from: &str, seconds: f64) -> bool {
    good(fleet, from, &json!({"type": "ping", "seconds": seconds}))
}

/// Tries again until it holds: what listens may not have begun to.
fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "{what}");
    }
}

/// A program that runs alone, and what it says.
fn alone(line: &str, limits: Limits) -> (Box<dyn Life>, Receiver<Arrival>) {
    let programs = Programs::new(line, limits).expect("programs");
    let (outbox, inbox) = channel();
    (programs.start("n1", outbox).expect("a program"), inbox)
}

/// How many processes were started as these words and have not ended.
fn running(words: &str) -> usize {
    let entries = std::fs::read_dir("/proc").expect("processes").flatten();
    let arguments = entries.filter_map(|it| std::fs::read(it.path().join("cmdline")).ok());
    arguments
        .filter(|it| String::from_utf8_lossy(it).replace('\0', " ").trim() == words)
        .count()
}

fn namespace() -> Result<(), Failed> {
    // An orphan in a session of its own that does not know where it comes from.
    let line = "(env -i setsid sleep 7005.1 &); echo up; exec sleep 7005.2";
    let (mut life, inbox) = alone(line, Limits::default());
    assert_eq!(
        inbox.recv_timeout(PATIENCE)?.news,
        News::Line("up".to_owned())
    );
    eventually("both", || {
        running("sleep 7005.1") * running("sleep 7005.2") == 1
    });
    life.kill();
    eventually("none", || {
        running("sleep 7005.1") + running("sleep 7005.2") == 0
    });
    Ok(())
}

fn bound() -> Result<(), Failed> {
    let limits = Limits {
        tasks: 100,
        ..Limits::default()
    };
    // Two thousand children at most.
    let line = r#"exec python3 -c '
import os, time
for number in range(2000):
    try:
        if os.fork() == 0:
            time.sleep(600)
            os._exit(0)
    except OSError:
        time.sleep(0.01)
time.sleep(600)
'"#;
    let (_life, inbox) = alone(line, limits);
    let News::Overused(how) = inbox.recv_timeout(PATIENCE)?.news else {
        return Err("it was not ended".into());
    };
    let words = how.strip_prefix("it had ").ok_or(how.clone())?;
    let count: u64 = words.split(' ').next().unwrap_or_default().parse()?;
    // The first process of the namespace is not in the group.
    assert!((101..=201).contains(&count), "{how}");
    Ok(())
}

fn addresses() -> Result<(), Failed> {
    let mut fleet = fleet_of(&["n1", "n2"]);
    let addresses = ["n1", "n2"].map(|name| fleet.address(name).expect("an address"));
    assert_ne!(addresses[0].ip(), addresses[1].ip());
    assert!(addresses.iter().all(|it| it.ip().is_loopback()));
    eventually("a connection", || dial(&mut fleet, "n1", "n2", 5.0));
    assert!(ping(&mut fleet, "n1", 60.0));
    fleet.crash("n2");
    assert_eq!(fleet.start("n2")?, Some(addresses[1]));
    eventually("a new connection", || dial(&mut fleet, "n1", "n2", 5.0));
    assert!(matches!(fleet.hold(), Err(Trouble::Unsupported(_))));
    Ok(())
}

fn partition() -> Result<(), Failed> {
    let mut fleet = fleet_of(&["n1", "n2", "n3"]);
    eventually("a connection", || dial(&mut fleet, "n1", "n2", 5.0));
    eventually("another one", || dial(&mut fleet, "n2", "n3", 5.0));
    eventually("a third one", || dial(&mut fleet, "n3", "n1", 5.0));
    assert!(ping(&mut fleet, "n1", 60.0) && ping(&mut fleet, "n2", 60.0));
    let sides = [
        vec!["n1".to_owned(), "n3".to_owned()],
        vec!["n2".to_owned()],
    ];
    fleet.partition(&sides)?;
    // What stands in either direction carries nothing, and nothing new comes about.
    assert!(!ping(&mut fleet, "n1", 0.5));
    assert!(!ping(&mut fleet, "n2", 0.5));
    assert!(!dial(&mut fleet, "n1", "n2", 0.5));
    assert!(!dial(&mut fleet, "n2", "n1", 0.5));
    // Within a side all is well.
    assert!(ping(&mut fleet, "n3", 60.0));
    // A node that comes back meanwhile is on its side, too.
    fleet.crash("n2");
    fleet.start("n2")?;
    assert!(!dial(&mut fleet, "n2", "n1", 0.5));
    fleet.heal()?;
    eventually("a connection afterwards", || {
        dial(&mut fleet, "n2", "n1", 5.0)
    });
    assert!(ping(&mut fleet, "n2", 60.0));
    Ok(())
}

fn losses() -> Result<(), Failed> {
    let mut fleet = fleet_of(&["n1", "n2"]);
    eventually("a connection", || dial(&mut fleet, "n1", "n2", 5.0));
    let all = Weather {
        loss: 1.0,
        ..Weather::default()
    };
    fleet.set_weather(all)?;
    assert!(!ping(&mut fleet, "n1", 0.5));
    fleet.set_weather(Weather::default())?;
    eventually("a new connection", || dial(&mut fleet, "n1", "n2", 5.0));
    assert!(ping(&mut fleet, "n1", 60.0));
    let doubled = Weather {
        duplicates: 0.5,
        ..Weather::default()
    };
    assert!(matches!(
        fleet.set_weather(doubled),
        Err(Trouble::Unsupported(_))
    ));
    Ok(())
}

/// The rules and control groups of this process that are still there.
fn left_behind() -> Vec<String> {
    let tables = std::process::Command::new("nft")
        .args(["list", "tables"])
        .output();
    let tables = tables.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let tables = tables.unwrap_or_default();
    let table = format!("peerproof_{}_", std::process::id());
    let tables = tables
        .lines()
        .filter(|it| it.contains(&table))
        .map(str::to_owned);
    let places = [
        "/sys/fs/cgroup",
        "/sys/fs/cgroup/unified",
        "/sys/fs/cgroup/pids",
    ];
    let entries = places
        .iter()
        .filter_map(|it| std::fs::read_dir(it).ok())
        .flatten()
        .flatten();
    let own = std::process::id();
    let marks = [
        format!("peerproof-{own}-"),
        format!("peerproof-node-{own}-"),
    ];
    let groups = entries
        .map(|it| it.path().display().to_string())
        .filter(|it| marks.iter().any(|mark| it.contains(mark)));
    tables.chain(groups).collect()
}
