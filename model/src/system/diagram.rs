//! Traces for people.

use std::fmt;

use super::observe::Observe;
use super::scope::Act;
use super::{Action, Place, State, System};
use crate::explore::{Line, ReplayError, Trace, replay, sequence_diagram};
use crate::node::Node;

/// One action with the names of the nodes in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Who causes it, where somebody does.
    pub from: Option<String>,
    /// To whom it happens.
    pub to: String,
    /// What happens.
    pub what: String,
    /// The choices that were made in it.
    pub choices: Vec<usize>,
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.from {
            Some(from) => write!(f, "{from} -> {}: {}", self.to, self.what)?,
            None => write!(f, "{}: {}", self.to, self.what)?,
        }
        if !self.choices.is_empty() {
            write!(f, " (choices {:?})", self.choices)?;
        }
        Ok(())
    }
}

impl<N: Node, O: Observe<N>> System<N, O> {
    /// An action in words.
    pub fn told(&self, action: &Action<N>) -> Told {
        let name = |place: &Place| self.name(*place).to_owned();
        let told = |from: Option<&Place>, to: &Place, what: String| Told {
            from: from.map(name),
            to: name(to),
            what,
            choices: action.choices().to_vec(),
        };
        match action {
            Action::Connect { by, to, .. } => told(Some(by), to, "connect".into()),
            Action::Refuse { by, to, .. } => told(Some(to), by, "refuse the connection".into()),
            Action::Deliver {
                from,
                to,
                message,
                again,
                ..
            } => {
                let copy = if *again {
                    ", a copy stays under way"
                } else {
                    ""
                };
                told(Some(from), to, format!("{message:?}{copy}"))
            }
            Action::Lose { from, to, message } => {
                told(Some(from), to, format!("lost: {message:?}"))
            }
            Action::Closed { node, other, .. } => {
                told(Some(other), node, "the connection is gone".into())
            }
            Action::Break { low, high } => {
                told(Some(low), high, "the network breaks the connection".into())
            }
            Action::Expire { node, timer, .. } => told(None, node, format!("timer {timer:?}")),
            Action::Act { act, .. } => match act {
                Act::Join(place, None) => told(None, place, "joins".into()),
                Act::Join(place, Some(request)) => {
                    told(None, place, format!("joins and is asked {request:?}"))
                }
                Act::Ask(place, request) => told(None, place, format!("is asked {request:?}")),
                Act::Leave(place, _) => told(None, place, "leaves".into()),
                Act::Crash(place) => told(None, place, "crashes".into()),
            },
        }
    }

    /// The properties that each action of the trace breaks, with what was seen.
    ///
    /// # Errors
    /// The trace is not one of this system.
    pub fn findings_along(
        &self,
        trace: &Trace<Action<N>>,
    ) -> Result<Vec<Vec<(&'static str, String)>>, ReplayError> {
        let states: Vec<State<N, O::Memory>> = replay(self, trace)?;
        let steps = states.iter().zip(&trace.actions);
        Ok(steps
            .map(|(state, action)| self.findings(state, action).broken)
            .collect())
    }

    /// What the observer saw when the property first broke along a trace; nothing where it does not break, or where the
    /// trace is not one of this system.
    pub fn observed(&self, property: &str, trace: &Trace<Action<N>>) -> Option<String> {
        let steps = self.findings_along(trace).ok()?;
        let mut broken = steps.into_iter().flatten();
        broken
            .find(|(name, _)| *name == property)
            .map(|(_, observed)| observed)
    }

    /// The trace as a Mermaid sequence diagram, with a note where a property breaks.
    ///
    /// # Errors
    /// The trace is not one of this system.
    pub fn mermaid(&self, trace: &Trace<Action<N>>) -> Result<String, ReplayError> {
        let findings = self.findings_along(trace)?;
        let mut lines = Vec::new();
        for (action, broken) in trace.actions.iter().zip(findings) {
            let Told { from, to, what, .. } = self.told(action);
            let over = to.clone();
            lines.push(match from {
                Some(from) => Line::Message { from, to, what },
                None => Line::Note { over: to, what },
            });
            lines.extend(broken.into_iter().map(|(name, observed)| Line::Note {
                over: over.clone(),
                what: format!("{name} is broken, {observed}"),
            }));
        }
        let names = self.residents.iter().map(|resident| resident.name.as_str());
        Ok(sequence_diagram(names, lines))
    }
}
