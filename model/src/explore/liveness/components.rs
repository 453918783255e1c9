//! Strongly connected components by Tarjan's algorithm, without recursion: a component may have millions of states.

use super::graph::Graph;

/// The region of states that are not looked at.
pub(super) const OUTSIDE: u32 = 0;

/// Divides regions of a graph into strongly connected components, which become regions of their own.
pub(super) struct Components<'g> {
    graph: &'g Graph,
    /// The region of each state.
    regions: Vec<u32>,
    /// When each state was first seen, from 1; 0 before.
    seen: Vec<u32>,
    /// The earliest state of its component that is known to be reachable.
    low: Vec<u32>,
    last: u32,
}

impl<'g> Components<'g> {
    pub(super) fn new(graph: &'g Graph) -> Self {
        let states = graph.len();
        Self {
            graph,
            regions: vec![OUTSIDE; states],
            seen: vec![0; states],
            low: vec![0; states],
            last: OUTSIDE,
        }
    }

    /// Bytes that a graph with so many states needs.
    pub(super) fn bytes(states: usize) -> usize {
        3 * states * size_of::<u32>()
    }

    pub(super) fn is_in(&self, state: usize, region: u32) -> bool {
        self.regions[state] == region
    }

    pub(super) fn leave(&mut self, state: usize) {
        self.regions[state] = OUTSIDE;
    }

    /// The components of the part of the graph that has these states: those that have a step within them, each with
    /// its region, and its states in ascending order.
    pub(super) fn divide(&mut self, states: &[u32]) -> Vec<(u32, Vec<u32>)> {
        self.last += 1;
        let whole = self.last;
        for state in states {
            self.regions[*state as usize] = whole;
            self.seen[*state as usize] = 0;
        }
        let mut found = Vec::new();
        let mut count = 0;
        let mut stack: Vec<u32> = Vec::new();
        // States whose steps are being followed, and the next step of each.
        let mut open: Vec<(u32, usize)> = Vec::new();
        for root in states {
            if self.seen[*root as usize] == 0 {
                self.see(*root, &mut count, &mut stack, &mut open);
            }
            while let Some((state, next)) = open.last_mut() {
                let at = *state as usize;
                let row = self.graph.row(at);
                if row.start + *next < row.end {
                    let (_, target) = self.graph.step(row.start + *next);
                    *next += 1;
                    if self.regions[target] != whole {
                        continue;
                    }
                    if self.seen[target] == 0 {
                        self.see(target as u32, &mut count, &mut stack, &mut open);
                    } else {
                        self.low[at] = self.low[at].min(self.seen[target]);
                    }
                } else {
                    open.pop();
                    if let Some((before, _)) = open.last() {
                        let before = *before as usize;
                        self.low[before] = self.low[before].min(self.low[at]);
                    }
                    if self.low[at] == self.seen[at] {
                        found.extend(self.close(at as u32, &mut stack));
                    }
                }
            }
        }
        found
    }

    fn see(
        &mut self,
        state: u32,
        count: &mut u32,
        stack: &mut Vec<u32>,
        open: &mut Vec<(u32, usize)>,
    ) {
        *count += 1;
        self.seen[state as usize] = *count;
        self.low[state as usize] = *count;
        stack.push(state);
        open.push((state, 0));
    }

    /// Takes the component of `root` off the stack.
    fn close(&mut self, root: u32, stack: &mut Vec<u32>) -> Option<(u32, Vec<u32>)> {
        let from = stack.iter().rposition(|state| *state == root)?;
        self.last += 1;
        for state in &stack[from..] {
            self.regions[*state as usize] = self.last;
        }
        let loops = |state: usize| {
            self.graph
                .steps_of(state)
                .any(|(_, target)| target == state)
        };
        if stack.len() - from == 1 && !loops(root as usize) {
            stack.pop();
            return None;
        }
        let mut states = stack.split_off(from);
        states.sort_unstable();
        Some((self.last, states))
    }
}
