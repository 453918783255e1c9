//! The scopes in which the swarm is explored completely: who is there, what each has, what happens.

use crate::bittorrent::node::Request;
use crate::system::{Act, Expiries, Place, When};

/// A small swarm. Everything in it is a bound of the results.
#[derive(Clone, Debug)]
pub struct Scope {
    /// Its name.
    pub name: &'static str,
    /// What it is for, in one line.
    pub purpose: &'static str,
    /// The peers, by place; the tracker has the place behind the last one.
    pub peers: Vec<Member>,
    /// Pieces of the torrent.
    pub pieces: u8,
    /// Blocks of a piece, of one byte each.
    pub blocks: u8,
    /// Neighbours that may request because they are the best.
    pub regular_slots: usize,
    /// Whether one more, drawn at random, may request.
    pub optimistic_slot: bool,
    /// Requests that a peer keeps outstanding on a link.
    pub pipeline: usize,
    /// Whether the peers announce the fast extension, and offer one piece to choked neighbours.
    pub fast: bool,
    /// Whether the first piece is a random one.
    pub random_first: bool,
    /// Whether blocks are sent one by one, each when a timer expires.
    pub paced: bool,
    /// How the peers find each other.
    pub meeting: Meeting,
    /// Whether the swarm begins when the first connections stand and what follows from them has been said.
    pub begins_quiet: bool,
    /// What happens later on.
    pub scripts: Vec<Vec<Act<Request>>>,
    /// When timers expire and scripts go on.
    pub when: When,
    /// How often each peer gives its slots anew.
    pub rechokes: Expiries,
    /// How often each peer moves its optimistic slot.
    pub optimistic_moves: Expiries,
    /// How often the network breaks a link.
    pub breaks: u8,
}

/// A peer of a scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// How traces name it.
    pub name: &'static str,
    /// The pieces that it begins with.
    pub holds: Holds,
    /// Whether it is there from the beginning.
    pub present: bool,
    /// Whether its blocks are all wrong. A liar is not asked any property.
    pub lies: bool,
    /// Whether the properties are asked about it. The choker's timers of the others do not expire.
    pub asked: bool,
}

/// The pieces that a peer begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// All of them.
    Everything,
    /// These.
    Only(&'static [u32]),
}

/// How the peers find each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meeting {
    /// Each asks the tracker and dials whom it names.
    Tracker,
    /// There is no tracker: the first of each pair dials the second.
    Dials(Vec<(Place, Place)>),
}

/// A seeder.
const fn seed(name: &'static str) -> Member {
    Member {
        name,
        holds: Holds::Everything,
        present: true,
        lies: false,
        asked: true,
    }
}

/// A peer that begins with some pieces.
const fn holder(name: &'static str, pieces: &'static [u32]) -> Member {
    Member {
        holds: Holds::Only(pieces),
        ..seed(name)
    }
}

/// A peer that begins with nothing.
const fn leecher(name: &'static str) -> Member {
    holder(name, &[])
}

/// A peer about which nothing is asked: it is there for the others.
const fn unasked(member: Member) -> Member {
    Member {
        asked: false,
        ..member
    }
}

impl Scope {
    /// Every scope.
    pub fn all() -> Vec<Self> {
        vec![
            Self::pair(),
            Self::pair_fast(),
            Self::pair_any_moment(),
            Self::slots(),
            Self::optimistic(),
            Self::exchange(),
            Self::rarest(),
            Self::endgame(),
            Self::endgame_fast(),
            Self::liar(),
            Self::late_seeder(),
            Self::after_the_seed(),
            Self::churn(),
            Self::churn_any_moment(),
            Self::free_riders(),
        ]
    }

    /// One seeder and leechers that meet through the tracker, as many as one likes: the small numbers end.
    ///
    /// # Errors
    /// The numbers are out of range; the text says which are possible.
    pub fn of(peers: u8, pieces: u8) -> Result<Self, String> {
        const NAMES: [&str; 7] = ["alice", "bob", "carol", "dave", "erin", "frank", "grace"];
        let most = NAMES.len() + 1;
        if !(2..=most).contains(&usize::from(peers)) {
            return Err(format!("a swarm has 2 to {most} peers, not {peers}"));
        }
        if !(1..=64).contains(&pieces) {
            return Err(format!("a torrent has 1 to 64 pieces here, not {pieces}"));
        }
        let leechers = NAMES.iter().take(usize::from(peers) - 1);
        Ok(Self {
            name: "swarm",
            purpose: "a seeder and leechers that meet through the tracker",
            peers: std::iter::once(seed("seeder"))
                .chain(leechers.map(|name| leecher(name)))
                .collect(),
            pieces,
            blocks: 1,
            pipeline: 1,
            ..Self::pair()
        })
    }

