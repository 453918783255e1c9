//! What a sound ring does.

use serde_json::{Value, json};

use crate::town::Town;

const SIX: [u64; 6] = [16, 32, 45, 80, 96, 112];

fn fingers(state: &Value) -> Vec<u64> {
    let fingers = state["fingers"].as_array().unwrap().iter();
    fingers
        .map(|finger| finger["node"].as_u64().unwrap())
        .collect()
}

/// The first node at or clockwise of a key: an independent rule.
fn owner(nodes: &[u64], key: u64) -> u64 {
    let mut sorted = nodes.to_vec();
    sorted.sort_unstable();
    *sorted
        .iter()
        .find(|node| **node >= key)
        .unwrap_or(&sorted[0])
}

/// Every node's neighbours are the next ones.
fn is_ideal(town: &mut Town, nodes: &[u64]) {
    let mut sorted = nodes.to_vec();
    sorted.sort_unstable();
    for (at, node) in sorted.iter().enumerate() {
        let state = town.state(*node);
        let next = |step: usize| sorted[(at + step) % sorted.len()];
        assert_eq!(state["member"], true, "n{node}");
        assert_eq!(
            state["predecessor"],
            next(sorted.len() - 1),
            "n{node}: {state}"
        );
        let list = state["successors"].as_array().unwrap();
        for (step, successor) in list.iter().enumerate() {
            assert_eq!(*successor, next(step + 1), "n{node}: {state}");
        }
    }
}

