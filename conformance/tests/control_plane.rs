//! The page about the control plane and the code say the same.

use peerproof::control::ring::{Reply, Request};
use peerproof::control::{Envelope, ErrorCode, KIT};
use serde_json::Value;

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
