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
    /// How many messages may be lost at most, where any may be.
    pub losses: Option<u8>,
    /// Whether messages to nodes that are gone vanish at once; needed where rounds have no bound and somebody crashes.
    pub gone_hear_nothing: bool,
    /// Whom nodes take for dead.
    pub detector: Detector,
    /// How often each node stabilizes, and looks after its predecessor where the variant wants that.
    pub rounds: Expiries,
    /// Those that never do.
    pub idle: Vec<Place>,
    /// Whether members fail only where the fail guard of 2017 lets them.
    pub guarded: bool,
    /// Whether a joining node asks its successor first, also where the variant does not say so.
    pub confirms_join: bool,
    /// How many tags there are.
    pub tags: u32,
    /// Whether the last successor is kept when it is silent.
    pub keeps_last: bool,
    /// Whether a node that knows nobody any more joins anew.
    pub rejoins: bool,
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
    /// The same, where what is under way between others does not matter: a live node is taken for dead as soon as
    /// question or answer is lost. Only where no key is written, for there a node asks others before it answers.
    BetweenTwo,
    /// Each node gives up at most so often, on each kind of question, and may be wrong every time.
    Wrong(u8),
}

/// Datagrams that arrive in order and are not lost.
const ORDERLY: Network = Network::Datagrams {
    loss: false,
    duplication: false,
    reordering: false,
};

/// Datagrams that may be lost.
const LOSSY: Network = Network::Datagrams {
    loss: true,
    duplication: false,
    reordering: false,
};

/// Datagrams that overtake each other.
const REORDERING: Network = Network::Datagrams {
    loss: false,
    duplication: false,
    reordering: true,
};

