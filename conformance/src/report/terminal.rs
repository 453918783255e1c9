//! The report for people on a terminal.
//!
//! Writes colours always; whoever owns the stream strips them where nobody would see them.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

use super::{Known, Report, plain, topic};
use crate::case::{CaseInfo, Level, Outcome, Verdict};
use crate::run::{CaseReport, WhyNot};

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();

/// How much to say, and how wide.
#[derive(Clone, Copy, Debug, Default)]
pub struct Layout {
    /// Whether cases that pass get a line each.
    pub every_case: bool,
    /// Columns to wrap prose at; `None` leaves lines whole, as programs that read them like it.
    pub width: Option<usize>,
}

/// The colour of a verdict.
pub fn style(verdict: Verdict) -> Style {
    let colour = match verdict {
        Verdict::Pass => AnsiColor::Green,
        Verdict::NonStrict => AnsiColor::Yellow,
        Verdict::Fail => AnsiColor::Red,
        Verdict::Unimplemented => AnsiColor::Cyan,
        Verdict::Inconclusive | Verdict::Error => AnsiColor::Magenta,
    };
    let style = Style::new().fg_color(Some(colour.into()));
    if matches!(verdict, Verdict::Fail | Verdict::Error) {
        style.bold()
    } else {
        style
    }
}

/// Writes one report.
///
/// # Errors
/// What the stream says.
pub fn write(out: &mut dyn Write, report: &Report, layout: Layout) -> io::Result<()> {
    let run = &report.run;
    writeln!(
        out,
        "{BOLD}{}{BOLD:#} against {}, seed {}",
        run.suite,
        plain(&run.target),
        run.seed
    )?;
    if let Some(problem) = &report.problem {
        let style = style(Verdict::Error);
        return writeln!(
            out,
            "  {style}not judged{style:#}: {}\n",
            plain(&problem.to_string())
        );
    }
    for topic in topics(&run.cases) {
        write_topic(out, report, topic, layout)?;
    }
    write_expired(out, report)?;
    write_summary(out, report)
}

/// The topics in the order in which the cases bring them up.
fn topics(cases: &[CaseReport]) -> Vec<&'static str> {
    let mut topics = Vec::new();
    for case in cases {
        let topic = topic(case.info.id);
        if !topics.contains(&topic) {
            topics.push(topic);
        }
    }
    topics
}

fn write_topic(out: &mut dyn Write, report: &Report, name: &str, layout: Layout) -> io::Result<()> {
    let cases = || {
        report
            .run
            .cases
            .iter()
            .filter(|case| topic(case.info.id) == name)
    };
    let outcomes = || cases().filter_map(|case| case.outcome.as_ref());
    let passed = outcomes().filter(|it| it.verdict == Verdict::Pass).count();
    let mark = worst(outcomes());
    let style = style(mark);
    let (ran, sign) = (outcomes().count(), sign(mark));
    writeln!(
        out,
        "  {style}{sign}{style:#} {name:24} {DIM}{passed} of {ran} passed{DIM:#}"
    )?;
    for case in cases() {
        match &case.outcome {
            Some(outcome) => write_case(out, report, &case.info, outcome, layout)?,
            None => {
                let why = match case.why_not {
                    Some(WhyNot::Ended) => "the run ended before",
                    Some(WhyNot::Network) => "needs --network kit",
                    Some(WhyNot::Slow | WhyNot::Problem) | None => "slow; add --slow",
                };
                writeln!(out, "      {DIM}not run ({why})  {}{DIM:#}", case.info.id)?;
            }
        }
    }
    Ok(())
}

/// The verdict that says most about a group.
fn worst<'a>(outcomes: impl Iterator<Item = &'a Outcome>) -> Verdict {
    use Verdict::{Error, Fail, Inconclusive, NonStrict, Pass, Unimplemented};
    let order = [Pass, Unimplemented, NonStrict, Inconclusive, Fail, Error];
    outcomes
        .map(|outcome| outcome.verdict)
        .max_by_key(|verdict| order.iter().position(|it| it == verdict))
        .unwrap_or(Pass)
}

fn sign(verdict: Verdict) -> char {
    match verdict {
        Verdict::Pass => '✓',
        Verdict::NonStrict | Verdict::Unimplemented => '•',
        Verdict::Inconclusive => '?',
        Verdict::Fail => '✗',
        Verdict::Error => '!',
    }
}

