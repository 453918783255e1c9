//! Checks of Chord's rings with messages in flight.

use std::sync::Arc;

use peerproof_model::chord::mutant::Mutant;
use peerproof_model::chord::system::{
    GOAL, MessageRing, Scope, convergence, facts_of_states, ring, terms,
};
use peerproof_model::explore::{
    Counterexample, Explorer, Fact, Fairness, PropertyVerdict, Story, replay_named,
};
use peerproof_model::system::Expiries;
use serde_json::Value;
use stateright::Model;

use super::super::finding::{Answer, Finding, Run, unreached};
use super::{Args, Found, exports, known, limits, threads, told, watched};
use crate::cli::Failure;
use crate::cli::explore::Browser;
use crate::cli::replay::{Recorded, Replayed, Step};

pub(super) fn listing() -> impl Iterator<Item = (String, String)> {
    Scope::all().into_iter().map(|scope| {
        let purpose = format!(
            "--scope: with messages, {}: {}",
            scope.variant, scope.purpose
        );
        (scope.name.to_owned(), purpose)
    })
}

pub(super) fn check(name: &str, args: &Args, found: &mut Found<'_>) -> Result<(), Failure> {
    let scope = named(name)?;
    if let Some(variant) = &args.variant
        && variant != scope.variant.name()
    {
        return Err(Failure::usage(format!(
            "the scope {name} speaks {}, not {variant}",
            scope.variant
        )));
    }
    let mutant = args.mutant.as_deref().map(mutant).transpose()?;
    let model = Arc::new(ring(&scope, mutant));
    let wants_goal = args.liveness || args.property.as_deref() == Some(GOAL);
    if wants_goal && scope.rounds != Expiries::Unbounded {
        return Err(Failure::usage(format!(
            "in {name} rounds have a bound, and the ring stops when they are over: liveness is asked where they have none"
        )));
    }
    let facts = asked(args, mutant, &scope, &model)?;
    let report = watched(scope.name, |progress| {
        let explorer = Explorer::new(&*model).limits(limits(args, None));
        explorer
            .threads(threads(args))
            .progress(progress)
            .check(&facts)
    });
    let mut finding = Finding::new(
        "chord",
        (scope.name.to_owned(), scope.purpose.to_owned()),
        scope.variant.name().to_owned(),
        mutant.map(Mutant::name),
        terms(&scope, mutant, &model),
        &report,
    );
    let tested = model.tally.names();
    let of_states: Vec<&str> = facts_of_states(&scope)
        .iter()
        .map(|fact| fact.name)
        .collect();
    for answer in &report.properties {
        let run = (answer.verdict == PropertyVerdict::Violated).then(|| Run {
            start: answer.trace.start,
            actions: answer.trace.names(&*model),
            loops_after: None,
            observed: model.observed(answer.name, &answer.trace),
            diagram: model.mermaid(&answer.trace).ok(),
            exports: exports(&*model, &answer.trace, &["ring"], |state| {
                vec![format!("{:?}", state.memory.ring.members)]
            }),
        });
        finding.answers.push(Answer {
            name: answer.name,
            kind: answer.kind,
            verdict: answer.verdict.clone(),
            // Facts about states are put to the test in every state.
            tested: tested.contains(answer.name) || of_states.contains(&answer.name),
            assumptions: Vec::new(),
            run,
        });
    }
    if wants_goal {
        converge(args, &scope, &model, &mut finding)?;
    }
    found(finding)
}

/// Asks the goal and enters the answer.
fn converge(
    args: &Args,
    scope: &Scope,
    model: &MessageRing,
    finding: &mut Finding,
) -> Result<(), Failure> {
    let fairness = match args.fairness.as_str() {
        "weak" => Fairness::Weak,
        _ => Fairness::Strong,
    };
    let goal = convergence(scope, model, fairness);
    let report = watched(scope.name, |progress| {
        let explorer = Explorer::new(model).limits(limits(args, None));
        explorer
            .threads(threads(args))
            .progress(progress)
            .converges(&goal)
    });
    let report = report.map_err(|error| Failure::usage(error.to_string()))?;
    finding.enter_goal(report, |found| endless(model, found));
    Ok(())
}

