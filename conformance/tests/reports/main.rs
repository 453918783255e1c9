//! The program and its reports, on a suite that shows every verdict.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

mod fake;

use std::path::Path;

use anstream::StripStream;
use fake::Fake;
use peerproof::cli::{self, Catalogue};
use serde_json::Value;

struct Ran {
    status: u8,
    out: String,
    err: String,
}

/// Runs the program in this process, with the fake suite, on arguments split at spaces.
fn peerproof(args: &str) -> Ran {
    let catalogue = Catalogue {
        suites: vec![&Fake],
        servers: vec![],
    };
    let (mut out, mut err) = (StripStream::new(Vec::new()), StripStream::new(Vec::new()));
    let words = ["peerproof"].into_iter().chain(args.split_whitespace());
    let status = cli::run(words.map(Into::into), &catalogue, &mut out, &mut err);
    let text = |stream: StripStream<Vec<u8>>| String::from_utf8(stream.into_inner()).unwrap();
    Ran {
        status,
        out: text(out),
        err: text(err),
    }
}

fn json(args: &str) -> (Value, Ran) {
    let ran = peerproof(&format!("test fake --json - {args}"));
    let value =
        serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {}", ran.out));
    (value, ran)
}

#[test]
fn exit_statuses_follow_their_precedence() {
    for (cases, status) in [
        ("--case fake/*/pass", 0),
        (
            "--case fake/ask/non-strict --case fake/odd/unimplemented",
            0,
        ),
        ("--case fake/odd/inconclusive --case fake/ask/pass", 3),
        ("--case fake/odd/inconclusive --case fake/ask/fail", 1),
        ("--case fake/odd/error --case fake/ask/fail", 4),
        // Nothing runs: it is slow, or less binding than what is asked for.
        ("--case fake/odd/pass-slowly", 3),
        ("--case fake/odd/pass-slowly --slow", 0),
        ("--case fake/ask/non-strict --level must", 3),
        ("--target 127.0.0.1:1", 3),
    ] {
        let ran = peerproof(&format!("test fake {cases}"));
        assert_eq!(ran.status, status, "{cases}\n{}{}", ran.out, ran.err);
    }
}

#[test]
fn every_mistake_gets_one_line_and_status_2() {
    let directory = tempfile::tempdir().unwrap();
    let here = directory.path().display().to_string();
    std::fs::write(directory.path().join("bad.toml"), "known = 3").unwrap();
    std::fs::write(
        directory.path().join("stray.toml"),
        "[[known]]\ncase = \"fake/ask/pas\"\nverdict = \"fail\"\nreason = \"r\"\nexpires = 2999-01-01\n",
    )
    .unwrap();
    for (args, says) in [
        ("test fak".to_owned(), "did you mean `fake`?"),
        (
            "test fake --case fake/ask/fial".to_owned(),
            "did you mean `fake/ask/fail`",
        ),
        ("test fake --case fake/[".to_owned(), "is no pattern"),
        (
            "test fake --torrent /nonexistent.torrent".to_owned(),
            "cannot read the torrent /nonexistent.torrent",
        ),
        (format!("test fake --torrent {here}"), "it is a directory"),
        (
            "test fake --target 127.0.0.1:99999".to_owned(),
            "ports go from 1 to 65535",
        ),
        ("test fake --target 127.0.0.1".to_owned(), "write HOST:PORT"),
        (
            "test --target 127.0.0.1:5".to_owned(),
            "--target needs a suite",
        ),
        ("test fake --break deef".to_owned(), "did you mean `deaf`?"),
        (format!("test fake --json {here}"), "cannot write"),
        (
            format!("test fake --json {here}/no/such/file"),
            "cannot write",
        ),
        (
            format!("test fake --captures {here}/bad.toml/x"),
            "cannot write",
        ),
        ("test fake --json - --junit -".to_owned(), "only one report"),
        (format!("test fake --baseline {here}/bad.toml"), "line 1"),
        (
            format!("test fake --baseline {here}/stray.toml"),
            "did you mean `fake/ask/pass`",
        ),
        (
            format!("test fake --torrents {here}/none"),
            "no such directory",
        ),
        (
            "test fake --patience 0".to_owned(),
            "seconds from 0.01 to 3600",
        ),
        ("test fake --repeat 0".to_owned(), "--repeat"),
        ("test fake --sed 5".to_owned(), "--seed"),
        (
            "explain fake/ask/fial".to_owned(),
            "did you mean `fake/ask/fail`",
        ),
        ("list fak".to_owned(), "did you mean `fake`?"),
        ("serve nothing".to_owned(), "no node is called `nothing`"),
        ("frobnicate".to_owned(), "frobnicate"),
    ] {
        let ran = peerproof(&args);
        assert_eq!(ran.status, 2, "{args}\n{}", ran.err);
        assert_eq!(ran.err.matches('\n').count(), 1, "{args}: {}", ran.err);
        assert!(ran.err.contains(says), "{args}: {}", ran.err);
        assert_eq!(ran.out, "", "{args}");
    }
}

