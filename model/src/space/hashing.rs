//! Consistent hashing: a key belongs to the first point at or clockwise of it.

use std::collections::BTreeMap;

use super::circle::Id;

/// Which node owns which arc; a node may have several points (virtual nodes).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owners<N> {
    points: BTreeMap<Id, N>,
}

impl<N> Default for Owners<N> {
    fn default() -> Self {
        Self {
            points: BTreeMap::new(),
        }
    }
}

impl<N> Owners<N> {
    /// Gives `node` the point `at`; returns whoever had it before.
    pub fn insert(&mut self, at: Id, node: N) -> Option<N> {
        self.points.insert(at, node)
    }

    /// Takes the point away.
    pub fn remove(&mut self, at: Id) -> Option<N> {
        self.points.remove(&at)
    }

    /// The owner of `key` with the point it owns it by; `None` when nobody is there.
    pub fn owner(&self, key: Id) -> Option<(Id, &N)> {
        self.clockwise(key).next()
    }

    /// Every point from `key` on, clockwise, each once: the owner first, then those that hold its replicas.
    pub fn clockwise(&self, key: Id) -> impl Iterator<Item = (Id, &N)> {
        let onward = self.points.range(key..);
        let wrapped = self.points.range(..key);
        onward.chain(wrapped).map(|(at, node)| (*at, node))
    }

    /// How many points there are.
    pub fn len(&self) -> usize {
        self.points.len()
    }

    /// Whether nobody is there.
    pub fn is_empty(&self) -> bool {
        self.points.is_empty()
    }
}
