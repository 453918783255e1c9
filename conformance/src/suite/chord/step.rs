//! What the kit does with a ring, step by step. A case is a list of steps; a shorter list that still shows the same
//! is a better report.

use std::fmt;
use std::ops::RangeInclusive;
use std::time::Duration;

use crate::fleet::Weather;

/// One step. Nodes and keys are points of the circle; a step about a node that does not live does nothing.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Step {
    /// The node joins through that member, or makes a ring.
    Join(u64, Option<u64>),
    /// They all join at the same time, through one member.
    JoinAtOnce(Vec<u64>, u64),
    /// The node is asked to join while nobody can answer it, and what it says is noted.
    JoinUnheard(u64, u64),
    /// Another process with the point of a member wants to join.
    Duplicate(u64, u64),
    /// The newcomer is asked for its state at once, and what it says is noted.
    FirstWords(u64, u64),
    /// The node leaves.
    Leave(u64),
    /// They end at the same moment, and nobody is told.
    Crash(Vec<u64>),
    /// The kit waits until the ring is as it should be, or the time for it is over, and has lookups confirm it.
    Settle(Until),
    /// The kit asks every member for its state.
    Look,
    /// Lookups of the keys from every member.
    LookupsFromAll(Vec<u64>),
    /// Lookups of the keys from one member, while the ring changes: none of them must be answered.
    Glance(u64, Vec<u64>),
    /// A value is stored by way of the node.
    Put(u64, u64, &'static str),
    /// The same, and the kit waits for two periods only.
    PutInVain(u64, u64, &'static str),
    /// What is under the key is deleted by way of the node.
    Delete(u64, u64),
    /// The key is read by way of every member.
    GetFromAll(u64),
    /// The key is read again and again for so many periods.
    Watch(u64, u32),
    /// From now on the sides do not reach each other; everybody else is on the second side.
    Part(Vec<u64>),
    /// From now on they do.
    Heal,
    /// The member is stopped where it is.
    Pause(u64),
    /// It goes on.
    Resume(u64),
    /// So many periods pass.
    Rest(u32),
    /// So much of the timeout passes, in hundredths.
    RestOfTimeout(u32),
    /// What happens to messages between nodes.
    Weather(Skies),
}

/// What the kit waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Until {
    /// Every member has the right neighbours.
    Neighbours,
    /// And full lists.
    Lists,
    /// And right fingers.
    Fingers,
    /// And the keys are where they belong.
    Keys,
}

/// Weather in words: what a case asks of the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Skies {
    /// Everything arrives, once, in order.
    Clear,
    /// Messages are lost, but never two between the same nodes soon after one another.
    Loss,
    /// Every second message comes twice.
    Duplicates,
    /// Messages take up to a period, and overtake each other.
    Disorder,
}

impl Skies {
    pub(crate) fn weather(self, period: Duration) -> Weather {
        let delays = |least: u32, most: u32| -> RangeInclusive<Duration> {
            period * least / 20..=period * most / 20
        };
        match self {
            Self::Clear => Weather::default(),
            // Whoever loses three questions to the same node takes it for dead, and may be right to: two members that do so
            // stay apart for good. In the time of three questions fewer messages pass between two nodes than are spared.
            Self::Loss => Weather {
                loss: 0.15,
                spared: 100,
                ..Weather::default()
            },
            Self::Duplicates => Weather {
                duplicates: 0.5,
                delay: delays(1, 3),
                ..Weather::default()
            },
            Self::Disorder => Weather {
                delay: delays(1, 20),
                reorder: true,
                ..Weather::default()
            },
        }
    }

    pub(crate) fn loses(self) -> bool {
        self == Self::Loss
    }
}

