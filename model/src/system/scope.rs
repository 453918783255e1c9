//! What may happen in a system, and when: every bound here is part of a result.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::network::Traffic;
use super::shared::Shared;
use super::{Place, State};
use crate::node::Node;

/// A node of the system and how it begins.
#[derive(Clone, Debug)]
pub struct Resident<N: Node> {
    /// How the others name it.
    pub id: N::Id,
    /// How traces name it.
    pub name: String,
    /// Its first state, also whenever it joins again.
    pub node: N,
    /// Whether it is there from the beginning.
    pub present: bool,
    /// Whether it is spoken to without a connection that the nodes know of, such as an HTTP server: what it is
    /// sent and what it sends arrives in order and is not lost while the receiver is there.
    pub serves_questions: bool,
}

/// One act of the world upon a node.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Act<R> {
    /// The node joins in its first state and is asked something at once, if given.
    Join(Place, Option<R>),
    /// The local user of the node asks something.
    Ask(Place, R),
    /// The node is asked a last thing, if given, and goes away; its connections are closed, what it sent still arrives.
    Leave(Place, Option<R>),
    /// The node goes away without a word; what it sent may be lost with its connections.
    Crash(Place),
}

/// Acts that happen in this order, whatever happens between them.
pub type Script<R> = Vec<Act<R>>;

/// When something may happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// At any moment.
    AnyMoment,
    /// Only while nothing is under way. This is an assumption: messages are fast compared with it.
    QuietNetwork,
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AnyMoment => "at any moment",
            Self::QuietNetwork => "only in a quiet network",
        })
    }
}

/// In which order timers expire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// Any set timer may expire next.
    Untimed,
    /// Timers expire in the order of their remaining ticks; equal ones in any order.
    Ticked {
        /// How long a tick is.
        tick: Duration,
    },
}

/// How often one timer of one node may expire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiries {
    /// It never does: a bound of the scope.
    Never,
    /// At most so often: a bound of the scope.
    Times(u8),
    /// Without a bound.
    Unbounded,
}

/// Says how often a timer of a node may expire.
pub type Bounds<N> = Arc<dyn Fn(Place, &<N as Node>::Timer) -> Expiries + Send + Sync>;

/// The timers of a system.
#[derive(Clone)]
pub struct Timers<N: Node> {
    /// In which order.
    pub clock: Clock,
    /// When.
    pub when: When,
    /// How often each.
    pub expiries: Bounds<N>,
    /// The bounds in words, for results.
    pub bounds: String,
}

impl<N: Node> Timers<N> {
    /// Any set timer may expire at any moment, without a bound.
    pub fn untimed() -> Self {
        Self {
            clock: Clock::Untimed,
            when: When::AnyMoment,
            expiries: Arc::new(|_, _| Expiries::Unbounded),
            bounds: "no bound on expiries".to_owned(),
        }
    }

    /// The timing in words, for results.
    pub fn describe(&self) -> String {
        let order = match self.clock {
            Clock::Untimed => "untimed: any set timer may expire".to_owned(),
            Clock::Ticked { tick } => format!(
                "ticked: timers expire in order of their remaining ticks of {} s",
                tick.as_secs_f64()
            ),
        };
        format!("{order}, {}; {}", self.when, self.bounds)
    }
}

impl<N: Node> fmt::Debug for Timers<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.describe())
    }
}

/// Decides whether a set timer of a node may expire while these nodes are there and this is under way.
type MayExpire<N> = dyn Fn(&[Option<Shared<N>>], &Traffic<<N as Node>::Message>, Place, &<N as Node>::Timer) -> bool
    + Send
    + Sync;

/// When timers expire beyond what clock and moment allow: so a failure detector can be accurate, which no clock
/// makes it.
#[derive(Clone)]
pub struct Patience<N: Node> {
    /// What is assumed, for results.
    pub assumes: &'static str,
    /// The rule.
    pub may_expire: Arc<MayExpire<N>>,
}

impl<N: Node> Patience<N> {
    pub(super) fn lets<M>(&self, state: &State<N, M>, node: Place, timer: &N::Timer) -> bool
    where
        M: Clone + Eq + std::hash::Hash + fmt::Debug,
    {
        (self.may_expire)(&state.nodes, &state.traffic, node, timer)
    }
}

/// Decides whether an act may happen while these nodes are there.
type MayHappen<N> = dyn Fn(&[Option<Shared<N>>], &Act<<N as Node>::Request>) -> bool + Send + Sync;

/// What is assumed of churn, such as that nobody fails on whom somebody depends.
#[derive(Clone)]
pub struct Consent<N: Node> {
    /// What is assumed, for results.
    pub assumes: &'static str,
    /// The rule.
    pub may_happen: Arc<MayHappen<N>>,
}

impl<N: Node> fmt::Debug for Consent<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.assumes)
    }
}

impl<N: Node> fmt::Debug for Patience<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.assumes)
    }
}

/// What a result is true of: it says nothing about anything else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Which variant of the protocol.
    pub variant: String,
    /// Nodes, sizes, scripts: names and values.
    pub scope: Vec<(&'static str, String)>,
    /// What the network may do.
    pub network: String,
    /// How timers expire.
    pub timing: String,
    /// What fairness was assumed.
    pub fairness: String,
}
