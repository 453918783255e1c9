//! What is between the nodes.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::Place;

/// Which kind of network a system has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// Connections as of TCP: each direction first in, first out; nothing is lost while the link stands.
    /// A dialled node that is absent refuses. Two nodes have at most one connection between them:
    /// dials that cross become one.
    Links {
        /// How often the network may break a link; what was under way on it is lost.
        breaks: u8,
    },
    /// Datagrams as of UDP.
    Datagrams {
        /// Any may be lost.
        loss: bool,
        /// Any may be delivered again and again.
        duplication: bool,
        /// Any may overtake any other; without it each pair of nodes has first in, first out.
        reordering: bool,
    },
}

impl Network {
    /// The network in words, for results.
    pub fn describe(self) -> String {
        match self {
            Self::Links { breaks: 0 } => "first-in-first-out links that do not break".into(),
            Self::Links { breaks } => {
                format!("first-in-first-out links, of which at most {breaks} break")
            }
            Self::Datagrams {
                loss,
                duplication,
                reordering,
            } => {
                let word =
                    |on: bool, what: &str| format!("{} {what}", if on { "with" } else { "no" });
                format!(
                    "datagrams, {}, {}, {}",
                    word(loss, "loss"),
                    word(duplication, "duplication"),
                    word(reordering, "reordering")
                )
            }
        }
    }
}

/// A connection between two nodes, the one with the lower place first.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Link<M> {
    /// Who dialled.
    pub dialler: Place,
    /// The two ends.
    pub ends: [End<M>; 2],
}

/// One end of a connection.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct End<M> {
    /// What is under way to this end, the oldest first.
    pub inbox: VecDeque<M>,
    /// What becomes of the end.
    pub fate: Fate,
}

/// What becomes of one end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fate {
    /// It stands.
    Open,
    /// The node will be told that the connection is gone, after what is still in the inbox.
    Ending,
    /// The node closed it, was told, or is absent itself.
    Gone,
}

/// What is under way in the whole system.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Traffic<M: Ord> {
    /// Connections, by the places of their ends in ascending order.
    pub links: BTreeMap<(Place, Place), Link<M>>,
    /// Dials that are neither accepted nor refused: who, whom.
    pub dials: BTreeSet<(Place, Place)>,
    /// Datagrams under way, by sender and receiver.
    pub datagrams: BTreeMap<(Place, Place), VecDeque<M>>,
}

impl<M: Ord> Default for Traffic<M> {
    fn default() -> Self {
        Self {
            links: BTreeMap::new(),
            dials: BTreeSet::new(),
            datagrams: BTreeMap::new(),
        }
    }
}

/// What a node finds at its end of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Arrival<M> {
    Message(M),
    Closed,
}

/// The key of the link between two places, and which end belongs to the first.
fn key(own: Place, other: Place) -> ((Place, Place), usize) {
    if own < other {
        ((own, other), 0)
    } else {
        ((other, own), 1)
    }
}

impl<M: Clone + Ord> Traffic<M> {
    /// Whether nothing is under way.
    pub fn is_quiet(&self) -> bool {
        self.dials.is_empty()
            && self.datagrams.is_empty()
            && self
                .links
                .values()
                .flat_map(|link| &link.ends)
                .all(|end| end.inbox.is_empty() && end.fate != Fate::Ending)
    }

    /// Whether any link, also a dying one, is between the two.
    pub fn linked(&self, one: Place, other: Place) -> bool {
        self.links.contains_key(&key(one, other).0)
    }

    /// A connection stands; a dial in the other direction is answered by it.
    pub(super) fn connect(&mut self, by: Place, to: Place) {
        self.dials.remove(&(by, to));
        self.dials.remove(&(to, by));
        let end = || End {
            inbox: VecDeque::new(),
            fate: Fate::Open,
        };
        let link = Link {
            dialler: by,
            ends: [end(), end()],
        };
        self.links.insert(key(by, to).0, link);
    }

    /// Sends on the connection; without one, or towards an end that is gone, nothing is sent.
    pub(super) fn send(&mut self, from: Place, to: Place, message: M) {
        let (pair, own) = key(from, to);
        if let Some(link) = self.links.get_mut(&pair)
            && link.ends[own].fate != Fate::Gone
            && link.ends[1 - own].fate == Fate::Open
        {
            link.ends[1 - own].inbox.push_back(message);
        }
    }

    /// `own` closes: what was sent before still arrives at the other end, nothing arrives here.
    pub(super) fn close(&mut self, own: Place, other: Place) {
        self.dials.remove(&(own, other));
        let (pair, at) = key(own, other);
        let Some(link) = self.links.get_mut(&pair) else {
            return;
        };
        link.ends[at].inbox.clear();
        link.ends[at].fate = Fate::Gone;
        if link.ends[1 - at].fate == Fate::Open {
            link.ends[1 - at].fate = Fate::Ending;
        }
        self.forget_if_gone(pair);
    }

