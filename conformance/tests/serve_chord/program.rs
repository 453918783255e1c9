//! The nodes with clocks: in threads of this process, and as a program.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, UdpSocket};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use peerproof::control::ring::Network;
use peerproof::control::{Arrival, Envelope, Life, News, Starter};
use peerproof::fleet::{Answered, Fleet, Isolation, Plan, Weather};
use peerproof::serve::chord::Reference;
use serde_json::{Map, Value, json};

/// Long enough for a busy machine; nothing waits for it unless it fails.
const LONG: Duration = Duration::from_secs(60);

fn init(point: u64) -> String {
    let name = format!("n{point}");
    json!({"src": "kit", "dest": name, "body": {"type": "init", "msg_id": 1, "node_id": name, "node_ids": [name],
        "protocol": "chord", "network": "kit", "address": null, "introducer": null,
        "ring": {"bits": 7, "id": point, "successors": 3, "replicas": 2, "stabilize_ms": 200, "timeout_ms": 400}}})
    .to_string()
}

fn ask(point: u64, id: u64, body: &str) -> String {
    format!(r#"{{"src":"kit","dest":"n{point}","body":{{"msg_id":{id},{body}}}}}"#)
}

fn next(inbox: &Receiver<Arrival>) -> Value {
    match inbox.recv_timeout(LONG).unwrap().news {
        News::Line(line) => Value::Object(Envelope::parse(&line).unwrap().body),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_node_within_the_process_answers_pauses_and_dies() {
    let (sender, inbox) = channel();
    let mut node: Box<dyn Life> = Reference::sound().start("n45", sender).unwrap();
    assert!(node.say(&init(45)));
    assert_eq!(next(&inbox)["type"], "init_ok");
    assert!(node.say(&ask(45, 2, r#""type":"join""#)));
    assert_eq!(next(&inbox)["type"], "join_ok");
    assert!(node.say("no envelope"));
    node.pause();
    assert!(node.say(&ask(45, 3, r#""type":"lookup","key":7"#)));
    assert!(inbox.try_recv().is_err());
    node.resume();
    let found = next(&inbox);
    assert_eq!(
        (&found["owner"], &found["in_reply_to"]),
        (&json!(45), &json!(3))
    );
    assert!(
        node.last_words().starts_with("byte 2: "),
        "{}",
        node.last_words()
    );
    node.kill();
    assert!(matches!(
        inbox.recv_timeout(LONG).unwrap().news,
        News::Ended(_)
    ));
    assert!(!node.say(&ask(45, 4, r#""type":"state""#)));
    assert!(inbox.recv().is_err());
}

#[test]
fn a_break_that_nobody_knows_starts_nothing() {
    assert!(Reference::broken("no-such-break").is_err());
    let broken = Reference::broken("never-hands-over").unwrap();
    assert_eq!(broken.name(), "reference with never-hands-over");
}

#[test]
fn the_program_answers_over_standard_input_and_output_and_ends_with_it() {
    let mut program = Command::new(assert_cmd::cargo::cargo_bin!("peerproof"))
        .args(["serve", "chord"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = program.stdin.take().unwrap();
    let mut output = BufReader::new(program.stdout.take().unwrap()).lines();
    let long = "x".repeat(2 << 20);
    writeln!(
        input,
        "{}\n{long}\n{}",
        init(45),
        ask(45, 2, r#""type":"join""#)
    )
    .unwrap();
    let mut next = || Envelope::parse(&output.next().unwrap().unwrap()).unwrap();
    assert_eq!(next().kind(), Some("init_ok"));
    assert_eq!(next().kind(), Some("join_ok"));
    drop(input);
    let ended = program.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(0));
    let said = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(said, "a line of more than 1048576 bytes\n");
}

#[test]
fn a_break_that_nobody_knows_is_a_mistake_of_usage() {
    let output = Command::new(assert_cmd::cargo::cargo_bin!("peerproof"))
        .args(["serve", "chord", "--break", "never-hands-ovre"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("never-hands-over"), "{said}");
}

/// Asks until the answer is the wanted one: the ring needs its time.
fn until(
    fleet: &mut Fleet,
    name: &str,
    body: &Value,
    wanted: impl Fn(&Map<String, Value>) -> bool,
) {
    let begin = Instant::now();
    loop {
        let answer = fleet.call(name, body.as_object().unwrap().clone()).unwrap();
        match &answer {
            Answered::Ok(answer) if wanted(answer) => return,
            _ => assert!(begin.elapsed() < LONG, "{name}: {answer:?}"),
        }
        fleet.pump_for(Duration::from_millis(20));
    }
}

/// The ring of the lectures, with clocks.
fn the_ring_of_the_lectures(network: Network) {
    let plan = Plan {
        network,
        isolation: Isolation::default(),
        seed: 1,
        weather: Weather::default(),
        patience: LONG,
    };
    let mut fleet = Fleet::new(Arc::new(Reference::sound()), plan).unwrap();
    let place = |address: Option<SocketAddr>| address.map(|it| it.to_string());
    for point in [16, 32, 45, 80, 96, 112] {
        let name = format!("n{point}");
        let own = place(fleet.start(&name).unwrap());
        let introducer = (point != 16)
            .then(|| json!({"node_id": "n16", "address": place(fleet.address("n16"))}));
        let init = json!({"type": "init", "node_id": name, "node_ids": [name], "protocol": "chord",
            "network": network, "address": own, "introducer": introducer,
            "ring": {"bits": 7, "id": point, "successors": 3, "replicas": 2, "stabilize_ms": 50, "timeout_ms": 3000}});
        until(&mut fleet, &name, &init, |answer| {
            answer["type"] == "init_ok"
        });
        until(&mut fleet, &name, &json!({"type": "join"}), |answer| {
            answer["type"] == "join_ok"
        });
    }
    until(&mut fleet, "n80", &json!({"type": "state"}), |state| {
        let fingers = state["fingers"].as_array().unwrap().iter();
        fingers
            .map(|finger| finger["node"].as_u64())
            .eq([96, 96, 96, 96, 96, 112, 16].map(Some))
    });
    until(&mut fleet, "n16", &json!({"type": "state"}), |state| {
        state["successors"] == json!([32, 45, 80]) && state["predecessor"] == 112
    });
    until(
        &mut fleet,
        "n80",
        &json!({"type": "put", "key": 42, "value": "apple"}),
        |answer| answer["type"] == "put_ok",
    );
    until(
        &mut fleet,
        "n112",
        &json!({"type": "get", "key": 42}),
        |answer| answer["value"] == "apple",
    );
    fleet.crash("n45");
    until(
        &mut fleet,
        "n112",
        &json!({"type": "lookup", "key": 42}),
        |answer| answer["owner"] == 80,
    );
    assert!(fleet.mistakes().is_empty(), "{:?}", fleet.mistakes());
}

#[test]
fn a_ring_lives_over_the_kits_network() {
    the_ring_of_the_lectures(Network::Kit);
}

#[test]
fn a_ring_lives_over_sockets() {
    the_ring_of_the_lectures(Network::Sockets);
}

#[test]
fn an_address_beyond_the_machine_is_refused() {
    let (sender, inbox) = channel();
    let node = Reference::sound().start("n45", sender).unwrap();
    for address in ["192.0.2.1:7000", "nowhere"] {
        let line = init(45).replace("\"address\":null", &format!("\"address\":\"{address}\""));
        assert!(node.say(&line.replace("\"network\":\"kit\"", "\"network\":\"sockets\"")));
        let answer = next(&inbox);
        assert_eq!(
            (&answer["type"], &answer["code"]),
            (&json!("error"), &json!(12))
        );
    }
}

#[test]
fn letters_that_are_none_do_no_harm() {
    let (sender, inbox) = channel();
    let node = Reference::sound().start("n45", sender).unwrap();
    // The system picks a free port, which nobody takes from us: this test has the address for itself.
    let free = UdpSocket::bind("127.1.45.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let line = init(45).replace("\"address\":null", &format!("\"address\":\"{free}\""));
    assert!(node.say(&line.replace("\"network\":\"kit\"", "\"network\":\"sockets\"")));
    assert_eq!(next(&inbox)["type"], "init_ok");
    assert!(node.say(&ask(45, 2, r#""type":"join""#)));
    assert_eq!(next(&inbox)["type"], "join_ok");
    let stranger = UdpSocket::bind("127.1.45.2:0").unwrap();
    let own = stranger.local_addr().unwrap();
    let letter = |dest: &str, body: Value| {
        json!({"src": "n16", "address": own, "dest": dest, "known": {"n3": "192.0.2.1:1", "x": "127.0.0.1:1"}, "body": body}).to_string()
    };
    let ping = json!({"type": "query", "tag": 1, "query": {"kind": "ping"}});
    for bytes in [
        "",
        "{}",
        "\u{0}",
        &letter("n46", ping.clone()),
        &letter("n45", json!({"type": "dance"})),
    ] {
        stranger.send_to(bytes.as_bytes(), free).unwrap();
    }
    stranger.send_to(&[0xFF; 65_000], free).unwrap();
    stranger
        .send_to(letter("n45", ping).as_bytes(), free)
        .unwrap();
    stranger.set_read_timeout(Some(LONG)).unwrap();
    let mut buffer = [0; 2048];
    let length = stranger.recv(&mut buffer).unwrap();
    let answer: Value = serde_json::from_slice(&buffer[..length]).unwrap();
    assert_eq!(
        answer["body"],
        json!({"type": "answer", "tag": 1, "answer": {"kind": "alive"}})
    );
}
