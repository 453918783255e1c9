//! Checks of BitTorrent's swarms.

use peerproof_model::bittorrent::mutant::Mutant;
use peerproof_model::bittorrent::properties;
use peerproof_model::bittorrent::system::{Examination, Scope, examine, not_asked, swarm};
use peerproof_model::explore::{PropertyVerdict, replay_named};
use serde_json::Value;

use super::super::explore::{self, Browser};
use super::super::replay::{Recorded, Replayed, Step};
use super::finding::{Answer, Finding, Run};
use super::{Args, Protocol, known, limits, threads, watched};
use crate::cli::Failure;

/// The variants, by the names of the documents behind them.
const VARIANTS: &[&str] = &["bep3", "bep3+bep6"];

/// The most states of a scope unless somebody says otherwise: swarms grow fast.
const USUAL_STATES: u64 = 1_000_000;

/// The swarm.
pub(super) struct BitTorrent;

impl Protocol for BitTorrent {
    fn name(&self) -> &'static str {
        "bittorrent"
    }

    fn listing(&self) -> Vec<(String, String)> {
        let rows = Scope::all().into_iter();
        rows.map(|scope| (scope.name.to_owned(), scope.purpose.to_owned()))
            .collect()
    }

    fn foreign(&self, args: &Args) -> Option<&'static str> {
        args.of_rings()
    }

    fn check(&self, args: &Args, found: &mut super::Found<'_>) -> Result<(), Failure> {
        let mutant = args.mutant.as_deref().map(mutant).transpose()?;
        let asked = asked(args, mutant)?;
        for scope in scopes(args, asked)? {
            let limits = limits(args, Some(USUAL_STATES));
            let examination = watched(scope.name, |progress| {
                examine(&scope, mutant, asked, limits, threads(args), progress)
            });
            let finding = finding(&scope, mutant, &examination);
            let violated = finding.is_violated();
            found(finding)?;
            // A mutant is found where it is found first.
            if violated && mutant.is_some() {
                break;
            }
        }
        Ok(())
    }

    fn explore(&self, args: &explore::Args, browser: &mut Browser<'_>) -> Result<(), Failure> {
        if let Some(flag) = args.of_rings() {
            return Err(Failure::usage(format!(
                "{flag} means nothing to bittorrent"
            )));
        }
        let scope = named(args.scope.as_deref().unwrap_or("pair"))?;
        let what = format!("bittorrent {}: {}", scope.name, scope.purpose);
        browser.show(swarm(&scope, None), &what)
    }

    fn replay(&self, trace: &Recorded) -> Result<Replayed, Failure> {
        let scope = recorded_scope(trace)?;
        let broken = trace.mutant.as_deref().map(mutant).transpose()?;
        let swarm = swarm(&scope, broken);
        let (run, states) = replay_named(&swarm, trace.start, &trace.actions)
            .map_err(|error| trace.wrong(&error.to_string()))?;
        let steps = states.iter().zip(&run.actions).zip(&trace.actions);
        let steps = steps.map(|((before, action), name)| Step {
            action: name.clone(),
            state: None,
            broken: swarm.findings(before, action).broken,
        });
        Ok(Replayed {
            begins: None,
            broken_at_first: Vec::new(),
            steps: steps.collect(),
            returns: None,
        })
    }
}

fn finding(scope: &Scope, mutant: Option<Mutant>, found: &Examination) -> Finding {
    let mut finding = Finding::new(
        "bittorrent",
        (scope.name.to_owned(), scope.purpose.to_owned()),
        scope.variant().to_owned(),
        mutant.map(Mutant::name),
        found.terms.clone(),
        &found.report,
    );
    let swarm = &*found.swarm;
    for report in &found.report.properties {
        let run = (report.verdict == PropertyVerdict::Violated).then(|| Run {
            start: report.trace.start,
            actions: report.trace.names(swarm),
            loops_after: None,
            observed: swarm.observed(report.name, &report.trace),
            diagram: swarm.mermaid(&report.trace).ok(),
            exports: super::exports(swarm, &report.trace, &["state"], |state| {
                vec![format!("{state:?}")]
            }),
        });
        finding.answers.push(Answer {
            name: report.name,
            kind: report.kind,
            verdict: report.verdict.clone(),
            tested: found.tested.contains(report.name),
            assumptions: Vec::new(),
            run,
        });
    }
    finding
}

