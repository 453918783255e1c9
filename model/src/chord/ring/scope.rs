//! Variants, churn, where a run starts; which scopes are possible.

use std::fmt;
use std::str::FromStr;

use super::state::{MOST_PLACES, MOST_SUCCESSORS, State};
use super::{AtomicRing, Place};

/// A published generation of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Variant {
    /// Join, stabilize and notify, with one successor.
    Sigcomm2001,
    /// With successor lists and checks of predecessors.
    Ton2003 {
        /// The first fix: nobody joins with a dead successor.
        live_join: bool,
        /// The second fix: nobody adopts a dead successor.
        live_stabilize: bool,
    },
    /// With both fixes and strong stabilization.
    Podc2002,
    /// The corrected protocol.
    Zave2017,
}

impl Variant {
    /// Every variant.
    pub const ALL: [Self; 7] = [
        Self::Sigcomm2001,
        Self::Ton2003 {
            live_join: false,
            live_stabilize: false,
        },
        Self::Ton2003 {
            live_join: true,
            live_stabilize: false,
        },
        Self::Ton2003 {
            live_join: false,
            live_stabilize: true,
        },
        Self::TON2003_FIXED,
        Self::Podc2002,
        Self::Zave2017,
    ];

    /// `ton2003` with both fixes.
    pub const TON2003_FIXED: Self = Self::Ton2003 {
        live_join: true,
        live_stabilize: true,
    };

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sigcomm2001 => "sigcomm2001",
            Self::Ton2003 {
                live_join: false,
                live_stabilize: false,
            } => "ton2003",
            Self::Ton2003 {
                live_join: true,
                live_stabilize: false,
            } => "ton2003+fix1",
            Self::Ton2003 {
                live_join: false,
                live_stabilize: true,
            } => "ton2003+fix2",
            Self::TON2003_FIXED => "ton2003+fix1+fix2",
            Self::Podc2002 => "podc2002",
            Self::Zave2017 => "zave2017",
        }
    }

    /// Where its runs start unless somebody says otherwise.
    pub fn usual_start(self) -> Start {
        match self {
            Self::Zave2017 => Start::Ideal,
            _ => Start::Alone,
        }
    }
}

impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Variant {
    type Err = ScopeError;

    fn from_str(name: &str) -> Result<Self, ScopeError> {
        let known = Self::ALL.into_iter().find(|variant| variant.name() == name);
        known.ok_or_else(|| ScopeError::Variant {
            name: name.to_owned(),
        })
    }
}

/// Which churn happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Churn {
    /// Nodes join.
    pub joins: bool,
    /// Members leave with a word to their neighbours.
    pub leaves: bool,
    /// Members fail.
    pub fails: bool,
}

impl Churn {
    /// Nothing but maintenance.
    pub const NONE: Self = Self {
        joins: false,
        leaves: false,
        fails: false,
    };
    /// Joins and failures: the churn of the published counterexamples.
    pub const JOIN_AND_FAIL: Self = Self {
        joins: true,
        leaves: false,
        fails: true,
    };
    /// All of it.
    pub const ALL: Self = Self {
        joins: true,
        leaves: true,
        fails: true,
    };
}

/// Where runs start.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Start {
    /// With node 0 as its own successor, and nobody else.
    Alone,
    /// With an ideal ring of at least r + 1 members; each of them is a start.
    Ideal,
    /// With an ideal ring of any number of members, from one on.
    AnyIdeal,
    /// With these.
    Given(Vec<State>),
}

/// What is explored.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Scope {
    /// Which rules.
    pub variant: Variant,
    /// How many identifiers the circle has, all of them possible nodes.
    pub ids: u8,
    /// How long a successor list is: r.
    pub successors: u8,
    /// Which churn.
    pub churn: Churn,
    /// Where it starts.
    pub start: Start,
    /// Whether principals stay while there are no more than r + 1 of them; asked for by `zave2017`.
    pub base: bool,
}

