//! Named facts about the states of a model.

use std::fmt;
use std::sync::Arc;

use stateright::{Expectation, Model};

use crate::property::Kind;

/// A named fact about the states of a model.
pub struct Fact<M: Model> {
    /// States the fact.
    pub name: &'static str,
    /// Its shape.
    pub kind: Kind,
    /// Whether it is true of a state.
    pub holds: Judge<M>,
}

/// Decides whether a fact is true of a state.
pub type Judge<M> = Arc<dyn Fn(&M, &<M as Model>::State) -> bool + Send + Sync>;

impl<M: Model> Fact<M> {
    /// True of every state.
    pub fn always(
        name: &'static str,
        holds: impl Fn(&M, &M::State) -> bool + Send + Sync + 'static,
    ) -> Self {
        Self {
            name,
            kind: Kind::Always,
            holds: Arc::new(holds),
        }
    }

    /// True of at least one state.
    pub fn sometimes(
        name: &'static str,
        holds: impl Fn(&M, &M::State) -> bool + Send + Sync + 'static,
    ) -> Self {
        Self {
            name,
            kind: Kind::Sometimes,
            holds: Arc::new(holds),
        }
    }

    /// The facts that a model states by itself.
    pub fn of(model: &M) -> Vec<Self>
    where
        M: 'static,
    {
        let fact = |property: stateright::Property<M>| Self {
            name: property.name,
            kind: match property.expectation {
                Expectation::Always => Kind::Always,
                Expectation::Sometimes => Kind::Sometimes,
                Expectation::Eventually => Kind::Eventually {
                    fairness: "as the model states",
                },
            },
            holds: Arc::new(property.condition),
        };
        model.properties().into_iter().map(fact).collect()
    }
}

impl<M: Model> Clone for Fact<M> {
    fn clone(&self) -> Self {
        Self {
            name: self.name,
            kind: self.kind,
            holds: Arc::clone(&self.holds),
        }
    }
}

impl<M: Model> fmt::Debug for Fact<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fact")
            .field("name", &self.name)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}
