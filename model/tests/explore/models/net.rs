//! Models that are graphs: every step is written down.

use std::sync::Arc;

use peerproof_model::explore::{ActionClass, Fairness, Goal};
use stateright::Model;

/// A step: from, its class (none for churn), to.
pub(crate) type Step = (u32, Option<usize>, u32);

#[derive(Clone, Debug)]
pub(crate) struct Net {
    pub(crate) starts: Vec<u32>,
    pub(crate) steps: Vec<Step>,
}

impl Model for Net {
    type State = u32;
    type Action = Step;

    fn init_states(&self) -> Vec<u32> {
        self.starts.clone()
    }

    fn actions(&self, state: &u32, actions: &mut Vec<Step>) {
        actions.extend(self.steps.iter().filter(|(from, ..)| from == state));
    }

    fn next_state(&self, _: &u32, (_, _, to): Step) -> Option<u32> {
        Some(to)
    }
}

pack_number!(Net);

/// The goal to be in one of some states, with classes of this fairness.
pub(crate) fn goal(states: &[u32], fairness: &[Fairness]) -> Goal<Net> {
    let states = states.to_vec();
    let class = |(at, fairness): (usize, &Fairness)| ActionClass {
        name: format!("class {at}"),
        fairness: *fairness,
    };
    Goal {
        name: "the_goal",
        holds: Arc::new(move |_, state| states.contains(state)),
        churn: "steps without a class",
        classes: fairness.iter().enumerate().map(class).collect(),
        class_of: Arc::new(|_, (_, class, _)| *class),
    }
}
