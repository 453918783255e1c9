//! Who is there, with which pointers.

use super::{AtomicRing, Place, Scope};
use crate::chord::mutant::Mutant;
use crate::chord::view::Ring;

/// How many identifiers a state has room for.
pub const MOST_PLACES: usize = 8;
/// How many entries of a successor list a state has room for.
pub const MOST_SUCCESSORS: usize = 4;

/// Stands where no place is.
const NOBODY: Place = Place::MAX;

/// What a member is in the middle of; 2017.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// Nothing.
    #[default]
    Idle,
    /// It is about to ask the saved node, its successor's predecessor.
    Stabilizing,
    /// The saved node has notified it.
    Rectifying,
}

/// The pointers of one member.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pointers {
    pub(super) successors: [Place; MOST_SUCCESSORS],
    pub(super) predecessor: Place,
    pub(super) status: Status,
    pub(super) saved: Place,
}

impl Pointers {
    const ABSENT: Self = Self {
        successors: [NOBODY; MOST_SUCCESSORS],
        predecessor: NOBODY,
        status: Status::Idle,
        saved: NOBODY,
    };

    /// A member with that list and that predecessor.
    pub fn new(successors: &[Place], predecessor: Option<Place>) -> Self {
        let mut pointers = Self::ABSENT;
        pointers.set_list(successors.iter().copied());
        pointers.predecessor = predecessor.unwrap_or(NOBODY);
        pointers
    }

    /// The same in the middle of something that is about the saved node.
    #[must_use]
    pub fn amid(mut self, status: Status, saved: Place) -> Self {
        self.begin(status, saved);
        self
    }

    /// What it is in the middle of, and the node that this is about.
    pub fn pending(&self) -> (Status, Option<Place>) {
        (self.status, (self.saved != NOBODY).then_some(self.saved))
    }

    /// The successor list, dead entries included.
    pub fn list(&self) -> impl Iterator<Item = Place> + Clone + use<> {
        self.successors
            .into_iter()
            .take_while(|entry| *entry != NOBODY)
    }

    /// The predecessor.
    pub fn predecessor(&self) -> Option<Place> {
        (self.predecessor != NOBODY).then_some(self.predecessor)
    }

    /// The first successor.
    pub(super) fn first(&self) -> Place {
        self.successors[0]
    }

    /// Takes another list, as far as there is room.
    pub(super) fn set_list(&mut self, list: impl IntoIterator<Item = Place>) {
        self.successors = [NOBODY; MOST_SUCCESSORS];
        for (slot, entry) in self.successors.iter_mut().zip(list) {
            *slot = entry;
        }
    }

    pub(super) fn forget_predecessor(&mut self) {
        self.predecessor = NOBODY;
    }

    /// Takes the first entry off the list.
    pub(super) fn drop_first(&mut self) {
        self.successors.rotate_left(1);
        self.successors[MOST_SUCCESSORS - 1] = NOBODY;
    }

    /// Enters a status with the node it is about.
    pub(super) fn begin(&mut self, status: Status, saved: Place) {
        self.status = status;
        self.saved = saved;
    }

    /// Is done with whatever it was in the middle of.
    pub(super) fn finish(&mut self) {
        self.begin(Status::Idle, NOBODY);
    }
}

impl std::fmt::Debug for Pointers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let list: Vec<Place> = self.list().collect();
        write!(f, "{list:?}")?;
        if let Some(predecessor) = self.predecessor() {
            write!(f, " after {predecessor}")?;
        }
        match self.status {
            Status::Idle => Ok(()),
            Status::Stabilizing => write!(f, ", stabilizing from {}", self.saved),
            Status::Rectifying => write!(f, ", notified by {}", self.saved),
        }
    }
}

/// Who is a member, with which pointers. Whoever is not there has none.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct State {
    members: u8,
    places: [Pointers; MOST_PLACES],
}

impl State {
    /// Nobody is there.
    pub fn empty() -> Self {
        Self {
            members: 0,
            places: [Pointers::ABSENT; MOST_PLACES],
        }
    }

