//! Which order a downloader takes the pieces in: rarest first, or another one that has a name.
//!
//! Rarest first cannot be seen in one choice: the rarest piece may be taken by chance, and a rare one passed over
//! for a reason. So the order is judged over many choices by one number, the *preference*. Every choice is ranked
//! among the pieces that could have been chosen, by how many neighbours have them, from 0 (rarest) to 1 (most
//! common), ties in the middle; the preference is what the ranks lie below one half in sum, as a share of what
//! they could have lain below it. A picker that always takes a rarest piece reaches exactly 1, one that takes
//! the most common piece is below -1/2, and one that does not look at the rarity at all has expectation 0 with
//! a variance that follows from the candidates alone. `docs/spec/bittorrent-piece-order.md` has threshold, false
//! alarms and power.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::message::PeerMessage;
use super::pieces::Pieces;
use super::view::{Frame, LinkView, Observation, PeerView};
use crate::choose::Choose;
use crate::property::{Judgement, Kind, Property, Timing};

/// At least this preference for rare pieces is rarest first.
pub const THRESHOLD: f64 = 0.6;

/// So many standard deviations of a picker that ignores rarity must lie below the threshold,
/// or the sample is too small to judge.
pub const DEVIATIONS: f64 = 4.0;

/// Within this distance from zero, choices do not follow an order.
const NO_ORDER: f64 = 0.35;

/// From here on, choices follow the positions of the pieces.
const IN_ORDER: f64 = 0.9;

/// Choices made before the downloader has announced so many pieces are not judged: the first pieces may be
/// taken at random, so that there is soon something to give (Cohen 2003, section 2.4.3; deployed software
/// takes up to four).
pub const RANDOM_FIRST: u32 = 4;

/// One choice: the piece whose first block was asked for next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pick {
    /// The piece.
    pub chosen: u32,
    /// How many neighbours have each piece that could have been chosen, the chosen one among them.
    pub candidates: BTreeMap<u32, u32>,
}

/// Prefers pieces that few neighbours have.
pub static RAREST_FIRST: Property<[Pick]> = Property {
    name: "rare_pieces_are_preferred",
    claims: &["cohen2003/rarest-first"],
    kind: Kind::Always,
    timing: Timing::Untimed,
    judge: rare_pieces_are_preferred,
};

/// An order of pieces that has a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Those that the fewest neighbours have.
    RarestFirst,
    /// Those that the most neighbours have.
    CommonestFirst,
    /// From the first piece to the last.
    InOrder,
    /// From the last piece to the first.
    InReverseOrder,
    /// Neither by rarity nor by position (BEP 3 describes a random order).
    Random,
    /// None of these.
    Unnamed,
}

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RarestFirst => "rarest first",
            Self::CommonestFirst => "commonest first",
            Self::InOrder => "in order",
            Self::InReverseOrder => "in reverse order",
            Self::Random => "random",
            Self::Unnamed => "an order without a name",
        })
    }
}

/// What many choices have in common.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tendency {
    /// How many choices there were.
    pub picks: usize,
    /// The share of the possible preference for rare pieces that was shown; at most 1.
    pub rarity: f64,
    /// The standard deviation of `rarity` for a picker that takes any candidate with equal probability.
    pub deviation: f64,
    /// The same share for early positions in the torrent.
    pub position: f64,
}

impl Tendency {
    /// The tendency of `picks`; `None` where no choice could show one.
    pub fn of(picks: &[Pick]) -> Option<Self> {
        let mut rarity = Sum::default();
        let mut position = Sum::default();
        for pick in picks {
            if let Some(&chosen) = pick.candidates.get(&pick.chosen) {
                let mut holders: Vec<u32> = pick.candidates.values().copied().collect();
                holders.sort_unstable();
                rarity.add(chosen, &holders);
                let places: Vec<u32> = pick.candidates.keys().copied().collect();
                position.add(pick.chosen, &places);
            }
        }
        (rarity.possible > 0.0 && position.possible > 0.0).then(|| Self {
            picks: picks.len(),
            rarity: rarity.shown / rarity.possible,
            deviation: rarity.variance.sqrt() / rarity.possible,
            position: position.shown / position.possible,
        })
    }

    /// Whether a picker that ignores rarity would be told from rarest first.
    pub fn is_telling(&self) -> bool {
        self.deviation * DEVIATIONS <= THRESHOLD
    }

    /// The order that the choices follow; `None` where there are too few of them.
    pub fn order(&self) -> Option<Order> {
        self.is_telling().then(|| {
            if self.rarity >= THRESHOLD {
                Order::RarestFirst
            } else if self.position >= IN_ORDER {
                Order::InOrder
            } else if self.position <= -IN_ORDER {
                Order::InReverseOrder
            } else if self.rarity <= -THRESHOLD {
                Order::CommonestFirst
            } else if self.rarity.abs() <= NO_ORDER && self.position.abs() <= NO_ORDER {
                Order::Random
            } else {
                Order::Unnamed
            }
        })
    }
}

