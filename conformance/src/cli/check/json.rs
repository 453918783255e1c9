//! What a check found, for programs.

use peerproof_model::explore::{PropertyVerdict, Verdict};
use peerproof_model::property::Kind;
use serde_json::{Map, Value, json};

use super::finding::{Answer, Finding};

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
    let mut object = finding.head();
    let (verdict, why) = match &finding.verdict {
        Verdict::Holds => ("holds", None),
        Verdict::Violated { .. } => ("violated", None),
        Verdict::Incomplete { why } => ("incomplete", Some(why)),
    };
    object.insert("verdict".into(), verdict.into());
    if let Some(why) = why {
        object.insert("why".into(), why.as_str().into());
    }
    object.insert("states".into(), finding.states.into());
    object.insert("transitions".into(), finding.transitions.into());
    object.insert("depth".into(), finding.depth.into());
    object.insert("seconds".into(), finding.seconds.into());
    object.insert("bytes_per_state".into(), finding.bytes_per_state.into());
    let properties: Vec<Value> = finding.answers.iter().map(property).collect();
    object.insert("properties".into(), properties.into());
    Value::Object(object)
}

fn property(answer: &Answer) -> Value {
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
        object.insert("put_to_the_test".into(), answer.tested.into());
    }
    if !answer.assumptions.is_empty() {
        object.insert("assumptions".into(), json!(answer.assumptions));
    }
    let run = answer.run.as_ref();
    let trace = run.map_or(&[][..], |run| run.actions.as_slice());
    object.insert("trace".into(), json!(trace));
    if let Some(run) = run {
        if let Some(loops_after) = run.loops_after {
            object.insert("loops_after".into(), loops_after.into());
        }
        if let Some(observed) = &run.observed {
            object.insert("observed".into(), observed.as_str().into());
        }
        if let Some(diagram) = &run.diagram {
            object.insert("diagram".into(), diagram.as_str().into());
        }
    }
    Value::Object(object)
}

/// The run that breaks a property, with all that it needs to replay.
pub(super) fn trace(finding: &Finding) -> Option<String> {
    let (answer, run) = finding.broken()?;
    let mut object = finding.head();
    object.insert("property".into(), answer.name.into());
    object.insert("start".into(), run.start.into());
    object.insert("actions".into(), json!(run.actions));
    if let Some(loops_after) = run.loops_after {
        object.insert("loops_after".into(), loops_after.into());
    }
    if let Some(observed) = &run.observed {
        object.insert("observed".into(), observed.as_str().into());
    }
    if let Some(diagram) = &run.diagram {
        object.insert("diagram".into(), diagram.as_str().into());
    }
    Some(format!("{:#}\n", json!(object)))
}
