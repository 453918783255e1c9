//! The ring with fingers, and with a key and its replicas.
//!
//! Fingers and keys change no pointer of the ring, so that this is [`AtomicRing`] with more state. Finger 0 is the
//! successor pointer, as in the papers; every other one is looked up again at any moment, through the pointers and fingers
//! of that moment. Keys have nothing to do with one another, so that one key stands for all: each identifier is the key
//! of a start of its own. Copies are never dropped but with the member that keeps them.
//!
//! | file | holds |
//! |---|---|
//! | `state.rs` | what is added to a state of the ring; its bytes; the ring that the properties see |
//! | `facts.rs` | the properties as facts about states |

mod facts;
mod state;

use std::fmt;

use stateright::{Model, Property};

pub use state::EquippedState;

use self::state::Seen;
use super::{Action, AtomicRing, Place, Scope, ScopeError, Variant};
use crate::chord::mutant::Mutant;
use crate::chord::properties::{keys_are_replicated, lookup_path};
use crate::chord::rules::Rules;
use crate::chord::view::Ring;
use crate::explore::Pack;
use crate::property::Judgement;

/// What the members of a ring have beside their pointers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Equipment {
    /// Whether they have fingers.
    pub fingers: bool,
    /// On how many members the key is to be kept; 0 without a key. Fewer than that fail before everyone who is to
    /// keep the key does so again.
    pub replication: u8,
}

/// What can happen in one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EquippedAction {
    /// A step of the ring. With a new predecessor the keys that this one owns are given to it.
    Ring(Action),
    /// A member looks a finger up again, by number.
    FixFinger(Place, u32),
    /// A member that keeps the key gives it to its replicas, or, when it is not the owner, to whom a lookup names.
    Repair(Place),
}

impl fmt::Display for EquippedAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ring(action) => action.fmt(f),
            Self::FixFinger(node, number) => write!(f, "{node} looks up finger {number}"),
            Self::Repair(node) => write!(f, "{node} repairs the copies of the key"),
        }
    }
}

/// A ring with fingers and keys whose operations are atomic, as a model. A step that would change nothing is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EquippedRing {
    ring: AtomicRing,
    equipment: Equipment,
}

impl EquippedRing {
    /// The model of a scope.
    ///
    /// # Errors
    /// The scope is impossible; the error says why.
    pub fn new(scope: Scope, equipment: Equipment) -> Result<Self, ScopeError> {
        let ring = AtomicRing::new(scope)?;
        let (variant, successors) = (ring.scope.variant, ring.scope.successors);
        if variant != Variant::Zave2017 {
            return Err(ScopeError::Equipment { variant });
        }
        let copies = equipment.replication;
        if copies > successors + 1 {
            return Err(ScopeError::Copies { copies, successors });
        }
        Ok(Self { ring, equipment })
    }

    /// The same ring, of nodes that follow these rules.
    #[must_use]
    pub fn with(mut self, rules: Rules) -> Self {
        self.ring = self.ring.with(rules);
        self
    }

    /// The ring without fingers and keys.
    pub fn ring(&self) -> &AtomicRing {
        &self.ring
    }

    /// The numbers of the fingers that are looked up: those beyond the successor.
    fn numbers(&self) -> impl Iterator<Item = u32> + use<> {
        let ids = u32::from(self.ring.scope.ids);
        (1..u32::BITS).take_while(move |number| self::state::reach(*number) < ids)
    }

    /// What follows from an action; `None` when it is not possible, or changes nothing.
    pub fn step(&self, state: &EquippedState, action: EquippedAction) -> Option<EquippedState> {
        let mut next = *state;
        match action {
            EquippedAction::Ring(action) => {
                next.ring = self.ring.step(&state.ring, action)?;
                self.follow(&mut next, state, action)?;
            }
            EquippedAction::FixFinger(node, number) => {
                let looked_up = self.ring.rules.finger_exponent(number);
                let start = self.finger_start(node, looked_up);
                let seen = Seen::of(self, state);
                let path = lookup_path(&seen, self.ring.rules, node, start)?;
                next.set_finger(node, number, path.last().copied());
            }
            EquippedAction::Repair(node) => self.repair(&mut next, node),
        }
        if keys_are_replicated(&Seen::of(self, &next)) == Judgement::Holds {
            next.failed = 0;
        }
        (next != *state).then_some(next)
    }

