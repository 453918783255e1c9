//! Named facts about a view of a system, asked alike by the explorer, the simulator and the harness.

use std::fmt;

/// What a property says about one view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// The fact was put to the test here and holds.
    Holds,
    /// The fact is broken; the text says what was seen, in one line.
    Broken(String),
    /// The view does not tell: the situation that the fact is about did not arise, or could not be seen.
    Unknown,
}

impl Judgement {
    /// `Holds` when `fact` is true, else broken with what `observed` says.
    pub fn check(fact: bool, observed: impl FnOnce() -> String) -> Self {
        if fact {
            Self::Holds
        } else {
            Self::Broken(observed())
        }
    }

    /// Judgements of several moments of one run: broken if any is, else holds if any does.
    #[must_use]
    pub fn and_then(self, later: Self) -> Self {
        match (self, later) {
            (Self::Broken(why), _) | (_, Self::Broken(why)) => Self::Broken(why),
            (Self::Holds, _) | (_, Self::Holds) => Self::Holds,
            (Self::Unknown, Self::Unknown) => Self::Unknown,
        }
    }

    /// Judgements of several explanations of one moment, of which one is true but nobody knows which:
    /// broken only when every explanation says so, holds only when none says broken and one holds.
    #[must_use]
    pub fn either(self, other: Self) -> Self {
        match (self, other) {
            (Self::Broken(why), Self::Broken(_)) => Self::Broken(why),
            (Self::Broken(_), _) | (_, Self::Broken(_)) => Self::Unknown,
            (Self::Holds, _) | (_, Self::Holds) => Self::Holds,
            (Self::Unknown, Self::Unknown) => Self::Unknown,
        }
    }

    /// Whether the fact is broken.
    pub fn is_broken(&self) -> bool {
        matches!(self, Self::Broken(_))
    }
}

/// Which shape of fact a property is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// True of every view.
    Always,
    /// True of at least one view: shows that something else does not hold vacuously.
    Sometimes,
    /// Once churn stops, it becomes true and stays true, under the fairness that the text states.
    Eventually {
        /// Which classes of actions are weakly or strongly fair.
        fairness: &'static str,
    },
}

/// Whether a property depends on the order in which timers run out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timing {
    /// Any set timer may fire at any moment.
    Untimed,
    /// Timers fire in the order of their remaining ticks.
    Ticked,
}

/// A named fact about a view `V`.
pub struct Property<V: ?Sized> {
    /// States the fact, such as `requests_only_while_unchoked`.
    pub name: &'static str,
    /// The claims it makes precise, by id.
    pub claims: &'static [&'static str],
    /// Its shape.
    pub kind: Kind,
    /// Whether it needs the order of timers.
    pub timing: Timing,
    /// What it says about a view.
    pub judge: fn(&V) -> Judgement,
}

impl<V: ?Sized> fmt::Debug for Property<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Property")
            .field("name", &self.name)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::Judgement::{self, Broken, Holds, Unknown};

    #[test]
    fn one_broken_moment_breaks_a_run() {
        assert_eq!(Holds.and_then(Broken("x".into())), Broken("x".into()));
        assert_eq!(Unknown.and_then(Holds), Holds);
        assert_eq!(Unknown.and_then(Unknown), Unknown);
    }

    #[test]
    fn one_innocent_explanation_saves_a_moment() {
        assert_eq!(Broken("x".into()).either(Holds), Unknown);
        assert_eq!(Broken("x".into()).either(Unknown), Unknown);
        assert!(Broken("x".into()).either(Broken("y".into())).is_broken());
        assert_eq!(Judgement::Unknown.either(Holds), Holds);
    }
}
