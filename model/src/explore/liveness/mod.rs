//! Once churn stops, a goal is reached and kept: under fairness, on every reachable state.
//!
//! Churn may stop in any reachable state. From there on only other actions happen, and each class of them is unfair
//! (it need never happen), weakly fair (enabled without a break, it happens) or strongly fair (enabled again and
//! again, it happens). The goal is *kept* in a state from which no action but churn leads to a state without it.
//! - [`Explorer::converges`]: every fair run reaches a state where the goal is kept. A counterexample is a way to a
//!   loop that is fair and never gets there, or to a state where nothing need happen any more.
//! - [`Explorer::recurs`]: every fair run reaches the goal again and again, though it may lose it in between.
//! - [`Explorer::stays_reachable`]: from every state some way without churn leads to the goal. It is cheaper, needs
//!   no fairness, and promises less.
//!
//! | file | holds |
//! |---|---|
//! | `allowance.rs` | the memory and the time that are left |
//! | `graph.rs` | the steps without churn, in compressed rows |
//! | `components.rs` | strongly connected components, without recursion |
//! | `fairness.rs` | which components have a fair loop, by repeated refinement, and the loop |

mod allowance;
mod components;
mod fairness;
mod graph;

use std::fmt;
use std::sync::Arc;

use stateright::Model;

use super::limits::Cut;
use super::search::Until;
use super::shard::Id;
use super::space::Space;
use super::{Explorable, Explorer, Judge, Trace};
use allowance::Allowance;
use graph::{Graph, Unbuilt};

/// What is assumed of the actions of a class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fairness {
    /// Nothing: they need never happen.
    Unfair,
    /// If from some moment on one of them is always possible, one of them happens again and again.
    Weak,
    /// If one of them is possible again and again, one of them happens again and again.
    Strong,
}

/// A class of actions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActionClass {
    /// Its name.
    pub name: String,
    /// What is assumed of it.
    pub fairness: Fairness,
}

/// Classes that a goal may name.
pub const MOST_CLASSES: usize = 64;

/// Says to which class an action belongs, by its number; none for churn.
pub type ClassOf<M> = Arc<dyn Fn(&M, &<M as Model>::Action) -> Option<usize> + Send + Sync>;

/// What is to be reached and kept, and what is assumed.
pub struct Goal<M: Model> {
    /// States the fact.
    pub name: &'static str,
    /// Whether it is true of a state.
    pub holds: Judge<M>,
    /// What stops at some moment, in words.
    pub churn: &'static str,
    /// The classes of all other actions.
    pub classes: Vec<ActionClass>,
    /// The class of each action.
    pub class_of: ClassOf<M>,
}

impl<M: Model> Goal<M> {
    /// What an answer assumes, in words.
    pub fn assumptions(&self) -> Vec<String> {
        let mut all = vec![format!("churn stops at some moment: {}", self.churn)];
        for (fairness, word) in [
            (Fairness::Weak, "weakly fair"),
            (Fairness::Strong, "strongly fair"),
            (Fairness::Unfair, "unfair"),
        ] {
            let names = self
                .classes
                .iter()
                .filter(|class| class.fairness == fairness);
            let names: Vec<&str> = names.map(|class| class.name.as_str()).collect();
            if !names.is_empty() {
                all.push(format!("{word}: {}", names.join("; ")));
            }
        }
        all
    }
}

impl<M: Model> fmt::Debug for Goal<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Goal")
            .field("name", &self.name)
            .field("assumptions", &self.assumptions())
            .finish_non_exhaustive()
    }
}

/// Why liveness is not asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LivenessError {
    /// Fairness speaks of single nodes; in canonical forms nobody knows which is which.
    #[error("liveness is not asked of canonical forms: symmetry mixes up whose action is fair")]
    Symmetry,
    /// There are too many classes.
    #[error("a goal has at most {MOST_CLASSES} classes of actions, not {classes}")]
    TooManyClasses {
        /// How many there are.
        classes: usize,
    },
    /// An action has a class that is not among those of the goal.
    #[error("an action has the class {class}, and the goal names {classes}")]
    UnknownClass {
        /// Its number.
        class: usize,
        /// How many there are.
        classes: usize,
    },
}

/// The answer about a goal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LivenessVerdict<A> {
    /// It is as asked, from every reachable state.
    Holds,
    /// It is not.
    Violated(Counterexample<A>),
    /// Not every reachable state was visited.
    Incomplete {
        /// What ended the run, and what it covered.
        why: String,
    },
}

/// A run that does not reach the goal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Counterexample<A> {
    /// After the stem churn has stopped, and these actions may repeat for ever: the loop is fair.
    Loop {
        /// From an initial state.
        stem: Trace<A>,
        /// From the end of the stem back to it; not empty.
        cycle: Vec<A>,
    },
    /// After the stem churn has stopped, and nothing need happen any more: what is possible, if anything, is unfair.
    Rest {
        /// From an initial state.
        stem: Trace<A>,
    },
    /// After the stem no way leads to the goal.
    OutOfReach {
        /// From an initial state.
        stem: Trace<A>,
    },
}

