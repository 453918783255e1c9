//! Whoever looks on while a system runs.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::hash::Hash;
use std::sync::{Arc, Mutex};

use super::Place;
use crate::node::{Input, Node, Output};

/// One thing that an observer sees.
#[derive(Debug)]
pub enum Seen<'a, N: Node> {
    /// The node is about to take an input.
    Took {
        /// Who.
        node: Place,
        /// What.
        input: &'a Input<N>,
        /// For [`Input::Opened`]: whether the node itself dialled.
        dialled: bool,
    },
    /// The node refused the input it was given last.
    Refused {
        /// Who.
        node: Place,
        /// Why.
        why: &'a N::Rejected,
    },
    /// The node did something.
    Did {
        /// Who.
        node: Place,
        /// What.
        output: &'a Output<N>,
    },
    /// The node has done everything that it does about the input it took last.
    Stepped {
        /// Who.
        node: Place,
        /// The timer whose expiry was that input, if it was one.
        expired: Option<&'a N::Timer>,
    },
    /// Nothing is under way any more.
    Quiet,
    /// A node joined, in its first state.
    Joined(Place),
    /// A node went away: it left or crashed; its connections end.
    Departed {
        /// Who.
        node: Place,
        /// Whether it went without a word.
        crashed: bool,
    },
}

/// An observer of a system, with a memory that is part of the system's state.
///
/// What it remembers must be bounded. It reports through [`Findings`]: a correct specification leaves no trace
/// there, so looking for broken properties does not split states.
pub trait Observe<N: Node>: Send + Sync + 'static {
    /// What it remembers.
    type Memory: Clone + Eq + Hash + Debug + Send + Sync;

    /// The properties it asks, by name.
    fn properties(&self) -> Vec<&'static str>;

    /// What it knows before anything happened.
    fn begin(&self) -> Self::Memory;

    /// Sees something, remembers it, and reports what it found.
    fn see(&self, memory: &mut Self::Memory, seen: &Seen<'_, N>, findings: &mut Findings);
}

/// Nobody looks.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nobody;

impl<N: Node> Observe<N> for Nobody {
    type Memory = ();

    fn properties(&self) -> Vec<&'static str> {
        Vec::new()
    }

    fn begin(&self) {}

    fn see(&self, (): &mut (), _: &Seen<'_, N>, _: &mut Findings) {}
}

/// What an observer found in one step.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    /// Broken properties, each with what was seen.
    pub broken: Vec<(&'static str, String)>,
    /// Properties that were put to the test here, whether they held or not.
    pub tested: Vec<&'static str>,
}

/// Which properties were put to the test anywhere in a run.
///
/// It stands outside the states: the same step always enters the same names, so it depends only on which steps
/// were explored, and a complete run explores them all.
#[derive(Clone, Debug, Default)]
pub struct Tally(Arc<Mutex<BTreeSet<&'static str>>>);

impl Tally {
    pub(super) fn enter(&self, tested: &[&'static str]) {
        if !tested.is_empty()
            && let Ok(mut names) = self.0.lock()
        {
            names.extend(tested);
        }
    }

    /// The names so far.
    pub fn names(&self) -> BTreeSet<&'static str> {
        self.0.lock().map(|names| names.clone()).unwrap_or_default()
    }
}
