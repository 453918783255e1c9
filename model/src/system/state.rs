//! The state of a whole system, and what may happen to it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::hash::Hash;

use super::network::Traffic;
use super::scope::Act;
use super::shared::Shared;
use crate::node::Node;

/// Names a node by its place in the list of residents.
pub type Place = u8;

/// Everything that decides what can happen next, and what the observer remembers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State<N: Node, M: Clone + Eq + Hash + Debug> {
    /// The nodes that are there, by place.
    pub nodes: Vec<Option<Shared<N>>>,
    /// What is under way.
    pub traffic: Traffic<N::Message>,
    /// The timers that are set, with their remaining ticks (0 where time is not ticked).
    pub timers: BTreeMap<(Place, N::Timer), u32>,
    /// How often each timer with a bound has expired.
    pub expired: BTreeMap<(Place, N::Timer), u8>,
    /// How many acts of each script have happened.
    pub scripts: Vec<u8>,
    /// How many links the network has broken, or, where that has a bound, how many datagrams it has lost.
    pub breaks: u8,
    /// What the observer remembers.
    pub memory: Shared<M>,
    /// The properties that were broken on the way here; always empty for a correct specification.
    pub broken: BTreeSet<&'static str>,
    /// Whether the watched property was put to the test on the way here.
    pub tested: bool,
}

/// One thing that can happen; it carries the free choices that the nodes make in it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Action<N: Node> {
    /// A dial succeeds: the dialler is told first.
    Connect {
        /// Who dialled.
        by: Place,
        /// Whom.
        to: Place,
        /// Choices made.
        choices: Vec<usize>,
    },
    /// A dial fails, for nobody is there.
    Refuse {
        /// Who dialled.
        by: Place,
        /// Whom.
        to: Place,
        /// Choices made.
        choices: Vec<usize>,
    },
    /// A message arrives.
    Deliver {
        /// The sender.
        from: Place,
        /// The receiver.
        to: Place,
        /// What it says.
        message: N::Message,
        /// Whether a copy of the datagram stays under way.
        again: bool,
        /// Choices made.
        choices: Vec<usize>,
    },
    /// A datagram is lost.
    Lose {
        /// The sender.
        from: Place,
        /// The receiver.
        to: Place,
        /// What it says.
        message: N::Message,
    },
    /// A node learns that a connection is gone.
    Closed {
        /// Who learns it.
        node: Place,
        /// The other end.
        other: Place,
        /// Choices made.
        choices: Vec<usize>,
    },
    /// The network breaks a link.
    Break {
        /// The end with the lower place.
        low: Place,
        /// The other end.
        high: Place,
    },
    /// A timer expires.
    Expire {
        /// Whose.
        node: Place,
        /// Which.
        timer: N::Timer,
        /// Choices made.
        choices: Vec<usize>,
    },
    /// The next act of a script happens.
    Act {
        /// Which script.
        script: usize,
        /// What happens.
        act: Act<N::Request>,
        /// Choices made.
        choices: Vec<usize>,
    },
}

impl<N: Node> Action<N> {
    /// The choices that the nodes made in it.
    pub fn choices(&self) -> &[usize] {
        match self {
            Self::Connect { choices, .. }
            | Self::Refuse { choices, .. }
            | Self::Deliver { choices, .. }
            | Self::Closed { choices, .. }
            | Self::Expire { choices, .. }
            | Self::Act { choices, .. } => choices,
            Self::Lose { .. } | Self::Break { .. } => &[],
        }
    }

    /// The same thing with other choices.
    #[must_use]
    pub(super) fn choosing(mut self, made: Vec<usize>) -> Self {
        match &mut self {
            Self::Connect { choices, .. }
            | Self::Refuse { choices, .. }
            | Self::Deliver { choices, .. }
            | Self::Closed { choices, .. }
            | Self::Expire { choices, .. }
            | Self::Act { choices, .. } => *choices = made,
            Self::Lose { .. } | Self::Break { .. } => {}
        }
        self
    }
}
