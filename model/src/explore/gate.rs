//! Stateright behind the gate.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;

use stateright::{Checker, Model, Property};

use super::{
    CheckReport, Explorable, Fact, LIVENESS_NOT_CHECKED, Limits, PropertyReport, PropertyVerdict,
    Trace, Verdict,
};
use crate::property::Kind;

/// Told now and then how many states a run has visited.
#[derive(Clone)]
pub struct Progress(Option<Arc<dyn Fn(usize) + Send + Sync>>);

impl Progress {
    /// Nobody looks.
    pub fn unwatched() -> Self {
        Self(None)
    }

    /// Calls `told` every few thousand states.
    pub fn told_to(told: impl Fn(usize) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(told)))
    }
}

impl std::fmt::Debug for Progress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_some() {
            "Progress(watched)"
        } else {
            "Progress(unwatched)"
        })
    }
}

/// How often the clock is read and progress is told, in states.
const EVERY: usize = 2_048;

/// Which state ends a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// One that breaks an `Always` fact.
    AtBroken,
    /// One where the first fact is true.
    AtReached,
    /// None: every state is visited.
    Never,
}

/// A model that watches its own exploration.
struct Gate<M: Model> {
    model: Arc<M>,
    facts: Vec<Fact<M>>,
    limits: Limits,
    stop: Stop,
    progress: Progress,
    began: Instant,
    visited: AtomicUsize,
    stepped: AtomicUsize,
    /// For each fact: whether a state decided it (broke `Always`, reached `Sometimes`).
    decided: Vec<AtomicBool>,
    out_of_states: AtomicBool,
    out_of_time: AtomicBool,
}

impl<M: Explorable> Gate<M> {
    fn new(
        model: &Arc<M>,
        facts: Vec<Fact<M>>,
        limits: Limits,
        stop: Stop,
        progress: Progress,
    ) -> Self {
        Self {
            model: Arc::clone(model),
            decided: facts.iter().map(|_| AtomicBool::new(false)).collect(),
            facts,
            limits,
            stop,
            progress,
            began: Instant::now(),
            visited: AtomicUsize::new(0),
            stepped: AtomicUsize::new(0),
            out_of_states: AtomicBool::new(false),
            out_of_time: AtomicBool::new(false),
        }
    }

    fn is_cut(&self) -> bool {
        self.out_of_states.load(Ordering::Relaxed) || self.out_of_time.load(Ordering::Relaxed)
    }

    /// Takes note of a visited state; false when the run shall end here.
    fn visit(&self, state: &M::State) -> bool {
        if self.is_cut() {
            return false;
        }
        let visited = self.visited.fetch_add(1, Ordering::Relaxed) + 1;
        if self.limits.states.is_some_and(|limit| visited > limit) {
            self.visited.fetch_sub(1, Ordering::Relaxed);
            self.out_of_states.store(true, Ordering::Relaxed);
            return false;
        }
        if visited.is_multiple_of(EVERY) {
            if let Some(told) = &self.progress.0 {
                told(visited);
            }
            let spent = self.began.elapsed();
            if self.limits.time.is_some_and(|limit| spent >= limit) {
                self.out_of_time.store(true, Ordering::Relaxed);
                return false;
            }
        }
        let mut go_on = true;
        for (fact, decided) in self.facts.iter().zip(&self.decided) {
            // What is decided needs no second look, save where the run is to end at the deciding state.
            let is_true = || (fact.holds)(&self.model, state);
            match fact.kind {
                Kind::Always if !is_true() => {
                    decided.store(true, Ordering::Relaxed);
                    go_on &= self.stop != Stop::AtBroken;
                }
                Kind::Sometimes if !decided.load(Ordering::Relaxed) && is_true() => {
                    decided.store(true, Ordering::Relaxed);
                    go_on &= self.stop != Stop::AtReached;
                }
                _ => {}
            }
        }
        go_on
    }

    fn cut(&self, depth: usize) -> Option<String> {
        let visited = self.visited.load(Ordering::Relaxed);
        if self.out_of_states.load(Ordering::Relaxed) {
            Some(format!(
                "the limit of {visited} states was reached at depth {depth}"
            ))
        } else if self.out_of_time.load(Ordering::Relaxed) {
            let seconds = self.limits.time.unwrap_or_default().as_secs_f64();
            Some(format!(
                "the limit of {seconds} s was reached after {visited} states at depth {depth}"
            ))
        } else if self.limits.depth.is_some_and(|limit| depth > limit) {
            Some(format!(
                "the limit of depth {} was reached after {visited} states",
                depth - 1
            ))
        } else {
            None
        }
    }
}

