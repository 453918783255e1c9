//! Nodes behind an adapter that run: what they answer, and how they end. Their programs are lines for the shell.

use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::*;
use crate::control::process::Limits;
use crate::control::ring::Init;
use crate::control::{Arrival, Envelope, ErrorCode, Life, News, Place, StartError, Starter};

const PATIENCE: Duration = Duration::from_secs(60);

/// Nodes with a prompt that do what `script` says, for a file that is read in that time.
fn adapted(script: &str, patience_ms: u64) -> (tempfile::TempDir, Adapted) {
    let directory = tempfile::tempdir().expect("a directory");
    std::fs::write(directory.path().join("node.sh"), script).expect("written");
    let file = directory.path().join("node.toml");
    let text = format!(
        r#"
[node]
style = "prompt"
start = "exec sh ./node.sh {{id}} {{host}}"
prompt = "> "
patience_ms = {patience_ms}
[join]
send = "join {{introducer_host}}"
[get]
send = "get {{key}}"
patterns = ['^value (?P<value>.*)']
[leave]
send = "leave"
"#
    );
    std::fs::write(&file, text).expect("written");
    let adapted = Adapted::read(&file, Limits::default()).expect("an adapter");
    (directory, adapted)
}

fn init() -> Init {
    let init = json!({
        "node_id": "n45", "node_ids": ["n45"], "protocol": "chord", "network": "sockets", "address": "127.0.0.1:7000",
        "introducer": {"node_id": "n16", "address": "127.0.0.2:7000"},
        "ring": {"bits": 7, "id": 45, "successors": 3, "replicas": 2, "stabilize_ms": 200, "timeout_ms": 400},
    });
    serde_json::from_value(init).expect("an init")
}

fn got(performed: &Performed) -> Result<Value, ErrorCode> {
    let outcome = performed.reading.outcome.as_ref();
    outcome
        .map(|body| body["value"].clone())
        .map_err(|(code, _)| *code)
}

#[test]
fn a_late_answer_is_not_taken_for_the_next_one() {
    // The first value takes longer than anybody waits for it.
    let script = r#"
        printf '> '; read -r join; printf '> '; read -r get; sleep 1; echo value late; printf '> '
        while read -r get key; do echo "value $key"; printf '> '; done
    "#;
    let (_directory, adapted) = adapted(script, 300);
    let mut session = adapted.session(None);
    let deadline = Instant::now() + PATIENCE;
    // A busy machine may take longer to start a shell than that, too.
    while session.init(&init()).reading.outcome.is_err() {
        assert!(Instant::now() < deadline);
    }
    while session.join(None).reading.outcome.is_err() {
        assert!(Instant::now() < deadline);
    }
    let get = |session: &mut Session, key| got(&session.on_key(Operation::Get, key, None));
    // A very busy machine may find it in time.
    let first = get(&mut session, 1);
    assert!(
        first == Err(ErrorCode::TIMEOUT) || first == Ok(json!("late")),
        "{first:?}"
    );
    let value = loop {
        match get(&mut session, 2) {
            Err(ErrorCode::TEMPORARILY_UNAVAILABLE | ErrorCode::TIMEOUT) => {
                assert!(Instant::now() < deadline);
            }
            other => break other,
        }
    };
    assert_eq!(value, Ok(json!("2")));
}

/// A node that lives, and what it says.
fn alive(adapted: &Adapted) -> (Box<dyn Life>, Receiver<Arrival>) {
    let (inbox, said) = channel();
    let place = Place {
        name: "n45".to_owned(),
        address: Some("127.0.0.1:7000".parse().expect("an address")),
        ..Place::default()
    };
    let life = adapted.start_at(&place, inbox).expect("it starts");
    (life, said)
}

/// Asks, and waits for what comes.
fn asked(life: &dyn Life, said: &Receiver<Arrival>, body: &Value) -> News {
    let body = body.as_object().cloned().unwrap_or_default();
    let (src, dest) = ("kit".to_owned(), "n45".to_owned());
    assert!(life.say(&Envelope { src, dest, body }.line()));
    said.recv_timeout(PATIENCE).expect("an answer").news
}

