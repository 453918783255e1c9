//! The scopes in which nodes with messages are explored completely: who is there, what happens, what may go wrong.

use crate::chord::node::Request;
use crate::chord::ring::Variant;
use crate::system::{Act, Expiries, Network, Place};

/// A small ring with messages. Everything in it is a bound of the results.
#[derive(Clone, Debug)]
pub struct Scope {
    /// Its name.
    pub name: &'static str,
    /// What it is for, in one line.
    pub purpose: &'static str,
    /// Which maintenance rules the nodes follow.
    pub variant: Variant,
    /// m.
    pub bits: u32,
    /// r.
    pub successors: usize,
    /// The members of the ideal ring at the beginning, in ascending order; the first places are theirs.
    pub members: Vec<u64>,
    /// Those that may join later.
    pub joiners: Vec<u64>,
    /// What happens, by place.
    pub scripts: Vec<Vec<Act<Request>>>,
    /// What the network may do.
    pub network: Network,
    /// Whom nodes take for dead.
    pub detector: Detector,
    /// How often each node stabilizes.
    pub rounds: Expiries,
    /// How many tags there are.
    pub tags: u32,
    /// Whether the last successor is kept when it is silent.
    pub keeps_last: bool,
    /// On how many nodes a key lives.
    pub replicas: usize,
    /// Whether the nodes keep fingers, which nobody renews.
    pub fingers: bool,
}

/// Whom nodes take for dead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detector {
    /// Only those from whom no answer can come any more: the question or the answer is lost, or nobody is there.
    Accurate,
    /// Each node gives up at most so often, on each kind of question, and may be wrong every time.
    Wrong(u8),
}

/// Datagrams that arrive in order and are not lost.
const ORDERLY: Network = Network::Datagrams {
    loss: false,
    duplication: false,
    reordering: false,
};

/// Datagrams that overtake each other, and of which copies stay under way.
const DISORDERLY: Network = Network::Datagrams {
    loss: false,
    duplication: true,
    reordering: true,
};

fn base() -> Scope {
    Scope {
        name: "",
        purpose: "",
        variant: Variant::Zave2017,
        bits: 3,
        successors: 2,
        members: vec![0, 2, 5],
        joiners: Vec::new(),
        scripts: Vec::new(),
        network: ORDERLY,
        detector: Detector::Accurate,
        rounds: Expiries::Unbounded,
        tags: 1,
        keeps_last: false,
        replicas: 1,
        fingers: false,
    }
}

fn join(place: Place, via: u64) -> Act<Request> {
    Act::Join(place, Some(Request::Join(point(via))))
}

fn point(number: u64) -> crate::space::circle::Id {
    // Points below 2^m are the same on every circle.
    crate::space::circle::Circle::SHA1.point(number)
}

impl Scope {
    /// Every scope.
    pub fn all() -> Vec<Self> {
        vec![
            Self::join(),
            Self::crash(),
            Self::join_and_crash(),
            Self::suspicion(),
        ]
    }

    /// The scope of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::all().into_iter().find(|scope| scope.name == name)
    }

    /// A node joins the smallest base of 2017.
    pub fn join() -> Self {
        Self {
            name: "join",
            purpose: "a node joins a ring of three",
            joiners: vec![6],
            scripts: vec![vec![join(3, 0)]],
            ..base()
        }
    }

    /// One of four members crashes.
    pub fn crash() -> Self {
        Self {
            name: "crash",
            purpose: "one of four members crashes",
            members: vec![0, 2, 5, 6],
            scripts: vec![vec![Act::Crash(1)]],
            ..base()
        }
    }

    /// A node joins while another crashes.
    pub fn join_and_crash() -> Self {
        Self {
            name: "join-and-crash",
            purpose: "a node joins a ring of four while another crashes",
            members: vec![0, 2, 5, 6],
            joiners: vec![3],
            scripts: vec![vec![join(4, 0)], vec![Act::Crash(2)]],
            rounds: Expiries::Times(1),
            ..base()
        }
    }

    /// Nobody comes or goes, and each may be wrong about another once.
    pub fn suspicion() -> Self {
        Self {
            name: "suspicion",
            purpose: "nobody comes or goes, but each may take another for dead once",
            detector: Detector::Wrong(1),
            ..base()
        }
    }
}
