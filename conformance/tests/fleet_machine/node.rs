//! A node that dials and pings, and what a test does with it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use peerproof::control::process::{Limits, Programs};
use peerproof::control::ring::Network;
use peerproof::fleet::{Answered, Fleet, Isolation, Plan, Weather};
use serde_json::{Map, Value, json};

/// Far more than anything here takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// A node that listens at its address and answers numbers with the same numbers, on every connection. `dial`
/// connects it to another one, from whatever address the system chooses; `ping` says whether a new number comes
/// back on that connection before long. Every answer says in which network namespace the node lives.
pub(crate) const NODE: &str = r#"exec python3 -c '
import json, os, socket, sys, threading
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
    good, why = True, None
    try:
        if body["type"] == "dial":
            line = socket.create_connection((body["host"], body["port"]), timeout=body["seconds"])
        elif body["type"] == "ping":
            number += 1
            line.settimeout(body["seconds"])
            line.sendall(b"%d;" % number)
            heard = b""
            while b"%d;" % number not in heard:
                data = line.recv(100)
                if not data:
                    raise OSError("it was closed")
                heard += data
    except OSError as error:
        good, why = False, error.errno
    answer = {"type": body["type"] + "_ok", "in_reply_to": body["msg_id"], "good": good, "why": why}
    answer["network"] = os.readlink("/proc/self/ns/net")
    print(json.dumps({"src": name, "dest": "kit", "body": answer}), flush=True)
' {name} {host} {port}"#;

/// These nodes, in a fleet.
pub(crate) fn fleet_of(isolation: Isolation, names: &[&str]) -> Fleet {
    let programs = Programs::new(NODE, Limits::default()).expect("programs");
    let plan = Plan {
        network: Network::Sockets,
        isolation,
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
fn ask(fleet: &mut Fleet, name: &str, body: &Value) -> Map<String, Value> {
    let body: Map<String, Value> = body.as_object().cloned().expect("an object");
    match fleet.call(name, body) {
        Ok(Answered::Ok(answer)) => answer,
        other => panic!("{other:?}"),
    }
}

fn good(fleet: &mut Fleet, name: &str, body: &Value) -> bool {
    ask(fleet, name, body)["good"] == true
}

/// Why a node gets no connection to an address; none if it gets one, or nobody answers.
pub(crate) fn refusal(fleet: &mut Fleet, from: &str, address: SocketAddr) -> Option<Errno> {
    let (host, port) = (address.ip().to_string(), address.port());
    let body = json!({"type": "dial", "host": host, "port": port, "seconds": 1.0});
    let why = ask(fleet, from, &body)["why"].as_i64()?;
    i32::try_from(why).ok().map(Errno::from_raw)
}

/// The network namespace that a node lives in.
pub(crate) fn network(fleet: &mut Fleet, name: &str) -> String {
    let answer = ask(fleet, name, &json!({"type": "network"}));
    answer["network"].as_str().expect("a name").to_owned()
}

pub(crate) fn dial(fleet: &mut Fleet, from: &str, to: &str, seconds: f64) -> bool {
    let address = fleet.address(to).expect("an address");
    dial_address(fleet, from, address, seconds)
}

pub(crate) fn dial_address(
    fleet: &mut Fleet,
    from: &str,
    address: SocketAddr,
    seconds: f64,
) -> bool {
    let (host, port) = (address.ip().to_string(), address.port());
    let body = json!({"type": "dial", "host": host, "port": port, "seconds": seconds});
    good(fleet, from, &body)
}

pub(crate) fn ping(fleet: &mut Fleet, from: &str, seconds: f64) -> bool {
    good(fleet, from, &json!({"type": "ping", "seconds": seconds}))
}

/// Tries again until it holds: what listens may not have begun to.
pub(crate) fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "{what}");
    }
}

/// How many processes were started as these words and have not ended.
pub(crate) fn running(words: &str) -> usize {
    let entries = std::fs::read_dir("/proc").expect("processes").flatten();
    let arguments = entries.filter_map(|it| std::fs::read(it.path().join("cmdline")).ok());
    arguments
        .filter(|it| String::from_utf8_lossy(it).replace('\0', " ").trim() == words)
        .count()
}