fn write_case(
    out: &mut dyn Write,
    report: &Report,
    case: &CaseInfo,
    outcome: &Outcome,
    layout: Layout,
) -> io::Result<()> {
    let known = report.known(case, outcome);
    let verdict = outcome.verdict;
    if verdict == Verdict::Pass && known == Known::Counts && !layout.every_case {
        return Ok(());
    }
    let (style, word, level) = (style(verdict), verdict.word(), word(case.level));
    let took = outcome.duration.as_secs_f64();
    writeln!(
        out,
        "      {style}{word:13}{style:#} {BOLD}{}{BOLD:#} {DIM}{level}, {took:.1} s{DIM:#}",
        case.id
    )?;
    let mut field = |name: &str, text: &str| write_field(out, name, &plain(text), layout);
    match known {
        Known::Excused(reason) => field("known", reason)?,
        Known::UnexpectedPass(reason) => {
            field(
                "known",
                &format!("to fail ({reason}), but it passes: take it out of the baseline"),
            )?;
        }
        Known::Counts => {}
    }
    match verdict {
        Verdict::Pass => return Ok(()),
        Verdict::Error | Verdict::Unimplemented => field("observed", &outcome.observed)?,
        _ => {
            field("expected", case.expected)?;
            field("observed", &outcome.observed)?;
            for claim in report.claims(case) {
                field(
                    "claim",
                    &format!("{} [{}; {}]", claim.wording, claim.source, claim.id),
                )?;
            }
        }
    }
    for (index, step) in outcome.schedule.iter().enumerate() {
        let name = if index == 0 { "schedule" } else { "" };
        writeln!(out, "        {DIM}{name:9}{DIM:#} {}", plain(step))?;
    }
    // A command stays on one line, so that it can be copied.
    writeln!(
        out,
        "        {DIM}{:9}{DIM:#} {}",
        "rerun",
        report.rerun(case)
    )
}

fn write_field(out: &mut dyn Write, name: &str, text: &str, layout: Layout) -> io::Result<()> {
    const INDENT: usize = 18;
    let width = layout
        .width
        .map_or(usize::MAX, |width| width.saturating_sub(INDENT).max(30));
    for (index, line) in wrap(text, width).iter().enumerate() {
        let name = if index == 0 { name } else { "" };
        writeln!(out, "        {DIM}{name:9}{DIM:#} {line}")?;
    }
    Ok(())
}

/// Splits text at spaces into lines of at most `width` characters; longer words stay whole.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in text.split(' ') {
        let length = word.chars().count();
        if used > 0 && used + 1 + length > width {
            lines.push(String::new());
            used = 0;
        }
        if let Some(line) = lines.last_mut() {
            if used > 0 {
                line.push(' ');
                used += 1;
            }
            line.push_str(word);
            used += length;
        }
    }
    lines
}

fn word(level: Level) -> &'static str {
    match level {
        Level::Must => "must",
        Level::Should => "should",
        Level::May => "may",
    }
}

fn write_expired(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    for known in report.baseline.expired(report.today) {
        let style = style(Verdict::NonStrict);
        writeln!(
            out,
            "  {style}expired{style:#} the baseline entry `{}` counts no more since {}",
            plain(&known.pattern),
            known.expires
        )?;
    }
    Ok(())
}

fn write_summary(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    let run = &report.run;
    let ran = run.outcomes().count();
    let noun = if ran == 1 { "case" } else { "cases" };
    write!(
        out,
        "  {BOLD}{ran} {noun}{BOLD:#} in {:.1} s",
        run.duration.as_secs_f64()
    )?;
    let mut separator = ':';
    for verdict in Verdict::ALL {
        let count = run.count(verdict);
        if count > 0 {
            let style = style(verdict);
            write!(
                out,
                "{separator} {style}{count} {}{style:#}",
                verdict.word()
            )?;
            separator = ',';
        }
    }
    let excused = run
        .outcomes()
        .filter(|(case, outcome)| matches!(report.known(case, outcome), Known::Excused(_)))
        .count();
    if excused > 0 {
        write!(out, ", {excused} of them known")?;
    }
    let not_run = run.cases.len() - ran;
    if not_run > 0 {
        write!(out, "; {not_run} not run")?;
    }
    if let Some(advice) = report.suite.advice(run) {
        write!(out, "\n  {BOLD}next{BOLD:#}: {}", plain(&advice))?;
    }
    writeln!(out, "\n")
}

#[cfg(test)]
mod tests {
    use super::wrap;

    #[test]
    fn wrapped_text_keeps_its_words_and_its_width() {
        let text = "a target that says nothing for averyveryverylongword is silent";
        let lines = wrap(text, 12);
        assert_eq!(lines.join(" "), text);
        let too_long = |line: &&String| line.chars().count() > 12 && line.contains(' ');
        assert!(!lines.iter().any(|line| too_long(&line)), "{lines:?}");
        assert_eq!(wrap("", 5), [""]);
    }
}
