//! Plays the chosen cases of a suite: several at a time where the target allows it, each contained.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use crate::case::{CaseInfo, Level, Outcome, Verdict};
use crate::record::Recording;
use crate::suite::{Session, Suite};

/// Which cases are wanted.
#[derive(Clone, Debug)]
pub struct Selection {
    /// Patterns on the id; none means all.
    pub patterns: Vec<globset::GlobMatcher>,
    /// The least binding level that still runs.
    pub level: Level,
    /// Whether slow cases run.
    pub slow: bool,
    /// Whether the run ends with the first case that fails: they are then played one after the other.
    pub until_first_fail: bool,
}

impl Default for Selection {
    fn default() -> Self {
        Self {
            patterns: Vec::new(),
            level: Level::May,
            slow: false,
            until_first_fail: false,
        }
    }
}

impl Selection {
    /// Whether patterns and level choose the case, slow or not.
    pub fn names(&self, case: &CaseInfo) -> bool {
        case.level <= self.level
            && (self.patterns.is_empty() || self.patterns.iter().any(|glob| glob.is_match(case.id)))
    }
}

/// One case with what came of it; `None` when it was chosen but not run: because it is slow, or because the run ended
/// before.
#[derive(Clone, Debug)]
pub struct CaseReport {
    /// The case.
    pub info: CaseInfo,
    /// What came of it.
    pub outcome: Option<Outcome>,
    /// Why nothing came of it, when nothing did.
    pub why_not: Option<WhyNot>,
}

/// Why a chosen case was not run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhyNot {
    /// Nothing could be judged.
    Problem,
    /// It needs minutes, and nobody asked for those.
    Slow,
    /// The run ended before.
    Ended,
    /// It needs messages that travel through the kit.
    Network,
}

impl WhyNot {
    /// The word that reports for programs use.
    pub fn word(self) -> &'static str {
        match self {
            Self::Problem => "problem",
            Self::Slow => "slow",
            Self::Ended => "ended",
            Self::Network => "network",
        }
    }
}

/// One run of one suite.
#[derive(Clone, Debug)]
pub struct SuiteReport {
    /// The suite's name.
    pub suite: &'static str,
    /// How the target is named.
    pub target: String,
    /// The seed of everything random.
    pub seed: u64,
    /// The cases, in the order of the suite.
    pub cases: Vec<CaseReport>,
    /// How long the run took.
    pub duration: Duration,
}

impl SuiteReport {
    /// How many cases ended with `verdict`.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.outcomes()
            .filter(|(_, outcome)| outcome.verdict == verdict)
            .count()
    }

    /// The cases that ran, with what came of them.
    pub fn outcomes(&self) -> impl Iterator<Item = (&CaseInfo, &Outcome)> {
        self.cases
            .iter()
            .filter_map(|case| Some((&case.info, case.outcome.as_ref()?)))
    }

    /// The exit status this run alone deserves, by the precedence 4, 1, 3, 0.
    pub fn exit_status(&self) -> u8 {
        self.exit_status_except(|_, _| false)
    }

    /// The same, with the verdicts left out that `excused` says are known.
    pub fn exit_status_except(&self, excused: impl Fn(&CaseInfo, &Outcome) -> bool) -> u8 {
        let must = |verdict| {
            self.outcomes().any(|(info, outcome)| {
                info.level == Level::Must && outcome.verdict == verdict && !excused(info, outcome)
            })
        };
        if self.count(Verdict::Error) > 0 {
            4
        } else if must(Verdict::Fail) {
            1
        } else if must(Verdict::Inconclusive) || self.outcomes().next().is_none() {
            3
        } else {
            0
        }
    }
}

/// Told while a run goes on.
pub trait Progress: Sync {
    /// A case begins.
    fn begins(&self, case: &CaseInfo);
    /// A case ended. What nobody needs any more of its recording may be forgotten here, while others still run.
    fn ended(&self, case: &CaseInfo, outcome: &mut Outcome);
}

/// Nobody looks.
pub struct Unwatched;

impl Progress for Unwatched {
    fn begins(&self, _: &CaseInfo) {}
    fn ended(&self, _: &CaseInfo, _: &mut Outcome) {}
}

/// Plays the chosen cases against an open session.
pub fn run(
    suite: &dyn Suite,
    session: &dyn Session,
    selection: &Selection,
    seed: u64,
    progress: &dyn Progress,
) -> SuiteReport {
    let began = std::time::Instant::now();
    let chosen: Vec<CaseInfo> = suite
        .cases()
        .into_iter()
        .filter(|case| selection.names(case))
        .collect();
    let slots: Vec<Mutex<Option<Outcome>>> = chosen.iter().map(|_| Mutex::new(None)).collect();
    let why_not = |info: &CaseInfo| match info.slow && !selection.slow {
        true => Some(WhyNot::Slow),
        false => session.skips(info),
    };
    let runs = |index: &usize| why_not(&chosen[*index]).is_none();
    let (alone, together): (Vec<usize>, Vec<usize>) = (0..chosen.len())
        .filter(runs)
        .partition(|index| chosen[*index].alone && !selection.until_first_fail);
    let over = AtomicBool::new(false);
    let next = AtomicUsize::new(0);
    let play = |index: usize| {
        let info = &chosen[index];
        progress.begins(info);
        let mut outcome = contained(session, info, seed);
        let fails = matches!(outcome.verdict, Verdict::Fail | Verdict::Error);
        over.fetch_or(fails && selection.until_first_fail, Ordering::Relaxed);
        progress.ended(info, &mut outcome);
        if let Ok(mut slot) = slots[index].lock() {
            *slot = Some(outcome);
        }
    };
    let at_once = match selection.until_first_fail {
        true => 1,
        false => session.concurrency().clamp(1, together.len().max(1)),
    };
    std::thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(|| {
                while let Some(index) = together.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if over.load(Ordering::Relaxed) {
                        return;
                    }
                    play(*index);
                }
            });
        }
    });
    alone.into_iter().for_each(play);
    let cases = chosen.iter().zip(slots).map(|(info, slot)| {
        let outcome = slot.into_inner().ok().flatten();
        let ended = WhyNot::Ended;
        CaseReport {
            info: *info,
            why_not: outcome.is_none().then(|| why_not(info).unwrap_or(ended)),
            outcome,
        }
    });
    SuiteReport {
        suite: suite.name(),
        target: session.target(),
        seed,
        cases: cases.collect(),
        duration: began.elapsed(),
    }
}

/// A panic inside a case is the kit's fault and stays inside the case.
fn contained(session: &dyn Session, info: &CaseInfo, seed: u64) -> Outcome {
    let began = std::time::Instant::now();
    catch_unwind(AssertUnwindSafe(|| session.play(info, seed))).unwrap_or_else(|panic| {
        let why = panic
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| panic.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "a panic without words".to_owned());
        Outcome::new(
            Verdict::Error,
            format!("the kit panicked: {why}"),
            Recording::default(),
            began.elapsed(),
        )
    })
}
