//! The steps without churn between all reachable states, in compressed rows.

use std::sync::{Mutex, PoisonError};

use super::Goal;
use crate::explore::Pack;
use crate::explore::block::Cut;
use crate::explore::limits::{Budget, Full};
use crate::explore::search::each;
use crate::explore::shard::{Id, SHARDS};
use crate::explore::space::Space;

/// States whose steps are taken together, and how many such groups at a time.
const GROUP: usize = 512;
const GROUPS: usize = 32;

/// States are numbered from 0 through all shards; in a shard the nearer ones come first.
pub(super) struct Graph {
    /// Where the numbers of each shard begin.
    bases: Vec<usize>,
    goal: Vec<bool>,
    /// Where the steps of each state begin; one more at the end.
    rows: Vec<u32>,
    targets: Vec<u32>,
    classes: Vec<u8>,
}

/// Why there is no graph.
pub(super) enum Unbuilt {
    /// An action has this class, which the goal does not have.
    Class(usize),
    /// It does not fit.
    Full,
}

impl From<Full> for Unbuilt {
    fn from(_: Full) -> Self {
        Self::Full
    }
}

/// What is known of the states of a group.
#[derive(Default)]
struct Rows {
    goal: Vec<bool>,
    counts: Vec<usize>,
    steps: Vec<(u8, u32)>,
    unknown: Option<usize>,
}

impl Graph {
    pub(super) fn build<M: Pack + Sync>(
        space: &Space<'_, M>,
        goal: &Goal<M>,
        transitions: usize,
        threads: usize,
        budget: &Budget,
    ) -> Result<Self, Unbuilt> {
        let mut bases = vec![0];
        for shard in &space.shards {
            bases.push(bases[bases.len() - 1] + shard.len());
        }
        let mut graph = Self {
            bases,
            goal: Vec::new(),
            rows: Vec::new(),
            targets: Vec::new(),
            classes: Vec::new(),
        };
        let states = space.len();
        budget.make_room(&mut graph.goal, states, true)?;
        budget.make_room(&mut graph.rows, states + 1, true)?;
        budget.make_room(&mut graph.targets, transitions, true)?;
        budget.make_room(&mut graph.classes, transitions, true)?;
        graph.rows.push(0);
        let groups = states.div_ceil(GROUP);
        for first in (0..groups).step_by(GROUPS) {
            let some = (groups - first).min(GROUPS);
            let found: Vec<Mutex<Rows>> = (0..some).map(|_| Mutex::default()).collect();
            each(threads, some, |at| {
                let start = (first + at) * GROUP;
                let rows = graph.look(space, goal, start..(start + GROUP).min(states));
                *found[at].lock().unwrap_or_else(PoisonError::into_inner) = rows;
            });
            for rows in found {
                graph.append(rows.into_inner().unwrap_or_else(PoisonError::into_inner))?;
            }
        }
        Ok(graph)
    }

    fn look<M: Pack>(
        &self,
        space: &Space<'_, M>,
        goal: &Goal<M>,
        states: std::ops::Range<usize>,
    ) -> Rows {
        let model = space.model;
        let mut rows = Rows::default();
        let (mut actions, mut bytes, mut steps) = (Vec::new(), Vec::new(), Vec::new());
        for number in states {
            let state = model.unpack(space.bytes(self.id(number)));
            rows.goal.push((goal.holds)(model, &state));
            model.actions(&state, &mut actions);
            for action in actions.drain(..) {
                let Some(class) = (goal.class_of)(model, &action) else {
                    continue;
                };
                if class >= goal.classes.len() {
                    rows.unknown = Some(class);
                    return rows;
                }
                let next = model.next_state(&state, action);
                let Some(next) = next.filter(|next| model.within_boundary(next)) else {
                    continue;
                };
                bytes.clear();
                model.pack(&next, &mut bytes);
                let id = space.find(&bytes);
                let id = id.expect("whatever follows a visited state was visited");
                steps.push((class as u8, self.number(id) as u32));
            }
            steps.sort_unstable();
            steps.dedup();
            rows.counts.push(steps.len());
            rows.steps.append(&mut steps);
        }
        rows
    }

