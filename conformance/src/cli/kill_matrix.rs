//! `peerproof kill-matrix`: which case catches which broken reference node.

use std::fmt::Write as _;
use std::io::Write;
use std::path::PathBuf;

use super::progress::{Bar, Keep, Watcher};
use super::{BROKEN, Catalogue, Failure, GOOD, KIT, outputs, suite};
use crate::case::{CaseInfo, Verdict};
use crate::run::{self, Selection, SuiteReport};
use crate::suite::{Break, Options, Suite};
use crate::target::Target;

#[derive(clap::Args)]
pub(super) struct Args {
    /// The suite; without one, all of them
    suite: Option<String>,
    /// Run the cases that need minutes, too
    #[arg(long)]
    slow: bool,
    /// Write the matrix as Markdown into this file
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
}

pub(super) fn run(args: &Args, catalogue: &Catalogue, out: &mut dyn Write) -> Result<u8, Failure> {
    let suites = match &args.suite {
        Some(name) => vec![suite(catalogue, name)?],
        None => catalogue.suites.clone(),
    };
    if let Some(path) = &args.write {
        outputs::writable(path)?;
    }
    let mut text = String::from(PREFACE);
    let mut proven = true;
    for suite in suites {
        let matrix = Matrix::of(suite, args.slow)?;
        proven &= matrix.proven();
        let part = matrix.markdown();
        write!(out, "{part}")?;
        out.flush()?;
        text += &part;
    }
    if let Some(path) = &args.write {
        std::fs::write(path, &text).map_err(|error| Failure {
            status: KIT,
            message: format!("cannot write {}: {error}", path.display()),
        })?;
    }
    Ok(if proven { GOOD } else { BROKEN })
}

const PREFACE: &str = "\
# The kill matrix

Every seeded violation of a reference node, the case that was declared beforehand to catch it, whether it did,
and the other cases that noticed. Written by `peerproof kill-matrix --write docs/kill-matrix.md`.
";

/// What the cases of a suite say about the sound node and every broken one.
struct Matrix {
    suite: &'static dyn Suite,
    sound: SuiteReport,
    broken: Vec<(Break, SuiteReport)>,
}

impl Matrix {
    fn of(suite: &'static dyn Suite, slow: bool) -> Result<Self, Failure> {
        let chosen = Selection {
            slow,
            ..Selection::default()
        };
        let sound = play(suite, None, &chosen)?;
        let broken = suite.breaks().iter().map(|it| {
            let mut report = play(suite, Some(it.name), &chosen)?;
            let cases = suite.cases();
            // A break that only a slow case can catch needs that one case all the same.
            let catcher = cases.iter().find(|case| case.id == it.caught_by);
            if let Some(catcher) = catcher.filter(|case| case.slow && !slow) {
                let alone = play(suite, Some(it.name), &only(catcher.id)?)?;
                report.cases.retain(|case| case.info.id != catcher.id);
                report.cases.extend(alone.cases);
            }
            Ok((*it, report))
        });
        Ok(Self {
            suite,
            sound,
            broken: broken.collect::<Result<_, Failure>>()?,
        })
    }

    /// Whether the sound node keeps everything and every break is caught by the case declared for it.
    fn proven(&self) -> bool {
        self.unsound().is_empty()
            && self
                .broken
                .iter()
                .all(|(it, report)| catches(report, it.caught_by))
    }

    /// The cases that the sound node does not pass.
    fn unsound(&self) -> Vec<&'static str> {
        let outcomes = self.sound.outcomes();
        outcomes
            .filter(|(_, outcome)| outcome.verdict != Verdict::Pass)
            .map(|(case, _)| case.id)
            .collect()
    }

    fn markdown(&self) -> String {
        let name = self.suite.name();
        let ran = self.sound.outcomes().count();
        let unsound = self.unsound();
        let mut text = format!("\n## {name}\n\n");
        // Writing into a string cannot fail.
        let _ = match unsound.as_slice() {
            [] => writeln!(text, "The sound node passes all {ran} cases.\n"),
            ids => writeln!(
                text,
                "The sound node does NOT pass {} of {ran} cases: {}.\n",
                ids.len(),
                ids.join(", ")
            ),
        };
        text += "| break | what the node does wrong | declared to catch it | caught | noticed by, too |\n";
        text += "|---|---|---|---|---|\n";
        for (it, report) in &self.broken {
            let caught = if catches(report, it.caught_by) {
                "yes"
            } else {
                "**NO**"
            };
            let others: Vec<&str> = report
                .outcomes()
                .filter(|(case, outcome)| case.id != it.caught_by && noticed(outcome.verdict))
                .map(|(case, _)| short(name, case.id))
                .collect();
            let others = if others.is_empty() {
                "–".to_owned()
            } else {
                others.join(", ")
            };
            let catcher = short(name, it.caught_by);
            let _ = writeln!(
                text,
                "| {} | {} | {catcher} | {caught} | {others} |",
                it.name, it.what
            );
        }
        text
    }
}

/// A verdict that says something is wrong, and not merely that nothing was seen.
fn noticed(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Fail | Verdict::NonStrict)
}

fn catches(report: &SuiteReport, id: &str) -> bool {
    report
        .outcomes()
        .any(|(case, outcome)| case.id == id && noticed(outcome.verdict))
}

fn short<'a>(suite: &str, id: &'a str) -> &'a str {
    id.strip_prefix(suite)
        .map_or(id, |rest| rest.trim_start_matches('/'))
}

/// That one case, slow or not.
fn only(id: &str) -> Result<Selection, Failure> {
    let glob = globset::Glob::new(id).map_err(|error| Failure {
        status: KIT,
        message: format!("{id} is no pattern: {error}"),
    })?;
    Ok(Selection {
        patterns: vec![glob.compile_matcher()],
        slow: true,
        ..Selection::default()
    })
}

fn play(
    suite: &'static dyn Suite,
    bug: Option<&str>,
    selection: &Selection,
) -> Result<SuiteReport, Failure> {
    let options = Options::default();
    let target = Target::Embedded {
        bug: bug.map(str::to_owned),
    };
    let session = suite.open(&target, &options).map_err(|error| Failure {
        status: KIT,
        message: format!(
            "the {} of {} does not start: {error}",
            target.name(),
            suite.name()
        ),
    })?;
    let chosen = |case: &&CaseInfo| selection.names(case) && (selection.slow || !case.slow);
    let cases = suite.cases().iter().filter(chosen).count();
    let bar = Bar::quiet(
        &format!("{} {}", suite.name(), bug.unwrap_or("sound")),
        cases,
    );
    // Only the verdicts count here, and there are many runs.
    let watcher = Watcher::new(bar, Keep::Nothing, None);
    Ok(run::run(
        suite,
        &*session,
        selection,
        options.seed,
        &watcher,
    ))
}