/// Datagrams that arrive again and again.
const DUPLICATING: Network = Network::Datagrams {
    loss: false,
    duplication: true,
    reordering: false,
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
        losses: None,
        gone_hear_nothing: false,
        detector: Detector::Accurate,
        rounds: Expiries::Unbounded,
        idle: Vec::new(),
        guarded: true,
        confirms_join: false,
        tags: 1,
        keeps_last: false,
        rejoins: false,
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
            Self::late_join(),
            Self::confirmed_join(),
            Self::two_joins_2003(),
            Self::join_and_crash_2003(),
            Self::join_and_crash_2003_fixed(),
            Self::suspicion(),
            Self::loss(),
            Self::late_answers(),
            Self::lookup(),
            Self::lookup_suspicion(),
            Self::lookup_one_successor(),
            Self::write(),
            Self::delete(),
            Self::handover(),
            Self::handover_loss(),
            Self::duplicates(),
            Self::join_pair(),
            Self::crash_endless(),
            Self::one_loss(),
            Self::two_losses(),
            Self::two_losses_kept(),
            Self::two_losses_rejoining(),
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
            rounds: Expiries::Times(1),
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

    /// The list that a newcomer is told is out of date when it arrives.
    pub fn late_join() -> Self {
        Self {
            name: "late-join",
            purpose: "a node joins while the two nodes that follow it crash, one after the other has been replaced",
            members: vec![0, 2, 4, 6, 7],
            joiners: vec![1],
            scripts: vec![vec![join(5, 0)], vec![Act::Crash(1), Act::Crash(2)]],
            rounds: Expiries::Times(2),
            idle: vec![1, 2, 3, 5],
            ..base()
        }
    }

    /// The same with rounds of everybody, without a bound: enough to be walked through.
    pub fn late_join_unbounded() -> Self {
        Self {
            name: "late-join-unbounded",
            rounds: Expiries::Unbounded,
            idle: Vec::new(),
            ..Self::late_join()
        }
    }

    /// The same where the newcomer asks its successor before it becomes a member.
    pub fn confirmed_join() -> Self {
        Self {
            name: "confirmed-join",
            purpose: "the same where the newcomer asks its successor before it becomes a member",
            confirms_join: true,
            ..Self::late_join()
        }
    }

    /// Two nodes join a lonely one.
    pub fn two_joins_2003() -> Self {
        Self {
            name: "two-joins-2003",
            purpose: "two nodes join a lonely one",
            variant: Variant::TON2003_FIXED,
            members: vec![0],
            joiners: vec![2, 5],
            scripts: vec![vec![join(1, 0)], vec![join(2, 0)]],
            guarded: false,
            rounds: Expiries::Times(1),
            ..base()
        }
    }

    /// A node joins while another crashes, by the rules of 2003 without their fixes.
    pub fn join_and_crash_2003() -> Self {
        Self {
            name: "join-and-crash-2003",
            variant: Variant::Ton2003 {
                live_join: false,
                live_stabilize: false,
            },
            purpose: "a node joins while another crashes, with neither fix",
            members: vec![0, 2, 5],
            joiners: vec![3],
            scripts: vec![vec![join(3, 0)], vec![Act::Crash(2)]],
            idle: vec![0],
            ..Self::join_and_crash()
        }
    }

    /// The same with both fixes.
    pub fn join_and_crash_2003_fixed() -> Self {
        Self {
            name: "join-and-crash-2003-fixed",
            variant: Variant::TON2003_FIXED,
            purpose: "a node joins while another crashes, with both fixes",
            ..Self::join_and_crash_2003()
        }
    }

    /// Nobody comes or goes, and each may be wrong about another once.
    pub fn suspicion() -> Self {
        Self {
            name: "suspicion",
            purpose: "nobody comes or goes, but each may take another for dead once",
            detector: Detector::Wrong(1),
            rounds: Expiries::Times(1),
            ..base()
        }
    }

    /// The same twice, with rounds without a bound: too much to be explored, enough to be walked through.
    pub fn suspicion_unbounded() -> Self {
        Self {
            name: "suspicion-unbounded",
            rounds: Expiries::Unbounded,
            ..Self::suspicion()
        }
    }

    /// A node joins, and messages are lost.
    pub fn loss() -> Self {
        Self {
            name: "loss",
            purpose: "a node joins, and messages are lost",
            network: LOSSY,
            rounds: Expiries::Times(1),
            ..Self::join()
        }
    }

    /// Answers come after their question was given up.
    pub fn late_answers() -> Self {
        Self {
            name: "late-answers",
            purpose: "of two members one gives the other up, asks again, and hears both answers",
            successors: 1,
            members: vec![0, 4],
            network: REORDERING,
            detector: Detector::Wrong(1),
            keeps_last: true,
            tags: 4,
            rounds: Expiries::Times(2),
            ..base()
        }
    }

    /// A lookup while a member crashes.
    pub fn lookup() -> Self {
        Self {
            name: "lookup",
            purpose: "two lookups while a member crashes",
            members: vec![0, 2, 5, 6],
            scripts: vec![
                vec![Act::Ask(0, Request::Find(point(6)))],
                vec![Act::Ask(3, Request::Find(point(4)))],
                vec![Act::Crash(1)],
            ],
            rounds: Expiries::Times(1),
            idle: vec![0, 2, 3],
            fingers: true,
            ..base()
        }
    }

    /// A lookup while everybody may be wrong about others.
    pub fn lookup_suspicion() -> Self {
        Self {
            name: "lookup-suspicion",
            purpose: "a lookup by one that may take others for dead wrongly",
            scripts: vec![vec![Act::Ask(0, Request::Find(point(1)))]],
            detector: Detector::Wrong(1),
            rounds: Expiries::Times(1),
            idle: vec![1, 2],
            ..base()
        }
    }

    /// A lookup behind a dead successor, where no other successor is known.
    pub fn lookup_one_successor() -> Self {
        Self {
            name: "lookup-one-successor",
            purpose: "lookups where lists have one entry, and it dies",
            successors: 1,
            members: vec![0, 2, 3, 5],
            scripts: vec![
                vec![Act::Ask(0, Request::Find(point(2)))],
                vec![Act::Ask(3, Request::Find(point(2)))],
                vec![Act::Crash(1)],
            ],
            rounds: Expiries::Times(1),
            idle: vec![1, 2, 3],
            guarded: false,
            fingers: true,
            ..base()
        }
    }

    /// A value is stored, and its owner crashes.
    pub fn write() -> Self {
        Self {
            name: "write",
            purpose: "a value is stored on two nodes, and its owner crashes",
            members: vec![0, 2, 5, 6],
            scripts: vec![
                vec![Act::Ask(0, Request::Put(point(4), vec![7]))],
                vec![Act::Crash(2)],
            ],
            rounds: Expiries::Never,
            replicas: 2,
            ..base()
        }
    }

    /// A value is stored and deleted, its owner crashes, and somebody asks for it.
    pub fn delete() -> Self {
        Self {
            name: "delete",
            purpose: "a value is stored and deleted, its owner crashes, and somebody asks for it",
            scripts: vec![
                vec![
                    Act::Ask(0, Request::Put(point(4), vec![7])),
                    Act::Ask(0, Request::Delete(point(4))),
                    Act::Ask(0, Request::Get(point(4))),
                ],
                vec![Act::Crash(2)],
            ],
            ..Self::write()
        }
    }

    /// A node joins in front of the owner of a stored key.
    pub fn handover() -> Self {
        Self {
            name: "handover",
            purpose: "a value is stored on one node, and a node joins that owns it from then on",
            successors: 1,
            members: vec![0, 5],
            joiners: vec![4],
            scripts: vec![
                vec![Act::Ask(0, Request::Put(point(3), vec![7]))],
                vec![join(2, 0)],
            ],
            rounds: Expiries::Times(2),
            ..base()
        }
    }

    /// The same where messages are lost.
    pub fn handover_loss() -> Self {
        Self {
            name: "handover-loss",
            purpose: "the same where messages are lost",
            network: LOSSY,
            rounds: Expiries::Times(1),
            idle: vec![0, 1],
            ..Self::handover()
        }
    }

    /// A node joins, and every message may arrive again and again.
    pub fn duplicates() -> Self {
        Self {
            name: "duplicates",
            purpose: "a node joins a ring of two, and every message may arrive again and again",
            successors: 1,
            members: vec![0, 4],
            joiners: vec![6],
            scripts: vec![vec![join(2, 0)]],
            network: DUPLICATING,
            rounds: Expiries::Times(1),
            idle: vec![1],
            tags: 4,
            ..base()
        }
    }

    /// A node joins the smallest ring that is none of one.
    pub fn join_pair() -> Self {
        Self {
            name: "join-pair",
            purpose: "a node joins a ring of two; rounds without a bound",
            members: vec![0, 2],
            joiners: vec![5],
            scripts: vec![vec![join(2, 0)]],
            ..base()
        }
    }

    /// One of four members crashes, and the others go on.
    pub fn crash_endless() -> Self {
        Self {
            name: "crash-endless",
            purpose: "one of four members crashes; rounds without a bound",
            gone_hear_nothing: true,
            rounds: Expiries::Unbounded,
            ..Self::crash()
        }
    }

    /// Nobody comes or goes, and one message is lost: one member may take another for dead.
    pub fn one_loss() -> Self {
        Self {
            name: "one-loss",
            purpose: "nobody comes or goes, and one message is lost; rounds without a bound",
            network: LOSSY,
            losses: Some(1),
            detector: Detector::BetweenTwo,
            ..base()
        }
    }

    /// Two members, of whom one may come to know nobody.
    pub fn two_losses() -> Self {
        Self {
            name: "two-losses",
            purpose: "two messages of a ring of two are lost; rounds without a bound",
            members: vec![0, 4],
            losses: Some(2),
            ..Self::one_loss()
        }
    }

    /// The same where the last successor is kept.
    pub fn two_losses_kept() -> Self {
        Self {
            name: "two-losses-kept",
            purpose: "the same where the last successor is kept",
            keeps_last: true,
            ..Self::two_losses()
        }
    }

    /// The same where a node that knows nobody any more joins anew.
    pub fn two_losses_rejoining() -> Self {
        Self {
            name: "two-losses-rejoining",
            purpose: "the same where a node that knows nobody any more joins anew",
            rejoins: true,
            ..Self::two_losses()
        }
    }
}
