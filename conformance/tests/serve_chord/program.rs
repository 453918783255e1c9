//! The nodes with clocks: in threads of this process, and as a program.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use peerproof::control::{Arrival, Envelope, Life, News, Starter};
use peerproof::serve::chord::Reference;
use serde_json::{Value, json};

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