fn line(value: &Value) -> News {
    News::Line(value.to_string())
}

#[test]
fn a_node_behind_an_adapter_answers_like_any_other() {
    let script = r#"
        printf '> '
        while read -r what key; do
            case $what in get) echo "value $1 $2 $key" ;; leave) exit 0 ;; esac
            printf '> '
        done
    "#;
    let (_directory, adapted) = adapted(script, 60_000);
    let (mut life, said) = alive(&adapted);
    let ask = |body: Value| asked(life.as_ref(), &said, &body);
    let answer = |body: Value| json!({"src": "n45", "dest": "kit", "body": body});

    let mut told = serde_json::to_value(init()).expect("JSON");
    told["type"] = json!("init");
    told["msg_id"] = json!(1);
    let can = json!(["join", "leave", "get"]);
    let init_ok = json!({"type": "init_ok", "operations": can, "in_reply_to": 1});
    assert_eq!(ask(told), line(&answer(init_ok)));
    let early = ask(json!({"type": "get", "msg_id": 2, "key": 7}));
    let not_yet = json!({"type": "error", "code": 11, "text": "the node is no member of a ring", "in_reply_to": 2});
    assert_eq!(early, line(&answer(not_yet)));
    // Its program may end when it leaves, and is started again when it joins again.
    for round in [10, 20] {
        let joined = ask(json!({"type": "join", "msg_id": round}));
        assert_eq!(
            joined,
            line(&answer(json!({"type": "join_ok", "in_reply_to": round})))
        );
        let got = ask(json!({"type": "get", "msg_id": round + 1, "key": 7}));
        let value = json!({"type": "get_ok", "value": "45 127.0.0.1 7", "in_reply_to": round + 1});
        assert_eq!(got, line(&answer(value)));
        let left = ask(json!({"type": "leave", "msg_id": round + 2}));
        assert_eq!(
            left,
            line(&answer(
                json!({"type": "leave_ok", "in_reply_to": round + 2})
            ))
        );
    }
    let lacks = ask(json!({"type": "put", "msg_id": 30, "key": 7, "value": "x"}));
    let News::Line(lacks) = lacks else {
        panic!("{lacks:?}")
    };
    assert!(
        lacks.contains("\"code\":11") || lacks.contains("\"code\":10"),
        "{lacks}"
    );
    let strange = ask(json!({"type": "dance", "msg_id": 31}));
    let News::Line(strange) = strange else {
        panic!("{strange:?}")
    };
    assert!(strange.contains("\"code\":10"), "{strange}");
    let malformed = ask(json!({"type": "get", "msg_id": 32}));
    let News::Line(malformed) = malformed else {
        panic!("{malformed:?}")
    };
    assert!(malformed.contains("\"code\":12"), "{malformed}");

    life.kill();
    let last = said.recv_timeout(PATIENCE).expect("a last word");
    assert_eq!(last.news, News::Ended("the kit ended it".to_owned()));
}

#[test]
fn a_program_that_dies_ends_the_node() {
    let script = "printf '> '; read -r join; printf '> '; read -r get; exit 3";
    let (_directory, adapted) = adapted(script, 60_000);
    let (life, said) = alive(&adapted);
    let mut told = serde_json::to_value(init()).expect("JSON");
    told["type"] = json!("init");
    told["msg_id"] = json!(1);
    asked(life.as_ref(), &said, &told);
    asked(life.as_ref(), &said, &json!({"type": "join", "msg_id": 2}));
    let News::Line(answer) = asked(
        life.as_ref(),
        &said,
        &json!({"type": "get", "msg_id": 3, "key": 7}),
    ) else {
        panic!("no answer");
    };
    assert!(answer.contains("it ended with status 3"), "{answer}");
    let last = said.recv_timeout(PATIENCE).expect("a last word");
    assert_eq!(last.news, News::Ended("it ended with status 3".to_owned()));
}

#[test]
fn nodes_behind_an_adapter_need_an_address() {
    let (_directory, adapted) = adapted("", 1000);
    let (inbox, _said) = channel();
    let refused = adapted.start("n45", inbox).map(|_| ());
    assert!(matches!(refused, Err(StartError::Usage(_))), "{refused:?}");
}
