//! The explorer: a model is explored completely, or the answer is "incomplete".
//!
//! Callers ask [`check_facts`] about every state that a model can reach, or [`find`] for the shortest way to one
//! state; [`Explorer`] is the same with threads, symmetry and a progress callback.
//! - Visited states are kept as their exact bytes ([`Pack`]): no two states are taken for one.
//! - The search is breadth first, level by level: the first state that breaks a fact lies on a shortest trace,
//!   and every fact has a trace of its own.
//! - A run that was cut short (states, depth, time, memory) cannot pass.
//! - A fact that is to be true somewhere and never was fails the check.
//! - Results do not depend on the number of threads.
//!
//! | file | holds |
//! |---|---|
//! | `explorer.rs`, `fact.rs`, `limits.rs`, `report.rs` | what a run is asked, and what it answers |
//! | `pack.rs`, `hash.rs` | states as bytes |
//! | `arena.rs`, `shard.rs` | the visited states: bytes, parents, hash table of numbers |
//! | `batch.rs`, `block.rs`, `search.rs` | levels, rounds, blocks, and the successors that wait for their shard |
//! | `space.rs`, `trace` | the way to a state; runs as ITF, Mermaid and DOT |
//! | `liveness` | once churn stops, a goal is reached and kept |

mod arena;
mod batch;
mod block;
mod explorer;
mod fact;
mod hash;
mod limits;
mod liveness;
mod pack;
mod report;
mod search;
mod shard;
mod space;
mod trace;

use std::hash::Hash;
use std::sync::Arc;

use stateright::{Checker, Model};

pub use explorer::{Canonical, Explorer};
pub use fact::{Fact, Judge};
pub(crate) use hash::hash_of;
pub use limits::{Limits, Progress};
pub use liveness::{
    ActionClass, ClassOf, Counterexample, Fairness, Goal, LivenessError, LivenessReport,
    LivenessVerdict, MOST_CLASSES,
};
pub use pack::Pack;
pub use report::{CheckReport, PropertyReport, PropertyVerdict, Verdict};
pub use trace::{Line, ReplayError, Story, Trace, replay, replay_named, sequence_diagram};

/// A model that can be explored.
pub trait Explorable:
    Pack<State: Clone + Eq + Hash + Send + Sync, Action: Clone + Eq + Send + Sync>
    + Send
    + Sync
    + 'static
{
}

impl<M> Explorable for M where
    M: Pack<State: Clone + Eq + Hash + Send + Sync, Action: Clone + Eq + Send + Sync>
        + Send
        + Sync
        + 'static
{
}

/// Why a fact of the kind `Eventually` is not asked by [`check_facts`]: it needs a [`Goal`], which says what is fair.
pub const LIVENESS_NOT_CHECKED: &str = "liveness is asked apart from safety";

/// Asks the model's own properties about every reachable state.
pub fn check<M: Explorable>(model: &Arc<M>, limits: Limits) -> CheckReport<M::Action> {
    check_facts(model, Fact::of(model), limits, Progress::unwatched())
}

/// Asks `facts` about every reachable state, on one thread.
///
/// Every broken fact has a shortest trace: the run goes on until every fact is settled, or every state visited.
#[allow(
    clippy::needless_pass_by_value,
    reason = "callers make the facts for one run"
)]
pub fn check_facts<M: Explorable>(
    model: &Arc<M>,
    facts: Vec<Fact<M>>,
    limits: Limits,
    progress: Progress,
) -> CheckReport<M::Action> {
    let explorer = Explorer::new(&**model).limits(limits).progress(progress);
    explorer.check(&facts)
}

/// The shortest trace to a state where `wanted` is true; `None` when no reachable state is such.
///
/// # Errors
/// The run ended before every reachable state was visited; the text says why.
pub fn find<M: Explorable>(
    model: &Arc<M>,
    wanted: Fact<M>,
    limits: Limits,
) -> Result<Option<Trace<M::Action>>, String> {
    Explorer::new(&**model).limits(limits).find(wanted)
}

/// How many states are reachable, counted by Stateright's depth-first search: a second opinion on [`check`].
///
/// Stateright remembers 64-bit fingerprints of states, so it may count too few, and hardly ever does.
pub fn count_depth_first<M: Explorable>(model: &Arc<M>) -> usize {
    let unasked = Unasked(Arc::clone(model));
    let checker = unasked.checker().threads(1).spawn_dfs().join();
    checker.unique_state_count()
}

/// A model without its properties: nothing ends its exploration early.
struct Unasked<M>(Arc<M>);

impl<M: Explorable> Model for Unasked<M> {
    type State = M::State;
    type Action = M::Action;

    fn init_states(&self) -> Vec<Self::State> {
        self.0.init_states()
    }

    fn actions(&self, state: &Self::State, actions: &mut Vec<Self::Action>) {
        self.0.actions(state, actions);
    }

    fn next_state(&self, state: &Self::State, action: Self::Action) -> Option<Self::State> {
        self.0.next_state(state, action)
    }

    fn properties(&self) -> Vec<stateright::Property<Self>> {
        vec![stateright::Property::always("the run goes on", |_, _| true)]
    }

    fn within_boundary(&self, state: &Self::State) -> bool {
        self.0.within_boundary(state)
    }
}
