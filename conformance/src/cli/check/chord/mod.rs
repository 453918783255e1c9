//! Checks of Chord's rings: the published generations with atomic operations, alone or with fingers and a key; with
//! messages for a scope by name.
//!
//! | file | holds |
//! |---|---|
//! | `ring.rs` | pointers alone, in every generation |
//! | `equipped.rs` | fingers, and a key with its replicas |
//! | `messages.rs` | messages in flight |

mod equipped;
mod messages;
mod ring;

use std::fmt::Debug;

use peerproof_model::chord::mutant::Mutant;
use peerproof_model::chord::ring::{AtomicRing, Churn, Scope, ScopeError, Start, Variant};
use peerproof_model::chord::rules::Rules;
use peerproof_model::explore::CheckReport;
use peerproof_model::system::Terms;
use serde_json::Value;

use super::finding::Finding;
use super::{Args, Found, Protocol, exports, known, limits, threads, told, watched};
use crate::cli::Failure;
use crate::cli::explore::{self, Browser};
use crate::cli::replay::{Recorded, Replayed, Step};

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
        if equipped::is_wanted(args) {
            return equipped::check(args, found);
        }
        ring::check(args, found)
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
        if equipped::is_recorded(trace) {
            return equipped::replay(trace);
        }
        ring::replay(trace)
    }
}

/// What happened along a run, state by state.
fn replayed<S: Debug + PartialEq>(
    trace: &Recorded,
    states: &[S],
    broken: impl Fn(&S) -> Vec<(&'static str, String)>,
) -> Replayed {
    let steps = states.iter().skip(1).zip(&trace.actions);
    let steps = steps.map(|(state, name)| Step {
        action: name.clone(),
        state: Some(format!("{state:?}")),
        broken: broken(state),
    });
    Replayed {
        begins: states.first().map(|state| format!("{state:?}")),
        broken_at_first: states.first().map(&broken).unwrap_or_default(),
        steps: steps.collect(),
        returns: trace
            .loops_after
            .map(|stem| states.get(stem) == states.last()),
    }
}

/// A finding about a ring of that scope without its answers; `more` is what the scope does not say.
fn begun<A>(
    scope: &Scope,
    mutant: Option<Mutant>,
    more: Vec<(&'static str, String)>,
    report: &CheckReport<A>,
) -> Finding {
    let variant = scope.variant.name();
    let mut sizes = vec![
        ("ids", scope.ids.to_string()),
        ("successors", scope.successors.to_string()),
        ("churn", churn_words(scope.churn)),
        ("start", start_words(&scope.start).to_owned()),
        ("base", scope.base.to_string()),
    ];
    sizes.extend(more);
    let terms = Terms {
        variant: match mutant {
            None => variant.to_owned(),
            Some(mutant) => format!("{variant}, mutant {}", mutant.name()),
        },
        scope: sizes,
        network: "none: what one node reads of another and changes is one step; a notification to a dead node is lost"
            .to_owned(),
        timing: "untimed: any step may happen at any moment".to_owned(),
        fairness: "none for safety; a goal says what it assumes".to_owned(),
    };
    let name = (variant.to_owned(), about(scope.variant).to_owned());
    Finding::new(
        "chord",
        name,
        variant.to_owned(),
        mutant.map(Mutant::name),
        terms,
        report,
    )
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
        .map_err(|error: ScopeError| Failure::usage(error.to_string()))
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
