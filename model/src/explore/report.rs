//! What a run found.

use super::Trace;
use crate::property::Kind;

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
    /// A shortest way to the state that broke it, or that reached it; empty when no state did.
    pub trace: Trace<A>,
}

/// What a run found.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckReport<A> {
    /// The answer.
    pub verdict: Verdict,
    /// States visited; all reachable ones unless the run is violated or incomplete.
    pub states: usize,
    /// Steps from a visited state, each counted once.
    pub transitions: usize,
    /// Actions from an initial state to the farthest visited state.
    pub depth: usize,
    /// How long it took.
    pub seconds: f64,
    /// What the explorer's structures held when they held most.
    pub bytes: usize,
    /// The same, divided by the number of states that were kept.
    pub bytes_per_state: f64,
    /// The answer about each fact, in the order they were given.
    pub properties: Vec<PropertyReport<A>>,
}

impl<A> CheckReport<A> {
    /// The report about the fact of that name.
    pub fn property(&self, name: &str) -> Option<&PropertyReport<A>> {
        self.properties.iter().find(|report| report.name == name)
    }
}