/// Why there is no such scope.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScopeError {
    /// No such variant.
    #[error(
        "no variant is called {name}; there are sigcomm2001, ton2003, ton2003+fix1, ton2003+fix2, ton2003+fix1+fix2, podc2002, zave2017"
    )]
    Variant {
        /// The name that was given.
        name: String,
    },
    /// The state has room for so many only.
    #[error("{ids} identifiers are not possible: 2 to {MOST_PLACES} are")]
    Ids {
        /// The number that was given.
        ids: u8,
    },
    /// Lists are bounded too.
    #[error("lists of {successors} successors are not possible: 1 to {MOST_SUCCESSORS} are")]
    Successors {
        /// The number that was given.
        successors: u8,
    },
    /// The variant has one successor.
    #[error("sigcomm2001 has one successor, not {successors}")]
    OneSuccessor {
        /// The number that was given.
        successors: u8,
    },
    /// The base of r + 1 principals does not fit the circle.
    #[error("lists of {successors} successors need a base of {} members, and there are {ids} identifiers", successors + 1)]
    Base {
        /// The length of lists.
        successors: u8,
        /// The number of identifiers.
        ids: u8,
    },
    /// What happens to fingers and keys is written for one generation.
    #[error("fingers and keys go with zave2017, not with {variant}")]
    Equipment {
        /// The generation that was given.
        variant: Variant,
    },
    /// Replicas are the members of the owner's list.
    #[error("lists of {successors} successors keep at most {} copies of a key, not {copies}", successors + 1)]
    Copies {
        /// The number that was given.
        copies: u8,
        /// The length of lists.
        successors: u8,
    },
    /// A state that was given has more, or other, than the scope allows.
    #[error("start number {number} does not fit the scope")]
    Start {
        /// Which, from 0.
        number: usize,
    },
}

impl Scope {
    /// A scope with joins and failures and the usual start of the variant.
    pub fn new(variant: Variant, ids: u8, successors: u8) -> Self {
        Self {
            variant,
            ids,
            successors,
            churn: Churn::JOIN_AND_FAIL,
            start: variant.usual_start(),
            base: variant == Variant::Zave2017,
        }
    }

    /// The same with other churn.
    #[must_use]
    pub fn churning(mut self, churn: Churn) -> Self {
        self.churn = churn;
        self
    }

    /// The same from another start.
    #[must_use]
    pub fn from(mut self, start: Start) -> Self {
        self.start = start;
        self
    }

    /// The same without a base of principals, and from rings of any size: the negative control.
    #[must_use]
    pub fn without_base(mut self) -> Self {
        self.base = false;
        self.start = Start::AnyIdeal;
        self
    }

    /// Whether turning the circle turns one run of the scope into another: only then may states be compared
    /// by their canonical form.
    pub fn is_symmetric(&self) -> bool {
        matches!(self.start, Start::Ideal | Start::AnyIdeal)
    }

    /// # Errors
    /// The scope is impossible.
    pub(super) fn validate(&self) -> Result<(), ScopeError> {
        let Self {
            ids, successors, ..
        } = *self;
        if !(2..=MOST_PLACES).contains(&usize::from(ids)) {
            return Err(ScopeError::Ids { ids });
        }
        if !(1..=MOST_SUCCESSORS).contains(&usize::from(successors)) {
            return Err(ScopeError::Successors { successors });
        }
        if self.variant == Variant::Sigcomm2001 && successors != 1 {
            return Err(ScopeError::OneSuccessor { successors });
        }
        if self.start == Start::Ideal && successors >= ids {
            return Err(ScopeError::Base { successors, ids });
        }
        if let Start::Given(states) = &self.start {
            let unfit = states.iter().position(|state| !state.fits(ids, successors));
            if let Some(number) = unfit {
                return Err(ScopeError::Start { number });
            }
        }
        Ok(())
    }
}

impl AtomicRing {
    /// The states where runs start.
    pub(super) fn starts(&self) -> Vec<State> {
        let ideal = |least: u32| {
            let all = 1_u16..1 << self.scope.ids;
            let sets = all.filter(move |set| set.count_ones() >= least);
            sets.map(|set| State::ideal(set as u8, self.scope.successors))
                .collect()
        };
        match &self.scope.start {
            Start::Alone => {
                let mut state = State::empty();
                state.insert(0).successors[0] = 0;
                vec![state]
            }
            Start::Ideal => ideal(u32::from(self.scope.successors) + 1),
            Start::AnyIdeal => ideal(1),
            Start::Given(states) => states.clone(),
        }
    }

    /// The identifier after that one.
    pub(super) fn next_id(&self, place: Place) -> Place {
        (place + 1) % self.scope.ids
    }
}