#[test]
fn the_fingers_of_n80() {
    let mut town = Town::six(None, 2);
    is_ideal(&mut town, &SIX);
    let state = town.state(80);
    assert_eq!(fingers(&state), [96, 96, 96, 96, 96, 112, 16]);
    let starts: Vec<u64> = state["fingers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["start"].as_u64().unwrap())
        .collect();
    assert_eq!(starts, [81, 82, 84, 88, 96, 112, 16]);
}

#[test]
fn a_lookup_of_k42_at_n80_goes_by_way_of_n16_and_n32() {
    let mut town = Town::six(None, 2);
    let found = town.lookup(80, 42);
    assert_eq!(found["owner"], 45);
    assert_eq!(found["path"], json!([80, 16, 32, 45]));
    assert_eq!(found["hops"], 3);
}

#[test]
fn every_node_finds_the_owner_of_every_key() {
    let mut town = Town::six(None, 2);
    for at in SIX {
        for key in 0..128 {
            let found = town.lookup(at, key);
            assert_eq!(found["owner"], owner(&SIX, key), "n{at} looks {key} up");
            let path = found["path"].as_array().unwrap();
            assert_eq!(
                (&path[0], path.last().unwrap()),
                (&json!(at), &found["owner"])
            );
            assert_eq!(found["hops"], path.len() - 1);
        }
    }
}

#[test]
fn n40_joins_and_takes_keys_34_and_38_from_n45() {
    let mut town = Town::six(None, 1);
    for key in [34, 38, 41, 42, 100] {
        assert_eq!(town.put(16, key, "page")["type"], "put_ok");
    }
    assert_eq!(town.state(45)["keys"], json!([34, 38, 41, 42]));
    town.join(40, Some(112));
    town.seconds(10);
    assert_eq!(town.state(32)["successors"][0], 40);
    assert_eq!(town.state(40)["successors"][0], 45);
    assert_eq!(town.state(40)["keys"], json!([34, 38]));
    assert_eq!(town.state(45)["keys"], json!([41, 42]));
    assert_eq!(town.get(96, 34)["value"], "page");
}

#[test]
fn a_newcomer_knows_no_predecessor_until_one_has_shown() {
    let mut town = Town::six(None, 2);
    town.join(40, Some(16));
    assert_eq!(town.state(40)["predecessor"], Value::Null);
    assert_eq!(town.state(40)["successors"][0], 45);
}

#[test]
fn nodes_that_join_at_once_form_one_ring() {
    let mut town = Town::new(
        json!({"bits": 7, "successors": 3, "replicas": 2, "stabilize_ms": 200, "timeout_ms": 400}),
    );
    town.join(16, None);
    let asked: Vec<u64> = SIX[1..]
        .iter()
        .map(|point| {
            town.start(*point, Some(16));
            town.ask(*point, json!({"type": "join"}))
        })
        .collect();
    town.seconds(20);
    for id in asked {
        assert_eq!(town.answer(id).unwrap()["type"], "join_ok");
    }
    is_ideal(&mut town, &SIX);
}

#[test]
fn alone_a_node_owns_and_keeps_everything() {
    let mut town = Town::new(
        json!({"bits": 7, "successors": 3, "replicas": 2, "stabilize_ms": 200, "timeout_ms": 400}),
    );
    town.join(45, None);
    assert_eq!(town.state(45)["predecessor"], 45);
    for key in [0, 44, 45, 46, 127] {
        let found = town.lookup(45, key);
        assert_eq!(
            (&found["owner"], &found["hops"], &found["path"]),
            (&json!(45), &json!(0), &json!([45]))
        );
        assert_eq!(town.put(45, key, "apple")["type"], "put_ok");
        assert_eq!(town.get(45, key)["value"], "apple");
    }
}

#[test]
fn after_a_crash_the_neighbours_close_the_ring_and_no_key_is_lost() {
    let mut town = Town::six(None, 3);
    for key in 0..64 {
        assert_eq!(town.put(96, key, &format!("value {key}"))["type"], "put_ok");
    }
    town.crash(32);
    town.crash(45);
    town.seconds(20);
    let left = [16, 80, 96, 112];
    is_ideal(&mut town, &left);
    for key in 0..64 {
        assert_eq!(
            town.get(80, key)["value"],
            format!("value {key}"),
            "key {key}"
        );
        assert_eq!(town.lookup(112, key)["owner"], owner(&left, key));
    }
}

#[test]
fn the_survivor_of_two_goes_on_alone() {
    let mut town = Town::new(
        json!({"bits": 7, "successors": 2, "replicas": 2, "stabilize_ms": 200, "timeout_ms": 400}),
    );
    town.join(16, None);
    town.join(80, Some(16));
    town.seconds(5);
    assert_eq!(town.put(16, 60, "pear")["type"], "put_ok");
    town.crash(80);
    town.seconds(10);
    assert_eq!(town.lookup(16, 60)["owner"], 16);
    assert_eq!(town.get(16, 60)["value"], "pear");
}

#[test]
fn a_node_that_leaves_hands_its_keys_over_and_may_come_back() {
    let mut town = Town::six(None, 1);
    for key in [34, 42] {
        assert_eq!(town.put(16, key, "page")["type"], "put_ok");
    }
    assert_eq!(town.call(45, json!({"type": "leave"}))["type"], "leave_ok");
    let state = town.state(45);
    assert_eq!(
        (&state["member"], &state["successors"], &state["keys"]),
        (&json!(false), &json!([]), &json!([]))
    );
    assert_eq!(town.state(80)["keys"], json!([34, 42]));
    town.seconds(10);
    is_ideal(&mut town, &[16, 32, 80, 96, 112]);
    assert_eq!(town.lookup(45, 42)["code"], 11);
    assert_eq!(town.call(45, json!({"type": "leave"}))["type"], "leave_ok");
    // A later value is not hidden by what the node kept before.
    town.put(16, 42, "new page");
    assert_eq!(town.call(45, json!({"type": "join"}))["type"], "join_ok");
    town.seconds(10);
    is_ideal(&mut town, &SIX);
    assert_eq!(town.get(45, 42)["value"], "new page");
    assert_eq!(town.state(45)["keys"], json!([34, 42]));
}

#[test]
fn a_node_that_crashed_comes_back_under_its_id_at_once() {
    let mut town = Town::six(None, 2);
    assert_eq!(town.put(16, 42, "page")["type"], "put_ok");
    town.crash(45);
    town.join(45, Some(112));
    town.seconds(20);
    is_ideal(&mut town, &SIX);
    assert_eq!(town.get(96, 42)["value"], "page");
}

#[test]
fn a_node_is_silent_before_it_joins() {
    let mut town = Town::six(None, 2);
    town.start(40, Some(16));
    let before = town.sent.len();
    town.hand("n40", &json!({"src": "n16", "dest": "n40", "body": {"type": "query", "tag": 1, "query": {"kind": "ping"}}}).to_string());
    assert_eq!(town.sent.len(), before);
    let state = town.state(40);
    assert_eq!(
        (&state["member"], &state["id"]),
        (&json!(false), &json!(40))
    );
}

#[test]
fn joining_by_way_of_nobody_is_error_11() {
    let mut town = Town::new(
        json!({"bits": 7, "successors": 3, "replicas": 2, "stabilize_ms": 200, "timeout_ms": 400}),
    );
    town.start(45, Some(16));
    let answer = town.call(45, json!({"type": "join"}));
    assert_eq!(
        (&answer["type"], &answer["code"]),
        (&json!("error"), &json!(11))
    );
    // Later somebody is there.
    town.join(16, None);
    assert_eq!(town.call(45, json!({"type": "join"}))["type"], "join_ok");
    let other = json!({"type": "join", "introducer": {"node_id": "n45", "address": null}});
    town.start(80, Some(99));
    assert_eq!(town.call(80, other)["type"], "join_ok");
}

#[test]
fn what_cannot_be_done_is_an_error_with_its_code() {
    let mut town = Town::six(None, 2);
    let code = |answer: Value| {
        assert_eq!(answer["type"], "error", "{answer}");
        answer["code"].as_u64().unwrap()
    };
    assert_eq!(code(town.get(16, 50)), 20);
    assert_eq!(code(town.call(16, json!({"type": "dance"}))), 10);
    assert_eq!(code(town.call(16, json!({"type": "lookup"}))), 12);
    assert_eq!(code(town.lookup(16, 128)), 12);
    assert_eq!(code(town.put(16, 5, &"x".repeat(1025))), 12);
    assert_eq!(code(town.call(16, json!({"type": "init"}))), 12);
    assert_eq!(
        town.call(16, json!({"type": "delete", "key": 50}))["type"],
        "delete_ok"
    );
}

#[test]
fn deleted_values_stay_deleted_and_later_ones_win() {
    let mut town = Town::six(None, 3);
    for value in ["apple", "pear", "plum"] {
        assert_eq!(town.put(16, 42, value)["type"], "put_ok");
        assert_eq!(town.get(112, 42)["value"], value);
    }
    assert_eq!(
        town.call(96, json!({"type": "delete", "key": 42}))["type"],
        "delete_ok"
    );
    town.seconds(20);
    assert_eq!(town.get(45, 42)["code"], 20);
    town.crash(45);
    town.seconds(20);
    assert_eq!(town.get(16, 42)["code"], 20);
}

#[test]
fn questions_of_one_kind_about_one_key_wait_for_each_other() {
    let mut town = Town::six(None, 2);
    let puts: Vec<u64> = (0..5)
        .map(|turn| {
            town.ask(
                80,
                json!({"type": "put", "key": 42, "value": format!("{turn}")}),
            )
        })
        .collect();
    let finds: Vec<u64> = (0..5)
        .map(|_| town.ask(80, json!({"type": "lookup", "key": 42})))
        .collect();
    town.seconds(5);
    for id in puts {
        assert_eq!(town.answer(id).unwrap()["type"], "put_ok");
    }
    for id in finds {
        assert_eq!(town.answer(id).unwrap()["owner"], 45);
    }
    assert_eq!(town.get(16, 42)["value"], "4");
}

#[test]
fn loss_and_duplicates_delay_and_break_nothing() {
    let mut town = Town::six(None, 2);
    (town.loss, town.duplicates) = (50, 100);
    for key in 0..20 {
        let mut answer = town.put(80, key, "v");
        for _ in 0..5 {
            if answer["type"] == "put_ok" {
                break;
            }
            answer = town.put(80, key, "v");
        }
        assert_eq!(answer["type"], "put_ok", "key {key}");
    }
    (town.loss, town.duplicates) = (0, 0);
    town.seconds(20);
    is_ideal(&mut town, &SIX);
    for key in 0..20 {
        assert_eq!(town.get(112, key)["value"], "v", "key {key}");
    }
}

#[test]
fn what_a_stranger_writes_does_no_harm() {
    let mut town = Town::six(None, 2);
    for line in [
        "",
        "{}",
        "[1]",
        "\u{0}",
        r#"{"src":"n16","dest":"n45","body":{"type":"answer","tag":1,"answer":{"kind":"alive"}}}"#,
        r#"{"src":"n300","dest":"n45","body":{"type":"notify"}}"#,
        r#"{"src":"n45","dest":"n45","body":{"type":"notify"}}"#,
        r#"{"src":"n16","dest":"n45","body":{"type":"goodbye","predecessor":4000000,"successors":[]}}"#,
        r#"{"src":"n16","dest":"n45","body":{"type":"query","tag":99999999999,"query":{"kind":"ping"}}}"#,
        r#"{"src":"kit","dest":"n45","body":{"type":"state"}}"#,
        r#"{"src":"kit","dest":"n45","body":{"type":"state","msg_id":-1}}"#,
    ] {
        town.hand("n45", line);
    }
    town.seconds(5);
    is_ideal(&mut town, &SIX);
}

#[test]
fn no_message_between_nodes_is_longer_than_64_kib() {
    let mut town = Town::six(None, 1);
    // The worst that JSON does to a byte is six.
    let value = "\u{1}".repeat(1024);
    for key in 17..=32 {
        assert_eq!(town.put(16, key, &value)["type"], "put_ok");
    }
    town.join(31, Some(16));
    town.seconds(10);
    assert_eq!(town.state(31)["keys"].as_array().unwrap().len(), 15);
    let longest = town.sent.iter().map(|(_, _, body)| body.to_string().len());
    assert!(longest.max().unwrap() <= 64 << 10);
}
