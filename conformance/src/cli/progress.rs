//! A progress bar on standard error, when somebody looks at it.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::case::{CaseInfo, Outcome, Verdict};
use crate::run::Progress;

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

impl Progress for Bar {
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