#[test]
fn an_unwritable_report_is_noticed_before_the_run_and_files_stay_as_they_are() {
    let directory = tempfile::tempdir().unwrap();
    let (good, bad) = (
        directory.path().join("a.json"),
        directory.path().join("no/b.xml"),
    );
    let ran = peerproof(&format!(
        "test fake --json {} --junit {}",
        good.display(),
        bad.display()
    ));
    assert_eq!(ran.status, 2);
    assert!(!good.exists());
    std::fs::write(&good, "precious").unwrap();
    peerproof(&format!(
        "test fake --json {} --junit {}",
        good.display(),
        bad.display()
    ));
    assert_eq!(std::fs::read_to_string(&good).unwrap(), "precious");
}

#[test]
fn an_unreachable_target_is_said_on_standard_error() {
    let ran = peerproof("test fake --target 127.0.0.1:1");
    assert!(
        ran.err.contains("nobody answers at 127.0.0.1:1"),
        "{}",
        ran.err
    );
    let (report, _) = json("--target 127.0.0.1:1");
    assert_eq!(report["problem"], "nobody answers at 127.0.0.1:1");
    assert_eq!(report["cases"], Value::Array(vec![]));
}

#[test]
fn the_terminal_says_all_about_a_failure_and_nothing_about_a_pass() {
    let ran = peerproof("test fake --seed 7");
    for says in [
        "fake against reference, seed 7",
        "fail          fake/ask/fail must",
        "expected  an answer",
        "observed  it said <script>alert('x')</script> ]]> \\u{1b}[31m \\u{202e} & \\u{0}",
        "claim     Every question is answered. [The Paper, answers; paper/answer]",
        "rerun     peerproof test fake --seed 7 --case fake/ask/fail\n",
        "not run (slow; add --slow)  fake/odd/pass-slowly",
        "7 cases in ",
        ": 1 pass, 2 non-strict, 1 fail, 1 unimplemented, 1 inconclusive, 1 error; 1 not run",
    ] {
        assert!(
            ran.out.contains(says),
            "`{says}` is missing in\n{}",
            ran.out
        );
    }
    assert!(!ran.out.contains("fake/ask/pass"), "{}", ran.out);
    assert!(!ran.out.contains('\u{1b}'));
    let verbose = peerproof("test fake --verbose");
    assert!(
        verbose.out.contains("pass          fake/ask/pass"),
        "{}",
        verbose.out
    );
}

#[test]
fn the_command_of_a_failure_runs_just_that_case() {
    let ran = peerproof("test fake --target 127.0.0.1:2 --patience 0.5");
    let line = ran
        .out
        .lines()
        .find(|line| line.contains("--case fake/ask/fail"))
        .unwrap();
    let command = line.split_once("peerproof ").unwrap().1;
    let again = peerproof(command);
    assert_eq!(again.status, 1);
    assert!(
        again.out.contains("fake against 127.0.0.1:2, seed 1"),
        "{}",
        again.out
    );
    assert!(again.out.contains("1 case in"), "{}", again.out);
}

#[test]
fn json_keeps_its_schema() {
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/report.schema.json");
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(schema).unwrap()).unwrap();
    let schema = jsonschema::draft202012::new(&schema).unwrap();
    for args in [
        "",
        "--slow --repeat 2",
        "--target 127.0.0.1:1",
        "--case fake/ask/pass",
    ] {
        let (report, _) = json(args);
        let errors: Vec<String> = schema
            .iter_errors(&report)
            .map(|error| error.to_string())
            .collect();
        assert_eq!(errors, [""; 0], "{args}");
    }
    // The schema has teeth.
    let (mut report, _) = json("");
    report["cases"][0]["verdict"] = "great".into();
    assert!(!schema.is_valid(&report));
}

