//! The page about the control plane and the code say the same.

use peerproof::control::ring::{Reply, Request};
use peerproof::control::{Envelope, ErrorCode, KIT};
use serde_json::{Value, json};

const PAGE: &str = include_str!("../../docs/control-plane.md");

/// Every example of the page, each JSON object of it.
fn examples() -> Vec<Value> {
    let blocks = PAGE.split("```json\n").skip(1);
    let blocks = blocks.filter_map(|rest| rest.split("```").next());
    blocks
        .flat_map(|block| serde_json::Deserializer::from_str(block).into_iter::<Value>())
        .map(|value| value.expect("JSON"))
        .collect()
}

#[test]
fn every_example_is_a_request_a_reply_or_an_error() {
    let examples = examples();
    assert!(examples.len() >= 20, "{}", examples.len());
    for example in examples {
        let envelope = Envelope::parse(&example.to_string()).expect("an envelope");
        let body = Value::Object(envelope.body.clone());
        if envelope.src == KIT {
            serde_json::from_value::<Request>(body).expect("a request");
            assert!(envelope.msg_id().is_some(), "{example}");
        } else {
            assert!(envelope.in_reply_to().is_some(), "{example}");
            let known = serde_json::from_value::<Reply>(body).is_ok();
            assert!(known || envelope.error().is_some(), "{example}");
        }
    }
}

const SCHEMA: &str = include_str!("../../docs/control-plane.schema.json");

fn schema() -> jsonschema::Validator {
    let schema: Value = serde_json::from_str(SCHEMA).expect("JSON");
    jsonschema::validator_for(&schema).expect("a schema")
}

#[test]
fn every_example_is_valid_by_the_schema() {
    let schema = schema();
    for example in examples() {
        let error = schema.validate(&example).err();
        assert!(error.is_none(), "{example}: {error:?}");
    }
}

#[test]
fn the_schema_refuses_what_the_page_does_not_allow() {
    let wrong = [
        json!({"src": "kit", "dest": "n45", "body": {"type": "lookup", "msg_id": 7}}),
        json!({"src": "kit", "dest": "n45", "body": {"type": "lookup", "key": 7}}),
        json!({"src": "kit", "dest": "n45", "body": {"type": "lookup", "msg_id": 7, "key": "42"}}),
        json!({"src": "n45", "dest": "kit", "body": {"type": "lookup_ok", "in_reply_to": 7}}),
        json!({"src": "n45", "dest": "kit", "body": {"type": "state_ok", "in_reply_to": 7, "member": true, "id": 45}}),
        json!({"src": "n45", "dest": "kit", "body": {"type": "get_ok", "in_reply_to": 7, "value": null}}),
        json!({"src": "n045", "dest": "kit", "body": {"type": "put_ok", "in_reply_to": 7}}),
        json!({"src": "n45", "dest": "kit", "body": {"type": "error", "in_reply_to": 7, "text": "no"}}),
    ];
    let schema = schema();
    for wrong in wrong {
        assert!(!schema.is_valid(&wrong), "{wrong}");
    }
}

/// Whoever adds an operation adds its form to the schema.
#[test]
fn the_schema_knows_every_request() {
    let asked = [
        Request::Join { introducer: None },
        Request::Leave,
        Request::State,
        Request::Lookup { key: 42 },
        Request::Put {
            key: 42,
            value: "apple".to_owned(),
        },
        Request::Get { key: 42 },
        Request::Delete { key: 42 },
    ];
    let schema = schema();
    for request in asked {
        let mut body = serde_json::to_value(&request).expect("JSON");
        body["msg_id"] = 7.into();
        let line = json!({"src": KIT, "dest": "n45", "body": body});
        assert!(schema.is_valid(&line), "{line}");
    }
}

#[test]
fn the_table_of_errors_says_which_are_definite() {
    let rows = PAGE
        .lines()
        .filter(|line| line.ends_with("| yes |") || line.ends_with("| no |"));
    let mut count = 0;
    for row in rows {
        let code = row.split('|').nth(1).expect("a column").trim();
        let code = ErrorCode(code.parse().expect("a code"));
        assert_eq!(code.is_definite(), row.ends_with("| yes |"), "{row}");
        count += 1;
    }
    assert_eq!(count, 11);
}
