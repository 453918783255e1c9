//! A way through a model, as a list of actions that replays.

mod diagram;
mod story;

use stateright::Model;

pub use diagram::{Line, sequence_diagram};
pub use story::Story;

/// Actions that lead from an initial state to the state of interest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace<A> {
    /// Which initial state, by its place among those of the model.
    pub start: usize,
    /// What happens, in order.
    pub actions: Vec<A>,
}

impl<A> Default for Trace<A> {
    fn default() -> Self {
        Self {
            start: 0,
            actions: Vec::new(),
        }
    }
}

impl<A> Trace<A> {
    /// How many actions there are.
    pub fn len(&self) -> usize {
        self.actions.len()
    }

    /// Whether it ends where it starts.
    pub fn is_empty(&self) -> bool {
        self.actions.is_empty()
    }

    /// The actions in the words of the model.
    pub fn names<M>(&self, model: &M) -> Vec<String>
    where
        M: Model<Action = A>,
        A: std::fmt::Debug,
    {
        let name = |action| model.format_action(action);
        self.actions.iter().map(name).collect()
    }
}

/// Why a trace is not one of the model.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    /// The model has no such initial state.
    #[error("the model has no initial state number {start}")]
    NoSuchStart {
        /// The number that was asked for.
        start: usize,
    },
    /// The model does not allow the action where the trace has it.
    #[error("step {step} is not possible: {action}")]
    Impossible {
        /// Which step, from 1.
        step: usize,
        /// The action, in words.
        action: String,
    },
}

/// The states along `trace`, the initial one first.
///
/// # Errors
/// The trace is not one of this model.
pub fn replay<M>(model: &M, trace: &Trace<M::Action>) -> Result<Vec<M::State>, ReplayError>
where
    M: Model<State: Clone, Action: PartialEq + std::fmt::Debug>,
{
    let wanted = |step: usize, action: &M::Action| *action == trace.actions[step];
    let told = |step: usize| model.format_action(&trace.actions[step]);
    walk(model, trace.start, trace.actions.len(), wanted, told).map(|(states, _)| states)
}

/// The trace whose actions have these names, with the states along it.
///
/// # Errors
/// The names are not a trace of this model.
#[allow(clippy::type_complexity)]
pub fn replay_named<M>(
    model: &M,
    start: usize,
    names: &[String],
) -> Result<(Trace<M::Action>, Vec<M::State>), ReplayError>
where
    M: Model<State: Clone, Action: std::fmt::Debug>,
{
    let wanted = |step: usize, action: &M::Action| model.format_action(action) == names[step];
    let told = |step: usize| names[step].clone();
    let (states, actions) = walk(model, start, names.len(), wanted, told)?;
    Ok((Trace { start, actions }, states))
}

#[allow(clippy::type_complexity)]
fn walk<M>(
    model: &M,
    start: usize,
    steps: usize,
    wanted: impl Fn(usize, &M::Action) -> bool,
    told: impl Fn(usize) -> String,
) -> Result<(Vec<M::State>, Vec<M::Action>), ReplayError>
where
    M: Model<State: Clone>,
{
    let first = model.init_states().into_iter().nth(start);
    let mut states = vec![first.ok_or(ReplayError::NoSuchStart { start })?];
    let mut taken = Vec::new();
    for step in 0..steps {
        let now = &states[step];
        let taken_here = model
            .next_steps(now)
            .into_iter()
            .find(|(action, _)| wanted(step, action));
        let Some((action, next)) = taken_here else {
            return Err(ReplayError::Impossible {
                step: step + 1,
                action: told(step),
            });
        };
        states.push(next);
        taken.push(action);
    }
    Ok((states, taken))
}