    /// What a step of the ring does to fingers and keys; `None` where it would be one failure too many.
    fn follow(
        &self,
        next: &mut EquippedState,
        before: &EquippedState,
        action: Action,
    ) -> Option<()> {
        let node = action.node();
        match action {
            Action::Fail(_) | Action::Leave(_) => {
                next.forget(node);
                if before.key().is_some() {
                    next.failed += 1;
                    (next.failed < self.equipment.replication).then_some(())?;
                }
            }
            Action::Rectify(..) => {
                let [old, new] = [before, &*next].map(|state| state.ring.at(node).predecessor());
                if let Some(new) = new.filter(|new| old != Some(*new)) {
                    self.hand_over(next, node, old, new);
                }
            }
            _ => {}
        }
        Some(())
    }

    /// A member has a new predecessor, which owns what lies up to it.
    fn hand_over(&self, state: &mut EquippedState, node: Place, old: Option<Place>, new: Place) {
        let rules = self.ring.rules;
        let Some(key) = state.key().filter(|_| state.is_kept_by(node)) else {
            return;
        };
        let owned = old.is_none() || rules.owns(old, key, node);
        if !owned || rules.owns(Some(new), key, node) {
            return;
        }
        if rules.is(Mutant::ForgetsWhatMoves) {
            state.drop_copy(node);
        } else {
            state.keep_copy(new);
        }
    }

    /// The owner gives the key to the live members that follow it in its list, anybody else to the owner.
    fn repair(&self, state: &mut EquippedState, node: Place) {
        let rules = self.ring.rules;
        let Some(key) = state.key().filter(|_| state.is_kept_by(node)) else {
            return;
        };
        if !rules.owns(state.ring.at(node).predecessor(), key, node) {
            let path = lookup_path(&Seen::of(self, state), rules, node, key);
            if let Some(owner) = path.and_then(|path| path.last().copied()) {
                state.keep_copy(owner);
            }
            return;
        }
        let copies = if rules.is(Mutant::KeepsOneCopy) {
            1
        } else {
            usize::from(self.equipment.replication)
        };
        let ring = state.ring;
        let replicas = ring.successors(node).filter(|entry| *entry != node);
        for replica in replicas
            .filter(|entry| ring.is_live(*entry))
            .take(copies - 1)
        {
            state.keep_copy(replica);
        }
    }

    /// Everything that members do about fingers and keys.
    fn offer_upkeep(&self, state: &EquippedState, actions: &mut Vec<EquippedAction>) {
        for node in state.ring.live() {
            if self.equipment.fingers {
                let fix = |number| EquippedAction::FixFinger(node, number);
                actions.extend(self.numbers().map(fix));
            }
            if state.is_kept_by(node) {
                actions.push(EquippedAction::Repair(node));
            }
        }
    }
}

impl Model for EquippedRing {
    type State = EquippedState;
    type Action = EquippedAction;

    fn init_states(&self) -> Vec<EquippedState> {
        let starts = self.ring.init_states().into_iter();
        let keys = self.ring.scope.ids;
        let start = |ring| {
            let bare = EquippedState::bare(ring);
            if self.equipment.replication == 0 {
                return vec![bare];
            }
            let placed = (0..keys).map(|key| self.stored(bare, key));
            placed.collect()
        };
        starts.flat_map(start).collect()
    }

    fn actions(&self, state: &EquippedState, actions: &mut Vec<EquippedAction>) {
        let mut of_the_ring = Vec::new();
        self.ring.actions(&state.ring, &mut of_the_ring);
        actions.extend(of_the_ring.into_iter().map(EquippedAction::Ring));
        self.offer_upkeep(state, actions);
    }

    fn next_state(&self, state: &EquippedState, action: EquippedAction) -> Option<EquippedState> {
        self.step(state, action)
    }

    fn format_action(&self, action: &EquippedAction) -> String {
        action.to_string()
    }

    fn properties(&self) -> Vec<Property<Self>> {
        Vec::new()
    }
}

impl Pack for EquippedRing {
    fn width(&self) -> Option<usize> {
        Some(self.ring.width()? + self.added())
    }

    fn pack(&self, state: &EquippedState, bytes: &mut Vec<u8>) {
        self.ring.pack(&state.ring, bytes);
        self.pack_added(state, bytes);
    }

    fn unpack(&self, bytes: &[u8]) -> EquippedState {
        let (ring, added) = bytes.split_at(bytes.len().saturating_sub(self.added()));
        self.unpack_added(self.ring.unpack(ring), added)
    }
}
