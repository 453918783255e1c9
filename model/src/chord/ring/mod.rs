//! The ring with atomic operations: what one node reads of another and changes happens in one step.
//!
//! [`AtomicRing`] is every published generation of the protocol, and what churn does to it, as one model.
//!
//! | file | holds |
//! |---|---|
//! | `scope.rs` | variants, churn, where a run starts; which scopes are possible |
//! | `state.rs` | who is there, with which pointers; its bytes, its rotations |
//! | `churn.rs` | join, leave, fail, and when a node may fail |
//! | `original.rs` | stabilize, notify, reconcile, update, flush: 2001 to 2003 |
//! | `strong.rs` | what strong stabilization adds: 2002 |
//! | `zave.rs` | the corrected operations: 2017 |
//! | `equipped` | the same ring with fingers, and with a key and its replicas |
//! | `drawing.rs` | a state as a picture |
//! | `facts.rs` | the properties of the shape of a ring as facts about states; the goal; what is ideal, and what repairs it |
//! | `promises.rs` | what the operations of 2017 are held to, as facts about states |

mod churn;
mod drawing;
mod equipped;
mod facts;
mod original;
mod promises;
mod scope;
mod state;
mod strong;
mod zave;

use std::fmt;

use stateright::{Model, Path, Property};

pub use equipped::{Equipment, EquippedAction, EquippedRing, EquippedState};
pub use scope::{Churn, Scope, ScopeError, Start, Variant};
pub use state::{MOST_PLACES, MOST_SUCCESSORS, Pointers, State, Status};

use crate::chord::rules::Rules;
use crate::explore::Pack;

/// A point of the circle; the circle has as many as the scope says.
pub type Place = u8;

/// What can happen in one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// A node joins through a member.
    Join(Place, Place),
    /// A member says goodbye to its neighbours and goes.
    Leave(Place),
    /// A member is gone without a word.
    Fail(Place),
    /// A member asks its successor for its predecessor, and notifies the better one; until 2003.
    Stabilize(Place),
    /// A member copies its successor's list.
    Reconcile(Place),
    /// A member drops its dead successor.
    Update(Place),
    /// A member drops its dead predecessor.
    Flush(Place),
    /// A member looks itself up from its successor; 2002.
    LookUpItself(Place),
    /// A member asks its successor for list and predecessor, or drops it; 2017.
    StabilizeFromSuccessor(Place),
    /// A member asks its successor's predecessor, found before, for its list; 2017.
    StabilizeFromPredecessor(Place),
    /// A notified member looks whether the notifying one is a better predecessor; 2017.
    Rectify(Place, Place),
}

impl Action {
    /// The node that acts, or to which it happens.
    pub fn node(self) -> Place {
        match self {
            Self::Join(node, _)
            | Self::Leave(node)
            | Self::Fail(node)
            | Self::Stabilize(node)
            | Self::Reconcile(node)
            | Self::Update(node)
            | Self::Flush(node)
            | Self::LookUpItself(node)
            | Self::StabilizeFromSuccessor(node)
            | Self::StabilizeFromPredecessor(node)
            | Self::Rectify(node, _) => node,
        }
    }

    /// Whether it is churn; everything else is maintenance.
    pub fn is_churn(self) -> bool {
        matches!(self, Self::Join(..) | Self::Leave(_) | Self::Fail(_))
    }

    /// The short name that published traces use, such as `S2`.
    pub fn code(self) -> String {
        let letter = match self {
            Self::Join(..) => "J",
            Self::Leave(_) => "G",
            Self::Fail(_) => "F",
            Self::Stabilize(_) => "S",
            Self::Reconcile(_) => "R",
            Self::Update(_) => "U",
            Self::Flush(_) => "L",
            Self::LookUpItself(_) => "K",
            Self::StabilizeFromSuccessor(_) => "SS",
            Self::StabilizeFromPredecessor(_) => "SP",
            Self::Rectify(..) => "N",
        };
        format!("{letter}{}", self.node())
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Join(node, via) => write!(f, "{node} joins through {via}"),
            Self::Leave(node) => write!(f, "{node} leaves"),
            Self::Fail(node) => write!(f, "{node} fails"),
            Self::Stabilize(node) => write!(f, "{node} stabilizes"),
            Self::Reconcile(node) => write!(f, "{node} reconciles its list"),
            Self::Update(node) => write!(f, "{node} drops its dead successor"),
            Self::Flush(node) => write!(f, "{node} drops its dead predecessor"),
            Self::LookUpItself(node) => write!(f, "{node} looks itself up"),
            Self::StabilizeFromSuccessor(node) => write!(f, "{node} stabilizes from its successor"),
            Self::StabilizeFromPredecessor(node) => {
                write!(f, "{node} stabilizes from its successor's predecessor")
            }
            Self::Rectify(node, by) => write!(f, "{node} rectifies, notified by {by}"),
        }
    }
}

