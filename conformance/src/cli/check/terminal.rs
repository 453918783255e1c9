//! What a check found, for people.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use peerproof_model::bittorrent::system::Scope;
use peerproof_model::explore::{PropertyVerdict, Verdict};

use super::Finding;

const BOLD: Style = Style::new().bold();
const GREEN: Style = AnsiColor::Green.on_default().bold();
const RED: Style = AnsiColor::Red.on_default().bold();
const YELLOW: Style = AnsiColor::Yellow.on_default().bold();

/// Every scope, and what it is for.
pub(super) fn scopes(out: &mut dyn Write) -> io::Result<()> {
    for scope in Scope::all() {
        writeln!(out, "{BOLD}{:16}{BOLD:#} {}", scope.name, scope.purpose)?;
    }
    Ok(())
}

/// One scope: the verdict, what it is true of, and what breaks.
pub(super) fn finding(finding: &Finding, out: &mut dyn Write) -> io::Result<()> {
    let (scope, report) = (&finding.scope, &finding.found.report);
    let (style, word) = match &report.verdict {
        Verdict::Holds => (GREEN, "holds"),
        Verdict::Violated { .. } => (RED, "violated"),
        Verdict::Incomplete { .. } => (YELLOW, "incomplete"),
    };
    writeln!(
        out,
        "{BOLD}bittorrent {}{BOLD:#}: {}",
        scope.name, scope.purpose
    )?;
    writeln!(
        out,
        "  {style}{word}{style:#}  {} states, {} transitions, depth {}, {:.1} s, {:.0} bytes a state",
        report.states, report.transitions, report.depth, report.seconds, report.bytes_per_state
    )?;
    if let Verdict::Incomplete { why } = &report.verdict {
        writeln!(out, "  why      {why}")?;
    }
    let count = |wanted: fn(&PropertyVerdict) -> bool| {
        report
            .properties
            .iter()
            .filter(|it| wanted(&it.verdict))
            .count()
    };
    let holding = report.properties.iter();
    let holding = holding.filter(|it| it.verdict == PropertyVerdict::Holds);
    let tested = holding.filter(|it| finding.found.tested.contains(it.name));
    let tested = tested.count();
    writeln!(
        out,
        "  facts    {tested} hold, {} never put to the test here, {} broken, {} unknown, {} not checked",
        count(|verdict| *verdict == PropertyVerdict::Holds).saturating_sub(tested),
        count(|verdict| matches!(
            verdict,
            PropertyVerdict::Violated | PropertyVerdict::NeverReached
        )),
        count(|verdict| *verdict == PropertyVerdict::Unknown),
        count(|verdict| matches!(verdict, PropertyVerdict::NotChecked(_))),
    )?;
    terms(finding, out)?;
    violations(finding, out)?;
    writeln!(out)
}

fn terms(finding: &Finding, out: &mut dyn Write) -> io::Result<()> {
    let terms = &finding.found.terms;
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

fn violations(finding: &Finding, out: &mut dyn Write) -> io::Result<()> {
    let swarm = &*finding.found.swarm;
    for answer in &finding.found.report.properties {
        if answer.verdict != PropertyVerdict::Violated {
            continue;
        }
        writeln!(out, "  {RED}broken{RED:#}   {BOLD}{}{BOLD:#}", answer.name)?;
        if let Some(observed) = observed(finding, answer.name) {
            writeln!(out, "  seen     {observed}")?;
        }
        writeln!(
            out,
            "  trace    {} steps, as few as possible",
            answer.trace.len()
        )?;
        for (step, name) in answer.trace.names(swarm).iter().enumerate() {
            writeln!(out, "    {:3}  {name}", step + 1)?;
        }
    }
    Ok(())
}

/// What was seen when the property broke.
pub(super) fn observed(finding: &Finding, property: &str) -> Option<String> {
    let answer = finding.found.report.property(property)?;
    let steps = finding.found.swarm.findings_along(&answer.trace).ok()?;
    let mut broken = steps.into_iter().flatten();
    broken
        .find(|(name, _)| *name == property)
        .map(|(_, observed)| observed)
}

/// The last line.
pub(super) fn conclusion(findings: &[Finding], out: &mut dyn Write) -> io::Result<()> {
    let count = |wanted: fn(&Finding) -> bool| findings.iter().filter(|it| wanted(it)).count();
    let violated = count(Finding::is_violated);
    let incomplete = count(Finding::is_incomplete);
    let holds = findings.len() - violated - incomplete;
    let states: usize = findings.iter().map(|it| it.found.report.states).sum();
    writeln!(
        out,
        "{holds} of {} scopes hold, {violated} violated, {incomplete} incomplete; {states} states in all",
        findings.len()
    )
}