#[test]
fn json_has_the_promised_fields() {
    let (report, ran) = json("--seed 3");
    assert_eq!(report["peerproof"], env!("CARGO_PKG_VERSION"));
    assert_eq!(report["suite"], "fake");
    assert_eq!(report["target"], "reference");
    assert_eq!(report["seed"], 3);
    assert_eq!(report["cases"][1]["id"], "fake/ask/fail");
    assert_eq!(report["cases"][1]["level"], "must");
    assert_eq!(report["cases"][1]["verdict"], "fail");
    assert_eq!(report["cases"][1]["claims"][0], "paper/answer");
    assert_eq!(report["cases"][1]["expected"], "an answer");
    assert_eq!(report["cases"][1]["duration_ms"], 12);
    assert_eq!(report["not_run"][0]["id"], "fake/odd/pass-slowly");
    let summary: Value = serde_json::from_str(
        r#"{"pass":1,"non-strict":2,"fail":1,"unimplemented":1,"inconclusive":1,"error":1}"#,
    )
    .unwrap();
    assert_eq!(report["summary"], summary);
    // People still read what happened, on the other stream.
    assert!(ran.err.contains("fake/ask/fail"), "{}", ran.err);
}

#[test]
fn several_runs_are_an_array_and_unsteady_cases_are_named() {
    let (reports, ran) = json("--repeat 3");
    let seeds: Vec<u64> = reports
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["seed"].as_u64().unwrap())
        .collect();
    assert_eq!(seeds, [1, 2, 3]);
    let line = "unsteady: fake/seed/pass-when-even ended non-strict, pass, non-strict\n";
    assert!(ran.err.contains(line), "{}", ran.err);
    assert_eq!(ran.err.matches("unsteady").count(), 1);
}

#[test]
fn a_baseline_excuses_what_is_known_until_it_expires() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("baseline.toml");
    let run = |case: &str, expires: &str, args: &str| {
        let text = format!(
            "[[known]]\ncase = \"{case}\"\nverdict = \"fail\"\nreason = \"reported upstream\"\nexpires = {expires}\n"
        );
        std::fs::write(&file, text).unwrap();
        json(&format!("--baseline {} {args}", file.display()))
    };
    let (report, ran) = run("fake/ask/*", "2999-01-01", "--case fake/ask/fail");
    assert_eq!(ran.status, 0, "{}", ran.err);
    assert_eq!(report["cases"][0]["known"]["excused"], true);
    assert!(
        ran.err.contains("known     reported upstream"),
        "{}",
        ran.err
    );
    let (_, ran) = run("fake/ask/*", "2020-01-01", "--case fake/ask/fail");
    assert_eq!(ran.status, 1);
    assert!(
        ran.err.contains("counts no more since 2020-01-01"),
        "{}",
        ran.err
    );
    let (report, ran) = run("fake/ask/pass", "2999-01-01", "--case fake/ask/pass");
    assert_eq!(
        ran.status, 1,
        "an unexpected pass fails the run: {}",
        ran.err
    );
    assert_eq!(report["cases"][0]["known"]["excused"], false);
    let (_, ran) = run("fake/ask/pass", "2020-01-01", "--case fake/ask/pass");
    assert_eq!(ran.status, 0, "{}", ran.err);
    // Only the verdict that is written down is excused.
    let (_, ran) = run(
        "fake/odd/inconclusive",
        "2999-01-01",
        "--case fake/odd/inconclusive",
    );
    assert_eq!(ran.status, 3, "{}", ran.err);
}

#[test]
fn junit_tells_failures_errors_and_skips_apart() {
    let xml = peerproof("test fake --junit -").out;
    let case = |id: &str| {
        let from = xml
            .find(&format!("<testcase name=\"{id}\""))
            .unwrap_or_else(|| panic!("{id}: {xml}"));
        let rest = &xml[from..];
        let element = &rest[..rest.find('>').unwrap()];
        assert!(element.contains("classname=\"fake."), "{element}");
        rest[..rest.find("<testcase name").map_or(rest.len(), |_| {
            rest[1..]
                .find("<testcase name")
                .map_or(rest.len(), |next| next + 1)
        })]
            .to_owned()
    };
    for (id, element) in [
        ("fake/ask/fail", "<failure"),
        ("fake/odd/error", "<error"),
        ("fake/odd/unimplemented", "<skipped"),
        ("fake/odd/inconclusive", "<skipped"),
        ("fake/odd/pass-slowly", "<skipped"),
    ] {
        assert!(case(id).contains(element), "{id}: {}", case(id));
    }
    for id in ["fake/ask/pass", "fake/ask/non-strict"] {
        for element in ["<failure", "<error", "<skipped"] {
            assert!(!case(id).contains(element), "{id}");
        }
    }
    assert!(
        xml.contains("tests=\"8\"")
            && xml.contains("failures=\"1\"")
            && xml.contains("errors=\"1\"")
    );
    assert!(!xml.contains("<script") && !xml.contains('\u{1b}') && !xml.contains('\0'));
    let gone = peerproof("test fake --target 127.0.0.1:1 --junit -").out;
    assert!(
        gone.contains("<error") && gone.contains("nobody answers"),
        "{gone}"
    );
}