/// A ring whose operations are atomic, as a model. A step that would change nothing is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AtomicRing {
    scope: Scope,
    rules: Rules,
}

impl AtomicRing {
    /// The model of a scope.
    ///
    /// # Errors
    /// The scope is impossible; the error says why.
    pub fn new(scope: Scope) -> Result<Self, ScopeError> {
        scope.validate()?;
        Ok(Self {
            scope,
            rules: Rules::default(),
        })
    }

    /// The same ring, of nodes that follow these rules.
    #[must_use]
    pub fn with(mut self, rules: Rules) -> Self {
        self.rules = rules;
        self
    }

    /// What was asked for.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// What follows from an action; `None` when it is not possible, or changes nothing.
    pub fn step(&self, state: &State, action: Action) -> Option<State> {
        let mut next = *state;
        let happened = match action {
            Action::Join(node, via) => self.join(&mut next, node, via),
            Action::Leave(node) => self.leave(&mut next, node),
            Action::Fail(node) => self.fail(&mut next, node),
            Action::Stabilize(node) => self.stabilize(&mut next, node),
            Action::Reconcile(node) => self.reconcile(&mut next, node),
            Action::Update(node) => self.update(&mut next, node),
            Action::Flush(node) => self.flush(&mut next, node),
            Action::LookUpItself(node) => self.look_up_itself(&mut next, node),
            Action::StabilizeFromSuccessor(node) => self.stabilize_from_successor(&mut next, node),
            Action::StabilizeFromPredecessor(node) => {
                self.stabilize_from_predecessor(&mut next, node)
            }
            Action::Rectify(node, by) => self.rectify(&mut next, node, by),
        };
        (happened && next != *state).then_some(next)
    }

    /// Every maintenance step that is worth trying.
    fn offer_maintenance(&self, state: &State, actions: &mut Vec<Action>) {
        for node in state.live() {
            match self.scope.variant {
                Variant::Sigcomm2001 => actions.push(Action::Stabilize(node)),
                Variant::Ton2003 { .. } | Variant::Podc2002 => {
                    actions.push(Action::Stabilize(node));
                    actions.extend([
                        Action::Reconcile(node),
                        Action::Update(node),
                        Action::Flush(node),
                    ]);
                    if self.scope.variant == Variant::Podc2002 {
                        actions.push(Action::LookUpItself(node));
                    }
                }
                Variant::Zave2017 => actions.push(match state.at(node).status {
                    Status::Idle => Action::StabilizeFromSuccessor(node),
                    Status::Stabilizing => Action::StabilizeFromPredecessor(node),
                    Status::Rectifying => Action::Rectify(node, state.at(node).saved),
                }),
            }
        }
    }
}

impl Model for AtomicRing {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        self.starts()
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        self.offer_maintenance(state, actions);
        self.offer_churn(state, actions);
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        self.step(state, action)
    }

    fn format_action(&self, action: &Action) -> String {
        action.to_string()
    }

    fn as_svg(&self, path: Path<State, Action>) -> Option<String> {
        Some(drawing::svg(path.last_state(), self.scope.ids))
    }

    fn properties(&self) -> Vec<Property<Self>> {
        facts::listed(self.scope.variant)
    }
}

impl Pack for AtomicRing {
    fn width(&self) -> Option<usize> {
        Some(state::Layout::of(&self.scope).bytes())
    }

    fn pack(&self, state: &State, bytes: &mut Vec<u8>) {
        state::Layout::of(&self.scope).pack(state, bytes);
    }

    fn unpack(&self, bytes: &[u8]) -> State {
        state::Layout::of(&self.scope).unpack(bytes)
    }
}