    /// Which variant of the protocol the peers speak.
    pub fn variant(&self) -> &'static str {
        if self.fast { "bep3+bep6" } else { "bep3" }
    }

    /// The scope of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::all().into_iter().find(|scope| scope.name == name)
    }

    /// A seeder and a leecher that meet through the tracker; the others are variations of it.
    pub fn pair() -> Self {
        Self {
            name: "pair",
            purpose: "a seeder and a leecher from the first announce to the last block",
            peers: vec![seed("seeder"), leecher("leecher")],
            pieces: 2,
            blocks: 2,
            regular_slots: 1,
            optimistic_slot: false,
            pipeline: 2,
            fast: false,
            random_first: true,
            paced: false,
            meeting: Meeting::Tracker,
            begins_quiet: false,
            scripts: Vec::new(),
            when: When::QuietNetwork,
            rechokes: Expiries::Unbounded,
            optimistic_moves: Expiries::Unbounded,
            breaks: 0,
        }
    }

    /// The same with the fast extension.
    pub fn pair_fast() -> Self {
        Self {
            name: "pair-fast",
            purpose: "the same with the fast extension",
            fast: true,
            ..Self::pair()
        }
    }

    /// The same with rechokes at any moment and a link that breaks.
    pub fn pair_any_moment() -> Self {
        Self {
            name: "pair-any-moment",
            purpose: "the same where timers expire at any moment and a link may break",
            when: When::AnyMoment,
            rechokes: Expiries::Times(1),
            breaks: 1,
            ..Self::pair()
        }
    }

    /// Two leechers want the one slot of a seeder.
    pub fn slots() -> Self {
        Self {
            name: "slots",
            purpose: "two leechers want the one slot of a seeder",
            peers: vec![seed("seeder"), leecher("alice"), leecher("bob")],
            pieces: 1,
            meeting: Meeting::Dials(vec![(1, 0), (2, 0)]),
            ..Self::pair()
        }
    }

    /// Three leechers, one regular slot, and an optimistic one that moves.
    pub fn optimistic() -> Self {
        Self {
            name: "optimistic",
            purpose: "three leechers, one regular slot, and an optimistic one that moves",
            peers: vec![
                seed("seeder"),
                leecher("alice"),
                leecher("bob"),
                leecher("carol"),
            ],
            pieces: 1,
            blocks: 1,
            pipeline: 1,
            optimistic_slot: true,
            paced: true,
            begins_quiet: true,
            meeting: Meeting::Dials(vec![(1, 0), (2, 0), (3, 0)]),
            ..Self::pair()
        }
    }

    /// Two leechers fetch from a seeder and from each other.
    pub fn exchange() -> Self {
        Self {
            name: "exchange",
            purpose: "two leechers fetch from a seeder and from each other",
            peers: vec![seed("seeder"), leecher("alice"), leecher("bob")],
            blocks: 1,
            pipeline: 1,
            meeting: Meeting::Dials(vec![(1, 0), (2, 0), (1, 2)]),
            ..Self::pair()
        }
    }

    /// A leecher that has a piece and finds others of different rarity.
    pub fn rarest() -> Self {
        Self {
            name: "rarest",
            purpose: "a leecher that has a piece finds others of different rarity",
            peers: vec![
                seed("seeder"),
                holder("alice", &[0, 1]),
                holder("bob", &[1]),
            ],
            pieces: 4,
            blocks: 1,
            pipeline: 1,
            meeting: Meeting::Dials(vec![(2, 0), (2, 1)]),
            ..Self::pair()
        }
    }

    /// One leecher between two seeders: the last blocks are asked of both.
    pub fn endgame() -> Self {
        Self {
            name: "endgame",
            purpose: "one leecher between two seeders: the last blocks are asked of both",
            peers: vec![seed("one"), seed("other"), leecher("leecher")],
            meeting: Meeting::Dials(vec![(2, 0), (2, 1)]),
            ..Self::pair()
        }
    }

    /// The same with the fast extension, where a cancelled request is still answered.
    pub fn endgame_fast() -> Self {
        Self {
            name: "endgame-fast",
            purpose: "the same with the fast extension: cancelled requests are answered, too",
            fast: true,
            ..Self::endgame()
        }
    }

    /// Two leechers wait for a seeder.
    pub fn late_seeder() -> Self {
        let late = Member {
            present: false,
            ..seed("seeder")
        };
        Self {
            name: "late-seeder",
            purpose: "two leechers know each other; a seeder finds them through the tracker",
            peers: vec![late, leecher("alice"), leecher("bob")],
            pieces: 1,
            blocks: 1,
            pipeline: 1,
            begins_quiet: true,
            scripts: vec![vec![Act::Join(0, Some(Request::Start))]],
            ..Self::pair()
        }
    }

    /// One leecher between a seeder and a liar.
    pub fn liar() -> Self {
        Self {
            name: "liar",
            purpose: "one leecher between a seeder and one whose blocks are all wrong",
            peers: vec![
                seed("seeder"),
                Member {
                    lies: true,
                    ..seed("liar")
                },
                leecher("leecher"),
            ],
            pieces: 1,
            meeting: Meeting::Dials(vec![(2, 0), (2, 1)]),
            ..Self::pair()
        }
    }

    /// The seeder has left after one copy of everything was out, in parts.
    pub fn after_the_seed() -> Self {
        Self {
            name: "after-the-seed",
            purpose: "the seeder has left; two leechers have one copy of everything between them, a third has nothing",
            peers: vec![holder("alice", &[0]), holder("bob", &[1]), leecher("carol")],
            blocks: 1,
            pipeline: 1,
            meeting: Meeting::Dials(vec![(0, 1), (2, 0)]),
            ..Self::pair()
        }
    }

    /// The seeder and a leecher leave, another leecher joins.
    pub fn churn() -> Self {
        let late = Member {
            present: false,
            ..leecher("late")
        };
        Self {
            name: "churn",
            purpose: "the seeder leaves and comes back, a leecher leaves, another joins",
            peers: vec![seed("seeder"), leecher("early"), late],
            pieces: 1,
            blocks: 1,
            pipeline: 1,
            begins_quiet: true,
            rechokes: Expiries::Never,
            scripts: vec![
                vec![
                    Act::Leave(0, Some(Request::Stop)),
                    Act::Join(0, Some(Request::Start)),
                ],
                vec![Act::Leave(1, Some(Request::Stop))],
                vec![Act::Join(2, Some(Request::Start))],
            ],
            ..Self::pair()
        }
    }

    /// A leecher joins a seeder that may leave at any moment.
    pub fn churn_any_moment() -> Self {
        let late = Member {
            present: false,
            ..leecher("late")
        };
        Self {
            name: "churn-any-moment",
            purpose: "a leecher joins and leaves, a seeder leaves without a word, at any moment",
            peers: vec![seed("seeder"), late],
            pieces: 1,
            blocks: 1,
            pipeline: 1,
            begins_quiet: true,
            when: When::AnyMoment,
            rechokes: Expiries::Never,
            scripts: vec![
                vec![
                    Act::Join(1, Some(Request::Start)),
                    Act::Leave(1, Some(Request::Stop)),
                    Act::Join(1, Some(Request::Start)),
                ],
                vec![Act::Crash(0), Act::Join(0, Some(Request::Start))],
            ],
            ..Self::pair()
        }
    }

    /// Two who give nothing and one who gives want the slots of a leecher.
    pub fn free_riders() -> Self {
        Self {
            name: "free-riders",
            purpose: "two who give nothing and one who gives want the slots of a leecher",
            peers: vec![
                holder("subject", &[0]),
                unasked(holder("giver", &[1])),
                unasked(leecher("rider")),
                unasked(leecher("other rider")),
            ],
            pieces: 3,
            blocks: 1,
            pipeline: 1,
            optimistic_slot: true,
            paced: true,
            begins_quiet: true,
            meeting: Meeting::Dials(vec![(0, 1), (2, 0), (3, 0)]),
            ..Self::pair()
        }
    }
}
