//! Fair loops, by repeated refinement (Streett): a component where a strongly fair class is possible and never
//! happens is searched again without the states where it is possible.

use std::collections::{HashMap, VecDeque};

use super::components::Components;
use super::graph::Graph;
use super::{ActionClass, Fairness};
use crate::explore::Pack;
use crate::explore::block::Cut;
use crate::explore::limits::Budget;
use crate::explore::space::Space;

/// A run of the graph that does not reach the goal.
pub(super) enum Run {
    /// In this state nothing need happen.
    Rest(usize),
    /// From this state through these steps, each with its class, back to it.
    Loop(usize, Vec<(usize, usize)>),
}

/// Classes as bits.
struct Classes {
    weak: u64,
    strong: u64,
}

impl Classes {
    fn of(classes: &[ActionClass]) -> Self {
        let bits = |fairness: Fairness| {
            let all = classes.iter().enumerate();
            all.filter(|(_, class)| class.fairness == fairness)
                .fold(0, |bits, (at, _)| bits | 1 << at)
        };
        Self {
            weak: bits(Fairness::Weak),
            strong: bits(Fairness::Strong),
        }
    }

    fn fair(&self) -> u64 {
        self.weak | self.strong
    }
}

/// The nearest fair run that never meets a good state.
pub(super) fn unfulfilled<M: Pack>(
    graph: &Graph,
    good: &[bool],
    classes: &[ActionClass],
    space: &Space<'_, M>,
    budget: &Budget,
) -> Result<Option<Run>, Cut> {
    let classes = Classes::of(classes);
    let open: Vec<u32> = (0..graph.len() as u32)
        .filter(|state| !good[*state as usize])
        .collect();
    let resting = open.iter().map(|state| *state as usize);
    let resting = resting.filter(|state| possible(graph, *state) & classes.fair() == 0);
    if let Some(state) = graph.nearest(space, resting) {
        return Ok(Some(Run::Rest(state)));
    }
    // The regions, and the states of all components while they are refined.
    budget.take(Components::bytes(graph.len()) + open.len() * 2 * size_of::<u32>())?;
    let mut components = Components::new(graph);
    let mut nearest: Option<FairPart> = None;
    let mut left = components.divide(&open);
    drop(open);
    while let Some((region, states)) = left.pop() {
        let part = Part::of(graph, &components, region, &states);
        if part.everywhere & classes.weak & !part.taken != 0 {
            continue;
        }
        let starved = part.somewhere & classes.strong & !part.taken;
        if starved != 0 {
            let (out, rest): (Vec<u32>, Vec<u32>) = states
                .into_iter()
                .partition(|state| possible(graph, *state as usize) & starved != 0);
            for state in out {
                components.leave(state as usize);
            }
            left.extend(components.divide(&rest));
            continue;
        }
        let members = states.iter().map(|state| *state as usize);
        let Some(from) = graph.nearest(space, members) else {
            continue;
        };
        let key = (space.depth(graph.id(from)), from);
        if nearest.as_ref().is_none_or(|found| key < found.key) {
            nearest = Some(FairPart { key, region, part });
        }
    }
    Ok(nearest.map(|found| {
        let (_, from) = found.key;
        let steps = tour(
            graph,
            &components,
            found.region,
            from,
            &classes,
            &found.part,
        );
        Run::Loop(from, steps)
    }))
}

/// A component with a fair loop.
struct FairPart {
    /// How far its nearest state is, and which it is.
    key: (usize, usize),
    region: u32,
    part: Part,
}

/// The classes that are possible in a state.
fn possible(graph: &Graph, state: usize) -> u64 {
    graph
        .steps_of(state)
        .fold(0, |bits, (class, _)| bits | 1 << class)
}

/// What is true of the classes in a component.
struct Part {
    /// Possible in every state.
    everywhere: u64,
    /// Possible in some state.
    somewhere: u64,
    /// Taken by a step within.
    taken: u64,
}

impl Part {
    fn of(graph: &Graph, components: &Components<'_>, region: u32, states: &[u32]) -> Self {
        let mut part = Self {
            everywhere: u64::MAX,
            somewhere: 0,
            taken: 0,
        };
        for state in states {
            let here = possible(graph, *state as usize);
            part.everywhere &= here;
            part.somewhere |= here;
            for (class, target) in graph.steps_of(*state as usize) {
                if components.is_in(target, region) {
                    part.taken |= 1 << class;
                }
            }
        }
        part
    }
}

/// A loop within a component that does what every fair class asks: one of its steps happens, or, where that is
/// enough for a weakly fair one, a state is passed where none is possible.
fn tour(
    graph: &Graph,
    components: &Components<'_>,
    region: u32,
    from: usize,
    classes: &Classes,
    part: &Part,
) -> Vec<(usize, usize)> {
    let mut steps: Vec<(usize, usize)> = Vec::new();
    let mut at = from;
    let fair = (0..u64::BITS as usize).filter(|class| classes.fair() >> class & 1 == 1);
    for class in fair {
        let takes = part.taken >> class & 1 == 1;
        let taken = steps.iter().any(|(taken, _)| *taken == class);
        let absent = |state: usize| possible(graph, state) >> class & 1 == 0;
        let is_weak = classes.weak >> class & 1 == 1;
        let passes = is_weak && (absent(from) || steps.iter().any(|(_, state)| absent(*state)));
        if taken || passes || (!takes && !is_weak) {
            continue;
        }
        let suits = |(_, done): (usize, usize), to: usize| {
            if takes { done == class } else { absent(to) }
        };
        let way = way(graph, components, region, at, suits);
        at = way.last().map_or(at, |(_, to)| *to);
        steps.extend(way);
    }
    if at != from || steps.is_empty() {
        steps.extend(way(graph, components, region, at, |_, to| to == from));
    }
    steps
}

/// The shortest way within a region from a state, at least one step long, whose last step suits; a step is judged by
/// the state it begins in and its class, and by the state it ends in.
fn way(
    graph: &Graph,
    components: &Components<'_>,
    region: u32,
    from: usize,
    suits: impl Fn((usize, usize), usize) -> bool,
) -> Vec<(usize, usize)> {
    // By which step, and from which state, each state was first reached.
    let mut reached: HashMap<usize, (usize, usize)> = HashMap::new();
    let mut open = VecDeque::from([from]);
    while let Some(state) = open.pop_front() {
        for (class, target) in graph.steps_of(state) {
            if !components.is_in(target, region) {
                continue;
            }
            if suits((state, class), target) {
                let mut steps = vec![(class, target)];
                let mut at = state;
                while at != from {
                    let (before, class) = reached[&at];
                    steps.push((class, at));
                    at = before;
                }
                steps.reverse();
                return steps;
            }
            if target != from && !reached.contains_key(&target) {
                reached.insert(target, (state, class));
                open.push_back(target);
            }
        }
    }
    unreachable!("a component is strongly connected, and has what is looked for")
}
