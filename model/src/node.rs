//! The one shape of every protocol: a state machine without input or output.
//!
//! A [`Node`] is stepped by whoever runs it: the explorer, the simulator, the server on real sockets,
//! or the judge. It never reads a clock and never draws a random number. Time reaches it as expired
//! timers, and every free choice of its protocol goes through [`Choose`].

use std::fmt::Debug;
use std::hash::Hash;
use std::time::Duration;

use crate::choose::Choose;

/// One participant of a protocol.
///
/// On `Err` the node and `out` must be unchanged: a rejected input leaves no trace. The function
/// [`rejects_without_trace`] holds every protocol to this.
pub trait Node: Clone + Eq + Ord + Hash + Debug {
    /// How a node names the others: an address, an identifier, a link.
    type Id: Clone + Eq + Ord + Hash + Debug;
    /// What nodes say to each other.
    type Message: Clone + Eq + Ord + Hash + Debug;
    /// The timers that a node may set; at most one of each value runs at a time.
    type Timer: Clone + Eq + Ord + Hash + Debug;
    /// What the local user or program may ask of the node.
    type Request: Clone + Eq + Ord + Hash + Debug;
    /// What the node tells its local user or program.
    type Event: Clone + Eq + Ord + Hash + Debug;
    /// Why an input was refused.
    type Rejected: Clone + Eq + Debug;

    /// Takes one input, appends what the node does about it to `out`.
    ///
    /// # Errors
    /// The input is refused; neither the node nor `out` has changed.
    fn step(
        &mut self,
        input: Input<Self>,
        choose: &mut dyn Choose,
        out: &mut Vec<Output<Self>>,
    ) -> Result<(), Self::Rejected>;
}

/// What can happen to a node.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Input<N: Node> {
    /// A connection with the peer stands (connection-oriented protocols only).
    Opened(N::Id),
    /// A message arrived.
    Receive {
        /// The sender.
        from: N::Id,
        /// What it said.
        message: N::Message,
    },
    /// The connection with the peer is gone: the other side closed it, or the network broke it.
    Closed(N::Id),
    /// A timer that the node had set ran out; it is no longer set.
    Expire(N::Timer),
    /// The local user asks for something.
    Ask(N::Request),
}

/// What a node can do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Output<N: Node> {
    /// Ask for a connection; [`Input::Opened`] or [`Input::Closed`] follows.
    Open(N::Id),
    /// Send a message.
    Send {
        /// The receiver.
        to: N::Id,
        /// What to say.
        message: N::Message,
    },
    /// End a connection; no [`Input::Closed`] follows for it.
    Close(N::Id),
    /// Start the timer, or restart it when it runs.
    SetTimer {
        /// Which timer.
        timer: N::Timer,
        /// How long until it expires.
        after: Duration,
    },
    /// Stop the timer if it runs.
    CancelTimer(N::Timer),
    /// Tell the local user.
    Tell(N::Event),
}

/// Steps a copy of `node` and says whether the contract of [`Node::step`] was kept:
/// `None` when the input was accepted, `Some(true)` when it was refused without a trace.
pub fn rejects_without_trace<N: Node>(
    node: &N,
    input: Input<N>,
    choose: &mut dyn Choose,
) -> Option<bool> {
    let mut copy = node.clone();
    let mut out = Vec::new();
    match copy.step(input, choose, &mut out) {
        Ok(()) => None,
        Err(_) => Some(copy == *node && out.is_empty()),
    }
}