    /// The network breaks the link: what was under way is lost, both ends will be told.
    pub(super) fn break_link(&mut self, pair: (Place, Place)) {
        let Some(link) = self.links.get_mut(&pair) else {
            return;
        };
        for end in &mut link.ends {
            end.inbox.clear();
            if end.fate == Fate::Open {
                end.fate = Fate::Ending;
            }
        }
    }

    /// Every connection of `place` ends; with `lossy` also what it had sent is lost.
    pub(super) fn depart(&mut self, place: Place, lossy: bool) {
        let others: Vec<Place> = self
            .links
            .keys()
            .filter(|(low, high)| *low == place || *high == place)
            .map(|(low, high)| if *low == place { *high } else { *low })
            .collect();
        for other in others {
            if lossy {
                self.break_link(key(place, other).0);
            }
            self.close(place, other);
        }
        self.dials.retain(|(by, _)| *by != place);
    }

    /// What the node at `own` finds next on its link with `other`, if anything.
    pub(super) fn next(&self, own: Place, other: Place) -> Option<Arrival<&M>> {
        let (pair, at) = key(own, other);
        let end = &self.links.get(&pair)?.ends[at];
        match (end.inbox.front(), end.fate) {
            (Some(message), _) => Some(Arrival::Message(message)),
            (None, Fate::Ending) => Some(Arrival::Closed),
            (None, _) => None,
        }
    }

    /// Takes what [`Traffic::next`] showed.
    pub(super) fn take(&mut self, own: Place, other: Place) -> Option<Arrival<M>> {
        let (pair, at) = key(own, other);
        let end = &mut self.links.get_mut(&pair)?.ends[at];
        if let Some(message) = end.inbox.pop_front() {
            return Some(Arrival::Message(message));
        }
        if end.fate != Fate::Ending {
            return None;
        }
        end.fate = Fate::Gone;
        self.forget_if_gone(pair);
        Some(Arrival::Closed)
    }

    fn forget_if_gone(&mut self, pair: (Place, Place)) {
        let gone = |link: &Link<M>| link.ends.iter().all(|end| end.fate == Fate::Gone);
        if self.links.get(&pair).is_some_and(gone) {
            self.links.remove(&pair);
        }
    }

    /// Puts a datagram under way. Where order does not matter it is kept sorted, so that equal networks are
    /// equal states; where it may be delivered again and again one copy stands for all.
    pub(super) fn post(&mut self, from: Place, to: Place, message: M, sorted: bool, once: bool) {
        let queue = self.datagrams.entry((from, to)).or_default();
        if once && queue.contains(&message) {
            return;
        }
        let at = if sorted {
            queue.partition_point(|known| *known <= message)
        } else {
            queue.len()
        };
        queue.insert(at, message);
    }

    /// Takes one datagram off the network.
    pub(super) fn unpost(&mut self, from: Place, to: Place, message: &M) -> bool {
        let Some(queue) = self.datagrams.get_mut(&(from, to)) else {
            return false;
        };
        let found = queue.iter().position(|known| known == message);
        let taken = found.and_then(|at| queue.remove(at)).is_some();
        if queue.is_empty() {
            self.datagrams.remove(&(from, to));
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sent_before_a_close_still_arrives() {
        let mut traffic = Traffic::default();
        traffic.connect(1, 0);
        traffic.send(1, 0, "a");
        traffic.send(0, 1, "lost");
        traffic.close(1, 0);
        assert_eq!(traffic.next(1, 0), None);
        assert_eq!(traffic.take(0, 1), Some(Arrival::Message("a")));
        assert!(!traffic.is_quiet());
        assert_eq!(traffic.take(0, 1), Some(Arrival::Closed));
        assert!(traffic.is_quiet() && !traffic.linked(0, 1));
    }

    #[test]
    fn a_broken_link_loses_what_was_under_way_and_tells_both() {
        let mut traffic = Traffic::default();
        traffic.connect(0, 1);
        traffic.send(0, 1, "lost");
        traffic.break_link((0, 1));
        traffic.send(1, 0, "lost too");
        assert_eq!(traffic.take(0, 1), Some(Arrival::Closed));
        assert_eq!(traffic.take(1, 0), Some(Arrival::Closed));
        assert!(!traffic.linked(0, 1));
    }

    #[test]
    fn crossing_dials_become_one_connection() {
        let mut traffic = Traffic::<()>::default();
        traffic.dials.insert((0, 1));
        traffic.dials.insert((1, 0));
        traffic.connect(1, 0);
        assert!(traffic.dials.is_empty());
        assert_eq!(traffic.links[&(0, 1)].dialler, 1);
    }
}
