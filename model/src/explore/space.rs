//! The visited states, and the ways to them.

use stateright::Model;

use super::shard::{Id, NOBODY, Shard, shard_of};
use super::{Canonical, Pack, Trace};

/// Every state that a run visited.
pub(super) struct Space<'a, M: Model> {
    pub(super) model: &'a M,
    pub(super) canonical: Option<&'a Canonical<M>>,
    pub(super) shards: Vec<Shard>,
}

impl<M: Pack> Space<'_, M> {
    /// How many states there are.
    pub(super) fn len(&self) -> usize {
        self.shards.iter().map(Shard::len).sum()
    }

    /// The bytes of a state.
    pub(super) fn bytes(&self, id: Id) -> &[u8] {
        self.shards[id.shard()].state(id.number())
    }

    /// The state with these bytes, if it was visited.
    pub(super) fn find(&self, bytes: &[u8]) -> Option<Id> {
        let (shard, mark) = shard_of(self.model.hash(bytes));
        let number = self.shards[shard].find(mark, bytes)?;
        Some(Id::new(shard, number))
    }

    /// How many actions lead to a state.
    pub(super) fn depth(&self, id: Id) -> usize {
        self.before(id).count()
    }

    /// A shortest trace to a state. Where states stand for their like, it leads to one of its like.
    pub(super) fn trace_to(&self, id: Id) -> Trace<M::Action>
    where
        M::State: Clone,
        M::Action: Clone,
    {
        let way = self.way_to(id);
        let first = self.bytes(way[0]);
        let mut starts = self.model.init_states().into_iter().enumerate();
        let start = starts
            .find(|(_, state)| self.model.within_boundary(state) && self.packed(state) == first);
        let (start, mut state) = start.expect("the model has its initial states every time");
        let mut actions = Vec::new();
        for id in &way[1..] {
            let (action, next) = self
                .step_to(&state, *id, |_| true)
                .expect("the model takes its steps every time");
            actions.push(action);
            state = next;
        }
        Trace { start, actions }
    }

    /// The first suitable action that leads from `state` to the state `id`, with that state.
    pub(super) fn step_to(
        &self,
        state: &M::State,
        id: Id,
        suits: impl Fn(&M::Action) -> bool,
    ) -> Option<(M::Action, M::State)>
    where
        M::Action: Clone,
    {
        let wanted = self.bytes(id);
        let mut actions = Vec::new();
        self.model.actions(state, &mut actions);
        actions.into_iter().filter(suits).find_map(|action| {
            let next = self.model.next_state(state, action.clone())?;
            (self.packed(&next) == wanted).then_some((action, next))
        })
    }

    fn packed(&self, state: &M::State) -> Vec<u8> {
        let mut bytes = Vec::new();
        match self.canonical {
            Some(canonical) => self.model.pack(&canonical(self.model, state), &mut bytes),
            None => self.model.pack(state, &mut bytes),
        }
        bytes
    }

    /// The states on the way, from an initial one.
    fn way_to(&self, id: Id) -> Vec<Id> {
        let mut way = vec![id];
        way.extend(self.before(id));
        way.reverse();
        way
    }

    /// The states on the way to a state, back to an initial one.
    fn before(&self, id: Id) -> impl Iterator<Item = Id> {
        let parent = |of: &Id| {
            let parent = self.shards[of.shard()].parent(of.number());
            (parent != NOBODY).then_some(parent)
        };
        std::iter::successors(parent(&id), parent)
    }
}
