//! `peerproof judge`: can the specification explain this log of running nodes?

use std::fs::File;
use std::io::{BufReader, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use peerproof_model::judge::Limits;
use serde_json::json;

use super::{BROKEN, Failure, GOOD, UNJUDGED};
use crate::judge::{self, Report, Verdict};

#[derive(clap::Args)]
pub(super) struct Args {
    /// The protocol of the nodes: chord
    #[arg(value_parser = ["chord"])]
    protocol: String,
    /// The log: one JSON object per line, as docs/judging.md says
    trace: PathBuf,
    /// The most states to try for one life of a node
    #[arg(long, value_name = "N", default_value_t = Limits::default().states)]
    max_states: usize,
    /// The most seconds to take
    #[arg(long, value_name = "S")]
    time: Option<u64>,
    /// Write the verdict as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args, out: &mut dyn Write) -> Result<u8, Failure> {
    let unreadable =
        |why: &dyn std::fmt::Display| Failure::usage(format!("{}: {why}", args.trace.display()));
    let file = File::open(&args.trace).map_err(|why| unreadable(&why))?;
    let log = judge::read(BufReader::new(file)).map_err(|why| unreadable(&why))?;
    let limits = Limits {
        states: args.max_states,
        ..Limits::default()
    };
    let began = Instant::now();
    let time = args.time.map(Duration::from_secs);
    let mut goes_on = || time.is_none_or(|time| began.elapsed() < time);
    let report = judge::judge(&log, limits, &mut goes_on).map_err(|why| unreadable(&why))?;
    if args.json {
        writeln!(out, "{:#}", in_json(&args.protocol, &report))?;
    } else {
        in_words(&report, &log, out)?;
    }
    Ok(match report.verdict {
        Verdict::Explained(_) => GOOD,
        Verdict::Refused(_) => BROKEN,
        Verdict::Incomplete { .. } => UNJUDGED,
    })
}

fn in_words(report: &Report, log: &judge::Log, out: &mut dyn Write) -> std::io::Result<()> {
    let Report { lives, states, .. } = report;
    match &report.verdict {
        Verdict::Explained(explained) => writeln!(
            out,
            "the specification explains everything: {} messages and answers in {lives} lives of nodes ({states} states)",
            explained.acts
        ),
        Verdict::Incomplete { node, line } => writeln!(
            out,
            "no verdict: a bound was met at {node}, of which line {line} was not explained by then ({states} states); \
             --max-states and --time move the bounds"
        ),
        Verdict::Refused(refusal) => {
            writeln!(
                out,
                "the specification does not explain line {}: {}",
                refusal.line, refusal.why
            )?;
            if let Some(line) = log.lines.iter().find(|line| line.place == refusal.line) {
                let peer = line.peer.as_deref().unwrap_or("kit");
                let body = serde_json::to_string(&line.body).unwrap_or_default();
                writeln!(out, "  {} to {peer}: {body}", refusal.node)?;
            }
            writeln!(out, "every line before it is explained")?;
            if !refusal.nearest.is_empty() {
                writeln!(out, "what {} could have done instead:", refusal.node)?;
            }
            for nearest in &refusal.nearest {
                writeln!(out, "  {}", crate::report::plain(nearest))?;
            }
            Ok(())
        }
    }
}

fn in_json(protocol: &str, report: &Report) -> serde_json::Value {
    let (verdict, refused) = match &report.verdict {
        Verdict::Explained(_) => ("explained", None),
        Verdict::Incomplete { .. } => ("incomplete", None),
        Verdict::Refused(refusal) => (
            "refused",
            Some(
                json!({"line": refusal.line, "node": refusal.node, "why": refusal.why, "nearest": refusal.nearest}),
            ),
        ),
    };
    json!({
        "peerproof": env!("CARGO_PKG_VERSION"), "protocol": protocol, "verdict": verdict, "events": report.events,
        "lives": report.lives, "states": report.states, "refused": refused,
    })
}
