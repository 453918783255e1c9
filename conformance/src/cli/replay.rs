//! `peerproof replay`: a counterexample that `peerproof check` wrote, step by step.

use std::io::{self, Read as _, Write};
use std::path::PathBuf;

use anstyle::{AnsiColor, Style};
use serde_json::{Map, Value};

use super::check::protocol;
use super::{BROKEN, Failure, GOOD};

const BOLD: Style = Style::new().bold();
const RED: Style = AnsiColor::Red.on_default().bold();
const DIM: Style = Style::new().dimmed();

/// The most bytes of a trace: far more than any that a check writes.
const LARGEST: u64 = 16 << 20;

#[derive(clap::Args)]
pub(super) struct Args {
    /// The file that `peerproof check --write-trace` wrote
    trace: PathBuf,
}

/// A trace from a file.
pub(super) struct Recorded {
    file: String,
    protocol: String,
    /// Which rules.
    pub(super) variant: String,
    /// The broken rule, if one is.
    pub(super) mutant: Option<String>,
    /// The scope by names and values.
    pub(super) scope: Map<String, Value>,
    property: String,
    /// Which initial state.
    pub(super) start: usize,
    /// The actions, in the words of the model.
    pub(super) actions: Vec<String>,
    /// How many actions come before the loop, where the run ends in one.
    pub(super) loops_after: Option<usize>,
}

/// What happened along a trace.
pub(super) struct Replayed {
    /// The initial state, where the protocol shows it.
    pub(super) begins: Option<String>,
    /// The properties that are broken before anything happens, with what was seen.
    pub(super) broken_at_first: Vec<(&'static str, String)>,
    /// Every step.
    pub(super) steps: Vec<Step>,
    /// Whether the loop, if the trace has one, leads back to where it begins.
    pub(super) returns: Option<bool>,
}

/// One step.
pub(super) struct Step {
    /// What happens.
    pub(super) action: String,
    /// The state that it leads to, where the protocol shows it.
    pub(super) state: Option<String>,
    /// The properties that are broken there, with what was seen.
    pub(super) broken: Vec<(&'static str, String)>,
}

impl Recorded {
    fn read(args: &Args) -> Result<Self, Failure> {
        let file = args.trace.display().to_string();
        let wrong = |why: String| Failure::usage(format!("{file} is no trace: {why}"));
        let mut text = String::new();
        let opened = std::fs::File::open(&args.trace);
        let opened =
            opened.map_err(|error| Failure::usage(format!("cannot read {file}: {error}")))?;
        opened
            .take(LARGEST)
            .read_to_string(&mut text)
            .map_err(|error| Failure::usage(format!("cannot read {file}: {error}")))?;
        let value: Value = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
        let text = |key: &str| {
            let text = value.get(key).and_then(Value::as_str);
            text.map(str::to_owned)
                .ok_or_else(|| wrong(format!("it has no text `{key}`")))
        };
        let number = |key: &str| {
            let number = value.get(key).and_then(Value::as_u64);
            number.and_then(|number| usize::try_from(number).ok())
        };
        let actions = value.get("actions").and_then(Value::as_array);
        let actions = actions.ok_or_else(|| wrong("it has no list `actions`".to_owned()))?;
        let word = |(at, action): (usize, &Value)| {
            let action = action.as_str().map(str::to_owned);
            action.ok_or_else(|| wrong(format!("action {} is no text", at + 1)))
        };
        let scope = value.get("scope").and_then(Value::as_object);
        Ok(Self {
            protocol: text("protocol")?,
            variant: text("variant")?,
            mutant: value
                .get("mutant")
                .and_then(Value::as_str)
                .map(str::to_owned),
            scope: scope
                .cloned()
                .ok_or_else(|| wrong("it has no object `scope`".to_owned()))?,
            property: text("property")?,
            start: number("start").ok_or_else(|| wrong("it has no number `start`".to_owned()))?,
            actions: actions
                .iter()
                .enumerate()
                .map(word)
                .collect::<Result<_, _>>()?,
            loops_after: number("loops_after"),
            file,
        })
    }

    /// Why this is not a trace of what it says it is.
    pub(super) fn wrong(&self, why: &str) -> Failure {
        Failure::usage(format!(
            "{} is not a trace of {}: {why}",
            self.file, self.protocol
        ))
    }
}

pub(super) fn run(args: &Args, out: &mut dyn Write) -> Result<u8, Failure> {
    let trace = Recorded::read(args)?;
    if trace
        .loops_after
        .is_some_and(|stem| stem >= trace.actions.len())
    {
        return Err(trace.wrong("its loop has no step"));
    }
    let replayed = protocol(&trace.protocol)?.replay(&trace)?;
    writeln!(
        out,
        "{BOLD}{} {}{BOLD:#}: {} steps to break {}",
        trace.protocol,
        trace.variant,
        trace.actions.len(),
        trace.property
    )?;
    if let Some(state) = &replayed.begins {
        writeln!(out, "  {:3}  {DIM}{state}{DIM:#}", 0)?;
    }
    broken(&replayed.broken_at_first, out)?;
    for (number, step) in replayed.steps.iter().enumerate() {
        if trace.loops_after == Some(number) {
            writeln!(out, "       from here on, again and again:")?;
        }
        writeln!(out, "  {:3}  {}", number + 1, step.action)?;
        if let Some(state) = &step.state {
            writeln!(out, "       {DIM}{state}{DIM:#}")?;
        }
        broken(&step.broken, out)?;
    }
    let is_broken = match replayed.returns {
        Some(returns) => returns,
        None => {
            let last = replayed.steps.last().map(|step| &step.broken);
            let last = last.unwrap_or(&replayed.broken_at_first);
            last.iter().any(|(name, _)| *name == trace.property)
        }
    };
    if is_broken {
        let end = if replayed.returns.is_some() {
            "never gets to"
        } else {
            "ends where it breaks"
        };
        writeln!(out, "the trace replays, and {end} {}", trace.property)?;
        return Ok(GOOD);
    }
    writeln!(
        out,
        "the trace replays, and does not break {}: what it says is not so",
        trace.property
    )?;
    Ok(BROKEN)
}

fn broken(found: &[(&'static str, String)], out: &mut dyn Write) -> io::Result<()> {
    for (name, observed) in found {
        writeln!(out, "       {RED}broken{RED:#} {name}: {observed}")?;
    }
    Ok(())
}
