//! Every command that the documents show works: one trial for each `$ peerproof ...` line of a console block.
//!
//! A command must end with status 0, unless a comment before its block says otherwise:
//! `<!-- status: 3 -->` (when the reader would have a target that a test has not), or `<!-- runs until stopped -->`.
//! A command about a suite or node that the program does not have, or that this machine cannot run, shows as ignored, with the reason;
//! with PEERPROOF_REQUIRE_CLIENTS=1, as in continuous integration, it fails.
//! The commands run in a directory of their own, which has the files that the documents speak of.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use libtest_mimic::{Arguments, Failed, Trial};
use peerproof::case::CaseInfo;
use peerproof::{fleet, serve, suite};

/// How a command ends.
#[derive(Clone, Copy)]
enum End {
    Status(i32),
    /// Only once it is stopped; until then it says something.
    Stopped,
}

struct Shown {
    /// `README.md:12`.
    place: String,
    line: String,
    end: End,
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let shown: Vec<Shown> = documents().iter().flat_map(|path| commands(path)).collect();
    assert!(!shown.is_empty(), "the documents show no command at all");
    let mut trials: Vec<Trial> = shown.into_iter().map(trial).collect();
    trials.push(Trial::test(
        "README.md shows the summary of today's cases",
        the_summary,
    ));
    trials.push(Trial::test(
        "docs/kill-matrix.md has today's breaks",
        the_kill_matrix,
    ));
    trials.push(Trial::test(
        "docs/architecture.md gives a reason for every dependency",
        the_dependencies,
    ));
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn trial(shown: Shown) -> Trial {
    let name = format!("{} {}", shown.place, shown.line);
    let required = std::env::var("PEERPROOF_REQUIRE_CLIENTS").is_ok_and(|value| value == "1");
    match absent(&shown.line) {
        Some(absent) if !required => Trial::test(name, || Ok(()))
            .with_kind(format!("absent: {absent}"))
            .with_ignored_flag(true),
        _ => Trial::test(name, move || check(&shown)),
    }
}

/// What a command needs and is not here: a suite or node of that name, or something of the machine.
fn absent(line: &str) -> Option<String> {
    let words: Vec<&str> = line.split_whitespace().collect();
    if let ["peerproof", "adapter", ..] = words.as_slice() {
        // The adapters of the documents are for programs in Python.
        let python = Command::new("python3").arg("--version").output();
        return python.is_err().then(|| "python3".to_owned());
    }
    if line.contains("--network namespaces")
        && let Err(why) = fleet::can_isolate()
    {
        return Some(why);
    }
    let ["peerproof", command, name, ..] = words.as_slice() else {
        return None;
    };
    let known: Vec<&str> = match *command {
        "test" | "list" | "kill-matrix" => suite::all().iter().map(|it| it.name()).collect(),
        "serve" => serve::all().iter().map(|it| it.name()).collect(),
        _ => return None,
    };
    let missing = !name.starts_with('-') && !known.contains(name);
    missing.then(|| (*name).to_owned())
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

/// README.md and the pages of docs.
fn documents() -> Vec<PathBuf> {
    let mut documents = vec![root().join("README.md")];
    let pages = std::fs::read_dir(root().join("docs")).unwrap();
    documents.extend(pages.map(|page| page.unwrap().path()));
    documents.retain(|path| path.extension().is_some_and(|it| it == "md"));
    documents.sort();
    documents
}

fn commands(path: &Path) -> Vec<Shown> {
    let name = path.strip_prefix(root()).unwrap().display().to_string();
    let text = std::fs::read_to_string(path).unwrap();
    let (mut shown, mut inside, mut end) = (Vec::new(), false, End::Status(0));
    for (number, line) in text.lines().enumerate() {
        if let Some(comment) = line.strip_prefix("<!-- ").filter(|_| !inside) {
            let status = comment
                .strip_prefix("status: ")
                .map(|it| it.trim_end_matches(" -->"));
            if let Some(status) = status {
                end = End::Status(status.parse().expect("a status is a number"));
            } else if comment.starts_with("runs until stopped") {
                end = End::Stopped;
            }
        } else if line.starts_with("```") {
            inside = !inside && line == "```console";
            if !inside {
                end = End::Status(0);
            }
        } else if inside && line.starts_with("$ peerproof ") {
            shown.push(Shown {
                place: format!("{name}:{}", number + 1),
                line: line["$ ".len()..].to_owned(),
                end,
            });
        }
    }
    shown
}

fn check(shown: &Shown) -> Result<(), Failed> {
    let directory = tempfile::tempdir()?;
    furnish(directory.path())?;
    let program = assert_cmd::cargo::cargo_bin!("peerproof");
    let path = std::env::join_paths([program.parent().unwrap().to_owned()].into_iter().chain(
        std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()),
    ))?;
    let mut command = Command::new("sh");
    command.current_dir(&directory).env("PATH", path);
    match shown.end {
        End::Status(status) => {
            let output = command
                .args(["-c", &shown.line])
                .stdin(Stdio::null())
                .output()?;
            if output.status.code() == Some(status) {
                return Ok(());
            }
            Err(format!(
                "ended with {}, not {status}\n{}{}",
                output.status,
                String::from_utf8_lossy(&output.stdout),
                String::from_utf8_lossy(&output.stderr)
            )
            .into())
        }
        End::Stopped => stopped(command, &shown.line),
    }
}

/// A command that runs on: it must say a line, live, and end well when it is interrupted.
fn stopped(mut command: Command, line: &str) -> Result<(), Failed> {
    use nix::sys::signal::{Signal, kill};
    // The shell hands over to the program, so that the signal reaches it.
    let mut child = command
        .args(["-c", &format!("exec {line}")])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut first = String::new();
    let mut said = std::io::BufReader::new(child.stdout.take().unwrap());
    std::io::BufRead::read_line(&mut said, &mut first)?;
    let lived = child.try_wait()?.is_none();
    kill(
        nix::unistd::Pid::from_raw(i32::try_from(child.id())?),
        Signal::SIGINT,
    )?;
    std::io::Read::read_to_string(&mut said, &mut String::new())?;
    let status = child.wait()?;
    if lived && !first.is_empty() && status.success() {
        return Ok(());
    }
    Err(format!("said `{first}`, lived: {lived}, ended with {status}").into())
}

/// What the README shows of its first command names every topic with the number of its cases, and every slow case.
fn the_summary() -> Result<(), Failed> {
    let text = std::fs::read_to_string(root().join("README.md"))?;
    let shown = text.split("<!-- output of the command above -->").nth(1);
    let shown = shown.and_then(|rest| rest.split("```").nth(1));
    let shown = shown.ok_or("no output is shown")?;
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let is_counted = |line: &&str| {
        line.contains(" against ") || line.contains("✓") || line.contains("not run (")
    };
    let shown: Vec<String> = shown.lines().filter(is_counted).map(words).collect();
    let mut expected = Vec::new();
    for suite in suite::all() {
        expected.push(format!("{} against reference, seed 1", suite.name()));
        let cases = suite.cases();
        let topic = |id: &str| id.split('/').nth(1).unwrap_or_default().to_owned();
        let mut topics: Vec<String> = Vec::new();
        for name in cases.iter().map(|case| topic(case.id)) {
            if !topics.contains(&name) {
                topics.push(name);
            }
        }
        for name in topics {
            let (slow, quick): (Vec<&CaseInfo>, Vec<&CaseInfo>) = cases
                .iter()
                .filter(|case| topic(case.id) == name)
                .partition(|case| case.slow);
            let count = quick.len();
            expected.push(format!("✓ {name} {count} of {count} passed"));
            expected.extend(
                slow.iter()
                    .map(|case| format!("not run (slow; add --slow) {}", case.id)),
            );
        }
    }
    if shown == expected {
        return Ok(());
    }
    let differs = shown
        .iter()
        .zip(&expected)
        .find(|(shown, expected)| shown != expected);
    Err(format!("{} lines, not {}; {differs:?}", shown.len(), expected.len()).into())
}

/// The kill matrix names every break with the case that is declared to catch it, and the number of cases.
fn the_kill_matrix() -> Result<(), Failed> {
    let text = std::fs::read_to_string(root().join("docs/kill-matrix.md"))?;
    for suite in suite::all() {
        let section = text.split(&format!("## {}\n", suite.name())).nth(1);
        let section = section.and_then(|rest| rest.split("\n## ").next());
        let section = section.ok_or_else(|| format!("{} is not there", suite.name()))?;
        let quick = suite.cases().iter().filter(|case| !case.slow).count();
        if !section.contains(&format!("passes all {quick} cases.")) {
            return Err(format!("{} has {quick} quick cases", suite.name()).into());
        }
        let rows = section.lines().filter(|line| line.ends_with(" |"));
        let shown: Vec<Vec<&str>> = rows
            .map(|row| row.split('|').map(str::trim).collect())
            .collect();
        for it in suite.breaks() {
            let caught_by = it.caught_by.split_once('/').map_or("", |(_, case)| case);
            let is_row = |row: &Vec<&str>| {
                row.get(1) == Some(&it.name)
                    && row.get(3) == Some(&caught_by)
                    && row.get(4) == Some(&"yes")
            };
            if !shown.iter().any(is_row) {
                return Err(format!("{} lacks the row of {}", suite.name(), it.name).into());
            }
        }
    }
    Ok(())
}

/// Every dependency that a crate of the project names has a row with its reason.
fn the_dependencies() -> Result<(), Failed> {
    let text = std::fs::read_to_string(root().join("docs/architecture.md"))?;
    let rows = text.lines().filter_map(|line| line.strip_prefix("| "));
    let cells = rows.filter_map(|row| row.split(" | ").next());
    let named: Vec<&str> = cells
        .flat_map(|cell| cell.split(", "))
        .filter_map(|name| name.split(' ').next())
        .collect();
    for of in ["model", "vectors", "conformance", "fuzz"] {
        let manifest = std::fs::read_to_string(root().join(of).join("Cargo.toml"))?;
        let manifest: toml::Table = manifest.parse()?;
        let tables = ["dependencies", "dev-dependencies"].map(|key| manifest.get(key));
        let tables = tables
            .into_iter()
            .flatten()
            .filter_map(toml::Value::as_table);
        let missing: Vec<&String> = tables
            .flat_map(toml::Table::keys)
            .filter(|name| !name.starts_with("peerproof") && !named.contains(&name.as_str()))
            .collect();
        if !missing.is_empty() {
            return Err(format!("{of}: {missing:?}").into());
        }
    }
    Ok(())
}

/// The files that the documents speak of.
fn furnish(directory: &Path) -> std::io::Result<()> {
    let mut torrent = b"d8:announce27:http://127.0.0.1:1/announce4:infod6:lengthi5e4:name8:data.bin12:piece lengthi16384e6:pieces20:".to_vec();
    // The SHA-1 of `hello`.
    torrent.extend(hex::decode("aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d").unwrap_or_default());
    torrent.extend(b"ee");
    std::fs::write(directory.join("my.torrent"), torrent)?;
    std::fs::write(directory.join("data.bin"), "hello")?;
    std::fs::create_dir(directory.join("watched"))?;
    let examples = Path::new("conformance/examples");
    std::fs::create_dir(directory.join("conformance"))?;
    std::os::unix::fs::symlink(root().join(examples), directory.join(examples))?;
    // The negative control of the corrected Chord: two rings.
    std::fs::write(
        directory.join("trace.json"),
        r#"{ "protocol": "chord", "variant": "zave2017", "property": "at_most_one_ring", "start": 5,
             "scope": { "ids": 4, "successors": 2, "base": false },
             "actions": ["1 fails", "3 joins through 2", "3 stabilizes from its successor", "1 joins through 3",
                         "1 stabilizes from its successor", "2 fails"] }"#,
    )?;
    std::fs::write(
        directory.join("baseline.toml"),
        "[[known]]\ncase = \"bittorrent-seeder/*\"\nverdict = \"fail\"\nreason = \"reported upstream\"\nexpires = 2020-01-01\n",
    )
}
