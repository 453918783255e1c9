//! What a check found, in words: the same for every protocol.

use peerproof_model::explore::{
    CheckReport, Counterexample, LivenessReport, LivenessVerdict, PropertyReport, PropertyVerdict,
    Verdict,
};
use peerproof_model::property::Kind;
use peerproof_model::system::Terms;
use serde_json::{Map, Value};

/// One scope and what was found there.
pub(in crate::cli) struct Finding {
    /// Which protocol.
    pub(super) protocol: &'static str,
    /// The name of the scope, for people.
    pub(super) name: String,
    /// What the scope is for, for people.
    pub(super) purpose: String,
    /// The variant as `--variant` takes it.
    pub(super) variant: String,
    /// The broken rule, if one is.
    pub(super) mutant: Option<&'static str>,
    /// What the result is true of.
    pub(super) terms: Terms,
    /// The answer.
    pub(super) verdict: Verdict,
    /// States visited.
    pub(super) states: usize,
    /// Steps between them.
    pub(super) transitions: usize,
    /// Steps to the farthest one.
    pub(super) depth: usize,
    /// How long it took.
    pub(super) seconds: f64,
    /// What was kept of a state.
    pub(super) bytes_per_state: f64,
    /// The answer about each property.
    pub(super) answers: Vec<Answer>,
}

/// The answer about one property.
pub(super) struct Answer {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) verdict: PropertyVerdict,
    /// Whether the property was put to the test somewhere.
    pub(super) tested: bool,
    /// What it assumes, where that is more than the terms say.
    pub(super) assumptions: Vec<String>,
    /// The way to what breaks it.
    pub(super) run: Option<Run>,
}

/// A run that breaks a property, in words.
pub(super) struct Run {
    /// Which initial state.
    pub(super) start: usize,
    /// What happens.
    pub(super) actions: Vec<String>,
    /// How many actions come before the loop, where the run ends in one.
    pub(super) loops_after: Option<usize>,
    /// What was seen at the end.
    pub(super) observed: Option<String>,
    /// A Mermaid diagram.
    pub(super) diagram: Option<String>,
    /// The run in the formats of other tools.
    pub(super) exports: Option<Exports>,
}

/// A run in the formats of other tools.
pub(super) struct Exports {
    /// The Informal Trace Format.
    pub(super) itf: String,
    /// Graphviz.
    pub(super) dot: String,
    /// A Mermaid state diagram.
    pub(super) states: String,
}

impl Finding {
    /// A finding without its answers.
    pub(super) fn new<A>(
        protocol: &'static str,
        (name, purpose): (String, String),
        variant: String,
        mutant: Option<&'static str>,
        terms: Terms,
        report: &CheckReport<A>,
    ) -> Self {
        Self {
            protocol,
            name,
            purpose,
            variant,
            mutant,
            terms,
            verdict: report.verdict.clone(),
            states: report.states,
            transitions: report.transitions,
            depth: report.depth,
            seconds: report.seconds,
            bytes_per_state: report.bytes_per_state,
            answers: Vec::new(),
        }
    }

    /// Enters the answers about facts of states, each with its partner of the same name: whether it was put to the test
    /// somewhere. `told` puts the way to what breaks one in words.
    pub(super) fn enter_partnered<A>(
        &mut self,
        report: &CheckReport<A>,
        told: impl Fn(&PropertyReport<A>) -> Run,
    ) {
        let of_kind = |kind| {
            let facts = report.properties.iter();
            facts.filter(move |fact: &&PropertyReport<A>| fact.kind == kind)
        };
        for fact in of_kind(Kind::Always) {
            let partner = of_kind(Kind::Sometimes).find(|partner| partner.name == fact.name);
            self.answers.push(Answer {
                name: fact.name,
                kind: fact.kind,
                verdict: fact.verdict.clone(),
                // Facts about single steps have no partner: every state puts them to the test.
                tested: partner.is_none_or(|partner| partner.verdict == PropertyVerdict::Holds),
                assumptions: Vec::new(),
                run: (fact.verdict == PropertyVerdict::Violated).then(|| told(fact)),
            });
        }
        // What is never put to the test is counted apart; it breaks nothing.
        if self.is_violated() {
            let mut answers = self.answers.iter();
            let broken = answers.find(|answer| answer.verdict == PropertyVerdict::Violated);
            self.verdict = broken.map_or(Verdict::Holds, |answer| Verdict::Violated {
                property: answer.name,
            });
        }
    }

    /// Enters the answer about a goal; `told` puts a run that never reaches it in words.
    pub(super) fn enter_goal<A>(
        &mut self,
        report: LivenessReport<A>,
        told: impl FnOnce(&Counterexample<A>) -> Run,
    ) {
        self.seconds += report.seconds;
        let mut answer = Answer {
            name: report.goal,
            kind: Kind::Eventually {
                fairness: "as its assumptions say",
            },
            verdict: PropertyVerdict::Holds,
            tested: report.good > 0,
            assumptions: report.assumptions,
            run: None,
        };
        match report.verdict {
            LivenessVerdict::Holds => {}
            LivenessVerdict::Violated(found) => {
                answer.verdict = PropertyVerdict::Violated;
                answer.run = Some(told(&found));
                if !self.is_violated() {
                    self.verdict = Verdict::Violated {
                        property: report.goal,
                    };
                }
            }
            LivenessVerdict::Incomplete { why } => {
                answer.verdict = PropertyVerdict::Unknown;
                if !self.is_violated() {
                    self.verdict = Verdict::Incomplete { why };
                }
            }
        }
        self.answers.push(answer);
    }

    pub(super) fn is_violated(&self) -> bool {
        matches!(self.verdict, Verdict::Violated { .. })
    }

    pub(super) fn is_incomplete(&self) -> bool {
        matches!(self.verdict, Verdict::Incomplete { .. })
    }

    /// What the result is true of, for programs.
    pub(super) fn head(&self) -> Map<String, Value> {
        let terms = &self.terms;
        let mut object = Map::new();
        object.insert("peerproof".into(), env!("CARGO_PKG_VERSION").into());
        object.insert("protocol".into(), self.protocol.into());
        object.insert("variant".into(), self.variant.as_str().into());
        if let Some(mutant) = self.mutant {
            object.insert("mutant".into(), mutant.into());
        }
        let scope = terms.scope.iter();
        let scope = scope.map(|(name, value)| ((*name).to_owned(), literal(value)));
        object.insert("scope".into(), Value::Object(scope.collect()));
        object.insert("network".into(), terms.network.as_str().into());
        object.insert("timing".into(), terms.timing.as_str().into());
        object.insert("fairness".into(), terms.fairness.as_str().into());
        object
    }

    /// The first broken property with the run that breaks it.
    pub(super) fn broken(&self) -> Option<(&Answer, &Run)> {
        let mut answers = self.answers.iter();
        answers.find_map(|answer| Some((answer, answer.run.as_ref()?)))
    }
}

/// Numbers and truth values as such, everything else as text.
fn literal(text: &str) -> Value {
    let number = text.parse::<u64>().map(Value::from).ok();
    let truth = || text.parse::<bool>().map(Value::from).ok();
    number.or_else(truth).unwrap_or_else(|| text.into())
}

/// Why a run never reaches the goal.
pub(super) fn unreached<A>(found: &Counterexample<A>) -> &'static str {
    match found {
        Counterexample::Loop { .. } => "a fair loop that never gets there",
        Counterexample::Rest { .. } => "nothing need happen any more",
        Counterexample::OutOfReach { .. } => "no way leads there",
    }
}
