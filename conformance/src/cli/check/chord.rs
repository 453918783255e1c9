//! Checks of Chord's rings: the published generations with atomic operations; with messages for a scope by name.

use peerproof_model::chord::mutant::Mutant;
use peerproof_model::chord::properties;
use peerproof_model::chord::ring::{AtomicRing, Churn, Scope, Start, State, Variant};
use peerproof_model::chord::rules::Rules;
use peerproof_model::explore::{
    CheckReport, Counterexample, Explorer, Fact, Fairness, LivenessError, MOST_CLASSES,
    PropertyReport, PropertyVerdict, Story, Verdict, replay_named,
};
use peerproof_model::property::{Judgement, Kind};
use peerproof_model::system::Terms;
use serde_json::Value;

use super::super::explore::{self, Browser};
use super::super::replay::{Recorded, Replayed, Step};
use super::chord_messages as messages;
use super::finding::{Answer, Finding, Run};
use super::{Args, Found, Protocol, known, limits, threads, told, watched};
use crate::cli::Failure;

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

/// The ring.
pub(super) struct Chord;

impl Protocol for Chord {
    fn name(&self) -> &'static str {
        "chord"
    }

    fn listing(&self) -> Vec<(String, String)> {
        let variants = Variant::ALL.into_iter();
        let variants = variants.map(|variant| {
            let purpose = format!("--variant: atomic operations, {}", about(variant));
            (variant.name().to_owned(), purpose)
        });
        variants.chain(messages::listing()).collect()
    }

    fn foreign(&self, args: &Args) -> Option<&'static str> {
        // Liveness is asked of rings with messages as well.
        let rings = args
            .of_rings()
            .filter(|flag| args.scope.is_some() && *flag != "--liveness");
        args.of_swarms().or(rings)
    }

    fn check(&self, args: &Args, found: &mut Found<'_>) -> Result<(), Failure> {
        if let Some(name) = &args.scope {
            return messages::check(name, args, found);
        }
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
            let mut finding = finding(args, &ring, mutant, &explorer.check(&facts));
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

    fn explore(&self, args: &explore::Args, browser: &mut Browser<'_>) -> Result<(), Failure> {
        if let Some(name) = &args.scope {
            if let Some(flag) = args.of_rings() {
                return Err(Failure::usage(format!("{flag} does not go with --scope")));
            }
            return messages::explore(name, browser);
        }
        let variant = variant(args.variant.as_deref().unwrap_or("zave2017"))?;
        let scope = sized(variant, args.ids, args.successors);
        let what = format!(
            "chord {variant}, {} identifiers, lists of {}",
            scope.ids, scope.successors
        );
        browser.show(ring(scope, None)?, &what)
    }

    fn replay(&self, trace: &Recorded) -> Result<Replayed, Failure> {
        if trace.scope.contains_key("name") {
            return messages::replay(trace);
        }
        let broken = trace.mutant.as_deref().map(mutant).transpose()?;
        let ring = ring(recorded_scope(trace)?, broken)?;
        let (_, states) = replay_named(&ring, trace.start, &trace.actions)
            .map_err(|error| trace.wrong(&error.to_string()))?;
        let steps = states.iter().skip(1).zip(&trace.actions);
        let steps = steps.map(|(state, name)| Step {
            action: name.clone(),
            state: Some(format!("{state:?}")),
            broken: broken_in(&ring, state),
        });
        Ok(Replayed {
            begins: states.first().map(|state| format!("{state:?}")),
            broken_at_first: states
                .first()
                .map(|state| broken_in(&ring, state))
                .unwrap_or_default(),
            steps: steps.collect(),
            returns: trace
                .loops_after
                .map(|stem| states.get(stem) == states.last()),
        })
    }
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

fn about(variant: Variant) -> &'static str {
    match variant {
        Variant::Sigcomm2001 => "join, stabilize and notify, one successor",
        Variant::Ton2003 { .. } => "with successor lists and checks of predecessors",
        Variant::Podc2002 => "both fixes and strong stabilization",
        Variant::Zave2017 => "the corrected protocol",
    }
}

fn ring(scope: Scope, mutant: Option<Mutant>) -> Result<AtomicRing, Failure> {
    let ring = AtomicRing::new(scope).map_err(|error| Failure::usage(error.to_string()))?;
    Ok(ring.with(Rules { mutant }))
}

fn mutant(name: &str) -> Result<Mutant, Failure> {
    let atomic = || Mutant::ALL.iter().filter(|mutant| !mutant.needs_messages());
    known("mutant", name, atomic().map(|mutant| mutant.name()))?;
    Mutant::by_name(name).ok_or_else(|| Failure::usage(format!("no mutant is called `{name}`")))
}

fn scope(args: &Args) -> Result<Scope, Failure> {
    let name = args.variant.as_deref().unwrap_or("zave2017");
    let variant = variant(name)?;
    let usual = if variant == Variant::Sigcomm2001 {
        1
    } else {
        2
    };
    let successors = args.successors.unwrap_or(usual);
    let mut scope = Scope::new(variant, args.ids.unwrap_or(4), successors);
    if let Some(list) = &args.churn {
        scope.churn = churn(list).map_err(Failure::usage)?;
    }
    Ok(if args.without_base {
        scope.without_base()
    } else {
        scope
    })
}

/// As large as asked for, or as usual.
fn sized(variant: Variant, ids: Option<u8>, successors: Option<u8>) -> Scope {
    let usual = if variant == Variant::Sigcomm2001 {
        1
    } else {
        2
    };
    Scope::new(variant, ids.unwrap_or(4), successors.unwrap_or(usual))
}