    /// These members are there; places outside the state are left out.
    pub fn of(members: &[(Place, Pointers)]) -> Self {
        let mut state = Self::empty();
        for (place, pointers) in members {
            if usize::from(*place) < MOST_PLACES {
                *state.insert(*place) = *pointers;
            }
        }
        state
    }

    /// The ideal ring of the members of a set, with lists of that length.
    pub(super) fn ideal(set: u8, successors: u8) -> Self {
        let mut state = Self::empty();
        state.members = set;
        for member in state.live() {
            let mut expected = member;
            let list = std::array::from_fn::<Place, MOST_SUCCESSORS, _>(|_| {
                expected = state.next(expected).unwrap_or(expected);
                expected
            });
            let predecessor = state.previous(member);
            let list = &list[..usize::from(successors)];
            state.places[usize::from(member)] = Pointers::new(list, predecessor);
        }
        state
    }

    /// The pointers of a place.
    pub fn at(&self, place: Place) -> &Pointers {
        &self.places[usize::from(place)]
    }

    pub(super) fn at_mut(&mut self, place: Place) -> &mut Pointers {
        &mut self.places[usize::from(place)]
    }

    /// Makes the place a member, and hands out its pointers to be filled in.
    pub(super) fn insert(&mut self, place: Place) -> &mut Pointers {
        self.members |= 1 << place;
        self.at_mut(place)
    }

    pub(super) fn remove(&mut self, place: Place) {
        self.members &= !(1 << place);
        *self.at_mut(place) = Pointers::ABSENT;
    }

    /// Every member, in increasing order.
    pub fn live(&self) -> impl Iterator<Item = Place> + Clone + use<> {
        let mut left = self.members;
        std::iter::from_fn(move || {
            let next = left.trailing_zeros() as Place;
            let there = left != 0;
            left &= left.wrapping_sub(1);
            there.then_some(next)
        })
    }

    pub(super) fn is_live(&self, place: Place) -> bool {
        usize::from(place) < MOST_PLACES && self.members & (1 << place) != 0
    }

    pub(super) fn everyone_has_a_live_successor(&self) -> bool {
        self.live()
            .all(|member| self.best_successor(member).is_some())
    }

    /// Whether a scope has room for every place that is named here.
    pub(super) fn fits(&self, ids: u8, successors: u8) -> bool {
        let inside = |place: Place| place == NOBODY || place < ids;
        let all = (0..MOST_PLACES as Place).all(|place| {
            let pointers = self.at(place);
            let entries = pointers.successors.iter();
            let there = self.is_live(place) == (pointers.first() != NOBODY);
            there
                && (place < ids || !self.is_live(place))
                && entries.clone().all(|entry| inside(*entry))
                && pointers.list().count() == entries.filter(|entry| **entry != NOBODY).count()
                && pointers.list().count() <= usize::from(successors)
                && inside(pointers.predecessor)
                && inside(pointers.saved)
                && (pointers.saved == NOBODY) == (pointers.status == Status::Idle)
        });
        all && self.members != 0
    }

    /// The same with every place further clockwise.
    fn turned(&self, by: Place, ids: u8) -> Self {
        let turn = |place: Place| {
            if place == NOBODY {
                NOBODY
            } else {
                (place + by) % ids
            }
        };
        let mut state = Self::empty();
        for member in self.live() {
            let mut pointers = *self.at(member);
            for entry in &mut pointers.successors {
                *entry = turn(*entry);
            }
            pointers.predecessor = turn(pointers.predecessor);
            pointers.saved = turn(pointers.saved);
            *state.insert(turn(member)) = pointers;
        }
        state
    }
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let members = self.live().map(|member| (member, self.at(member)));
        f.debug_map().entries(members).finish()
    }
}

impl Ring for State {
    type Id = Place;

    fn members(&self) -> impl Iterator<Item = Place> + Clone {
        self.live()
    }

    fn is_member(&self, id: Place) -> bool {
        self.is_live(id)
    }

