//! The steps without churn between all reachable states, in compressed rows.

use std::sync::{Mutex, PoisonError};

use super::Goal;
use super::allowance::{Allowance, Counted};
use crate::explore::Pack;
use crate::explore::limits::Cut;
use crate::explore::search::each;
use crate::explore::shard::{Id, SHARDS};
use crate::explore::space::Space;

/// States whose steps are taken together, and how many such groups at a time.
const GROUP: usize = 512;
const GROUPS: usize = 32;

/// States are numbered from 0 through all shards; in a shard the nearer ones come first.
pub(super) struct Graph<'a> {
    /// Where the numbers of each shard begin.
    bases: Vec<usize>,
    goal: Counted<'a, bool>,
    /// Where the steps of each state begin; one more at the end.
    rows: Counted<'a, u32>,
    targets: Counted<'a, u32>,
    classes: Counted<'a, u8>,
}

/// Why there is no graph.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unbuilt {
    /// An action has this class, which the goal does not have.
    Class(usize),
    /// It does not fit, or takes too long.
    Cut(Cut),
}

impl From<Cut> for Unbuilt {
    fn from(cut: Cut) -> Self {
        Self::Cut(cut)
    }
}

/// What is known of the states of a group.
struct Rows<'a> {
    goal: Counted<'a, bool>,
    counts: Counted<'a, usize>,
    steps: Counted<'a, (u8, u32)>,
}

impl<'a> Graph<'a> {
    /// The steps between all visited states. What lies outside the boundary of the model was not visited, so a step
    /// that leads there is none.
    pub(super) fn build<M: Pack + Sync>(
        space: &Space<'_, M>,
        goal: &Goal<M>,
        transitions: usize,
        threads: usize,
        allowance: &'a Allowance,
    ) -> Result<Self, Unbuilt> {
        let mut bases = vec![0];
        for shard in &space.shards {
            bases.push(bases[bases.len() - 1] + shard.len());
        }
        let states = space.len();
        let mut graph = Self {
            bases,
            goal: allowance.room(states)?,
            rows: allowance.room(states + 1)?,
            targets: allowance.room(transitions)?,
            classes: allowance.room(transitions)?,
        };
        graph.rows.push(0)?;
        let groups = states.div_ceil(GROUP);
        for first in (0..groups).step_by(GROUPS) {
            let some = (groups - first).min(GROUPS);
            let found: Vec<Mutex<Option<_>>> = (0..some).map(|_| Mutex::default()).collect();
            each(threads, some, |at| {
                let start = (first + at) * GROUP;
                let states = start..(start + GROUP).min(states);
                let rows = graph.look(space, goal, states, allowance);
                *found[at].lock().unwrap_or_else(PoisonError::into_inner) = Some(rows);
            });
            for rows in found {
                let rows = rows.into_inner().unwrap_or_else(PoisonError::into_inner);
                if let Some(rows) = rows {
                    graph.append(&rows?)?;
                }
            }
        }
        Ok(graph)
    }

    fn look<M: Pack>(
        &self,
        space: &Space<'_, M>,
        goal: &Goal<M>,
        states: std::ops::Range<usize>,
        allowance: &'a Allowance,
    ) -> Result<Rows<'a>, Unbuilt> {
        let model = space.model;
        let mut pace = allowance.pace_of_model();
        let mut rows = Rows {
            goal: allowance.room(states.len())?,
            counts: allowance.room(states.len())?,
            steps: allowance.list(),
        };
        let (mut actions, mut bytes, mut steps) = (Vec::new(), Vec::new(), Vec::new());
        for number in states {
            pace.step()?;
            let state = model.unpack(space.bytes(self.id(number)));
            rows.goal.push((goal.holds)(model, &state))?;
            model.actions(&state, &mut actions);
            for action in actions.drain(..) {
                let Some(class) = (goal.class_of)(model, &action) else {
                    continue;
                };
                if class >= goal.classes.len() {
                    return Err(Unbuilt::Class(class));
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
            rows.counts.push(steps.len())?;
            rows.steps.extend(steps.drain(..))?;
        }
        Ok(rows)
    }

    fn append(&mut self, rows: &Rows<'_>) -> Result<(), Cut> {
        self.goal.extend(rows.goal.iter().copied())?;
        for count in &*rows.counts {
            let end = self.rows[self.rows.len() - 1] as usize + count;
            let end = u32::try_from(end).map_err(|_| Cut::Numbers("steps"))?;
            self.rows.push(end)?;
        }
        let targets = rows.steps.iter().map(|(_, target)| *target);
        self.targets.extend(targets)?;
        self.classes
            .extend(rows.steps.iter().map(|(class, _)| *class))
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

    /// The state in which a step begins.
    pub(super) fn source(&self, step: usize) -> usize {
        // States without steps begin where the next one does: the last that begins here is meant.
        self.rows.partition_point(|start| *start as usize <= step) - 1
    }

    /// The states from which no step ever leads to a state without the goal.
    pub(super) fn kept<'b>(&self, allowance: &'b Allowance) -> Result<Counted<'b, bool>, Cut> {
        let mut leading = self.leading_to(|goal| !goal, allowance)?;
        for state in &mut *leading {
            *state = !*state;
        }
        Ok(leading)
    }

