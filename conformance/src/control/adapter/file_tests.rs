//! What adapter files may say, and what is said about those that are wrong.

use super::*;

const PROMPT: &str = r#"[node]
start = "./ring --listen {host}:{port} --id {id}"
style = "prompt"
prompt = "> "
ready = "^ready"

[join]
send = "join {introducer_host}:{introducer_port}"
errors = [{ pattern = "refused", code = 11 }]

[state]
send = "state"
patterns = ['^pred (?P<predecessor>\d+)', '^succ (?P<successors>.*)']

[put]
send = "put {key} {value}"
"#;

/// What is said about the file once `from` has become `to`.
fn error(from: &str, to: &str) -> String {
    assert!(PROMPT.contains(from), "{from}");
    let changed = PROMPT.replace(from, to);
    Adapter::parse(&changed).expect_err("wrong").to_string()
}

#[test]
fn a_file_says_what_the_node_can_do() {
    let adapter = Adapter::parse(PROMPT).expect("an adapter");
    let names: Vec<&str> = adapter.operations().map(Operation::name).collect();
    assert_eq!(names, ["join", "state", "put"]);
    assert_eq!(adapter.style(), Style::Prompt);
    assert!(!adapter.joins_by_start());
    assert_eq!(adapter.deeds[&Operation::State].patterns[1].line, 13);
}

#[test]
fn starting_may_be_joining() {
    let text = r#"
[node]
start = "./ring {port} {id} --join {introducer_host}"
start_first = "./ring {port} {id}"
style = "http"
[state]
request = "GET http://{host}:{port}/state"
patterns = ['"next": (?P<successor>\d+)']
"#;
    let adapter = Adapter::parse(text).expect("an adapter");
    assert!(adapter.joins_by_start());
    let names: Vec<&str> = adapter.operations().map(Operation::name).collect();
    assert_eq!(names, ["join", "state"]);
    let without = text.replace("start_first = \"./ring {port} {id}\"\n", "");
    let error = Adapter::parse(&without).expect_err("wrong").to_string();
    assert!(
        error.starts_with("line 3: a first node has no member"),
        "{error}"
    );
}

#[test]
fn what_is_wrong_is_named_with_its_line() {
    for (from, to, said) in [
        (
            "style = \"prompt\"",
            "style = \"promt\"",
            "line 3: unknown variant `promt`",
        ),
        ("ready =", "raedy =", "line 5: unknown field `raedy`"),
        (
            "\"^ready\"",
            "\"(ready\"",
            "line 5: no regular expression: unclosed group",
        ),
        (
            "{introducer_port}",
            "{introducer}",
            "line 8: nothing is called `{introducer}`",
        ),
        ("code = 11", "code = 99", "line 9: 99 is no code"),
        (
            "P<predecessor>",
            "P<pred>",
            "line 13: no group is called `pred`",
        ),
        (
            "P<successors>",
            "P<keys>",
            "line 11: no pattern of `[state]` has a group successor or successors",
        ),
        (
            "{key} {value}",
            "{key}",
            "line 15: `[put]` sends no `{value}`",
        ),
        (
            "send = \"state\"",
            "run = \"state\"",
            "line 12: `run` is not for nodes of style \"prompt\"",
        ),
        ("send = \"state\"\n", "", "line 11: `send` is missing"),
        (
            "prompt = \"> \"\n",
            "",
            "line 6: nothing tells where the answer ends",
        ),
        ("--id {id}", "", "line 2: nothing tells the node its point"),
        (
            "{host}:{port}",
            "",
            "line 2: nothing tells the node where to listen",
        ),
        (
            "join {introducer_host}:{introducer_port}",
            "join",
            "line 7: nothing tells the node whom to join through",
        ),
        (
            "--id {id}",
            "--id {id} {key}",
            "line 2: there is no `{key}` yet",
        ),
        (
            "send = \"state\"",
            "send = \"state {value}\"",
            "line 11: `[state]` has no `{value}`",
        ),
        (
            "[node]",
            "[node]\npatience_ms = 0",
            "line 2: from 1 to 600000 milliseconds",
        ),
        (
            "[node]",
            "[node]\nradix = 8",
            "line 2: points are written in radix 10 or 16",
        ),
        (
            "[node]",
            "[node]\nready_port = true",
            "line 6: `ready` and `ready_port`",
        ),
    ] {
        let error = error(from, to);
        assert!(error.starts_with(said), "{to}: {error}");
    }
}

#[test]
fn requests_have_a_method_and_a_url() {
    let text = r#"
[node]
start = "./ring {port} {id}"
style = "http"
[join]
request = "POST http://{host}:{port}/join"
body = '{"through": "{introducer_host}:{introducer_port}"}'
"#;
    assert!(Adapter::parse(text).is_ok());
    for wrong in [
        "http://{host}/join",
        "FETCH http://{host}/join",
        "POST /join",
    ] {
        let changed = text.replace("POST http://{host}:{port}/join", wrong);
        let error = Adapter::parse(&changed).expect_err("wrong").to_string();
        assert!(
            error.starts_with("line 6: a request is a method and a URL"),
            "{error}"
        );
    }
}

#[test]
fn a_file_of_any_length_is_refused_in_time() {
    let long = format!("{PROMPT}\n#{}", "x".repeat(300 << 10));
    assert!(Adapter::parse(&long).is_err());
    let deep = format!("[node]\nstart = {}", "[".repeat(100_000));
    assert!(Adapter::parse(&deep).is_err());
}
