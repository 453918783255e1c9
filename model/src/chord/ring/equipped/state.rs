//! What is added to a state of the ring, and the ring that the properties see.

use super::super::state::State;
use super::{EquippedRing, Place};
use crate::chord::ring::MOST_PLACES;
use crate::chord::view::{Equipped, Finger, Ring};

/// Stands where no place is.
const NOBODY: Place = Place::MAX;
/// How many fingers a member has beyond its successor, on the largest circle.
const MOST_FINGERS: usize = 2;

/// How far finger number `number` reaches.
pub(super) fn reach(number: u32) -> u32 {
    1_u32.checked_shl(number).unwrap_or(0)
}

/// A ring, the fingers of its members, and who keeps the key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EquippedState {
    /// The members and their pointers.
    pub ring: State,
    fingers: [[Place; MOST_FINGERS]; MOST_PLACES],
    key: Place,
    keepers: u8,
    /// How many members have failed since everyone who is to keep the key last did so.
    pub(super) failed: u8,
}

impl EquippedState {
    /// The ring without any finger or key.
    pub(super) fn bare(ring: State) -> Self {
        Self {
            ring,
            fingers: [[NOBODY; MOST_FINGERS]; MOST_PLACES],
            key: NOBODY,
            keepers: 0,
            failed: 0,
        }
    }

    /// The key, where there is one.
    pub fn key(&self) -> Option<Place> {
        (self.key != NOBODY).then_some(self.key)
    }

    /// Whether that member keeps the key.
    pub fn is_kept_by(&self, member: Place) -> bool {
        self.keepers & (1 << member) != 0
    }

    /// How many members have failed since everyone who is to keep the key last did so.
    pub fn failed(&self) -> u8 {
        self.failed
    }

    /// A finger of a member, by number from 1.
    pub fn finger(&self, member: Place, number: u32) -> Option<Place> {
        let finger = self.fingers[usize::from(member)][slot(number)];
        (finger != NOBODY).then_some(finger)
    }

    pub(super) fn set_finger(&mut self, member: Place, number: u32, node: Option<Place>) {
        self.fingers[usize::from(member)][slot(number)] = node.unwrap_or(NOBODY);
    }

    /// Whoever is not there keeps no copy: what is sent to it is lost.
    pub(super) fn keep_copy(&mut self, member: Place) {
        if self.ring.is_live(member) {
            self.keepers |= 1 << member;
        }
    }

    pub(super) fn drop_copy(&mut self, member: Place) {
        self.keepers &= !(1 << member);
    }

    /// A member is gone with all it had.
    pub(super) fn forget(&mut self, member: Place) {
        self.fingers[usize::from(member)] = [NOBODY; MOST_FINGERS];
        self.drop_copy(member);
    }
}

/// Finger 0 is the successor, and has no place of its own.
fn slot(number: u32) -> usize {
    (number as usize).saturating_sub(1).min(MOST_FINGERS - 1)
}

impl std::fmt::Debug for EquippedState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.ring)?;
        for member in self.ring.live() {
            let fingers = self.fingers[usize::from(member)].iter();
            let fingers: Vec<_> = fingers.filter(|finger| **finger != NOBODY).collect();
            if !fingers.is_empty() {
                write!(f, ", fingers of {member}: {fingers:?}")?;
            }
        }
        if let Some(key) = self.key() {
            let keepers: Vec<_> = self
                .ring
                .live()
                .filter(|node| self.is_kept_by(*node))
                .collect();
            write!(f, ", key {key} at {keepers:?}, {} failed", self.failed)?;
        }
        Ok(())
    }
}

impl EquippedRing {
    /// The ideal ring with a key on its owner and on the members after that one.
    pub(super) fn stored(&self, mut state: EquippedState, key: Place) -> EquippedState {
        state.key = key;
        let owner = state.ring.owner(key);
        let rules = self.ring.rules;
        let takes = |member: &Place| rules.owns(state.ring.predecessor(*member), key, *member);
        let first = state.ring.live().find(takes).or(owner);
        let mut keepers = std::iter::successors(first, |at| state.ring.next(*at));
        for _ in 0..self.equipment.replication {
            if let Some(keeper) = keepers.next() {
                state.keepers |= 1 << keeper;
            }
        }
        state
    }

    /// Where a finger of a member begins.
    pub(super) fn finger_start(&self, member: Place, number: u32) -> Place {
        let ids = u32::from(self.ring.scope.ids);
        ((u32::from(member) + reach(number)) % ids) as Place
    }

    /// How many bytes fingers and keys take.
    pub(super) fn added(&self) -> usize {
        let fingers = if self.equipment.fingers {
            usize::from(self.ring.scope.ids) * self.numbers().count()
        } else {
            0
        };
        fingers + if self.equipment.replication > 0 { 3 } else { 0 }
    }

    pub(super) fn pack_added(&self, state: &EquippedState, bytes: &mut Vec<u8>) {
        if self.equipment.fingers {
            for fingers in &state.fingers[..usize::from(self.ring.scope.ids)] {
                bytes.extend(&fingers[..self.numbers().count()]);
            }
        }
        if self.equipment.replication > 0 {
            bytes.extend([state.key, state.keepers, state.failed]);
        }
    }

    pub(super) fn unpack_added(&self, ring: State, bytes: &[u8]) -> EquippedState {
        let mut state = EquippedState::bare(ring);
        let mut bytes = bytes.iter().copied();
        if self.equipment.fingers {
            for member in 0..self.ring.scope.ids {
                for number in self.numbers() {
                    state.set_finger(member, number, bytes.next());
                }
            }
        }
        if let (Some(key), Some(keepers), Some(failed)) = (bytes.next(), bytes.next(), bytes.next())
        {
            (state.key, state.keepers, state.failed) = (key, keepers, failed);
        }
        state
    }
}

/// A state with its scope, as the properties see it.
pub(super) struct Seen<'a> {
    model: &'a EquippedRing,
    state: &'a EquippedState,
}

impl<'a> Seen<'a> {
    pub(super) fn of(model: &'a EquippedRing, state: &'a EquippedState) -> Self {
        Self { model, state }
    }
}

impl Ring for Seen<'_> {
    type Id = Place;

    fn members(&self) -> impl Iterator<Item = Place> + Clone {
        self.state.ring.live()
    }

    fn is_member(&self, id: Place) -> bool {
        self.state.ring.is_live(id)
    }

    fn successors(&self, member: Place) -> impl Iterator<Item = Place> + Clone {
        self.state.ring.at(member).list()
    }

    fn predecessor(&self, member: Place) -> Option<Place> {
        self.state.ring.at(member).predecessor()
    }

    fn size(&self) -> usize {
        self.state.ring.size()
    }
}

impl Equipped for Seen<'_> {
    /// Also without fingers it says where they would begin, so that every identifier is looked up.
    fn fingers(&self, member: Place) -> impl Iterator<Item = Finger<Place>> {
        let numbers = self.model.numbers();
        numbers.map(move |number| Finger {
            start: self.model.finger_start(member, number),
            node: self.state.finger(member, number),
        })
    }

    fn stored(&self) -> impl Iterator<Item = Place> {
        self.state.key().into_iter()
    }

    fn keeps(&self, member: Place, _: Place) -> bool {
        self.state.is_kept_by(member)
    }

    fn replication(&self) -> usize {
        usize::from(self.model.equipment.replication)
    }
}
