//! The suite `chord` against the reference node, sound and broken.

use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use peerproof::case::{CaseInfo, Verdict};
use peerproof::run::{Selection, SuiteReport, Unwatched, run};
use peerproof::suite::chord::ChordSuite;
use peerproof::suite::{Break, Options, Suite};
use peerproof::target::Target;

fn judge(
    bug: Option<&str>,
    options: &Options,
    selection: &Selection,
) -> Result<SuiteReport, Failed> {
    let target = Target::Embedded {
        bug: bug.map(str::to_owned),
    };
    let session = ChordSuite.open(&target, options)?;
    let seed = options.seed;
    Ok(run(&ChordSuite, &*session, selection, seed, &Unwatched))
}

fn only(id: &str) -> Result<Selection, Failed> {
    Ok(Selection {
        patterns: vec![globset::Glob::new(id)?.compile_matcher()],
        slow: true,
        ..Selection::default()
    })
}

/// The reference passes a case. Only an overloaded machine may keep it from being judged, and then not for ever.
fn passes(case: &CaseInfo) -> Result<(), Failed> {
    let mut last = String::new();
    for seed in 1..=3 {
        let options = Options {
            seed,
            ..Options::default()
        };
        let report = judge(None, &options, &only(case.id)?)?;
        let (_, outcome) = report.outcomes().next().ok_or("the case did not run")?;
        match outcome.verdict {
            Verdict::Pass => return Ok(()),
            Verdict::Inconclusive if outcome.observed.contains("kept the kit waiting") => {
                last.clone_from(&outcome.observed);
            }
            other => return Err(format!("{other:?}: {}", outcome.observed).into()),
        }
    }
    Err(format!("never judged: {last}").into())
}

/// A break is caught when the declared case sees its property broken.
fn catches(known: &Break) -> Result<(), Failed> {
    let report = judge(
        Some(known.name),
        &Options::default(),
        &only(known.caught_by)?,
    )?;
    let (_, outcome) = report.outcomes().next().ok_or("the case did not run")?;
    match outcome.verdict {
        Verdict::Fail | Verdict::NonStrict => Ok(()),
        other => Err(format!("{other:?}: {}", outcome.observed).into()),
    }
}

fn main() -> ExitCode {
    let mut trials: Vec<Trial> = Vec::new();
    for case in ChordSuite.cases() {
        trials.push(Trial::test(format!("passes {}", case.id), move || {
            passes(&case)
        }));
    }
    for known in ChordSuite.breaks() {
        let name = format!("catches {} by {}", known.name, known.caught_by);
        trials.push(Trial::test(name, move || catches(known)));
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}
