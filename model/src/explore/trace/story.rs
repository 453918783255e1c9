//! Runs for people and for other tools: states and actions in words.

use std::fmt::{Debug, Write};

use serde_json::{Map, Value, json};
use stateright::Model;

use super::{ReplayError, Trace, replay};
use crate::explore::Counterexample;

/// The variable that says which action led to a state.
const ACTION: &str = "action";

/// A run in words: of each state the values of some variables, and the actions between the states.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Story {
    variables: Vec<String>,
    /// Of each state the values, in the order of the variables.
    states: Vec<Vec<String>>,
    /// From each state to the next; with a loop, from the last state back as well.
    actions: Vec<String>,
    /// The state to which the last action leads back.
    back_to: Option<usize>,
}

impl Story {
    /// A trace of a model. `describe` gives the values of the variables in a state.
    ///
    /// # Errors
    /// The trace is not one of this model.
    pub fn of<M>(
        model: &M,
        trace: &Trace<M::Action>,
        variables: &[&str],
        describe: impl Fn(&M::State) -> Vec<String>,
    ) -> Result<Self, ReplayError>
    where
        M: Model<State: Clone, Action: PartialEq + Debug>,
    {
        let states = replay(model, trace)?;
        Ok(Self {
            variables: variables.iter().map(|name| (*name).to_owned()).collect(),
            states: states.iter().map(describe).collect(),
            actions: trace.names(model),
            back_to: None,
        })
    }

    /// A trace of a model, with each state as it debugs itself.
    ///
    /// # Errors
    /// The trace is not one of this model.
    pub fn debugged<M>(model: &M, trace: &Trace<M::Action>) -> Result<Self, ReplayError>
    where
        M: Model<State: Clone + Debug, Action: PartialEq + Debug>,
    {
        Self::of(model, trace, &["state"], |state| vec![format!("{state:?}")])
    }

    /// A run that does not reach a goal, with its loop if it has one.
    ///
    /// # Errors
    /// It is not one of this model.
    pub fn of_counterexample<M>(
        model: &M,
        found: &Counterexample<M::Action>,
        variables: &[&str],
        describe: impl Fn(&M::State) -> Vec<String>,
    ) -> Result<Self, ReplayError>
    where
        M: Model<State: Clone, Action: Clone + PartialEq + Debug>,
    {
        let mut trace = found.stem().clone();
        let Counterexample::Loop { stem, cycle } = found else {
            return Self::of(model, &trace, variables, describe);
        };
        trace.actions.extend(cycle.iter().cloned());
        let mut story = Self::of(model, &trace, variables, describe)?;
        // The last state is the one where the loop begins.
        story.states.pop();
        story.back_to = Some(stem.len());
        Ok(story)
    }

    /// In the Informal Trace Format of Apalache (its ADR 015), as JSON: what a state consists of are texts, and the
    /// variable `action` says what led to it.
    pub fn itf(&self) -> String {
        let states = self.states.iter().enumerate().map(|(at, values)| {
            let led = match at {
                0 => "",
                _ => &self.actions[at - 1],
            };
            let mut state = Map::from_iter([("#meta".to_owned(), json!({ "index": at }))]);
            let values = self.variables.iter().zip(values);
            state.extend(values.map(|(name, value)| (name.clone(), value.as_str().into())));
            state.insert(ACTION.to_owned(), led.into());
            Value::Object(state)
        });
        let states: Vec<Value> = states.collect();
        let variables = self.variables.iter().map(String::as_str).chain([ACTION]);
        let mut trace = json!({
            "#meta": {
                "format": "ITF",
                "format-description": "https://apalache-mc.org/docs/adr/015adr-trace.html",
                "source": concat!("peerproof ", env!("CARGO_PKG_VERSION")),
            },
            "vars": variables.collect::<Vec<_>>(),
            "states": states,
        });
        if let Some(back_to) = self.back_to {
            trace["loop"] = back_to.into();
            trace["#meta"]["loop-action"] = self.actions[self.actions.len() - 1].as_str().into();
        }
        format!("{trace:#}\n")
    }

    /// As a Mermaid state diagram.
    pub fn state_diagram(&self) -> String {
        let mut text = String::from("stateDiagram-v2\n");
        for at in 0..self.states.len() {
            let label = super::diagram::plain(&self.label(at, ", "));
            let _ = writeln!(text, "    state \"{}\" as s{at}", label.replace('"', "'"));
        }
        text += "    [*] --> s0\n";
        for (from, to, action) in self.steps() {
            let action = super::diagram::plain(action);
            let _ = writeln!(text, "    s{from} --> s{to}: {action}");
        }
        text
    }

    /// In the language of Graphviz.
    pub fn dot(&self) -> String {
        let mut text = String::from("digraph trace {\n    node [shape=box];\n");
        for at in 0..self.states.len() {
            let label = quoted(&self.label(at, "\n"));
            let _ = writeln!(text, "    s{at} [label={label}];");
        }
        for (from, to, action) in self.steps() {
            let _ = writeln!(text, "    s{from} -> s{to} [label={}];", quoted(action));
        }
        text + "}\n"
    }

    fn label(&self, state: usize, between: &str) -> String {
        let values = self.variables.iter().zip(&self.states[state]);
        let values = values.map(|(name, value)| format!("{name} = {value}"));
        values.collect::<Vec<_>>().join(between)
    }

    fn steps(&self) -> impl Iterator<Item = (usize, usize, &str)> {
        self.actions.iter().enumerate().map(|(at, action)| {
            let next = at + 1;
            let to = match self.back_to {
                Some(back_to) if next == self.states.len() => back_to,
                _ => next,
            };
            (at, to, action.as_str())
        })
    }
}

/// A text between quotation marks, as Graphviz reads it.
fn quoted(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{}\"", escaped.replace('\n', "\\n"))
}
