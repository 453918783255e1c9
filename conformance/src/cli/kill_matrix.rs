//! `peerproof kill-matrix`: which case catches which broken reference node.

use std::fmt::Write as _;
use std::io::Write;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use super::progress::{Bar, Files, Keep, Watcher};
use super::{BROKEN, Catalogue, Failure, GOOD, KIT, outputs, suite};
use crate::case::{CaseInfo, Verdict};
use crate::run::{self, Selection, SuiteReport};
use crate::suite::{Break, Options, Suite};
use crate::target::Target;

#[derive(clap::Args)]
pub(super) struct Args {
    /// The suite; without one, all of them
    suite: Option<String>,
    /// Play every case against every broken node, not only the one that is declared to catch it
    #[arg(long)]
    all: bool,
    /// Run the cases that need minutes, too
    #[arg(long)]
    slow: bool,
    /// How many broken nodes are played with at the same time
    #[arg(long, value_name = "N", default_value_t = 6, value_parser = clap::value_parser!(u8).range(1..=64))]
    jobs: u8,
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
        let matrix = Matrix::of(suite, args)?;
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

Every seeded violation of a reference node, the case that was declared beforehand to catch it, and whether it did.
With `--all`, every other case is played too, and the last column names those that noticed.
Written by `peerproof kill-matrix --write docs/kill-matrix.md`.
";

/// What the cases of a suite say about the sound node and every broken one.
struct Matrix {
    suite: &'static dyn Suite,
    sound: SuiteReport,
    broken: Vec<(Break, SuiteReport)>,
}

impl Matrix {
    fn of(suite: &'static dyn Suite, args: &Args) -> Result<Self, Failure> {
        let chosen = Selection {
            slow: args.slow,
            ..Selection::default()
        };
        let sound = play(suite, None, &chosen)?;
        let breaks = suite.breaks();
        let next = AtomicUsize::new(0);
        let reports: Mutex<Vec<(usize, Result<SuiteReport, Failure>)>> = Mutex::default();
        std::thread::scope(|scope| {
            for _ in 0..args.jobs {
                scope.spawn(|| {
                    loop {
                        let index = next.fetch_add(1, Ordering::Relaxed);
                        let Some(it) = breaks.get(index) else { return };
                        let report = judge(suite, it, args.all.then_some(&chosen));
                        let mut reports = reports.lock().unwrap_or_else(PoisonError::into_inner);
                        reports.push((index, report));
                    }
                });
            }
        });
        let mut reports = reports.into_inner().unwrap_or_else(PoisonError::into_inner);
        reports.sort_by_key(|(index, _)| *index);
        let broken = breaks.iter().zip(reports);
        Ok(Self {
            suite,
            sound,
            broken: broken
                .map(|(it, (_, report))| Ok((*it, report?)))
                .collect::<Result<_, Failure>>()?,
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

/// What the declared case says of a broken node, and the others of `all` if they are wanted.
fn judge(
    suite: &'static dyn Suite,
    it: &Break,
    all: Option<&Selection>,
) -> Result<SuiteReport, Failure> {
    let declared = play(suite, Some(it.name), &only(it.caught_by)?)?;
    let Some(all) = all else { return Ok(declared) };
    let mut report = play(suite, Some(it.name), all)?;
    // A break that only a slow case can catch needs that one case all the same.
    report.cases.retain(|case| case.info.id != it.caught_by);
    report.cases.extend(declared.cases);
    Ok(report)
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
    let watcher = Watcher::new(bar, Keep::Nothing, Files::default());
    Ok(run::run(
        suite,
        &*session,
        selection,
        options.seed,
        &watcher,
    ))
}
