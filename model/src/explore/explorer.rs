//! How a run is asked for.

use std::sync::Arc;

use stateright::Model;

use super::limits::Cut;
use super::search::{Plan, Search, Until};
use super::space::Space;
use super::{
    CheckReport, Explorable, Fact, Limits, Progress, PropertyReport, PropertyVerdict, Trace,
    Verdict,
};
use crate::property::Kind;

/// A function that gives every state the one that stands for all its like: see [`Explorer::canonical`].
pub type Canonical<M> = Arc<dyn Fn(&M, &<M as Model>::State) -> <M as Model>::State + Send + Sync>;

/// Explores a model: every reachable state, exactly, breadth first.
///
/// States, transitions, depth and traces do not depend on the number of threads, unless the time limit ends the run.
pub struct Explorer<'a, M: Explorable> {
    pub(super) model: &'a M,
    pub(super) limits: Limits,
    pub(super) threads: usize,
    pub(super) progress: Progress,
    pub(super) canonical: Option<Canonical<M>>,
    stops_at_first: bool,
}

impl<'a, M: Explorable> Explorer<'a, M> {
    /// On one thread, without limits.
    pub fn new(model: &'a M) -> Self {
        Self {
            model,
            limits: Limits::default(),
            threads: 1,
            progress: Progress::unwatched(),
            canonical: None,
            stops_at_first: false,
        }
    }

    /// How far it may go.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// On how many threads, at least one.
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads.max(1);
        self
    }

    /// Who is told how far it is.
    #[must_use]
    pub fn progress(mut self, progress: Progress) -> Self {
        self.progress = progress;
        self
    }

    /// Ends at the first state that breaks a fact, though others are undecided.
    #[must_use]
    pub fn stops_at_first(mut self) -> Self {
        self.stops_at_first = true;
        self
    }

    /// Visits only the states that stand for all their like.
    ///
    /// The states with the same canonical form must be symmetric: the same facts are true of them, and their
    /// successors have the same canonical forms. Traces are traces of the model itself. For safety only:
    /// liveness refuses a canonical form, because fairness speaks of single nodes, which symmetry mixes up.
    #[must_use]
    pub fn canonical(
        mut self,
        form: impl Fn(&M, &M::State) -> M::State + Send + Sync + 'static,
    ) -> Self {
        self.canonical = Some(Arc::new(form));
        self
    }

    /// Asks `facts` about every reachable state. Every broken fact has a shortest trace of its own: the run goes on
    /// until every fact is settled, or every state visited.
    pub fn check(&self, facts: &[Fact<M>]) -> CheckReport<M::Action> {
        let until = if self.stops_at_first {
            Until::FirstBroken
        } else {
            Until::Settled
        };
        self.report(facts, until)
    }

    /// The shortest trace to a state where `wanted` is true; `None` when no reachable state is such.
    ///
    /// # Errors
    /// The run ended before every reachable state was visited; the text says why.
    pub fn find(&self, wanted: Fact<M>) -> Result<Option<Trace<M::Action>>, String> {
        // Whatever shape of fact it was: it is looked for.
        let wanted = Fact {
            kind: Kind::Sometimes,
            ..wanted
        };
        let report = self.report(&[wanted], Until::Reached);
        let reached = report.properties.into_iter().next();
        match (report.verdict, reached) {
            (Verdict::Incomplete { why }, _) => Err(why),
            (Verdict::Holds, Some(property)) => Ok(Some(property.trace)),
            _ => Ok(None),
        }
    }

    pub(super) fn search<'b>(&'b self, facts: &'b [Fact<M>], until: Until) -> Search<'b, M> {
        Search::run(Plan {
            model: self.model,
            canonical: self.canonical.as_ref(),
            facts,
            limits: self.limits,
            until,
            threads: self.threads,
            progress: &self.progress,
        })
    }

    fn report(&self, facts: &[Fact<M>], until: Until) -> CheckReport<M::Action> {
        let search = self.search(facts, until);
        let why = |cut| self.why(cut, search.visited, search.depth);
        let cut = search.cut.map(why);
        let (states, transitions, depth) = (search.visited, search.transitions, search.depth);
        let (exhausted, decided) = (search.exhausted, search.decided.clone());
        let bytes = search.budget.peak() + self.model.held();
        let began = search.began();
        let space = Space {
            model: self.model,
            canonical: self.canonical.as_ref(),
            shards: search.into_parts().0,
        };
        let report = |(fact, decided): (&Fact<M>, &Option<_>)| PropertyReport {
            name: fact.name,
            kind: fact.kind,
            verdict: verdict(fact.kind, decided.is_some(), exhausted),
            trace: decided.map(|id| space.trace_to(id)).unwrap_or_default(),
        };
        let properties: Vec<_> = facts.iter().zip(&decided).map(report).collect();
        let broken = properties.iter().find(|report| {
            matches!(
                report.verdict,
                PropertyVerdict::Violated | PropertyVerdict::NeverReached
            )
        });
        let verdict = match (broken, cut) {
            (Some(report), _) => Verdict::Violated {
                property: report.name,
            },
            (None, Some(why)) => Verdict::Incomplete { why },
            (None, None) => Verdict::Holds,
        };
        CheckReport {
            verdict,
            states,
            transitions,
            depth,
            seconds: began.elapsed().as_secs_f64(),
            bytes,
            bytes_per_state: bytes as f64 / space.len().max(1) as f64,
            properties,
        }
    }

    /// What ended a run, and what it covered.
    pub(super) fn why(&self, cut: Cut, states: usize, depth: usize) -> String {
        let limits = self.limits;
        match cut {
            Cut::States => format!("the limit of {states} states was reached at depth {depth}"),
            Cut::Depth => format!("the limit of depth {depth} was reached after {states} states"),
            Cut::Time => format!(
                "the limit of {} s was reached after {states} states at depth {depth}",
                limits.time.unwrap_or_default().as_secs_f64()
            ),
            Cut::Memory => format!(
                "the limit of {} bytes was reached after {states} states at depth {depth}",
                limits.memory.unwrap_or_default()
            ),
            Cut::Numbers(what) => format!(
                "there are more {what} than 32 bits can number; {states} states were visited, to depth {depth}"
            ),
        }
    }
}

fn verdict(kind: Kind, decided: bool, exhausted: bool) -> PropertyVerdict {
    match (kind, decided, exhausted) {
        (Kind::Always, true, _) => PropertyVerdict::Violated,
        (Kind::Always, false, true) | (Kind::Sometimes, true, _) => PropertyVerdict::Holds,
        (Kind::Sometimes, false, true) => PropertyVerdict::NeverReached,
        (Kind::Always | Kind::Sometimes, false, false) => PropertyVerdict::Unknown,
        (Kind::Eventually { .. }, ..) => PropertyVerdict::NotChecked(super::LIVENESS_NOT_CHECKED),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chord::ring::{AtomicRing, Scope, Variant};

    #[test]
    fn what_ran_out_is_called_by_its_name() {
        let scope = Scope::new(Variant::Zave2017, 3, 2);
        let model = AtomicRing::new(scope).expect("a possible scope");
        let explorer = Explorer::new(&model);
        assert_eq!(
            explorer.why(Cut::Numbers("steps"), 7, 2),
            "there are more steps than 32 bits can number; 7 states were visited, to depth 2"
        );
    }
}