impl Step {
    /// The same step with less in it: fewer nodes, fewer keys.
    pub(crate) fn smaller(&self) -> Vec<Self> {
        let fewer = |list: &[u64], make: &dyn Fn(Vec<u64>) -> Self| -> Vec<Self> {
            if list.len() < 2 {
                return Vec::new();
            }
            let (front, back) = list.split_at(list.len() / 2);
            vec![make(front.to_vec()), make(back.to_vec())]
        };
        match self {
            Self::JoinAtOnce(nodes, via) => fewer(nodes, &|nodes| Self::JoinAtOnce(nodes, *via)),
            Self::Crash(nodes) => fewer(nodes, &Self::Crash),
            Self::LookupsFromAll(keys) => fewer(keys, &Self::LookupsFromAll),
            Self::Glance(node, keys) => fewer(keys, &|keys| Self::Glance(*node, keys)),
            _ => Vec::new(),
        }
    }

    /// The nodes that come by this step.
    pub(crate) fn newcomers(&self) -> Vec<u64> {
        match self {
            Self::Join(node, _) | Self::JoinUnheard(node, _) => vec![*node],
            Self::JoinAtOnce(nodes, _) => nodes.clone(),
            _ => Vec::new(),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Join(node, None) => write!(f, "n{node} makes a ring"),
            Self::Join(node, Some(via)) => write!(f, "n{node} joins through n{via}"),
            Self::JoinAtOnce(nodes, via) => {
                write!(f, "{} join at once through n{via}", names(nodes))
            }
            Self::JoinUnheard(node, via) => write!(
                f,
                "n{node} is to join through n{via} while nobody can answer it"
            ),
            Self::Duplicate(node, via) => {
                write!(f, "another n{node} wants to join through n{via}")
            }
            Self::FirstWords(node, _) => write!(f, "n{node} is asked for its state at once"),
            Self::Leave(node) => write!(f, "n{node} leaves"),
            Self::Crash(nodes) => write!(f, "{} crash", names(nodes)),
            Self::Settle(Until::Neighbours) => f.write_str("until every member has its neighbours"),
            Self::Settle(Until::Lists) => f.write_str("until every successor list is full"),
            Self::Settle(Until::Fingers) => f.write_str("until every finger is right"),
            Self::Settle(Until::Keys) => f.write_str("until every key is where it belongs"),
            Self::Look => f.write_str("every member is asked for its state"),
            Self::LookupsFromAll(keys) => {
                write!(f, "every member looks up {}", numbers(keys))
            }
            Self::Glance(node, keys) => write!(f, "n{node} looks up {}", numbers(keys)),
            Self::Put(node, key, value) => write!(f, "put {key} = \"{value}\" at n{node}"),
            Self::PutInVain(node, key, value) => {
                write!(f, "put {key} = \"{value}\" at n{node}, for two periods")
            }
            Self::Delete(node, key) => write!(f, "delete {key} at n{node}"),
            Self::GetFromAll(key) => write!(f, "get {key} from every member"),
            Self::Watch(key, periods) => write!(f, "get {key} for {periods} periods"),
            Self::Part(side) => write!(f, "{} on one side, the others on the other", names(side)),
            Self::Heal => f.write_str("the network heals"),
            Self::Pause(node) => write!(f, "n{node} is stopped where it is"),
            Self::Resume(node) => write!(f, "n{node} goes on"),
            Self::Rest(periods) => write!(f, "{periods} periods pass"),
            Self::RestOfTimeout(part) => write!(f, "{part} % of the timeout pass"),
            Self::Weather(Skies::Clear) => f.write_str("from now on every message arrives"),
            Self::Weather(Skies::Loss) => f.write_str("from now on messages are lost"),
            Self::Weather(Skies::Duplicates) => f.write_str("from now on messages come twice"),
            Self::Weather(Skies::Disorder) => {
                f.write_str("from now on messages overtake each other")
            }
        }
    }
}

fn names(nodes: &[u64]) -> String {
    let names: Vec<String> = nodes.iter().map(|node| format!("n{node}")).collect();
    names.join(", ")
}

fn numbers(keys: &[u64]) -> String {
    const SHOWN: usize = 8;
    let shown: Vec<String> = keys.iter().take(SHOWN).map(u64::to_string).collect();
    let more = keys.len().saturating_sub(SHOWN);
    match more {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