fn variant(name: &str) -> Result<Variant, Failure> {
    known(
        "variant",
        name,
        Variant::ALL.iter().map(|variant| variant.name()),
    )?;
    name.parse()
        .map_err(|error: peerproof_model::chord::ring::ScopeError| {
            Failure::usage(error.to_string())
        })
}

/// `join,fail`, or `none`.
fn churn(list: &str) -> Result<Churn, String> {
    let mut churn = Churn::NONE;
    for word in list.split(',').filter(|word| *word != "none") {
        match word {
            "join" => churn.joins = true,
            "leave" => churn.leaves = true,
            "fail" => churn.fails = true,
            _ => {
                return Err(format!(
                    "no churn is called `{word}`; there are: join, leave, fail, none"
                ));
            }
        }
    }
    Ok(churn)
}

fn churn_words(churn: Churn) -> String {
    let words = [
        (churn.joins, "join"),
        (churn.leaves, "leave"),
        (churn.fails, "fail"),
    ];
    let words: Vec<&str> = words
        .into_iter()
        .filter(|(happens, _)| *happens)
        .map(|(_, word)| word)
        .collect();
    if words.is_empty() {
        "none".to_owned()
    } else {
        words.join(",")
    }
}

fn start_words(start: &Start) -> &'static str {
    match start {
        Start::Alone => "node 0 alone",
        Start::Ideal => "ideal rings of at least r + 1 members",
        Start::AnyIdeal => "ideal rings of any size",
        Start::Given(_) => "given states",
    }
}

/// The scope that a trace was found in.
fn recorded_scope(trace: &Recorded) -> Result<Scope, Failure> {
    let number = |name: &str| {
        let value = trace.scope.get(name).and_then(Value::as_u64);
        let value = value.and_then(|value| u8::try_from(value).ok());
        value.ok_or_else(|| trace.wrong(&format!("its scope has no {name}")))
    };
    let mut scope = Scope::new(
        variant(&trace.variant)?,
        number("ids")?,
        number("successors")?,
    );
    let list = trace.scope.get("churn").and_then(Value::as_str);
    scope.churn = churn(list.unwrap_or("join,fail")).map_err(|why| trace.wrong(&why))?;
    if trace.scope.get("base") == Some(&Value::Bool(false)) && scope.base {
        scope = scope.without_base();
    }
    Ok(scope)
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
            "the ring without keys does not ask `{name}`, which `{}` breaks: `cargo test` does",
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

fn terms(ring: &AtomicRing, mutant: Option<Mutant>, args: &Args) -> Terms {
    let scope = ring.scope();
    let variant = scope.variant.name();
    let rotations = args.symmetry && ring.is_symmetric();
    Terms {
        variant: match mutant {
            None => variant.to_owned(),
            Some(mutant) => format!("{variant}, mutant {}", mutant.name()),
        },
        scope: vec![
            ("ids", scope.ids.to_string()),
            ("successors", scope.successors.to_string()),
            ("churn", churn_words(scope.churn)),
            ("start", start_words(&scope.start).to_owned()),
            ("base", scope.base.to_string()),
            ("one_state_for_all_rotations", rotations.to_string()),
        ],
        network: "none: what one node reads of another and changes is one step; a notification to a dead node is lost"
            .to_owned(),
        timing: "untimed: any step may happen at any moment".to_owned(),
        fairness: "none for safety; a goal says what it assumes".to_owned(),
    }
}

/// Everything that was asked of states, in words.
fn finding(
    args: &Args,
    ring: &AtomicRing,
    mutant: Option<Mutant>,
    report: &CheckReport<peerproof_model::chord::ring::Action>,
) -> Finding {
    let scope = ring.scope();
    let mut finding = Finding::new(
        "chord",
        (
            scope.variant.name().to_owned(),
            about(scope.variant).to_owned(),
        ),
        scope.variant.name().to_owned(),
        mutant.map(Mutant::name),
        terms(ring, mutant, args),
        report,
    );
    let partner = |name: &str| {
        let mut partners = report.properties.iter();
        partners.find(|partner| partner.name == name && partner.kind == Kind::Sometimes)
    };
    let facts = report
        .properties
        .iter()
        .filter(|fact| fact.kind == Kind::Always);
    for fact in facts {
        // Facts about single steps have no partner: every state puts them to the test.
        let tested =
            partner(fact.name).is_none_or(|partner| partner.verdict == PropertyVerdict::Holds);
        finding.answers.push(Answer {
            name: fact.name,
            kind: fact.kind,
            verdict: fact.verdict.clone(),
            tested,
            assumptions: Vec::new(),
            run: (fact.verdict == PropertyVerdict::Violated).then(|| run(ring, fact)),
        });
    }
    // What is never put to the test is counted apart; it breaks nothing.
    if let Verdict::Violated { .. } = finding.verdict {
        let mut facts = finding.answers.iter();
        let broken = facts.find(|answer| answer.verdict == PropertyVerdict::Violated);
        finding.verdict = match broken {
            Some(answer) => Verdict::Violated {
                property: answer.name,
            },
            None => Verdict::Holds,
        };
    }
    finding
}

fn run(ring: &AtomicRing, fact: &PropertyReport<peerproof_model::chord::ring::Action>) -> Run {
    let states = peerproof_model::explore::replay(ring, &fact.trace);
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
        exports: super::exports(ring, &fact.trace, &["ring"], |state| {
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
fn endless(ring: &AtomicRing, found: &Counterexample<peerproof_model::chord::ring::Action>) -> Run {
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
        observed: Some(super::finding::unreached(found).to_owned()),
        diagram: None,
        exports: story.ok().map(|story| told(&story)),
    }
}