impl<A> Counterexample<A> {
    /// From an initial state to where churn stops.
    pub fn stem(&self) -> &Trace<A> {
        match self {
            Self::Loop { stem, .. } | Self::Rest { stem } | Self::OutOfReach { stem } => stem,
        }
    }
}

/// What a run found about a goal.
#[derive(Clone, Debug, PartialEq)]
pub struct LivenessReport<A> {
    /// The goal.
    pub goal: &'static str,
    /// The answer.
    pub verdict: LivenessVerdict<A>,
    /// Of what it is true.
    pub assumptions: Vec<String>,
    /// Reachable states; where the run is incomplete, those that were visited.
    pub states: usize,
    /// Of these, how many keep the goal; for recurrence, how many have it; for reachability, how many reach it.
    pub good: usize,
    /// Steps without churn, each pair of states once for each class.
    pub steps: usize,
    /// What the explorer's structures held when they held most.
    pub bytes: usize,
    /// How long it took.
    pub seconds: f64,
}

impl<M: Explorable> Explorer<'_, M> {
    /// Whether every fair run reaches a state where the goal is kept, once churn has stopped.
    ///
    /// # Errors
    /// It cannot be asked so.
    pub fn converges(&self, goal: &Goal<M>) -> Result<LivenessReport<M::Action>, LivenessError> {
        self.ask(goal, |space, graph, allowance| {
            let kept = graph.kept(allowance)?;
            meeting(space, graph, goal, &kept, allowance)
        })
    }

    /// Whether every fair run reaches the goal again and again, once churn has stopped; it need not keep it.
    ///
    /// # Errors
    /// It cannot be asked so.
    pub fn recurs(&self, goal: &Goal<M>) -> Result<LivenessReport<M::Action>, LivenessError> {
        self.ask(goal, |space, graph, allowance| {
            meeting(space, graph, goal, graph.goal(), allowance)
        })
    }

    /// Whether from every reachable state some way without churn leads to the goal.
    ///
    /// # Errors
    /// It cannot be asked so.
    pub fn stays_reachable(
        &self,
        goal: &Goal<M>,
    ) -> Result<LivenessReport<M::Action>, LivenessError> {
        self.ask(goal, |space, graph, allowance| {
            let reaching = graph.reaching(allowance)?;
            let good = reaching.iter().filter(|reaching| **reaching).count();
            let is_lost = |state: &usize| !reaching[*state];
            let nearest = graph.nearest(space, 0..graph.len(), is_lost, allowance)?;
            let counterexample = nearest.map(|lost| Counterexample::OutOfReach {
                stem: space.trace_to(graph.id(lost)),
            });
            Ok((good, counterexample))
        })
    }

    #[allow(clippy::type_complexity)]
    fn ask(
        &self,
        goal: &Goal<M>,
        answer: impl FnOnce(
            &Space<'_, M>,
            &Graph<'_>,
            &Allowance,
        ) -> Result<(usize, Option<Counterexample<M::Action>>), Cut>,
    ) -> Result<LivenessReport<M::Action>, LivenessError> {
        if self.canonical.is_some() {
            return Err(LivenessError::Symmetry);
        }
        if goal.classes.len() > MOST_CLASSES {
            let classes = goal.classes.len();
            return Err(LivenessError::TooManyClasses { classes });
        }
        let search = self.search(&[], Until::Exhausted);
        let mut report = LivenessReport {
            goal: goal.name,
            verdict: LivenessVerdict::Holds,
            assumptions: goal.assumptions(),
            states: search.visited,
            good: 0,
            steps: 0,
            bytes: search.budget.peak() + self.model.held(),
            seconds: search.began().elapsed().as_secs_f64(),
        };
        if let Some(cut) = search.cut {
            let why = self.why(cut, search.visited, search.depth);
            report.verdict = LivenessVerdict::Incomplete { why };
            return Ok(report);
        }
        let (began, depth, transitions) = (search.began(), search.depth, search.transitions);
        let (shards, budget) = search.into_parts();
        let space = Space {
            model: self.model,
            canonical: None,
            shards,
        };
        let deadline = self.limits.time.map(|limit| began + limit);
        let allowance = Allowance::new(budget, deadline);
        let answered = allowance
            .take(self.model.held())
            .map_err(Unbuilt::from)
            .and_then(|()| Graph::build(&space, goal, transitions, self.threads, &allowance))
            .and_then(|graph| {
                report.steps = graph.steps();
                Ok(answer(&space, &graph, &allowance)?)
            });
        report.verdict = match answered {
            Ok((good, counterexample)) => {
                report.good = good;
                counterexample.map_or(LivenessVerdict::Holds, LivenessVerdict::Violated)
            }
            Err(Unbuilt::Cut(cut)) => LivenessVerdict::Incomplete {
                why: self.why(cut, space.len(), depth),
            },
            Err(Unbuilt::Class(class)) => {
                let classes = goal.classes.len();
                return Err(LivenessError::UnknownClass { class, classes });
            }
        };
        report.bytes = report.bytes.max(allowance.peak());
        report.seconds = began.elapsed().as_secs_f64();
        Ok(report)
    }
}

