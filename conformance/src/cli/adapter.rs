//! `peerproof adapter check`: does this file fit this program?

use std::collections::BTreeSet;
use std::io::Write;
use std::path::PathBuf;

use anstyle::{AnsiColor, Style};
use serde_json::{Value, json};

use super::{BROKEN, Failure, GOOD, KIT, UNJUDGED, outputs};
use crate::control::StartError;
use crate::control::adapter::{Adapted, Line, Operation, Step, rehearse};
use crate::control::process::Limits;
use crate::program::free_address;
use crate::report::plain;

const GREEN: Style = AnsiColor::Green.on_default();
const RED: Style = AnsiColor::Red.on_default();
const CYAN: Style = AnsiColor::Cyan.on_default();
const DIM: Style = Style::new().dimmed();
const BOLD: Style = Style::new().bold();

#[derive(clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand)]
enum What {
    /// Start one node and go through every operation, then have a second one join it; show what each pattern matched
    Check {
        /// The adapter file (docs/adapters.md)
        file: PathBuf,
        /// Write what was seen for programs; `-` is standard output
        #[arg(long, value_name = "FILE")]
        json: Option<PathBuf>,
    },
}

pub(super) fn run(args: &Args, out: &mut dyn Write) -> Result<u8, Failure> {
    let What::Check { file, json } = &args.what;
    if let Some(json) = json.as_deref().filter(|json| !outputs::is_stdout(json)) {
        outputs::writable(json)?;
    }
    let adapted = Adapted::read(file, Limits::default()).map_err(|error| match error {
        StartError::Usage(message) => Failure::usage(message),
        StartError::Machine(message) => Failure {
            status: KIT,
            message,
        },
    })?;
    let place = || {
        free_address().map_err(|error| Failure {
            status: KIT,
            message: format!("no free port: {error}"),
        })
    };
    let places = [place()?, place()?];
    let quiet = json.as_deref().is_some_and(outputs::is_stdout);
    let (mut steps, mut trouble) = (Vec::new(), Ok(()));
    rehearse(&adapted, places, &mut |step| {
        if !quiet && trouble.is_ok() {
            trouble = show(step, out);
        }
        steps.push(step.clone());
    });
    trouble?;
    let status = status(&steps);
    if !quiet {
        conclude(&adapted, &steps, status, out)?;
    }
    if let Some(path) = json {
        let report = report(&file.display().to_string(), &steps, status);
        outputs::put(path, out, &format!("{report:#}\n"))?;
    }
    Ok(status)
}

/// Nothing is judged where the program did not even start.
fn status(steps: &[Step]) -> u8 {
    let started = steps
        .iter()
        .any(|step| step.request == "join" && step.complaint.is_none());
    match steps.iter().any(|step| step.complaint.is_some()) {
        false => GOOD,
        true if started => BROKEN,
        true => UNJUDGED,
    }
}

fn show(step: &Step, out: &mut dyn Write) -> std::io::Result<()> {
    writeln!(out, "{BOLD}{} {}{BOLD:#}", step.node, plain(&step.request))?;
    for sent in &step.performed.sent {
        writeln!(out, "  {CYAN}< {}{CYAN:#}", plain(sent))?;
    }
    for line in &step.performed.reading.lines {
        if line.matched.is_empty() {
            writeln!(out, "  {DIM}> {}{DIM:#}", plain(&line.text))?;
        } else {
            writeln!(out, "  > {}", plain(&line.text))?;
        }
        for matched in meanings(line) {
            writeln!(out, "      {GREEN}{}{GREEN:#}", plain(&matched))?;
        }
    }
    if let Ok(body) = &step.performed.reading.outcome
        && !body.is_empty()
    {
        writeln!(
            out,
            "  = {}",
            plain(&Value::Object(body.clone()).to_string())
        )?;
    }
    match &step.complaint {
        None => writeln!(out, "  {GREEN}✓{GREEN:#}"),
        Some(complaint) => writeln!(out, "  {RED}✗ {}{RED:#}", plain(complaint)),
    }
}

/// What each pattern that matched a line takes from it.
fn meanings(line: &Line) -> Vec<String> {
    let words = line.matched.iter().map(|matched| {
        let groups: Vec<String> = matched
            .found
            .iter()
            .map(|found| format!("{} = {}", found.group, found.text))
            .collect();
        let what = match matched.error {
            Some(code) => format!("error {}", code.0),
            None if groups.is_empty() => "matched".to_owned(),
            None => groups.join(", "),
        };
        format!("{what}   (line {} of the file)", matched.line)
    });
    words.collect()
}

fn conclude(
    adapted: &Adapted,
    steps: &[Step],
    status: u8,
    out: &mut dyn Write,
) -> std::io::Result<()> {
    writeln!(out)?;
    let there: BTreeSet<&str> = adapted
        .adapter()
        .operations()
        .map(Operation::name)
        .collect();
    let lacks: Vec<&str> = Operation::ALL
        .into_iter()
        .map(Operation::name)
        .filter(|name| !there.contains(name) && *name != "create")
        .collect();
    if !lacks.is_empty() {
        writeln!(
            out,
            "not in the file: {}; cases that need them are not judged",
            lacks.join(", ")
        )?;
    }
    let matched: BTreeSet<(usize, &str)> = steps
        .iter()
        .flat_map(|step| &step.performed.reading.lines)
        .flat_map(|line| &line.matched)
        .map(|matched| (matched.line, matched.pattern.as_str()))
        .collect();
    for (line, pattern) in adapted.adapter().patterns() {
        if !matched.contains(&(line, pattern)) {
            writeln!(out, "line {line}: {} matched nothing here", plain(pattern))?;
        }
    }
    let wrong = steps.iter().filter(|step| step.complaint.is_some()).count();
    match status {
        GOOD => writeln!(
            out,
            "{GREEN}the adapter fits: {} steps{GREEN:#}",
            steps.len()
        ),
        UNJUDGED => writeln!(out, "{RED}the program does not start{RED:#}"),
        _ => writeln!(
            out,
            "{RED}{wrong} of {} steps went wrong{RED:#}",
            steps.len()
        ),
    }
}

fn report(file: &str, steps: &[Step], status: u8) -> Value {
    let line = |line: &Line| {
        let matched = line.matched.iter().map(|matched| {
            let groups = matched.found.iter().map(|it| json!({"group": it.group, "text": it.text}));
            json!({
                "line": matched.line, "pattern": matched.pattern, "groups": groups.collect::<Vec<_>>(),
                "error": matched.error.map(|code| code.0),
            })
        });
        json!({"text": line.text, "matched": matched.collect::<Vec<_>>()})
    };
    let steps = steps.iter().map(|step| {
        let reading = &step.performed.reading;
        let lines: Vec<Value> = reading.lines.iter().map(line).collect();
        let error = reading
            .outcome
            .as_ref()
            .err()
            .map(|(code, text)| json!({"code": code.0, "text": text}));
        json!({
            "node": step.node, "request": step.request, "sent": step.performed.sent, "lines": lines,
            "answer": reading.outcome.as_ref().ok(), "error": error, "complaint": step.complaint,
        })
    });
    json!({
        "peerproof": env!("CARGO_PKG_VERSION"), "adapter": file, "steps": steps.collect::<Vec<_>>(),
        "verdict": if status == GOOD { "pass" } else { "fail" },
    })
}
