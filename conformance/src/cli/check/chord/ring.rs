//! Checks of rings whose operations are atomic, in every published generation.

use peerproof_model::chord::mutant::Mutant;
use peerproof_model::chord::properties;
use peerproof_model::chord::ring::{Action, AtomicRing, State, Variant};
use peerproof_model::explore::{
    Counterexample, Explorer, Fact, Fairness, LivenessError, MOST_CLASSES, PropertyReport,
    PropertyVerdict, Story, replay as replay_trace, replay_named,
};
use peerproof_model::property::{Judgement, Kind};

use super::super::finding::{Answer, Finding, Run, unreached};
use super::super::{Args, Found, exports, known, limits, threads, told, watched};
use super::{begun, mutant, recorded_scope, replayed, ring, scope};
use crate::cli::Failure;
use crate::cli::replay::{Recorded, Replayed};

/// The name of the goal, as the model calls it.
const GOAL: &str = "the_ring_becomes_and_stays_ideal";

/// What is promised once churn stops, state by state.
const PROMISED: [&str; 3] = [
    "what_is_not_ideal_is_repaired",
    "what_is_settled_stays_settled",
    "the_ideal_ring_stays_in_reach",
];

/// What is asked without a base: the facts that the base is there for.
const CONTROLLED: [&str; 2] = ["at_most_one_ring", "ordered_ring"];

pub(super) fn check(args: &Args, found: &mut Found<'_>) -> Result<(), Failure> {
    let mutant = args.mutant.as_deref().map(mutant).transpose()?;
    let ring = ring(scope(args)?, mutant)?;
    let asked = asked(args, mutant, &ring)?;
    let fairness = match args.fairness.as_str() {
        "weak" => Fairness::Weak,
        _ => Fairness::Strong,
    };
    let wants_goal =
        asked.is_none_or(|name| name == GOAL) && (args.liveness || asked == Some(GOAL));
    if wants_goal {
        let classes = ring.convergence(fairness).classes.len();
        if classes > MOST_CLASSES {
            // Said before anybody waits for the states.
            let error = LivenessError::TooManyClasses { classes };
            return Err(Failure::usage(error.to_string()));
        }
    }
    let name = ring.scope().variant.name();
    let mut finding = watched(name, |progress| {
        let explorer = Explorer::new(&ring)
            .limits(limits(args, None))
            .threads(threads(args))
            .progress(progress);
        let explorer = if args.symmetry && ring.is_symmetric() {
            explorer.canonical(AtomicRing::canonical)
        } else {
            explorer
        };
        let facts = facts(&ring, asked, args.liveness);
        let report = explorer.check(&facts);
        let rotations = args.symmetry && ring.is_symmetric();
        let more = vec![("one_state_for_all_rotations", rotations.to_string())];
        let mut finding = begun(ring.scope(), mutant, more, &report);
        finding.enter_partnered(&report, |fact| run(&ring, fact));
        if wants_goal {
            converge(&explorer, &ring, fairness, &mut finding)?;
        }
        Ok::<_, Failure>(finding)
    })?;
    if asked.is_none() && !wants_goal && ring.scope().variant == Variant::Zave2017 {
        finding.answers.push(Answer {
            name: GOAL,
            kind: Kind::Eventually { fairness: "strong" },
            verdict: PropertyVerdict::NotChecked("asked with --liveness"),
            tested: false,
            assumptions: Vec::new(),
            run: None,
        });
    }
    found(finding)
}

pub(super) fn replay(trace: &Recorded) -> Result<Replayed, Failure> {
    let broken = trace.mutant.as_deref().map(mutant).transpose()?;
    let ring = ring(recorded_scope(trace)?, broken)?;
    let (_, states) = replay_named(&ring, trace.start, &trace.actions)
        .map_err(|error| trace.wrong(&error.to_string()))?;
    Ok(replayed(trace, &states, |state| broken_in(&ring, state)))
}

/// The facts that a state breaks, with what was seen.
fn broken_in(ring: &AtomicRing, state: &State) -> Vec<(&'static str, String)> {
    let shape = properties::shape::<State>();
    let judged = shape
        .into_iter()
        .filter_map(|property| match (property.judge)(state) {
            Judgement::Broken(observed) => Some((property.name, observed)),
            _ => None,
        });
    let upkeep = AtomicRing::upkeep_facts().into_iter();
    let upkeep = upkeep
        .filter(|fact| ring.scope().variant == Variant::Zave2017 && !(fact.holds)(ring, state));
    judged
        .chain(upkeep.map(|fact| (fact.name, format!("it is not so of {state:?}"))))
        .collect()
}