    fn append(&mut self, rows: Rows) -> Result<(), Unbuilt> {
        if let Some(class) = rows.unknown {
            return Err(Unbuilt::Class(class));
        }
        self.goal.extend(rows.goal);
        for count in rows.counts {
            let end = self.rows[self.rows.len() - 1] as usize + count;
            self.rows
                .push(u32::try_from(end).map_err(|_| Unbuilt::Full)?);
        }
        self.targets
            .extend(rows.steps.iter().map(|(_, target)| target));
        self.classes
            .extend(rows.steps.iter().map(|(class, _)| class));
        Ok(())
    }

    /// How many states there are.
    pub(super) fn len(&self) -> usize {
        self.rows.len() - 1
    }

    /// How many steps there are.
    pub(super) fn steps(&self) -> usize {
        self.targets.len()
    }

    fn number(&self, id: Id) -> usize {
        self.bases[id.shard()] + id.number()
    }

    pub(super) fn id(&self, number: usize) -> Id {
        // Empty shards begin where the next one does: the last that begins here is meant.
        let shard = self.bases.partition_point(|base| *base <= number) - 1;
        Id::new(shard, number - self.bases[shard])
    }

    /// Of each state whether the goal is true of it.
    pub(super) fn goal(&self) -> &[bool] {
        &self.goal
    }

    /// Where the steps of a state are.
    pub(super) fn row(&self, state: usize) -> std::ops::Range<usize> {
        self.rows[state] as usize..self.rows[state + 1] as usize
    }

    /// The class and the target of a step.
    #[inline]
    pub(super) fn step(&self, at: usize) -> (usize, usize) {
        (usize::from(self.classes[at]), self.targets[at] as usize)
    }

    pub(super) fn steps_of(&self, state: usize) -> impl Iterator<Item = (usize, usize)> {
        self.row(state).map(|at| self.step(at))
    }

    /// The states from which no step ever leads to a state without the goal.
    pub(super) fn kept(&self, budget: &Budget) -> Result<Vec<bool>, Cut> {
        let without = self.goal.iter().map(|goal| !goal).collect();
        let mut leading = self.leading_to(without, budget)?;
        for state in &mut leading {
            *state = !*state;
        }
        Ok(leading)
    }

    /// The states from which some way leads to the goal.
    pub(super) fn reaching(&self, budget: &Budget) -> Result<Vec<bool>, Cut> {
        self.leading_to(self.goal.clone(), budget)
    }

    /// All states from which a way leads to one of these, these among them.
    fn leading_to(&self, mut marked: Vec<bool>, budget: &Budget) -> Result<Vec<bool>, Cut> {
        let (states, steps) = (self.len(), self.steps());
        let needed = (2 * states + 1 + steps) * size_of::<u32>() + states;
        budget.take(needed)?;
        let mut starts = vec![0u32; states + 1];
        for target in &self.targets {
            starts[*target as usize + 1] += 1;
        }
        for at in 0..states {
            starts[at + 1] += starts[at];
        }
        let mut sources = vec![0u32; steps];
        // Filled from the end of each row: afterwards each start is where it belongs again.
        let mut ends = starts[1..].to_vec();
        for source in 0..states {
            for at in self.row(source) {
                let end = &mut ends[self.targets[at] as usize];
                *end -= 1;
                sources[*end as usize] = source as u32;
            }
        }
        drop(ends);
        let open = (0..states).filter(|state| marked[*state]);
        let mut open: Vec<u32> = open.map(|state| state as u32).collect();
        while let Some(state) = open.pop() {
            let at = state as usize;
            for source in &sources[starts[at] as usize..starts[at + 1] as usize] {
                if !marked[*source as usize] {
                    marked[*source as usize] = true;
                    open.push(*source);
                }
            }
        }
        budget.give_back(needed - states);
        Ok(marked)
    }

    /// Of some states in ascending order, the one with the shortest way from an initial state.
    pub(super) fn nearest<M: Pack>(
        &self,
        space: &Space<'_, M>,
        states: impl Iterator<Item = usize>,
    ) -> Option<usize> {
        // In a shard the nearer ones come first.
        let mut first = [None; SHARDS];
        for state in states {
            first[self.id(state).shard()].get_or_insert(state);
        }
        let candidates = first.into_iter().flatten();
        candidates.min_by_key(|state| (space.depth(self.id(*state)), *state))
    }
}
