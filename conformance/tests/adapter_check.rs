//! `peerproof adapter check` says what is wrong with an adapter, and what to do next.
//!
//! The programs behind these adapters are a few lines for the shell, which every machine has.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

use std::path::Path;

use serde_json::Value;

/// A node of one: it knows itself, and keeps values in files.
const NODE: &str = r#"
echo ready
while read -r what key rest; do
    case $what in
        join) echo joined ;;
        show) echo "me $1"; echo "next $1"; echo "a line for nobody" ;;
        find) echo "owner $1" ;;
        put) echo "$rest" > "store-$1-$key"; echo stored ;;
        get) echo "value $(cat "store-$1-$key" 2>/dev/null)" ;;
    esac
    echo "end of it"
done
"#;

const FILE: &str = r#"[node]
style = "prompt"
start = "exec sh ./node.sh {id} {host} {port}"
ready = "^ready$"
patience_ms = 60000

[join]
send = "join {introducer_host}"
until = "^end of it$"
patterns = ["^joined$"]

[state]
send = "show"
until = "^end of it$"
patterns = ['^me (?P<id>\d+)', '^next (?P<successor>\d+)', '^before (?P<predecessor>\d+)']

[lookup]
send = "find {key}"
until = "^end of it$"
patterns = ['^owner (?P<owner>\d+)']

[put]
send = "put {key} {value}"
until = "^end of it$"
patterns = ["^stored$"]

[get]
send = "get {key}"
until = "^end of it$"
patterns = ['^value (?P<value>.*)']
errors = [{ pattern = "^value $", code = 20 }]
"#;

struct Checked {
    status: Option<i32>,
    out: String,
    err: String,
}

/// Checks an adapter beside a node.
fn check(file: &str, node: &str, more: &[&str]) -> Checked {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("node.sh"), node).unwrap();
    let adapter = directory.path().join("my.toml");
    std::fs::write(&adapter, file).unwrap();
    run(&adapter, more)
}

fn run(adapter: &Path, more: &[&str]) -> Checked {
    let mut command = std::process::Command::new(assert_cmd::cargo::cargo_bin!("peerproof"));
    command.args(["adapter", "check"]).arg(adapter).args(more);
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Checked {
        status: output.status.code(),
        out: text(&output.stdout),
        err: text(&output.stderr),
    }
}

#[test]
fn an_adapter_that_fits_shows_what_every_pattern_matched() {
    let checked = check(FILE, NODE, &[]);
    assert_eq!(checked.status, Some(0), "{}{}", checked.out, checked.err);
    for shown in [
        "n16 lookup 42\n  < find 42\n  > owner 16\n      owner = 16   (line 20 of the file)\n",
        "  > a line for nobody\n",
        "error 20   (line 31 of the file)",
        "not in the file: leave, delete",
        r"line 15: ^before (?P<predecessor>\d+) matched nothing here",
        "the adapter fits",
    ] {
        assert!(checked.out.contains(shown), "{shown} in:\n{}", checked.out);
    }
}

#[test]
fn programs_read_the_same() {
    let checked = check(FILE, NODE, &["--json", "-"]);
    assert_eq!(checked.status, Some(0));
    let report: Value = serde_json::from_str(&checked.out).unwrap();
    assert_eq!(report["verdict"], "pass");
    let steps = report["steps"].as_array().unwrap();
    let lookup = steps
        .iter()
        .find(|it| it["request"] == "lookup 42")
        .unwrap();
    assert_eq!(lookup["sent"], serde_json::json!(["find 42"]));
    assert_eq!(lookup["answer"]["owner"], 16);
    assert_eq!(lookup["lines"][0]["matched"][0]["line"], 20);
    assert_eq!(lookup["lines"][0]["matched"][0]["groups"][0]["text"], "16");
}

#[test]
fn a_mistake_in_the_file_is_named_with_its_line() {
    for (from, to, said) in [
        ("ready =", "raedy =", "line 4: unknown field `raedy`"),
        ("{key}", "{kee}", "line 18: nothing is called `{kee}`"),
        (
            "(?P<owner>",
            "(?P<ownr>",
            "line 20: no group is called `ownr`",
        ),
        (
            r"\d+)', '^next",
            r"\d+', '^next",
            "line 15: no regular expression",
        ),
    ] {
        let checked = check(&FILE.replacen(from, to, 1), NODE, &[]);
        assert_eq!(checked.status, Some(2), "{}", checked.err);
        assert!(checked.err.contains(said), "{said} in: {}", checked.err);
    }
    let absent = run(Path::new("there/is/none.toml"), &[]);
    assert_eq!(absent.status, Some(2));
    assert!(absent.err.contains("none.toml"), "{}", absent.err);
}

#[test]
fn what_does_not_start_is_not_judged() {
    let checked = check(
        &FILE.replace("sh ./node.sh", "./no-such-program"),
        NODE,
        &[],
    );
    assert_eq!(checked.status, Some(3), "{}", checked.out);
    for shown in ["(status 127)", "by hand", "the program does not start"] {
        assert!(checked.out.contains(shown), "{shown} in:\n{}", checked.out);
    }
    let silent = FILE.replace("patience_ms = 60000", "patience_ms = 200");
    let checked = check(&silent, "while read -r line; do :; done", &[]);
    assert_eq!(checked.status, Some(3), "{}", checked.out);
    assert!(checked.out.contains("within 200ms"), "{}", checked.out);
}

#[test]
fn what_a_pattern_misses_comes_with_advice() {
    let broken = NODE.replace("echo \"owner $1\"", "echo \"$1 owns it\"");
    let checked = check(FILE, &broken, &[]);
    assert_eq!(checked.status, Some(1), "{}", checked.out);
    let shown = "✗ no line of the answer matches a pattern of [lookup]; compare the lines above";
    assert!(checked.out.contains(shown), "{}", checked.out);

    let lies = NODE.replace("echo \"owner $1\"", "echo \"owner 99\"");
    let checked = check(FILE, &lies, &[]);
    assert_eq!(checked.status, Some(1), "{}", checked.out);
    assert!(
        checked.out.contains("✗ `owner` is 99, and must be 16"),
        "{}",
        checked.out
    );

    let without = FILE.replace("errors = [{ pattern = \"^value $\", code = 20 }]", "");
    let checked = check(&without, NODE, &[]);
    assert_eq!(checked.status, Some(1), "{}", checked.out);
    let shown = "✗ nothing was stored under 43: give [get] an error with code 20";
    assert!(checked.out.contains(shown), "{}", checked.out);
}

#[test]
fn who_floods_or_dies_is_ended() {
    let floods = check(FILE, "while :; do echo and another line; done", &[]);
    assert_eq!(floods.status, Some(3), "{}", floods.err);
    let dies = NODE.replace("find)", "find) exit 7 ;; *find)");
    let checked = check(FILE, &dies, &[]);
    assert_eq!(checked.status, Some(1), "{}", checked.out);
    assert!(
        checked.out.contains("✗ it ended with status 7"),
        "{}",
        checked.out
    );
}
