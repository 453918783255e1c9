//! Strongly connected components by Tarjan's algorithm, without recursion: a component may have millions of states.

use std::ops::Range;

use super::allowance::{Allowance, Counted};
use super::graph::Graph;
use crate::explore::limits::Cut;

/// The region of states that are not looked at.
const OUTSIDE: u32 = 0;
/// No step.
const NONE: u32 = u32::MAX;

/// A strongly connected component that has a step within.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Component {
    region: u32,
    /// Where its states are among the members.
    start: u32,
    end: u32,
}

impl Component {
    fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// Divides regions of a graph into strongly connected components, which become regions of their own.
///
/// All of them share one list of states, in which each has a part: so memory does not depend on how many there are.
pub(super) struct Components<'a> {
    graph: &'a Graph<'a>,
    allowance: &'a Allowance,
    members: Counted<'a, u32>,
    /// The region of each state.
    regions: Counted<'a, u32>,
    /// When each state was first seen, from 1; 0 before. For [`Self::way`]: by which step.
    seen: Counted<'a, u32>,
    /// The earliest state of its component that is known to be reachable.
    low: Counted<'a, u32>,
    /// From the left the states that have no component yet, from the right those of the components that are found.
    waiting: Counted<'a, u32>,
    /// States whose steps are being followed, and the next step of each.
    open: Counted<'a, (u32, u32)>,
    last: u32,
}

/// How far a division is.
struct Division {
    /// States that were seen.
    count: u32,
    /// States without a component, on the left.
    left: usize,
    /// Where the states of the components begin.
    right: usize,
}

impl<'a> Components<'a> {
    /// Of the part of the graph that has these states, in ascending order.
    pub(super) fn new(
        graph: &'a Graph<'a>,
        members: Counted<'a, u32>,
        allowance: &'a Allowance,
    ) -> Result<Self, Cut> {
        let states = graph.len();
        Ok(Self {
            graph,
            allowance,
            regions: allowance.filled(OUTSIDE, states)?,
            seen: allowance.filled(0, states)?,
            low: allowance.filled(0, states)?,
            waiting: allowance.filled(0, members.len())?,
            open: allowance.list(),
            members,
            last: OUTSIDE,
        })
    }

    /// The states of a component, in ascending order.
    pub(super) fn members(&self, component: Component) -> &[u32] {
        &self.members[component.range()]
    }

    pub(super) fn is_in(&self, state: usize, component: Component) -> bool {
        self.regions[state] == component.region
    }

    /// Divides everything.
    pub(super) fn divide(&mut self, found: &mut Counted<'_, Component>) -> Result<(), Cut> {
        self.divide_part(0..self.members.len(), found)
    }

    /// Divides a component without those of its states that leave.
    pub(super) fn divide_without(
        &mut self,
        component: Component,
        leaves: impl Fn(usize) -> bool,
        found: &mut Counted<'_, Component>,
    ) -> Result<(), Cut> {
        let mut pace = self.allowance.pace();
        let mut end = component.range().start;
        for at in component.range() {
            pace.step()?;
            let state = self.members[at];
            if leaves(state as usize) {
                self.regions[state as usize] = OUTSIDE;
            } else {
                self.members[end] = state;
                end += 1;
            }
        }
        self.divide_part(component.range().start..end, found)
    }

    fn divide_part(
        &mut self,
        part: Range<usize>,
        found: &mut Counted<'_, Component>,
    ) -> Result<(), Cut> {
        let mut pace = self.allowance.pace();
        let whole = self.next_region()?;
        for at in part.clone() {
            let state = self.members[at] as usize;
            (self.regions[state], self.seen[state]) = (whole, 0);
        }
        let mut division = Division {
            count: 0,
            left: 0,
            right: part.len(),
        };
        for at in part.clone() {
            pace.step()?;
            let root = self.members[at];
            if self.seen[root as usize] == 0 {
                self.see(root, &mut division)?;
            }
            while let Some((state, next)) = self.open.last_mut() {
                pace.step()?;
                let (at, step) = (*state as usize, *next as usize);
                if step < self.graph.row(at).end {
                    *next += 1;
                    let (_, target) = self.graph.step(step);
                    if self.regions[target] != whole {
                        continue;
                    }
                    if self.seen[target] == 0 {
                        self.see(target as u32, &mut division)?;
                    } else {
                        self.low[at] = self.low[at].min(self.seen[target]);
                    }
                } else {
                    self.open.pop();
                    if let Some((before, _)) = self.open.last() {
                        let before = *before as usize;
                        self.low[before] = self.low[before].min(self.low[at]);
                    }
                    if self.low[at] == self.seen[at] {
                        self.close(at as u32, &part, &mut division, found)?;
                    }
                }
            }
        }
        let kept = division.right..part.len();
        let place = part.start + kept.start..part.end;
        self.members[place].copy_from_slice(&self.waiting[kept]);
        Ok(())
    }

    fn see(&mut self, state: u32, division: &mut Division) -> Result<(), Cut> {
        division.count += 1;
        self.seen[state as usize] = division.count;
        self.low[state as usize] = division.count;
        self.waiting[division.left] = state;
        division.left += 1;
        self.open
            .push((state, self.graph.row(state as usize).start as u32))
    }

