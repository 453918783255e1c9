//! Checks of the corrected ring whose members have fingers, or keep a key.

use peerproof_model::chord::mutant::Mutant;
use peerproof_model::chord::ring::{Equipment, EquippedAction, EquippedRing, EquippedState, Scope};
use peerproof_model::chord::rules::Rules;
use peerproof_model::explore::{Explorer, PropertyReport, replay as replay_trace, replay_named};
use peerproof_model::property::Judgement;
use serde_json::Value;

use super::super::finding::Run;
use super::{
    Args, Found, begun, exports, known, limits, mutant, recorded_scope, replayed, scope, threads,
    watched,
};
use crate::cli::Failure;
use crate::cli::replay::{Recorded, Replayed};

/// Whether the arguments ask for a ring with more than pointers.
pub(super) fn is_wanted(args: &Args) -> bool {
    args.fingers || args.keys.is_some()
}

/// Whether the trace is one of a ring with more than pointers.
pub(super) fn is_recorded(trace: &Recorded) -> bool {
    trace.scope.contains_key("fingers")
}

pub(super) fn check(args: &Args, found: &mut Found<'_>) -> Result<(), Failure> {
    let equipment = Equipment {
        fingers: args.fingers,
        replication: args.keys.unwrap_or(0),
    };
    let mutant = args.mutant.as_deref().map(mutant).transpose()?;
    let ring = ring(scope(args)?, equipment, mutant)?;
    let asked = asked(args, mutant, &ring)?;
    let mut facts = ring.facts();
    facts.extend(ring.partners());
    facts.retain(|fact| asked.is_none_or(|name| name == fact.name));
    let report = watched(ring.ring().scope().variant.name(), |progress| {
        let explorer = Explorer::new(&ring).limits(limits(args, None));
        explorer
            .threads(threads(args))
            .progress(progress)
            .check(&facts)
    });
    let more = vec![
        ("fingers", equipment.fingers.to_string()),
        ("keys", equipment.replication.to_string()),
    ];
    let mut finding = begun(ring.ring().scope(), mutant, more, &report);
    finding.enter_partnered(&report, |fact| run(&ring, fact));
    found(finding)
}

pub(super) fn replay(trace: &Recorded) -> Result<Replayed, Failure> {
    let fingers = trace.scope.get("fingers").and_then(Value::as_bool);
    let keys = trace.scope.get("keys").and_then(Value::as_u64);
    let keys = keys.and_then(|keys| u8::try_from(keys).ok());
    let equipment = Equipment {
        fingers: fingers.ok_or_else(|| trace.wrong("its scope has no truth value `fingers`"))?,
        replication: keys.ok_or_else(|| trace.wrong("its scope has no small number `keys`"))?,
    };
    let broken = trace.mutant.as_deref().map(mutant).transpose()?;
    let ring = ring(recorded_scope(trace)?, equipment, broken)?;
    let (_, states) = replay_named(&ring, trace.start, &trace.actions)
        .map_err(|error| trace.wrong(&error.to_string()))?;
    Ok(replayed(trace, &states, |state| broken_in(&ring, state)))
}

fn ring(
    scope: Scope,
    equipment: Equipment,
    mutant: Option<Mutant>,
) -> Result<EquippedRing, Failure> {
    let ring = EquippedRing::new(scope, equipment);
    let ring = ring.map_err(|error| Failure::usage(error.to_string()))?;
    Ok(ring.with(Rules { mutant }))
}

/// Which property is asked alone: the one that is named, or the one that the mutant must break.
fn asked(
    args: &Args,
    mutant: Option<Mutant>,
    ring: &EquippedRing,
) -> Result<Option<&'static str>, Failure> {
    let names: Vec<&'static str> = ring.facts().iter().map(|fact| fact.name).collect();
    let name = match (&args.property, mutant) {
        (Some(name), _) => name.as_str(),
        (None, Some(mutant)) => mutant.breaks(),
        (None, None) => return Ok(None),
    };
    if let (None, Some(mutant)) = (&args.property, mutant)
        && !names.contains(&name)
    {
        let instead = if mutant.is_of_the_ring() {
            "leave out --fingers and --keys"
        } else if args.fingers {
            "give --keys 2"
        } else {
            "give --fingers"
        };
        return Err(Failure::usage(format!(
            "`{name}`, which `{}` breaks, is not asked of such a ring: {instead}",
            mutant.name()
        )));
    }
    known("property", name, names.iter().copied())?;
    Ok(names.into_iter().find(|known| *known == name))
}

/// The facts that a state breaks, with what was seen.
fn broken_in(ring: &EquippedRing, state: &EquippedState) -> Vec<(&'static str, String)> {
    let judged = ring.judgements(state).into_iter();
    let broken = judged.filter_map(|(name, judgement)| match judgement {
        Judgement::Broken(observed) => Some((name, observed)),
        _ => None,
    });
    broken.collect()
}

/// The way to what breaks a fact, in words.
fn run(ring: &EquippedRing, fact: &PropertyReport<EquippedAction>) -> Run {
    let states = replay_trace(ring, &fact.trace);
    let last = states.ok().and_then(|states| states.last().copied());
    let seen = last.map(|state| broken_in(ring, &state));
    let mut seen = seen.unwrap_or_default().into_iter();
    let observed = seen.find(|(name, _)| *name == fact.name);
    Run {
        start: fact.trace.start,
        actions: fact.trace.names(ring),
        loops_after: None,
        observed: observed.map(|(_, observed)| observed),
        diagram: None,
        exports: exports(ring, &fact.trace, &["ring"], |state| {
            vec![format!("{state:?}")]
        }),
    }
}
