//! While a run goes on: a progress bar on standard error when somebody looks at it, captures and logs as cases end,
//! and recordings forgotten as far as no report needs them.

use std::io;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::case::{CaseInfo, Outcome, Verdict};
use crate::record::Recording;
use crate::report::{capture, diagram, log};
use crate::run::Progress;

/// The most events of a recording that outlive their case; a diagram folds them, and shows fewer.
const EVENTS: usize = 2_000;

/// Which recordings outlive their case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keep {
    /// None: no report shows a diagram.
    Nothing,
    /// Those of cases that did not pass.
    Failures,
    /// All.
    Everything,
}

/// What is written of every case, as it ends.
#[derive(Clone, Copy, Default)]
pub(super) struct Files<'a> {
    /// Where captures go.
    pub(super) captures: Option<&'a Path>,
    /// Where logs go.
    pub(super) logs: Option<&'a Path>,
    /// The seed that their names carry.
    pub(super) seed: u64,
}

impl Files<'_> {
    fn write(&self, case: &CaseInfo, outcome: &Outcome) -> io::Result<()> {
        if let Some(directory) = self.captures {
            capture::write_file(directory, case.id, self.seed, &outcome.recording)?;
        }
        match self.logs {
            Some(directory) => log::write_file(directory, case.id, self.seed, &outcome.events),
            None => Ok(()),
        }
    }
}

/// Looks at a run on behalf of the reports.
pub(super) struct Watcher<'a> {
    bar: Bar,
    keep: Keep,
    files: Files<'a>,
    trouble: Mutex<Option<io::Error>>,
}

impl<'a> Watcher<'a> {
    pub(super) fn new(bar: Bar, keep: Keep, files: Files<'a>) -> Self {
        Self {
            bar,
            keep,
            files,
            trouble: Mutex::new(None),
        }
    }

    /// The first file of a case that could not be written.
    pub(super) fn trouble(self) -> Option<io::Error> {
        self.trouble
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Progress for Watcher<'_> {
    fn begins(&self, case: &CaseInfo) {
        self.bar.begins(case);
    }

    fn ended(&self, case: &CaseInfo, outcome: &mut Outcome) {
        self.bar.ended(case, outcome);
        if let Err(error) = self.files.write(case, outcome) {
            let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
            trouble.get_or_insert(error);
        }
        outcome.events = Vec::new();
        let shown = match self.keep {
            Keep::Nothing => false,
            Keep::Failures => outcome.verdict != Verdict::Pass,
            Keep::Everything => true,
        };
        if shown {
            outcome.recording.shed(diagram::SHOWN_BYTES, EVENTS);
        } else {
            outcome.recording = Recording::default();
        }
    }
}

/// Shows how many cases ended, and which one began last. Draws nothing where standard error is no terminal.
pub(super) struct Bar {
    bar: ProgressBar,
    /// Whether a failed case gets a line at once.
    tells_failures: bool,
}

impl Bar {
    /// A bar that also tells failures as they happen.
    pub(super) fn new(suite: &str, cases: usize) -> Self {
        let mut bar = Self::quiet(suite, cases);
        bar.tells_failures = !bar.bar.is_hidden();
        bar
    }

    /// A bar alone, for runs in which failures are expected.
    pub(super) fn quiet(suite: &str, cases: usize) -> Self {
        let length = u64::try_from(cases).unwrap_or(u64::MAX);
        let bar = ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::stderr());
        if let Ok(style) =
            ProgressStyle::with_template("{prefix} {bar:24} {pos}/{len} {wide_msg:.dim}")
        {
            bar.set_style(style);
        }
        bar.set_prefix(suite.to_owned());
        Self {
            bar,
            tells_failures: false,
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

impl Bar {
    fn begins(&self, case: &CaseInfo) {
        self.bar.set_message(case.id);
    }

    fn ended(&self, case: &CaseInfo, outcome: &Outcome) {
        self.bar.inc(1);
        if self.tells_failures && matches!(outcome.verdict, Verdict::Fail | Verdict::Error) {
            self.bar.suspend(|| {
                let word = outcome.verdict.word();
                let style = crate::report::terminal::style(outcome.verdict);
                anstream::eprintln!("{style}{word}{style:#} {}", case.id);
            });
        }
    }
}
