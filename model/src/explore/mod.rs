//! The gate: a model is explored completely, or the answer is "incomplete".
//!
//! Callers ask [`check`] about every state that a model can reach, or [`find`] for the shortest way to one
//! state. What does the exploring is hidden behind these two: at present Stateright's breadth-first search on
//! one thread, with exactly one property, because then
//! - a run that was cut short (states, depth, time) cannot pass: the gate notices the cut itself;
//! - the first state that stops the search lies on a shortest trace;
//! - a fact that is to be true somewhere and never was fails the check;
//! - facts of the kind `Eventually` are listed as not checked, never as holding.
//!
//! Visited states are 64-bit fingerprints: a collision can hide a state. An explorer that keeps exact states
//! can take the place of this inside without a change for callers.

mod gate;
mod pack;
mod trace;

use std::fmt;
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use stateright::{Expectation, Model};

pub use gate::Progress;
pub use pack::Pack;
pub use trace::{ReplayError, Trace, replay, replay_named};

use crate::property::Kind;

/// A model that can be explored.
pub trait Explorable:
    Model<State: Clone + Eq + Hash + Send + Sync, Action: Clone + Eq + Send + Sync>
    + Send
    + Sync
    + 'static
{
}

impl<M> Explorable for M where
    M: Model<State: Clone + Eq + Hash + Send + Sync, Action: Clone + Eq + Send + Sync>
        + Send
        + Sync
        + 'static
{
}

/// A named fact about the states of a model.
pub struct Fact<M: Model> {
    /// States the fact.
    pub name: &'static str,
    /// Its shape.
    pub kind: Kind,
    /// Whether it is true of a state.
    pub holds: Judge<M>,
}

/// Decides whether a fact is true of a state.
pub type Judge<M> = Arc<dyn Fn(&M, &<M as Model>::State) -> bool + Send + Sync>;

impl<M: Model> Fact<M> {
    /// True of every state.
    pub fn always(
        name: &'static str,
        holds: impl Fn(&M, &M::State) -> bool + Send + Sync + 'static,
    ) -> Self {
        Self {
            name,
            kind: Kind::Always,
            holds: Arc::new(holds),
        }
    }

    /// True of at least one state.
    pub fn sometimes(
        name: &'static str,
        holds: impl Fn(&M, &M::State) -> bool + Send + Sync + 'static,
    ) -> Self {
        Self {
            name,
            kind: Kind::Sometimes,
            holds: Arc::new(holds),
        }
    }

    /// The facts that a model states by itself.
    pub fn of(model: &M) -> Vec<Self>
    where
        M: 'static,
    {
        let fact = |property: stateright::Property<M>| Self {
            name: property.name,
            kind: match property.expectation {
                Expectation::Always => Kind::Always,
                Expectation::Sometimes => Kind::Sometimes,
                Expectation::Eventually => Kind::Eventually {
                    fairness: "as the model states",
                },
            },
            holds: Arc::new(property.condition),
        };
        model.properties().into_iter().map(fact).collect()
    }
}

impl<M: Model> Clone for Fact<M> {
    fn clone(&self) -> Self {
        Self {
            name: self.name,
            kind: self.kind,
            holds: Arc::clone(&self.holds),
        }
    }
}

impl<M: Model> fmt::Debug for Fact<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fact")
            .field("name", &self.name)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

/// How far a run may go; a run that would go farther is incomplete.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// States visited.
    pub states: Option<usize>,
    /// Actions from an initial state.
    pub depth: Option<usize>,
    /// Time spent.
    pub time: Option<Duration>,
}

/// The answer of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every reachable state was visited, and every fact of the kinds `Always` and `Sometimes` holds.
    Holds,
    /// A fact is broken: a state breaks it, or no state of a complete run makes it true.
    Violated {
        /// Which fact; its report has the trace.
        property: &'static str,
    },
    /// The run ended before it had visited every reachable state.
    Incomplete {
        /// What ended it, and what it covered.
        why: String,
    },
}

/// The answer about one fact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PropertyVerdict {
    /// True of every state (`Always`), of some state (`Sometimes`).
    Holds,
    /// A reachable state breaks it.
    Violated,
    /// It was to be true somewhere, and is not in any reachable state.
    NeverReached,
    /// The run ended before this could be told.
    Unknown,
    /// Not asked; the text says why.
    NotChecked(&'static str),
}

/// One fact and the answer about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PropertyReport<A> {
    /// The fact.
    pub name: &'static str,
    /// Its shape.
    pub kind: Kind,
    /// The answer.
    pub verdict: PropertyVerdict,
    /// The shortest way to the state that broke it; empty when nothing did.
    pub trace: Trace<A>,
}

/// What a run found.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckReport<A> {
    /// The answer.
    pub verdict: Verdict,
    /// States visited; all reachable ones unless the run is violated or incomplete.
    pub states: usize,
    /// Steps from a state to a state, each counted once.
    pub transitions: usize,
    /// Actions from an initial state to the farthest visited state.
    pub depth: usize,
    /// How long it took.
    pub seconds: f64,
    /// The answer about each fact, in the order they were given.
    pub properties: Vec<PropertyReport<A>>,
}

impl<A> CheckReport<A> {
    /// The report about the fact of that name.
    pub fn property(&self, name: &str) -> Option<&PropertyReport<A>> {
        self.properties.iter().find(|report| report.name == name)
    }
}

/// Why a fact of the kind `Eventually` is not asked.
pub const LIVENESS_NOT_CHECKED: &str = "not checked until liveness is available";

/// Asks the model's own properties about every reachable state.
pub fn check<M: Explorable>(model: &Arc<M>, limits: Limits) -> CheckReport<M::Action> {
    check_facts(model, Fact::of(model), limits, Progress::unwatched())
}

/// Asks `facts` about every reachable state, and stops at the first state that breaks one.
///
/// The trace to it is a shortest one for the facts that were asked: ask one alone to learn its shortest trace.
pub fn check_facts<M: Explorable>(
    model: &Arc<M>,
    facts: Vec<Fact<M>>,
    limits: Limits,
    progress: Progress,
) -> CheckReport<M::Action> {
    gate::run(model, facts, limits, gate::Stop::AtBroken, progress)
}

/// The shortest trace to a state where `wanted` is true; `None` when no reachable state is such.
///
/// # Errors
/// The run ended before every reachable state was visited; the text says why.
pub fn find<M: Explorable>(
    model: &Arc<M>,
    wanted: Fact<M>,
    limits: Limits,
) -> Result<Option<Trace<M::Action>>, String> {
    let report = gate::run(
        model,
        vec![wanted],
        limits,
        gate::Stop::AtReached,
        Progress::unwatched(),
    );
    let reached = report.properties.into_iter().next();
    match (report.verdict, reached) {
        (Verdict::Incomplete { why }, _) => Err(why),
        (Verdict::Holds, Some(property)) => Ok(Some(property.trace)),
        _ => Ok(None),
    }
}

/// How many states are reachable, counted by Stateright's depth-first search: a second opinion on [`check`].
pub fn count_depth_first<M: Explorable>(model: &Arc<M>) -> usize {
    gate::count_depth_first(model)
}
