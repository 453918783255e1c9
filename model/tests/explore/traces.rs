//! Runs in the formats of other tools.

use peerproof_model::explore::{
    Counterexample, Explorer, Fact, Fairness, Line, LivenessVerdict, Story, Trace, replay_named,
    sequence_diagram,
};
use serde_json::Value;

use crate::models::{Net, Rules, goal, water_jugs};

/// The way to four gallons, in two variables.
fn four_gallons() -> (Rules, Trace<(&'static str, u8)>, Story) {
    let jugs = water_jugs();
    let wanted = Fact::sometimes("four", |_: &Rules, state: &Vec<u8>| state[1] == 4);
    let trace = Explorer::new(&jugs)
        .find(wanted)
        .expect("a small model")
        .expect("reachable");
    let describe = |state: &Vec<u8>| vec![state[0].to_string(), state[1].to_string()];
    let story = Story::of(&jugs, &trace, &["small", "large"], describe).expect("of the model");
    (jugs, trace, story)
}

/// A way to a loop of two states.
fn lasso() -> Story {
    let net = Net {
        starts: vec![7],
        steps: vec![
            (7, None, 0),
            (0, Some(0), 1),
            (1, Some(0), 0),
            (7, Some(0), 9),
        ],
    };
    let report = Explorer::new(&net).converges(&goal(&[9], &[Fairness::Weak]));
    let LivenessVerdict::Violated(found) = report.expect("it can be asked").verdict else {
        panic!("0 and 1 are a loop");
    };
    assert!(matches!(found, Counterexample::Loop { .. }));
    Story::of_counterexample(&net, &found, &["at"], |at| vec![at.to_string()]).expect("of the net")
}

#[derive(Debug, serde::Deserialize)]
struct Jugs {
    small: String,
    large: String,
    action: String,
}

#[test]
fn a_trace_is_read_by_a_library_for_itf_and_replays_from_there() {
    let (jugs, trace, story) = four_gallons();
    let read: itf::Trace<Jugs> = itf::trace_from_str(&story.itf()).expect("an ITF trace");
    assert_eq!(read.meta.format.as_deref(), Some("ITF"));
    assert_eq!(read.vars, ["small", "large", "action"]);
    assert_eq!(read.loop_index, None);
    assert_eq!(read.states.len(), 7);
    for (at, state) in read.states.iter().enumerate() {
        assert_eq!(state.meta.index, Some(at as u64));
    }
    let first = &read.states[0].value;
    assert_eq!(
        (
            first.small.as_str(),
            first.large.as_str(),
            first.action.as_str()
        ),
        ("0", "0", "")
    );
    assert_eq!(read.states[6].value.large, "4");
    let names: Vec<String> = read.states[1..]
        .iter()
        .map(|s| s.value.action.clone())
        .collect();
    let (again, _) = replay_named(&jugs, 0, &names).expect("of the model");
    assert_eq!(again, trace);
}

#[test]
fn a_loop_says_where_it_leads_back_to() {
    let read: Value = serde_json::from_str(&lasso().itf()).expect("JSON");
    assert_eq!(read["loop"], 1);
    assert_eq!(read["vars"], serde_json::json!(["at", "action"]));
    let at: Vec<&str> = read["states"]
        .as_array()
        .expect("states")
        .iter()
        .map(|state| state["at"].as_str().expect("a text"))
        .collect();
    assert_eq!(at, ["7", "0", "1"]);
    assert_eq!(read["#meta"]["loop-action"], "(1, Some(0), 0)");
}

#[test]
fn diagrams_have_a_line_for_every_state_and_every_action() {
    let expected = "stateDiagram-v2
    state \"at = 7\" as s0
    state \"at = 0\" as s1
    state \"at = 1\" as s2
    [*] --> s0
    s0 --> s1: (7, None, 0)
    s1 --> s2: (0, Some(0), 1)
    s2 --> s1: (1, Some(0), 0)
";
    assert_eq!(lasso().state_diagram(), expected);
    let expected = "digraph trace {
    node [shape=box];
    s0 [label=\"at = 7\"];
    s1 [label=\"at = 0\"];
    s2 [label=\"at = 1\"];
    s0 -> s1 [label=\"(7, None, 0)\"];
    s1 -> s2 [label=\"(0, Some(0), 1)\"];
    s2 -> s1 [label=\"(1, Some(0), 0)\"];
}
";
    assert_eq!(lasso().dot(), expected);
}

#[test]
fn what_a_format_takes_for_its_own_is_escaped() {
    let (jugs, trace, _) = four_gallons();
    let sharp = |_: &Vec<u8>| vec!["a \"b\" \\ c; #d\ne".to_owned()];
    let story = Story::of(&jugs, &trace, &["odd"], sharp).expect("of the model");
    let dot = story.dot();
    let line = dot.lines().nth(2).expect("the first state");
    assert_eq!(line, r#"    s0 [label="odd = a \"b\" \\ c; #d\ne"];"#);
    // The actions are names in quotation marks: those are escaped, too.
    assert!(
        dot.contains(r#"s0 -> s1 [label="(\"fill\", 5)"];"#),
        "{dot}"
    );
    let mermaid = story.state_diagram();
    let line = mermaid.lines().nth(1).expect("the first state");
    assert_eq!(line, r#"    state "odd = a 'b' \ c, ,d e" as s0"#);
    let (from, to) = ("a".to_owned(), "b".to_owned());
    let what = "x; y\n#z".to_owned();
    let message = Line::Message {
        from,
        to,
        what: what.clone(),
    };
    let note = Line::Note {
        over: "b".to_owned(),
        what,
    };
    let expected = "sequenceDiagram
    participant a
    participant b
    a->>b: x, y ,z
    Note over b: x, y ,z
";
    assert_eq!(sequence_diagram(["a", "b"], [message, note]), expected);
}