/// A run that never reaches the goal, in words.
fn endless(model: &MessageRing, found: &Counterexample<<MessageRing as Model>::Action>) -> Run {
    let stem = found.stem();
    let mut actions = stem.names(model);
    let mut whole = stem.clone();
    let mut loops_after = None;
    if let Counterexample::Loop { cycle, .. } = found {
        loops_after = Some(actions.len());
        actions.extend(cycle.iter().map(|action| model.format_action(action)));
        whole.actions.extend(cycle.iter().cloned());
    }
    let story = Story::of_counterexample(model, found, &["ring"], |state| {
        vec![format!("{:?}", state.memory.ring.members)]
    });
    Run {
        start: stem.start,
        actions,
        loops_after,
        observed: Some(unreached(found).to_owned()),
        diagram: model.mermaid(&whole).ok(),
        exports: story.ok().map(|story| told(&story)),
    }
}

pub(super) fn explore(name: &str, browser: &mut Browser<'_>) -> Result<(), Failure> {
    let scope = named(name)?;
    let what = format!("chord {}: {}", scope.name, scope.purpose);
    browser.show(ring(&scope, None), &what)
}

pub(super) fn replay(trace: &Recorded) -> Result<Replayed, Failure> {
    let name = trace.scope.get("name").and_then(Value::as_str);
    let scope = named(name.ok_or_else(|| trace.wrong("the name of its scope is no text"))?)?;
    let broken = trace.mutant.as_deref().map(mutant).transpose()?;
    let model = ring(&scope, broken);
    let (run, states) = replay_named(&model, trace.start, &trace.actions)
        .map_err(|error| trace.wrong(&error.to_string()))?;
    let facts = facts_of_states(&scope);
    let steps = states.windows(2).zip(&run.actions).zip(&trace.actions);
    let steps = steps.map(|((around, action), name)| {
        let mut broken = model.findings(&around[0], action).broken;
        let of_state = facts
            .iter()
            .filter(|fact| !(fact.holds)(&model, &around[1]));
        broken.extend(of_state.map(|fact| (fact.name, "it is not so of this state".to_owned())));
        Step {
            action: name.clone(),
            state: None,
            broken,
        }
    });
    Ok(Replayed {
        begins: None,
        broken_at_first: Vec::new(),
        steps: steps.collect(),
        returns: trace
            .loops_after
            .map(|stem| states.get(stem) == states.last()),
    })
}

fn named(name: &str) -> Result<Scope, Failure> {
    let all = Scope::all();
    known("scope", name, all.iter().map(|scope| scope.name))?;
    Scope::named(name).ok_or_else(|| Failure::usage(format!("no scope is called `{name}`")))
}

fn mutant(name: &str) -> Result<Mutant, Failure> {
    let all = Mutant::ALL.iter();
    let known_here = all.filter(|mutant| !mutant.needs_atomic_steps());
    known("mutant", name, known_here.map(|mutant| mutant.name()))?;
    Mutant::by_name(name).ok_or_else(|| Failure::usage(format!("no mutant is called `{name}`")))
}

/// The facts that are asked: all, the one that is named, or the one that the mutant must break.
fn asked(
    args: &Args,
    mutant: Option<Mutant>,
    scope: &Scope,
    model: &MessageRing,
) -> Result<Vec<Fact<MessageRing>>, Failure> {
    let mut facts = model.facts();
    facts.extend(facts_of_states(scope));
    // A mutant that stops maintenance declares a fact of the atomic ring; with messages the goal notices.
    let declared = mutant.map(Mutant::breaks).filter(|_| !args.liveness);
    let name = args.property.as_deref().or(declared);
    if name == Some(GOAL) || (name.is_none() && mutant.is_some()) {
        return Ok(Vec::new());
    }
    if let Some(name) = name {
        known("property", name, facts.iter().map(|fact| fact.name))?;
        facts.retain(|fact| fact.name == name);
    }
    Ok(facts)
}