/// The scopes that are wanted, and in which the property, if one is asked, can be asked.
fn scopes(args: &Args, asked: Option<&str>) -> Result<Vec<Scope>, Failure> {
    let mut scopes = match &args.scope {
        Some(name) => vec![named(name)?],
        None if args.peers.is_some() || args.pieces.is_some() => {
            let scope = Scope::of(args.peers.unwrap_or(2), args.pieces.unwrap_or(2));
            vec![scope.map_err(Failure::usage)?]
        }
        None => Scope::all(),
    };
    if let Some(variant) = &args.variant {
        known("variant", variant, VARIANTS.iter().copied())?;
        let fast = variant == VARIANTS[1];
        if scopes.len() > 1 {
            // Among all scopes, those with the other variant have a twin without it.
            scopes.retain(|scope| !scope.fast);
        }
        for scope in &mut scopes {
            scope.fast = fast;
        }
    }
    if let Some(name) = asked {
        let why = |scope: &Scope| {
            let mut unasked = not_asked(scope).into_iter();
            unasked
                .find(|(unasked, _)| *unasked == name)
                .map(|(_, why)| why)
        };
        let last = scopes.last().and_then(why);
        scopes.retain(|scope| why(scope).is_none());
        if let (true, Some(why)) = (scopes.is_empty(), last) {
            return Err(Failure::usage(format!("`{name}` is not asked here: {why}")));
        }
    }
    Ok(scopes)
}

/// The scope that a trace was found in.
fn recorded_scope(trace: &Recorded) -> Result<Scope, Failure> {
    let number = |name: &str| {
        let value = trace.scope.get(name).and_then(Value::as_u64);
        value.and_then(|value| u8::try_from(value).ok())
    };
    let name = trace.scope.get("name").and_then(Value::as_str);
    let mut scope = match name.and_then(Scope::named) {
        Some(scope) => scope,
        None => {
            let (peers, pieces) = number("peers").zip(number("pieces")).ok_or_else(|| {
                trace.wrong("its scope has no known name, and no peers and pieces")
            })?;
            Scope::of(peers, pieces).map_err(|why| trace.wrong(&why))?
        }
    };
    known("variant", &trace.variant, VARIANTS.iter().copied())?;
    scope.fast = trace.variant == VARIANTS[1];
    Ok(scope)
}

fn named(name: &str) -> Result<Scope, Failure> {
    let all = Scope::all();
    known("scope", name, all.iter().map(|scope| scope.name))?;
    Scope::named(name).ok_or_else(|| Failure::usage(format!("no scope is called `{name}`")))
}

/// Which property is asked alone: the one that is named, or the one that the mutant must break.
fn asked(args: &Args, mutant: Option<Mutant>) -> Result<Option<&'static str>, Failure> {
    let Some(name) = &args.property else {
        return Ok(mutant.map(Mutant::breaks));
    };
    let peers = properties::peer().map(|property| property.name);
    let trackers = properties::of_trackers().map(|property| property.name);
    let names: Vec<&'static str> = peers.chain(trackers).collect();
    known("property", name, names.iter().copied())?;
    Ok(names.into_iter().find(|known| known == name))
}

fn mutant(name: &str) -> Result<Mutant, Failure> {
    let names = Mutant::ALL.iter().map(|mutant| mutant.name());
    known("mutant", name, names)?;
    Mutant::by_name(name).ok_or_else(|| Failure::usage(format!("no mutant is called `{name}`")))
}