    fn successors(&self, member: Place) -> impl Iterator<Item = Place> + Clone {
        self.at(member).list()
    }

    fn predecessor(&self, member: Place) -> Option<Place> {
        self.at(member).predecessor()
    }

    fn size(&self) -> usize {
        self.members.count_ones() as usize
    }
}

impl AtomicRing {
    /// Whether turning the circle turns one run into another: the scope [is symmetric](Scope::is_symmetric), and
    /// so are the rules, which they are not where 0 is a special place.
    pub fn is_symmetric(&self) -> bool {
        self.scope.is_symmetric() && !self.rules.is(Mutant::NeverWraps)
    }

    /// The first of the states that turning the circle makes of this one. Only where the ring
    /// [is symmetric](AtomicRing::is_symmetric) does one stand for all; elsewhere the state stands for itself.
    pub fn canonical(&self, state: &State) -> State {
        if !self.is_symmetric() {
            return *state;
        }
        let turns = (1..self.scope.ids).map(|by| state.turned(by, self.scope.ids));
        turns.fold(*state, State::min)
    }
}

/// How states of a scope are written as bits: for each place its list, predecessor and saved node, each with as
/// many bits as the identifiers and "nobody" need, and whether the saved node has notified it.
pub(super) struct Layout {
    ids: u8,
    successors: usize,
    bits: u32,
}

impl Layout {
    pub(super) fn of(scope: &Scope) -> Self {
        Self {
            ids: scope.ids,
            successors: usize::from(scope.successors),
            bits: u8::BITS - scope.ids.leading_zeros(),
        }
    }

    fn bits_of_a_place(&self) -> u32 {
        (self.successors as u32 + 2) * self.bits + 1
    }

    pub(super) fn bytes(&self) -> usize {
        (u32::from(self.ids) * self.bits_of_a_place()).div_ceil(8) as usize
    }

    pub(super) fn pack(&self, state: &State, bytes: &mut Vec<u8>) {
        let mut writing = 0_u64;
        let mut held = 0;
        for pointers in &state.places[..usize::from(self.ids)] {
            let mut value = u64::from(pointers.status == Status::Rectifying);
            let list = &pointers.successors[..self.successors];
            for place in list.iter().chain([&pointers.predecessor, &pointers.saved]) {
                // "Nobody" is the number after the last identifier.
                value = value << self.bits | u64::from((*place).min(self.ids));
            }
            writing |= value << held;
            held += self.bits_of_a_place();
            while held >= 8 {
                bytes.push(writing as u8);
                writing >>= 8;
                held -= 8;
            }
        }
        if held > 0 {
            bytes.push(writing as u8);
        }
    }

    pub(super) fn unpack(&self, bytes: &[u8]) -> State {
        let mut state = State::empty();
        let mut reading = 0_u64;
        let mut held = 0;
        let mut bytes = bytes.iter();
        let mask = (1 << self.bits) - 1;
        for place in 0..self.ids {
            while held < self.bits_of_a_place() {
                reading |= u64::from(bytes.next().copied().unwrap_or(0)) << held;
                held += 8;
            }
            let mut value = reading & ((1 << self.bits_of_a_place()) - 1);
            reading >>= self.bits_of_a_place();
            held -= self.bits_of_a_place();
            let mut take = || {
                let place = (value & mask) as Place;
                value >>= self.bits;
                if place == self.ids { NOBODY } else { place }
            };
            let saved = take();
            let predecessor = take();
            let mut pointers = Pointers::ABSENT;
            for entry in pointers.successors[..self.successors].iter_mut().rev() {
                *entry = take();
            }
            pointers.predecessor = predecessor;
            if saved != NOBODY {
                let notified = value & 1 == 1;
                let status = if notified {
                    Status::Rectifying
                } else {
                    Status::Stabilizing
                };
                pointers.begin(status, saved);
            }
            if pointers.first() != NOBODY {
                *state.insert(place) = pointers;
            }
        }
        state
    }
}
