//! What a check found, for programs.

use peerproof_model::explore::{PropertyReport, PropertyVerdict, Verdict};
use peerproof_model::property::Kind;
use serde_json::{Map, Value, json};

use super::Finding;

/// Every scope: one is an object, several are an array of such objects.
pub(super) fn report(findings: &[Finding]) -> String {
    let mut objects: Vec<Value> = findings.iter().map(object).collect();
    let value = match objects.len() {
        1 => objects.remove(0),
        _ => Value::Array(objects),
    };
    format!("{value:#}\n")
}

fn object(finding: &Finding) -> Value {
    let report = &finding.found.report;
    let mut object = head(finding);
    let (verdict, why) = match &report.verdict {
        Verdict::Holds => ("holds", None),
        Verdict::Violated { .. } => ("violated", None),
        Verdict::Incomplete { why } => ("incomplete", Some(why)),
    };
    object.insert("verdict".into(), verdict.into());
    if let Some(why) = why {
        object.insert("why".into(), why.as_str().into());
    }
    object.insert("states".into(), report.states.into());
    object.insert("transitions".into(), report.transitions.into());
    object.insert("depth".into(), report.depth.into());
    object.insert("seconds".into(), report.seconds.into());
    object.insert("bytes_per_state".into(), report.bytes_per_state.into());
    let properties = report.properties.iter();
    let properties: Vec<Value> = properties.map(|it| property(finding, it)).collect();
    object.insert("properties".into(), properties.into());
    Value::Object(object)
}

/// What the result is true of.
fn head(finding: &Finding) -> Map<String, Value> {
    let terms = &finding.found.terms;
    let mut object = Map::new();
    object.insert("peerproof".into(), env!("CARGO_PKG_VERSION").into());
    object.insert("protocol".into(), "bittorrent".into());
    object.insert("variant".into(), finding.scope.variant().into());
    if let Some(mutant) = finding.mutant {
        object.insert("mutant".into(), mutant.name().into());
    }
    let scope = terms.scope.iter();
    let scope = scope.map(|(name, value)| ((*name).to_owned(), literal(value)));
    object.insert("scope".into(), Value::Object(scope.collect()));
    object.insert("network".into(), terms.network.as_str().into());
    object.insert("timing".into(), terms.timing.as_str().into());
    object.insert("fairness".into(), terms.fairness.as_str().into());
    object
}

/// Numbers and truth values as such, everything else as text.
fn literal(text: &str) -> Value {
    let number = text.parse::<u64>().map(Value::from).ok();
    let truth = || text.parse::<bool>().map(Value::from).ok();
    number.or_else(truth).unwrap_or_else(|| text.into())
}

type Answer = PropertyReport<
    peerproof_model::system::Action<peerproof_model::bittorrent::system::Participant>,
>;

fn property(finding: &Finding, answer: &Answer) -> Value {
    let mut object = Map::new();
    let kind = match answer.kind {
        Kind::Always => "always",
        Kind::Sometimes => "sometimes",
        Kind::Eventually { .. } => "eventually",
    };
    let (verdict, why) = match answer.verdict {
        PropertyVerdict::Holds => ("holds", None),
        PropertyVerdict::Violated => ("violated", None),
        PropertyVerdict::NeverReached => ("never-reached", None),
        PropertyVerdict::Unknown => ("unknown", None),
        PropertyVerdict::NotChecked(why) => ("not-checked", Some(why)),
    };
    object.insert("name".into(), answer.name.into());
    object.insert("kind".into(), kind.into());
    object.insert("verdict".into(), verdict.into());
    if let Some(why) = why {
        object.insert("why".into(), why.into());
    } else {
        let tested = finding.found.tested.contains(answer.name);
        object.insert("put_to_the_test".into(), tested.into());
    }
    let swarm = &*finding.found.swarm;
    object.insert("trace".into(), answer.trace.names(swarm).into());
    if answer.verdict == PropertyVerdict::Violated {
        if let Some(observed) = super::terminal::observed(finding, answer.name) {
            object.insert("observed".into(), observed.into());
        }
        if let Ok(diagram) = swarm.mermaid(&answer.trace) {
            object.insert("diagram".into(), diagram.into());
        }
    }
    Value::Object(object)
}

/// The trace that breaks a property, with all that it needs to replay.
pub(super) fn trace(finding: &Finding) -> Option<String> {
    let properties = finding.found.report.properties.iter();
    let mut broken = properties.filter(|answer| answer.verdict == PropertyVerdict::Violated);
    let answer = broken.next()?;
    let swarm = &*finding.found.swarm;
    let mut object = head(finding);
    object.insert("property".into(), answer.name.into());
    object.insert("start".into(), answer.trace.start.into());
    object.insert("actions".into(), answer.trace.names(swarm).into());
    if let Some(observed) = super::terminal::observed(finding, answer.name) {
        object.insert("observed".into(), observed.into());
    }
    if let Ok(diagram) = swarm.mermaid(&answer.trace) {
        object.insert("diagram".into(), diagram.into());
    }
    Some(format!("{:#}\n", json!(object)))
}