impl<M: Explorable> Model for Gate<M> {
    type State = M::State;
    type Action = M::Action;

    fn init_states(&self) -> Vec<Self::State> {
        self.model.init_states()
    }

    fn actions(&self, state: &Self::State, actions: &mut Vec<Self::Action>) {
        if !self.is_cut() {
            self.model.actions(state, actions);
        }
    }

    fn next_state(&self, state: &Self::State, action: Self::Action) -> Option<Self::State> {
        let next = self.model.next_state(state, action)?;
        if self.model.within_boundary(&next) {
            self.stepped.fetch_add(1, Ordering::Relaxed);
        }
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![Property::always("the run goes on", Self::visit)]
    }

    fn within_boundary(&self, state: &Self::State) -> bool {
        self.model.within_boundary(state)
    }
}

/// Explores breadth first.
pub(super) fn run<M: Explorable>(
    model: &Arc<M>,
    facts: Vec<Fact<M>>,
    limits: Limits,
    stop: Stop,
    progress: Progress,
) -> CheckReport<M::Action> {
    let gate = Gate::new(model, facts, limits, stop, progress);
    let mut builder = gate.checker().threads(1);
    if let Some(depth) = limits.depth {
        // Stateright counts states along a path and skips those at the target.
        builder = builder.target_max_depth(depth + 2);
    }
    let checker = builder.spawn_bfs().join();
    let gate = checker.model();
    let depth = checker.max_depth().saturating_sub(1);
    let cut = gate.cut(depth);
    // Stateright steps the model again to build a path, so the steps are read before.
    let transitions = gate.stepped.load(Ordering::Relaxed);
    let trace = match &cut {
        Some(_) => None,
        None => checker.discoveries().into_values().next(),
    };
    let trace = trace.map(|path| {
        let first = path.clone().into_states().into_iter().next();
        let start = gate
            .init_states()
            .iter()
            .position(|s| Some(s) == first.as_ref());
        Trace {
            start: start.unwrap_or(0),
            actions: path.into_actions(),
        }
    });
    let complete = cut.is_none() && trace.is_none();
    let properties = reports(gate, complete, trace.as_ref());
    let broken = properties.iter().find(|report| {
        matches!(
            report.verdict,
            PropertyVerdict::Violated | PropertyVerdict::NeverReached
        )
    });
    let verdict = match (broken, cut) {
        (Some(report), _) => Verdict::Violated {
            property: report.name,
        },
        (None, Some(why)) => Verdict::Incomplete { why },
        (None, None) => Verdict::Holds,
    };
    CheckReport {
        verdict,
        states: gate.visited.load(Ordering::Relaxed),
        transitions,
        depth,
        seconds: gate.began.elapsed().as_secs_f64(),
        properties,
    }
}

fn reports<M: Explorable>(
    gate: &Gate<M>,
    complete: bool,
    trace: Option<&Trace<M::Action>>,
) -> Vec<PropertyReport<M::Action>> {
    let report = |(fact, decided): (&Fact<M>, &AtomicBool)| {
        let decided = decided.load(Ordering::Relaxed);
        let verdict = match (fact.kind, decided, complete) {
            (Kind::Always, true, _) => PropertyVerdict::Violated,
            (Kind::Always, false, true) | (Kind::Sometimes, true, _) => PropertyVerdict::Holds,
            (Kind::Sometimes, false, true) => PropertyVerdict::NeverReached,
            (Kind::Always | Kind::Sometimes, false, false) => PropertyVerdict::Unknown,
            (Kind::Eventually { .. }, ..) => PropertyVerdict::NotChecked(LIVENESS_NOT_CHECKED),
        };
        // The run ended at the state that broke a fact, or that was looked for.
        let ended_here = match gate.stop {
            Stop::AtBroken => verdict == PropertyVerdict::Violated,
            Stop::AtReached => verdict == PropertyVerdict::Holds,
            Stop::Never => false,
        };
        PropertyReport {
            name: fact.name,
            kind: fact.kind,
            verdict,
            trace: trace.filter(|_| ended_here).cloned().unwrap_or_default(),
        }
    };
    gate.facts.iter().zip(&gate.decided).map(report).collect()
}

/// Explores depth first, all of it.
pub(super) fn count_depth_first<M: Explorable>(model: &Arc<M>) -> usize {
    let gate = Gate::new(
        model,
        Vec::new(),
        Limits::default(),
        Stop::Never,
        Progress::unwatched(),
    );
    gate.checker()
        .threads(1)
        .spawn_dfs()
        .join()
        .unique_state_count()
}
