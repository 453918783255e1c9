//! Fair loops, by repeated refinement (Streett): a component where a strongly fair class is possible and never
//! happens is searched again without the states where it is possible.

use super::allowance::{Allowance, Counted};
use super::components::{Component, Components};
use super::graph::Graph;
use super::{ActionClass, Fairness};
use crate::explore::Pack;
use crate::explore::limits::Cut;
use crate::explore::space::Space;

/// A run of the graph that does not reach the goal.
#[derive(Debug)]
pub(super) enum Run<'a> {
    /// In this state nothing need happen.
    Rest(usize),
    /// From this state through these steps back to it.
    Loop(usize, Counted<'a, u32>),
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
pub(super) fn unfulfilled<'a, M: Pack>(
    graph: &Graph<'_>,
    good: &[bool],
    classes: &[ActionClass],
    space: &Space<'_, M>,
    allowance: &'a Allowance,
) -> Result<Option<Run<'a>>, Cut> {
    let classes = Classes::of(classes);
    let is_open = |state: &usize| !good[*state];
    let rests = |state: &usize| is_open(state) && possible(graph, *state) & classes.fair() == 0;
    if let Some(state) = graph.nearest(space, 0..graph.len(), rests, allowance)? {
        return Ok(Some(Run::Rest(state)));
    }
    let states = 0..graph.len();
    let mut open = allowance.room(states.clone().filter(is_open).count())?;
    for state in states.filter(is_open) {
        open.push(state as u32)?;
    }
    let mut components = Components::new(graph, open, allowance)?;
    let found = nearest_fair(graph, &mut components, &classes, space, allowance)?;
    let Some(found) = found else {
        return Ok(None);
    };
    let mut steps = allowance.list();
    tour(graph, &mut components, &found, &classes, &mut steps)?;
    Ok(Some(Run::Loop(found.key.1, steps)))
}

/// A component with a fair loop.
struct FairPart {
    /// How far its nearest state is, and which it is.
    key: (usize, usize),
    component: Component,
    part: Part,
}

/// The component with a fair loop that is nearest to an initial state.
fn nearest_fair<M: Pack>(
    graph: &Graph<'_>,
    components: &mut Components<'_>,
    classes: &Classes,
    space: &Space<'_, M>,
    allowance: &Allowance,
) -> Result<Option<FairPart>, Cut> {
    let mut nearest: Option<FairPart> = None;
    let mut left = allowance.list();
    components.divide(&mut left)?;
    while let Some(component) = left.pop() {
        let part = Part::of(graph, components, component, allowance)?;
        if part.everywhere & classes.weak & !part.taken != 0 {
            continue;
        }
        let starved = part.somewhere & classes.strong & !part.taken;
        if starved != 0 {
            let leaves = |state| possible(graph, state) & starved != 0;
            components.divide_without(component, leaves, &mut left)?;
            continue;
        }
        let members = components.members(component).iter();
        let members = members.map(|state| *state as usize);
        let Some(from) = graph.nearest(space, members, |_| true, allowance)? else {
            continue;
        };
        let key = (space.depth(graph.id(from)), from);
        if nearest.as_ref().is_none_or(|found| key < found.key) {
            nearest = Some(FairPart {
                key,
                component,
                part,
            });
        }
    }
    Ok(nearest)
}

/// The classes that are possible in a state.
fn possible(graph: &Graph<'_>, state: usize) -> u64 {
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
    fn of(
        graph: &Graph<'_>,
        components: &Components<'_>,
        component: Component,
        allowance: &Allowance,
    ) -> Result<Self, Cut> {
        let mut pace = allowance.pace();
        let mut part = Self {
            everywhere: u64::MAX,
            somewhere: 0,
            taken: 0,
        };
        for state in components.members(component) {
            pace.step()?;
            let mut here = 0;
            for (class, target) in graph.steps_of(*state as usize) {
                here |= 1 << class;
                if components.is_in(target, component) {
                    part.taken |= 1 << class;
                }
            }
            part.everywhere &= here;
            part.somewhere |= here;
        }
        Ok(part)
    }
}

/// A loop within a component that does what every fair class asks: one of its steps happens, or, where that is
/// enough for a weakly fair one, a state is passed where none is possible.
fn tour(
    graph: &Graph<'_>,
    components: &mut Components<'_>,
    found: &FairPart,
    classes: &Classes,
    steps: &mut Counted<'_, u32>,
) -> Result<(), Cut> {
    let (component, part, from) = (found.component, &found.part, found.key.1);
    components.prepare_ways();
    let mut at = from;
    // The classes of the steps so far, and those that are impossible in a state on the way.
    let (mut taken, mut absent) = (0u64, !possible(graph, from));
    let fair = (0..u64::BITS as usize).filter(|class| classes.fair() >> class & 1 == 1);
    for class in fair {
        let takes = part.taken >> class & 1 == 1;
        let is_weak = classes.weak >> class & 1 == 1;
        let passes = is_weak && absent >> class & 1 == 1;
        if taken >> class & 1 == 1 || passes || (!takes && !is_weak) {
            continue;
        }
        let suits = |done: usize, to: usize| {
            if takes {
                done == class
            } else {
                possible(graph, to) >> class & 1 == 0
            }
        };
        let before = steps.len();
        at = components.way(component, at, suits, steps)?;
        for step in &steps[before..] {
            let (class, to) = graph.step(*step as usize);
            taken |= 1 << class;
            absent |= !possible(graph, to);
        }
    }
    if at != from || steps.is_empty() {
        components.way(component, at, |_, to| to == from, steps)?;
    }
    Ok(())
}