#[test]
fn list_and_explain_lead_from_the_suite_to_the_source() {
    let ran = peerproof("list");
    assert_eq!(ran.status, 0);
    assert!(
        ran.out
            .contains("fake/ask/fail             must    paper/answer"),
        "{}",
        ran.out
    );
    let breaks = peerproof("list fake --breaks").out;
    assert!(
        breaks.contains("deaf  does not answer; caught by fake/ask/fail"),
        "{breaks}"
    );
    let case = peerproof("explain fake/ask/fail").out;
    for says in [
        "The kit asks a question.",
        "every_question_is_answered",
        "The Paper, answers",
        "Every question is answered.",
        "peerproof test fake --case fake/ask/fail --break deaf",
    ] {
        assert!(case.contains(says), "{case}");
    }
    let claim = peerproof("explain paper/answer").out;
    assert!(
        claim.contains("fake/ask/fail") && claim.contains("optional"),
        "{claim}"
    );
}

#[test]
fn the_kill_matrix_says_what_is_not_proven() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("matrix.md");
    let ran = peerproof(&format!(
        "kill-matrix fake --all --write {}",
        file.display()
    ));
    // The fake node is not sound, and the matrix says so.
    assert_eq!(ran.status, 1);
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains("does NOT pass 6 of 7 cases"), "{text}");
    assert!(
        text.contains(
            "| deaf | does not answer | ask/fail | yes | ask/non-strict, seed/pass-when-even |"
        ),
        "{text}"
    );
}

#[test]
fn the_page_is_one_file_in_which_what_the_target_says_stays_text() {
    let page = peerproof("test fake --html -").out;
    assert_eq!(page.matches("<script").count(), 1, "only the page's own");
    for outside in ["src=", "@import", "url(", "<link", "<img"] {
        assert!(!page.contains(outside), "{outside}");
    }
    // The name of the SVG name space is the only address, and nobody fetches it.
    assert_eq!(
        page.matches("http").count(),
        page.matches("http://www.w3.org/2000/svg").count() + 1
    );
    assert!(!page.contains('\u{1b}') && !page.contains('\u{202e}') && !page.contains('\0'));
    for says in [
        "&lt;script&gt;alert('x')&lt;/script&gt;",
        "Every question is answered.",
        "The Paper, answers",
        "peerproof test fake --seed 1 --case fake/ask/fail",
        "data-verdict=\"not-run\"",
    ] {
        assert!(page.contains(says), "{says}");
    }
    assert_eq!(
        page.matches("<svg").count(),
        7,
        "a diagram for every case that ran"
    );
    let gone = peerproof("test fake --target 127.0.0.1:1 --html -").out;
    assert!(gone.contains("nobody answers at 127.0.0.1:1"));
}

#[test]
fn every_case_leaves_a_capture_named_by_id_and_seed() {
    let directory = tempfile::tempdir().unwrap();
    let captures = directory.path().join("new/captures");
    peerproof(&format!(
        "test fake --seed 4 --captures {}",
        captures.display()
    ));
    let mut names: Vec<String> = std::fs::read_dir(&captures)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names.len(), 7, "{names:?}");
    assert!(
        names.contains(&"fake.ask.fail.seed-4.pcapng".to_owned()),
        "{names:?}"
    );
    let bytes = std::fs::read(captures.join("fake.ask.fail.seed-4.pcapng")).unwrap();
    // The magic number of pcapng, and the comment.
    assert_eq!(bytes[..4], [0x0a, 0x0d, 0x0d, 0x0a]);
    let comment = b"fake/ask/fail (asker)";
    assert!(bytes.windows(comment.len()).any(|window| window == comment));
}