impl fmt::Display for Tendency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} choices show {:.2} of the possible preference for rare pieces (rarest first: at least {THRESHOLD}) \
             and {:.2} of that for early positions",
            self.picks, self.rarity, self.position
        )
    }
}

#[derive(Default)]
struct Sum {
    shown: f64,
    possible: f64,
    variance: f64,
}

impl Sum {
    /// Ranks `chosen` among `values`, which are the candidates' and are sorted.
    fn add(&mut self, chosen: u32, values: &[u32]) {
        let all = values.len() as f64;
        let mut below = 0.0;
        let mut best = None;
        for class in values.chunk_by(|one, other| one == other) {
            let count = class.len() as f64;
            let advantage = 0.5 - (below + count / 2.0) / all;
            if class[0] == chosen {
                self.shown += advantage;
            }
            best.get_or_insert(advantage);
            self.variance += count / all * advantage * advantage;
            below += count;
        }
        self.possible += best.unwrap_or(0.0);
    }
}

fn rare_pieces_are_preferred(picks: &[Pick]) -> Judgement {
    let Some(tendency) = Tendency::of(picks) else {
        return Judgement::Unknown;
    };
    match tendency.order() {
        None => Judgement::Unknown,
        Some(Order::RarestFirst) => Judgement::Holds,
        Some(order) => Judgement::Broken(format!("the order is {order}: {tendency}")),
    }
}

/// Gathers the choices of a subject from what an observer sees.
///
/// Left out are the choices that the published exceptions cover: those before [`RANDOM_FIRST`] pieces were
/// announced, further blocks of a started piece (strict priority) and second requests (endgame), and pieces that
/// the neighbour offered in particular (allowed fast).
#[derive(Clone, Debug, Default)]
pub struct Picking {
    started: BTreeSet<u32>,
    picks: Vec<Pick>,
}

impl Picking {
    /// The choices so far.
    pub fn picks(&self) -> &[Pick] {
        &self.picks
    }

    /// The choices so far.
    pub fn into_picks(self) -> Vec<Pick> {
        self.picks
    }

    /// Sees `now`, of a subject about which `view` was known before.
    pub fn observe(&mut self, view: &PeerView, now: &Observation) {
        let Observation::Heard {
            link,
            frame: Frame::Message(PeerMessage::Request(block)),
        } = now
        else {
            return;
        };
        let Some(asked) = view.links.get(link) else {
            return;
        };
        if !self.started.insert(block.index) {
            return;
        }
        let announced = view.links.values().map(|other| other.heard.has.len()).max();
        if announced.unwrap_or(0) < RANDOM_FIRST
            || asked.told.allowed_fast.contains(&block.index)
            || !asked.told.has.contains(block.index)
        {
            return;
        }
        let open = asked.told.has.iter().filter(|piece| {
            *piece == block.index || !(self.started.contains(piece) || view.can_have(*piece))
        });
        let candidates = open
            .map(|piece| {
                let holds = |other: &&LinkView| other.is_open() && other.told.has.contains(piece);
                let holders = view.links.values().filter(holds).count();
                (piece, u32::try_from(holders).unwrap_or(u32::MAX))
            })
            .collect();
        self.picks.push(Pick {
            chosen: block.index,
            candidates,
        });
    }
}

/// The pieces of the neighbours in a swarm where the pieces differ clearly in rarity.
///
/// The first neighbour has everything; of the others a piece has none, one, two and so on, in classes of equal
/// size that are dealt at random, so that rarity and position have nothing to do with each other.
pub fn uneven_swarm(pieces: u32, neighbours: u32, choose: &mut dyn Choose) -> Vec<Pieces> {
    let others = neighbours.saturating_sub(1);
    let mut swarm = vec![Pieces::all(pieces)];
    swarm.extend((0..others).map(|_| Pieces::none(pieces)));
    let mut order: Vec<u32> = (0..pieces).collect();
    shuffle(&mut order, choose);
    for (turn, piece) in (0_u32..).zip(order) {
        let mut holders: Vec<u32> = (1..=others).collect();
        shuffle(&mut holders, choose);
        // So many of the others have it: none, one, and so on, up to all but one.
        for holder in holders.into_iter().take((turn % others.max(1)) as usize) {
            swarm[holder as usize].insert(piece);
        }
    }
    swarm
}

fn shuffle(items: &mut [u32], choose: &mut dyn Choose) {
    for last in (1..items.len()).rev() {
        items.swap(last, choose.choose(last + 1));
    }
}

#[cfg(test)]
#[path = "picking_tests.rs"]
mod tests;