/// Which property is asked alone: the one that is named, or the one that the mutant must break.
fn asked(
    args: &Args,
    mutant: Option<Mutant>,
    ring: &AtomicRing,
) -> Result<Option<&'static str>, Failure> {
    let shape = properties::shape::<State>().into_iter();
    let mut names: Vec<&'static str> = shape.map(|property| property.name).collect();
    names.extend(AtomicRing::upkeep_facts().iter().map(|fact| fact.name));
    names.push(GOAL);
    let name = match (&args.property, mutant) {
        (Some(name), _) => name.as_str(),
        (None, Some(mutant)) => mutant.breaks(),
        (None, None) => return Ok(None),
    };
    if args.property.is_none() && !names.contains(&name) {
        return Err(Failure::usage(format!(
            "`{name}`, which `{}` breaks, is asked of rings with more than pointers: add --fingers or --keys 2",
            mutant.map_or("", Mutant::name)
        )));
    }
    known("property", name, names.iter().copied())?;
    let upkeep = AtomicRing::upkeep_facts();
    let of_2017 = upkeep.iter().any(|fact| fact.name == name);
    if of_2017 && ring.scope().variant != Variant::Zave2017 {
        return Err(Failure::usage(format!(
            "`{name}` is promised by zave2017 alone"
        )));
    }
    if name == GOAL && args.symmetry {
        return Err(Failure::usage(
            "liveness is not asked of one state for all rotations: leave out --symmetry",
        ));
    }
    Ok(names.into_iter().find(|known| *known == name))
}

/// What is asked, each fact of the shape of a ring with its partner: that it is put to the test somewhere.
fn facts(ring: &AtomicRing, asked: Option<&str>, liveness: bool) -> Vec<Fact<AtomicRing>> {
    let corrected = ring.scope().variant == Variant::Zave2017;
    let mut facts: Vec<Fact<AtomicRing>> = AtomicRing::facts();
    if corrected && asked.is_none() {
        let kept: &[&str] = if ring.scope().base {
            &AtomicRing::KEPT
        } else {
            &CONTROLLED
        };
        facts.retain(|fact| kept.contains(&fact.name));
    }
    if corrected && (ring.scope().base || asked.is_some()) {
        let promised = |fact: &Fact<AtomicRing>| PROMISED.contains(&fact.name);
        let wanted = |fact: &Fact<AtomicRing>| asked.is_some() || liveness || !promised(fact);
        facts.extend(AtomicRing::upkeep_facts().into_iter().filter(wanted));
    }
    facts.retain(|fact| asked.is_none_or(|name| name == fact.name));
    let partners = facts
        .iter()
        .filter_map(|fact| AtomicRing::put_to_the_test(fact.name));
    let partners: Vec<_> = partners.collect();
    facts.extend(partners);
    facts
}

/// What that fact broke, and how, in words.
fn run(ring: &AtomicRing, fact: &PropertyReport<Action>) -> Run {
    let states = replay_trace(ring, &fact.trace);
    let last = states.ok().and_then(|states| states.last().copied());
    let seen = last
        .map(|state| broken_in(ring, &state))
        .unwrap_or_default();
    let mut seen = seen.into_iter().filter(|(name, _)| *name == fact.name);
    Run {
        start: fact.trace.start,
        actions: fact.trace.names(ring),
        loops_after: None,
        observed: seen.next().map(|(_, observed)| observed),
        diagram: None,
        exports: exports(ring, &fact.trace, &["ring"], |state| {
            vec![format!("{state:?}")]
        }),
    }
}

/// Asks the goal and enters the answer.
fn converge(
    explorer: &Explorer<'_, AtomicRing>,
    ring: &AtomicRing,
    fairness: Fairness,
    finding: &mut Finding,
) -> Result<(), Failure> {
    let report = explorer
        .converges(&ring.convergence(fairness))
        .map_err(|error| Failure::usage(error.to_string()))?;
    finding.enter_goal(report, |found| endless(ring, found));
    Ok(())
}

/// A run that never reaches the goal, in words.
fn endless(ring: &AtomicRing, found: &Counterexample<Action>) -> Run {
    let stem = found.stem();
    let mut actions = stem.names(ring);
    let mut loops_after = None;
    if let Counterexample::Loop { cycle, .. } = found {
        loops_after = Some(actions.len());
        actions.extend(cycle.iter().map(ToString::to_string));
    }
    let describe = |state: &State| vec![format!("{state:?}")];
    let story = Story::of_counterexample(ring, found, &["ring"], describe);
    Run {
        start: stem.start,
        actions,
        loops_after,
        observed: Some(unreached(found).to_owned()),
        diagram: None,
        exports: story.ok().map(|story| told(&story)),
    }
}