    /// The component of `root` waits no more.
    fn close(
        &mut self,
        root: u32,
        part: &Range<usize>,
        division: &mut Division,
        found: &mut Counted<'_, Component>,
    ) -> Result<(), Cut> {
        let waiting = &mut self.waiting[..];
        let earlier = waiting[..division.left].iter();
        let from = earlier.rev().take_while(|state| **state != root).count();
        let from = division.left - from - 1;
        let states = from..division.left;
        division.left = from;
        let mut steps = self.graph.steps_of(root as usize);
        if states.len() == 1 && !steps.any(|(_, target)| target == root as usize) {
            self.regions[root as usize] = OUTSIDE;
            return Ok(());
        }
        let end = division.right;
        division.right -= states.len();
        waiting.copy_within(states, division.right);
        waiting[division.right..end].sort_unstable();
        let region = self.next_region()?;
        for state in &self.waiting[division.right..end] {
            self.regions[*state as usize] = region;
        }
        found.push(Component {
            region,
            start: (part.start + division.right) as u32,
            end: (part.start + end) as u32,
        })
    }

    fn next_region(&mut self) -> Result<u32, Cut> {
        let next = self.last.checked_add(1);
        self.last = next.ok_or(Cut::Numbers("components"))?;
        Ok(self.last)
    }

    /// Ends the divisions: what follows are ways.
    pub(super) fn prepare_ways(&mut self) {
        self.seen.fill(NONE);
    }

    /// Appends the steps of the shortest way within a component from a state, at least one step long, whose last step
    /// suits; a step is judged by its class and the state it ends in. Says where it ends.
    pub(super) fn way(
        &mut self,
        component: Component,
        from: usize,
        suits: impl Fn(usize, usize) -> bool,
        steps: &mut Counted<'_, u32>,
    ) -> Result<usize, Cut> {
        let mut pace = self.allowance.pace();
        self.waiting[0] = from as u32;
        let (mut first, mut end) = (0, 1);
        let last = 'found: loop {
            assert!(first < end, "a component has what is looked for");
            let state = self.waiting[first] as usize;
            first += 1;
            for step in self.graph.row(state) {
                pace.step()?;
                let (class, target) = self.graph.step(step);
                if !self.is_in(target, component) {
                    continue;
                }
                if suits(class, target) {
                    break 'found step;
                }
                if target != from && self.seen[target] == NONE {
                    self.seen[target] = step as u32;
                    self.waiting[end] = target as u32;
                    end += 1;
                }
            }
        };
        let begin = steps.len();
        let mut step = last;
        loop {
            pace.step()?;
            steps.push(step as u32)?;
            let source = self.graph.source(step);
            if source == from {
                break;
            }
            step = self.seen[source] as usize;
        }
        steps[begin..].reverse();
        for state in &self.waiting[..end] {
            self.seen[*state as usize] = NONE;
        }
        Ok(self.graph.step(last).1)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::explore::limits::Budget;

    /// Two rounds of two, a state between them that is in none, and one that leads to itself.
    const STEPS: &[&[u32]] = &[&[1], &[0, 2], &[3, 5], &[4], &[3], &[5]];

    #[test]
    fn components_share_one_list() {
        let allowance = Allowance::new(Budget::new(None), None);
        let graph = Graph::of(STEPS, &allowance);
        let mut members = allowance.list();
        members.extend(0..6).expect("no limit");
        let mut components = Components::new(&graph, members, &allowance).expect("no limit");
        let mut found = allowance.list();
        components.divide(&mut found).expect("no limit");
        let mut parts: Vec<&[u32]> = found.iter().map(|one| components.members(*one)).collect();
        parts.sort_unstable();
        assert_eq!(parts, [&[0, 1][..], &[3, 4], &[5]]);
        // The others stay where they are when one is divided further.
        let first = |one: &&Component| components.members(**one) == [0, 1];
        let first = *found.iter().find(first).expect("it is there");
        let mut further = allowance.list();
        components
            .divide_without(first, |state| state == 1, &mut further)
            .expect("no limit");
        assert!(further.is_empty());
        let others = found.iter().filter(|one| **one != first);
        let mut others: Vec<&[u32]> = others.map(|one| components.members(*one)).collect();
        others.sort_unstable();
        assert_eq!(others, [&[3, 4][..], &[5]]);
    }

    #[test]
    fn regions_beyond_what_can_be_numbered_end_the_search() {
        let allowance = Allowance::new(Budget::new(None), None);
        let graph = Graph::of(STEPS, &allowance);
        // One for the whole and three for the components.
        for (last, expected) in [
            (u32::MAX - 4, Ok(())),
            (u32::MAX - 3, Err(Cut::Numbers("components"))),
            (u32::MAX, Err(Cut::Numbers("components"))),
        ] {
            let mut members = allowance.list();
            members.extend(0..6).expect("no limit");
            let mut components = Components::new(&graph, members, &allowance).expect("no limit");
            components.last = last;
            let divided = components.divide(&mut allowance.list());
            assert_eq!(divided, expected, "{last}");
        }
    }

    #[test]
    fn divisions_and_ways_read_the_clock() {
        let enough = Allowance::new(Budget::new(None), None);
        let late = Allowance::new(Budget::new(None), Some(Instant::now()));
        let graph = Graph::of(STEPS, &enough);
        let components = |allowance| {
            let mut members = enough.list();
            members.extend(0..6).expect("no limit");
            Components::new(&graph, members, allowance).expect("no limit")
        };
        let mut found = enough.list();
        let mut in_time = components(&enough);
        in_time.divide(&mut found).expect("time enough");
        let component = *found.last().expect("a component");
        let mut too_late = components(&late);
        assert_eq!(too_late.divide(&mut found), Err(Cut::Time));
        let divided = too_late.divide_without(component, |_| false, &mut found);
        assert_eq!(divided, Err(Cut::Time));
        in_time.prepare_ways();
        let from = in_time.members(component)[0] as usize;
        let mut steps = enough.list();
        let mut way = |components: &mut Components<'_>| {
            components.way(component, from, |_, to| to == from, &mut steps)
        };
        assert_eq!(way(&mut in_time), Ok(from));
        in_time.allowance = &late;
        assert_eq!(way(&mut in_time), Err(Cut::Time));
    }
}