    /// The states from which some way leads to the goal.
    pub(super) fn reaching<'b>(&self, allowance: &'b Allowance) -> Result<Counted<'b, bool>, Cut> {
        self.leading_to(|goal| goal, allowance)
    }

    /// All states from which a way leads to one of those with or without the goal, these among them.
    fn leading_to<'b>(
        &self,
        wanted: impl Fn(bool) -> bool,
        allowance: &'b Allowance,
    ) -> Result<Counted<'b, bool>, Cut> {
        let (states, mut pace) = (self.len(), allowance.pace());
        let mut marked = allowance.room(states)?;
        marked.extend(self.goal.iter().map(|goal| wanted(*goal)))?;
        let mut starts = allowance.filled(0u32, states + 1)?;
        for target in &*self.targets {
            pace.step()?;
            starts[*target as usize + 1] += 1;
        }
        for at in 0..states {
            starts[at + 1] += starts[at];
        }
        let mut sources = allowance.filled(0u32, self.steps())?;
        // Filled from the end of each row: afterwards each start is where it belongs again.
        let mut ends = allowance.room(states)?;
        ends.extend(starts[1..].iter().copied())?;
        for source in 0..states {
            for at in self.row(source) {
                pace.step()?;
                let end = &mut ends[self.targets[at] as usize];
                *end -= 1;
                sources[*end as usize] = source as u32;
            }
        }
        // Every state is open once at most.
        let mut open = ends;
        open.clear();
        for state in (0..states).filter(|state| marked[*state]) {
            open.push(state as u32)?;
        }
        while let Some(state) = open.pop() {
            let at = state as usize;
            for source in &sources[starts[at] as usize..starts[at + 1] as usize] {
                pace.step()?;
                if !marked[*source as usize] {
                    marked[*source as usize] = true;
                    open.push(*source)?;
                }
            }
        }
        Ok(marked)
    }

    /// Of some states in ascending order, and of these those that are `wanted`, the one with the shortest way from an
    /// initial state.
    pub(super) fn nearest<M: Pack>(
        &self,
        space: &Space<'_, M>,
        states: impl Iterator<Item = usize>,
        wanted: impl Fn(&usize) -> bool,
        allowance: &Allowance,
    ) -> Result<Option<usize>, Cut> {
        let mut pace = allowance.pace();
        // In a shard the nearer ones come first.
        let mut first = [None; SHARDS];
        for state in states {
            pace.step()?;
            if wanted(&state) {
                first[self.id(state).shard()].get_or_insert(state);
            }
        }
        let candidates = first.into_iter().flatten();
        Ok(candidates.min_by_key(|state| (space.depth(self.id(*state)), *state)))
    }
}

#[cfg(test)]
impl<'a> Graph<'a> {
    /// A graph with these steps from each state, all of the class 0, and without a goal.
    pub(super) fn of(steps: &[&[u32]], allowance: &'a Allowance) -> Self {
        let mut graph = Self {
            bases: Vec::new(),
            goal: allowance.filled(false, steps.len()).expect("no limit"),
            rows: allowance.filled(0, 1).expect("no limit"),
            targets: allowance.list(),
            classes: allowance.list(),
        };
        for row in steps {
            graph.targets.extend(row.iter().copied()).expect("no limit");
            graph
                .classes
                .extend(row.iter().map(|_| 0))
                .expect("no limit");
            let end = graph.targets.len() as u32;
            graph.rows.push(end).expect("no limit");
        }
        graph
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explore::limits::Budget;

    #[test]
    fn a_step_begins_in_the_state_that_has_it() {
        let allowance = Allowance::new(Budget::new(None), None);
        let graph = Graph::of(&[&[], &[0, 3], &[], &[1], &[]], &allowance);
        assert_eq!([0, 1, 2].map(|step| graph.source(step)), [1, 1, 3]);
    }

    #[test]
    fn steps_beyond_what_can_be_numbered_are_called_so() {
        let allowance = Allowance::new(Budget::new(None), None);
        let mut graph = Graph::of(&[], &allowance);
        graph.rows[0] = u32::MAX - 1;
        let mut rows = Rows {
            goal: allowance.list(),
            counts: allowance.filled(1, 1).expect("no limit"),
            steps: allowance.list(),
        };
        assert_eq!(graph.append(&rows), Ok(()));
        rows.counts = allowance.filled(1, 1).expect("no limit");
        assert_eq!(graph.append(&rows), Err(Cut::Numbers("steps")));
    }
}