/// How many good states there are, and a fair run that never meets one.
#[allow(clippy::type_complexity)]
fn meeting<M: Explorable>(
    space: &Space<'_, M>,
    graph: &Graph<'_>,
    goal: &Goal<M>,
    good: &[bool],
    allowance: &Allowance,
) -> Result<(usize, Option<Counterexample<M::Action>>), Cut> {
    let found = fairness::unfulfilled(graph, good, &goal.classes, space, allowance)?;
    let told = |found| told(space, graph, goal, found, allowance);
    let counterexample = found.map(told).transpose()?;
    Ok((good.iter().filter(|good| **good).count(), counterexample))
}

/// A run in the graph as actions of the model.
fn told<M: Explorable>(
    space: &Space<'_, M>,
    graph: &Graph<'_>,
    goal: &Goal<M>,
    found: fairness::Run<'_>,
    allowance: &Allowance,
) -> Result<Counterexample<M::Action>, Cut> {
    let id = |state: usize| -> Id { graph.id(state) };
    let (from, steps) = match found {
        fairness::Run::Rest(state) => {
            let stem = space.trace_to(id(state));
            return Ok(Counterexample::Rest { stem });
        }
        fairness::Run::Loop(from, steps) => (from, steps),
    };
    let mut pace = allowance.pace_of_model();
    let mut state = space.model.unpack(space.bytes(id(from)));
    allowance.take(steps.len() * size_of::<M::Action>())?;
    let mut cycle = Vec::with_capacity(steps.len());
    for step in &*steps {
        pace.step()?;
        let (class, to) = graph.step(*step as usize);
        let suits = |action: &M::Action| (goal.class_of)(space.model, action) == Some(class);
        let (action, next) = space
            .step_to(&state, id(to), suits)
            .expect("the model takes its steps every time");
        cycle.push(action);
        state = next;
    }
    let stem = space.trace_to(id(from));
    Ok(Counterexample::Loop { stem, cycle })
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::explore::Pack;
    use crate::explore::limits::Budget;

    /// Three states in a round.
    struct Round;

    impl Model for Round {
        type State = u8;
        type Action = u8;

        fn init_states(&self) -> Vec<u8> {
            vec![0]
        }

        fn actions(&self, state: &u8, actions: &mut Vec<u8>) {
            actions.push((state + 1) % 3);
        }

        fn next_state(&self, _: &u8, to: u8) -> Option<u8> {
            Some(to)
        }
    }

    impl Pack for Round {
        fn pack(&self, state: &u8, bytes: &mut Vec<u8>) {
            bytes.push(*state);
        }

        fn unpack(&self, bytes: &[u8]) -> u8 {
            bytes[0]
        }
    }

    #[test]
    fn every_pass_over_the_graph_reads_the_clock() {
        let goal = Goal {
            name: "never",
            holds: Arc::new(|_: &Round, _| false),
            churn: "nothing",
            classes: vec![ActionClass {
                name: "on".into(),
                fairness: Fairness::Weak,
            }],
            class_of: Arc::new(|_, _| Some(0)),
        };
        let explorer = Explorer::new(&Round);
        let search = explorer.search(&[], Until::Exhausted);
        let space = Space {
            model: &Round,
            canonical: None,
            shards: search.into_parts().0,
        };
        let enough = Allowance::new(Budget::new(None), None);
        let late = Allowance::new(Budget::new(None), Some(Instant::now()));
        let built = Graph::build(&space, &goal, 3, 1, &late);
        assert!(matches!(built, Err(Unbuilt::Cut(Cut::Time))));
        let graph = Graph::build(&space, &goal, 3, 1, &enough);
        let Ok(graph) = graph else {
            panic!("there is time enough");
        };
        assert!(graph.kept(&enough).is_ok() && graph.kept(&late).is_err());
        assert!(graph.reaching(&enough).is_ok() && graph.reaching(&late).is_err());
        let all = || 0..graph.len();
        let nearest = |allowance| graph.nearest(&space, all(), |_| true, allowance);
        let bytes = |state: usize| space.bytes(graph.id(state));
        assert_eq!(
            nearest(&enough).map(|state| state.map(bytes)),
            Ok(Some(&[0][..]))
        );
        assert_eq!(nearest(&late), Err(Cut::Time));
        let found = || {
            let run = fairness::unfulfilled(&graph, &[false; 3], &goal.classes, &space, &enough);
            run.expect("there is time enough").expect("a loop")
        };
        let cycle = |allowance| match told(&space, &graph, &goal, found(), allowance) {
            Ok(Counterexample::Loop { cycle, .. }) => Ok(cycle),
            Ok(other) => panic!("not a loop: {other:?}"),
            Err(cut) => Err(cut),
        };
        assert_eq!(cycle(&enough), Ok(vec![1, 2, 0]));
        assert_eq!(cycle(&late), Err(Cut::Time));
    }
}
