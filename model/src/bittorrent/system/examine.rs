//! Asks everything of a swarm, and says of what the answer is true.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::participant::Participant;
use super::scope::{Holds, Meeting, Member, Scope};
use super::{Swarm, not_asked, swarm};
use crate::bittorrent::mutant::Mutant;
use crate::bittorrent::properties::swarm as liveness;
use crate::explore::{
    CheckReport, Explorer, LIVENESS_NOT_CHECKED, Limits, Progress, PropertyReport, PropertyVerdict,
    Trace,
};
use crate::property::Kind;
use crate::system::{Action, Terms};

/// What the exploration of a scope found.
#[derive(Clone, Debug)]
pub struct Examination {
    /// Of what it is true.
    pub terms: Terms,
    /// The answer about every property, those among them that were not asked.
    pub report: CheckReport<Action<Participant>>,
    /// The properties that were put to the test in some step.
    pub tested: BTreeSet<&'static str>,
    /// The model.
    pub swarm: Arc<Swarm>,
}

/// Explores a scope on so many threads, with a mutation if given, and asks every property, or only the one named;
/// the first broken one ends it.
pub fn examine(
    scope: &Scope,
    mutant: Option<Mutant>,
    only: Option<&str>,
    limits: Limits,
    threads: usize,
    progress: Progress,
) -> Examination {
    let model = swarm(scope, mutant);
    let mut facts = model.facts();
    facts.retain(|fact| only.is_none_or(|name| name == fact.name));
    let model = Arc::new(model);
    // What follows a broken property is another swarm: it may have many more states than the sound one.
    let explorer = Explorer::new(&*model).limits(limits).threads(threads);
    let explorer = explorer.progress(progress).stops_at_first();
    let mut report = explorer.check(&facts);
    if only.is_none() {
        report.properties.extend(unasked(scope));
    }
    Examination {
        terms: terms(scope, mutant, &model),
        report,
        tested: model.tally.names(),
        swarm: model,
    }
}

/// The properties that this scope does not ask, and those that nothing asks yet.
fn unasked(scope: &Scope) -> Vec<PropertyReport<Action<Participant>>> {
    let not_asked = not_asked(scope).into_iter();
    let safety = not_asked.map(|(name, why)| (name, Kind::Always, why));
    let stated = liveness::PROPERTIES.iter();
    let stated = stated.map(|property| (property.name, property.kind, LIVENESS_NOT_CHECKED));
    safety
        .chain(stated)
        .map(|(name, kind, why)| PropertyReport {
            name,
            kind,
            verdict: PropertyVerdict::NotChecked(why),
            trace: Trace::default(),
        })
        .collect()
}

/// Of what a result about the scope is true.
pub fn terms(scope: &Scope, mutant: Option<Mutant>, model: &Swarm) -> Terms {
    let variant = scope.variant();
    let members: Vec<String> = scope.peers.iter().map(describe).collect();
    let meeting = match &scope.meeting {
        Meeting::Tracker => "through the tracker".to_owned(),
        Meeting::Dials(pairs) => {
            let name = |place| model.name(place);
            let dials = pairs.iter();
            let dials = dials.map(|(by, to)| format!("{} dials {}", name(*by), name(*to)));
            dials.collect::<Vec<_>>().join(", ")
        }
    };
    let begins = if scope.begins_quiet {
        "when the first connections stand and all that follows has been said, in one order"
    } else {
        "before anything is said"
    };
    let blocks = if scope.paced {
        "one by one, each when a timer expires; what a peer owes by now is not asked"
    } else {
        "at once"
    };
    let scripts = match scope.scripts.len() {
        0 => "nobody joins or leaves".to_owned(),
        count => format!("{count} scripts of joins and leaves, {}", scope.when),
    };
    Terms {
        variant: match mutant {
            None => variant.to_owned(),
            Some(mutant) => format!("{variant}, mutant {}", mutant.name()),
        },
        scope: vec![
            ("name", scope.name.to_owned()),
            ("peers", scope.peers.len().to_string()),
            ("members", members.join("; ")),
            ("pieces", scope.pieces.to_string()),
            ("blocks", scope.blocks.to_string()),
            ("regular_slots", scope.regular_slots.to_string()),
            ("optimistic_slot", scope.optimistic_slot.to_string()),
            ("pipeline", scope.pipeline.to_string()),
            ("random_first_piece", scope.random_first.to_string()),
            ("meeting", meeting),
            ("begins", begins.to_owned()),
            ("churn", scripts),
            ("blocks_are_sent", blocks.to_owned()),
        ],
        network: model.network.describe(),
        timing: model.timers.describe(),
        fairness: "none: safety only".to_owned(),
    }
}

fn describe(member: &Member) -> String {
    let holds = match member.holds {
        Holds::Everything => "everything".to_owned(),
        Holds::Only([]) => "nothing".to_owned(),
        Holds::Only(pieces) => format!("pieces {pieces:?}"),
    };
    let mut text = format!("{} begins with {holds}", member.name);
    if !member.present {
        text += ", joins later";
    }
    if member.lies {
        text += ", sends wrong blocks";
    } else if !member.asked {
        text += ", is not asked any property";
    }
    text
}
