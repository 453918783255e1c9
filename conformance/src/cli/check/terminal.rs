//! What a check found, for people.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use peerproof_model::explore::{PropertyVerdict, Verdict};

use super::finding::{Answer, Finding, Run};

const BOLD: Style = Style::new().bold();
const GREEN: Style = AnsiColor::Green.on_default().bold();
const RED: Style = AnsiColor::Red.on_default().bold();
const YELLOW: Style = AnsiColor::Yellow.on_default().bold();

/// How many kinds of steps an assumption names on a terminal.
const SHOWN_KINDS: usize = 3;

/// Every scope or variant, and what it is for.
pub(super) fn listing(rows: &[(String, String)], out: &mut dyn Write) -> io::Result<()> {
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    for (name, purpose) in rows {
        writeln!(out, "{BOLD}{name:width$}{BOLD:#} {purpose}")?;
    }
    Ok(())
}

/// One scope: the verdict, what it is true of, and what breaks.
pub(super) fn finding(finding: &Finding, out: &mut dyn Write) -> io::Result<()> {
    let (style, word) = match &finding.verdict {
        Verdict::Holds => (GREEN, "holds"),
        Verdict::Violated { .. } => (RED, "violated"),
        Verdict::Incomplete { .. } => (YELLOW, "incomplete"),
    };
    writeln!(
        out,
        "{BOLD}{} {}{BOLD:#}: {}",
        finding.protocol, finding.name, finding.purpose
    )?;
    writeln!(
        out,
        "  {style}{word}{style:#}  {} states, {} transitions, depth {}, {:.1} s, {:.0} bytes a state",
        finding.states,
        finding.transitions,
        finding.depth,
        finding.seconds,
        finding.bytes_per_state
    )?;
    if let Verdict::Incomplete { why } = &finding.verdict {
        writeln!(out, "  why      {why}")?;
    }
    let count = |wanted: &dyn Fn(&Answer) -> bool| {
        let answers = finding.answers.iter();
        answers.filter(|answer| wanted(answer)).count()
    };
    let is_broken = |answer: &Answer| {
        matches!(
            answer.verdict,
            PropertyVerdict::Violated | PropertyVerdict::NeverReached
        )
    };
    writeln!(
        out,
        "  facts    {} hold, {} never put to the test here, {} broken, {} unknown, {} not checked",
        count(&|it| it.verdict == PropertyVerdict::Holds && it.tested),
        count(&|it| it.verdict == PropertyVerdict::Holds && !it.tested),
        count(&is_broken),
        count(&|it| it.verdict == PropertyVerdict::Unknown),
        count(&|it| matches!(it.verdict, PropertyVerdict::NotChecked(_))),
    )?;
    terms(finding, out)?;
    for answer in &finding.answers {
        if answer.verdict == PropertyVerdict::Holds && !answer.assumptions.is_empty() {
            writeln!(
                out,
                "  {GREEN}goal{GREEN:#}     {BOLD}{}{BOLD:#} holds",
                answer.name
            )?;
            assumptions(answer, out)?;
        }
    }
    for answer in &finding.answers {
        if let Some(run) = &answer.run {
            violation(answer, run, out)?;
        }
    }
    writeln!(out)
}

fn terms(finding: &Finding, out: &mut dyn Write) -> io::Result<()> {
    let terms = &finding.terms;
    writeln!(out, "  variant  {}", terms.variant)?;
    let scope = terms.scope.iter().filter(|(name, _)| *name != "name");
    let scope: Vec<String> = scope
        .map(|(name, value)| format!("{}: {value}", name.replace('_', " ")))
        .collect();
    writeln!(out, "  scope    {}", scope.join("; "))?;
    writeln!(out, "  network  {}", terms.network)?;
    writeln!(out, "  timing   {}", terms.timing)?;
    writeln!(out, "  fairness {}", terms.fairness)
}

fn violation(answer: &Answer, run: &Run, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "  {RED}broken{RED:#}   {BOLD}{}{BOLD:#}", answer.name)?;
    if let Some(observed) = &run.observed {
        writeln!(out, "  seen     {observed}")?;
    }
    assumptions(answer, out)?;
    let length = run.actions.len();
    match run.loops_after {
        None => writeln!(out, "  trace    {length} steps, as few as possible")?,
        Some(stem) => writeln!(
            out,
            "  trace    {stem} steps, then {} again and again",
            length - stem
        )?,
    }
    for (step, name) in run.actions.iter().enumerate() {
        let mark = if run.loops_after.is_some_and(|stem| step >= stem) {
            "↻"
        } else {
            " "
        };
        writeln!(out, "  {mark} {:3}  {name}", step + 1)?;
    }
    Ok(())
}

/// What an answer assumes; a list of every kind of step is shortened, and complete in the JSON.
fn assumptions(answer: &Answer, out: &mut dyn Write) -> io::Result<()> {
    for assumption in &answer.assumptions {
        let kinds = assumption.matches("; ").count() + 1;
        let shown: Vec<&str> = assumption.split("; ").take(SHOWN_KINDS).collect();
        let more = if kinds > SHOWN_KINDS {
            format!("; and {} more kinds of steps", kinds - SHOWN_KINDS)
        } else {
            String::new()
        };
        writeln!(out, "  assumes  {}{more}", shown.join("; "))?;
    }
    Ok(())
}

/// The last line.
pub(super) fn conclusion(findings: &[Finding], out: &mut dyn Write) -> io::Result<()> {
    let count = |wanted: fn(&Finding) -> bool| findings.iter().filter(|it| wanted(it)).count();
    let violated = count(Finding::is_violated);
    let incomplete = count(Finding::is_incomplete);
    let holds = findings.len() - violated - incomplete;
    let states: usize = findings.iter().map(|it| it.states).sum();
    writeln!(
        out,
        "{holds} of {} scopes hold, {violated} violated, {incomplete} incomplete; {states} states in all",
        findings.len()
    )
}
