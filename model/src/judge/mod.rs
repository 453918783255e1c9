//! The specification as judge of a run: can a node that follows it have done what was seen?
//!
//! Of one node an observer sees what it was told and what it did, in the order in which that passed by. He sees
//! neither when its timers ran out, nor when it took up what it was told, nor its free choices. Every
//! possibility of these is followed: a set of possible states is advanced until one explains all that was seen, or
//! none is left. Nothing is asked about time: a set timer may run out at any moment, a node may be slow.

mod search;

use std::fmt::Debug;
use std::hash::Hash;

use crate::node::{Input, Node, Output};

/// A protocol whose nodes can be watched.
pub trait Witnessed: Node {
    /// What an observer sees of an output; it may say less than the output does.
    type Seen: Clone + Debug;

    /// Which names that a node is free to choose, such as the tags of its questions, stand for those of the model.
    type Names: Clone + Default + Eq + Hash + Debug;

    /// Whether an observer sees such an output at all.
    fn is_seen(output: &Output<Self>) -> bool;

    /// Whether what was seen may be what the model did; then `names` learns the names.
    fn fits(names: &mut Self::Names, did: &Output<Self>, seen: &Self::Seen) -> bool;

    /// What a node was told, in the names of the model.
    fn translated(names: &Self::Names, heard: &Input<Self>) -> Input<Self>;

    /// How much what the model would have done looks like what was seen; more is nearer.
    fn likeness(did: &Output<Self>, seen: &Self::Seen) -> u32;
}

/// What was seen of a node, and where in the log.
#[derive(Clone, Debug)]
pub enum Sight<N: Witnessed> {
    /// It was told this.
    Heard(Input<N>),
    /// It did this.
    Did(N::Seen),
}

/// What is known about the way to the node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// What it heard reached it, once, in the order of the log.
    InOrder,
    /// What it heard was sent to it: each may have reached it once, at any later time, or not at all.
    Perhaps,
}

/// One life of a node, from its start on.
#[derive(Clone, Debug)]
pub struct Life<N: Witnessed> {
    /// The node at its start.
    pub node: N,
    /// What was seen, each with its place in the log, in increasing order.
    pub sights: Vec<(usize, Sight<N>)>,
    /// What is known about the way to it.
    pub delivery: Delivery,
}

/// What the judge finds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding<N: Node> {
    /// A node that follows the specification can have done this.
    Explained,
    /// None can.
    Refused {
        /// The place of the first thing that nothing explains; everything before it is explained.
        place: usize,
        /// What the model could have done there instead, the nearest first.
        nearest: Vec<Output<N>>,
    },
    /// A bound was met first.
    Incomplete {
        /// The place of the first thing that was not explained until then.
        place: usize,
    },
}

/// How much may be tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most states that are tried.
    pub states: usize,
    /// The most possibilities that wait for their turn.
    pub waiting: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            states: 2_000_000,
            waiting: 2_000_000,
        }
    }
}

/// A finding and what it took.
#[derive(Clone, Debug)]
pub struct Verdict<N: Node> {
    /// What was found.
    pub finding: Finding<N>,
    /// How many states were tried.
    pub states: usize,
}

impl<N: Witnessed> Life<N> {
    /// Whether the specification explains this life; `goes_on` is asked now and then whether there is still time.
    pub fn judge(&self, limits: Limits, goes_on: &mut dyn FnMut() -> bool) -> Verdict<N> {
        search::Search::new(self, limits).run(goes_on)
    }
}

#[cfg(test)]
mod tests;
