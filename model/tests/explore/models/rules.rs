//! Models whose states are a few bytes.

use std::sync::Arc;

use peerproof_model::explore::Pack;
use stateright::Model;

/// What happens: a word, and to whom.
pub(crate) type Move = (&'static str, u8);

/// Every step from a state.
pub(crate) type Steps = Arc<dyn Fn(&[u8]) -> Vec<(Move, Vec<u8>)> + Send + Sync>;

/// A model by its first states and its steps.
#[derive(Clone)]
pub(crate) struct Rules {
    pub(crate) name: &'static str,
    pub(crate) start: Vec<Vec<u8>>,
    pub(crate) steps: Steps,
    /// Whether all states have the width of the first.
    pub(crate) fixed: bool,
}

impl Rules {
    pub(crate) fn new(
        name: &'static str,
        start: Vec<Vec<u8>>,
        steps: impl Fn(&[u8]) -> Vec<(Move, Vec<u8>)> + Send + Sync + 'static,
    ) -> Self {
        Self {
            name,
            start,
            steps: Arc::new(steps),
            fixed: true,
        }
    }
}

impl Model for Rules {
    type State = Vec<u8>;
    type Action = Move;

    fn init_states(&self) -> Vec<Vec<u8>> {
        self.start.clone()
    }

    fn actions(&self, state: &Vec<u8>, actions: &mut Vec<Move>) {
        actions.extend((self.steps)(state).into_iter().map(|(action, _)| action));
    }

    fn next_state(&self, state: &Vec<u8>, action: Move) -> Option<Vec<u8>> {
        let steps = (self.steps)(state);
        steps
            .into_iter()
            .find(|(known, _)| *known == action)
            .map(|(_, next)| next)
    }
}

impl Pack for Rules {
    fn width(&self) -> Option<usize> {
        self.fixed.then(|| self.start[0].len())
    }

    fn pack(&self, state: &Vec<u8>, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(state);
    }

    fn unpack(&self, bytes: &[u8]) -> Vec<u8> {
        bytes.to_vec()
    }
}
