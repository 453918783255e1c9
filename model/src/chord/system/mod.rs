//! Rings of nodes with messages in flight, as [`stateright::Model`]s.
//!
//! [`ring`] turns a [`Scope`] into a [`System`] of the very state machines that are served, with an [`Onlooker`] that
//! asks of what the nodes tell the same facts that the atomic models are held to.
//!
//! | file | holds |
//! |---|---|
//! | `scope.rs` | the scopes: who is there, what happens, what may go wrong |
//! | `liveness.rs` | what a ring reaches once nothing is done to it any more |
//! | `onlooker.rs` | the ring as its nodes tell it, and the facts about what they say |

mod liveness;
mod onlooker;
mod scope;

use std::sync::Arc;

pub use liveness::{GOAL, convergence};
pub use onlooker::{Memory, Onlooker, SAID};
pub use scope::{Detector, Scope};

use super::message::Message;
use super::mutant::Mutant;
use super::node::{ChordNode, Config, Request, Timer, Timing};
use super::properties::{is_ideal, is_principal, principals};
use super::ring::Variant;
use super::rules::Rules;
use super::view::{Ring, RingView};
use crate::explore::Fact;
use crate::space::circle::{Circle, Id};
use crate::system::{
    Act, Clock, Consent, Expiries, Patience, Place, Resident, Shared, State, System, Terms, Timers,
    Traffic, When,
};

/// A ring with messages, as a model.
pub type MessageRing = System<ChordNode, Onlooker>;

/// One of its states.
pub type RingState = State<ChordNode, Memory>;

/// The ring of a scope, where every node has the mutation, if any.
pub fn ring(scope: &Scope, mutant: Option<Mutant>) -> MessageRing {
    let circle = circle(scope);
    let members: Vec<Id> = scope.members.iter().map(|id| circle.point(*id)).collect();
    let mut residents: Vec<Resident<ChordNode>> = Vec::new();
    for at in 0..members.len() {
        residents.push(resident(established(scope, &members, at, mutant), true));
    }
    for number in &scope.joiners {
        let config = config(scope, circle.point(*number), mutant);
        residents.push(resident(ChordNode::new(Arc::new(config)), false));
    }
    let ids = residents.iter().map(|resident| resident.id).collect();
    let present = residents.iter().filter(|resident| resident.present);
    let begin = RingView {
        members: present
            .map(|resident| (resident.id, told(&resident.node)))
            .collect(),
        ..RingView::default()
    };
    let mut onlooker = Onlooker::new(ids, begin, scope.successors);
    onlooker.joins_without = scope.variant != Variant::Zave2017;
    onlooker.tagged = scope.tags > 1;
    let opening = (0..members.len()).filter_map(|place| {
        let place = Place::try_from(place).ok()?;
        Some(Act::Ask(place, Request::Start))
    });
    let mut system = System::new(residents, scope.network, onlooker);
    system.losses = scope.losses;
    system.absent_hear_nothing = scope.gone_hear_nothing;
    system.opening = opening.collect();
    system.scripts.clone_from(&scope.scripts);
    system.acts = When::AnyMoment;
    system.timers = timers(scope);
    system.consent = Some(consent(scope));
    system.patience = match scope.detector {
        Detector::Accurate => Some(accurate(false)),
        Detector::BetweenTwo => Some(accurate(true)),
        Detector::Wrong(_) => None,
    };
    system
}

/// What a node tells of itself, without fingers and keys, of which it tells nothing.
fn told(node: &ChordNode) -> super::view::MemberView<Id> {
    super::view::MemberView {
        fingers: Vec::new(),
        keys: std::collections::BTreeSet::new(),
        ..node.view()
    }
}

/// The ring as the states of its nodes show it; `replication` is on how many nodes keys are to be.
pub fn view(state: &RingState, replication: usize) -> RingView<Id> {
    let members = state.nodes.iter().flatten().filter(|node| node.is_member());
    let acknowledged = state.memory.acknowledged.iter();
    let rules = state.nodes.iter().flatten().map(|node| node.rules()).next();
    RingView {
        members: members.map(|node| (node.id(), node.view())).collect(),
        stored: acknowledged
            .filter(|(_, value)| value.is_some())
            .map(|(key, _)| *key)
            .collect(),
        replication,
        rules: rules.unwrap_or_default(),
    }
}

/// What is asked of states: that nobody tells what is not so, and where keys are.
pub fn facts_of_states(scope: &Scope) -> Vec<Fact<MessageRing>> {
    let replicas = scope.replicas;
    let successors = scope.successors;
    let judged = move |name: &'static str, state: &RingState| {
        let property = super::properties::upkeep_named::<Id>(name);
        let view = view(state, replicas);
        property.is_some_and(|property| !(property.judge)(&view).is_broken())
    };
    vec![
        Fact::always("nodes_tell_what_is_so", |_, state: &RingState| {
            let nodes = state.nodes.iter().flatten().filter(|node| node.is_member());
            let view = nodes.map(|node| (node.id(), told(node))).collect();
            state.memory.ring.members == view
        }),
        Fact::always("acknowledged_keys_are_not_lost", move |_, state| {
            judged("no_key_is_lost", state)
        }),
        Fact::always("keys_move_to_the_newcomer", move |_, state: &RingState| {
            let settled = state.traffic.is_quiet() && is_ideal(&state.memory.ring, successors);
            !settled || judged("keys_are_with_their_owner", state)
        }),
    ]
}

fn circle(scope: &Scope) -> Circle {
    Circle::new(scope.bits).unwrap_or(Circle::SHA1)
}

fn resident(node: ChordNode, present: bool) -> Resident<ChordNode> {
    Resident {
        id: node.id(),
        name: format!("N{}", node.id()),
        node,
        present,
        serves_questions: false,
    }
}

/// A member of the ideal ring.
fn established(scope: &Scope, members: &[Id], at: usize, mutant: Option<Mutant>) -> ChordNode {
    let config = config(scope, members[at], mutant);
    let from = |step: usize| members[(at + step) % members.len()];
    let list: Vec<Id> = (1..=scope.successors).map(from).collect();
    let before = from(members.len() - 1);
    let owner = |point: Id| {
        let onward = members.iter().find(|member| **member >= point);
        *onward.unwrap_or(&members[0])
    };
    let exponents = if scope.fingers { 1..scope.bits } else { 0..0 };
    let start = |exponent| circle(scope).add_power(members[at], exponent);
    let fingers = exponents.map(|exponent| (exponent, owner(start(exponent))));
    ChordNode::member(Arc::new(config), Some(before), &list).with_fingers(fingers)
}

fn config(scope: &Scope, id: Id, mutant: Option<Mutant>) -> Config {
    let small = Config::small(circle(scope), id);
    let flushes = matches!(scope.variant, Variant::Ton2003 { .. });
    Config {
        variant: scope.variant,
        rules: Rules { mutant },
        successors: scope.successors,
        replicas: scope.replicas,
        fingers: scope.fingers,
        tags: scope.tags,
        keeps_last: scope.keeps_last,
        confirms_join: scope.confirms_join,
        rejoins: scope.rejoins,
        timing: Timing {
            check_predecessor: flushes.then(|| Timing::default().stabilize),
            ..small.timing
        },
        ..small
    }
}

fn timers(scope: &Scope) -> Timers<ChordNode> {
    let (rounds, detector, idle) = (scope.rounds, scope.detector, scope.idle.clone());
    let overdue = match detector {
        Detector::Accurate | Detector::BetweenTwo => Expiries::Unbounded,
        Detector::Wrong(times) => Expiries::Times(times),
    };
    let is_idle = move |place: Place| idle.contains(&place);
    let expiries = move |place: Place, timer: &Timer| match timer {
        Timer::Stabilize | Timer::CheckPredecessor if is_idle(place) => Expiries::Never,
        Timer::Stabilize | Timer::CheckPredecessor => rounds,
        Timer::FixFingers | Timer::Repair => Expiries::Never,
        Timer::Round | Timer::Check | Timer::Errand(_) | Timer::Handover(_) => overdue,
    };
    let often = |expiries| match expiries {
        Expiries::Never => "never".to_owned(),
        Expiries::Times(bound) => format!("at most {bound} times each"),
        Expiries::Unbounded => "without a bound".to_owned(),
    };
    Timers {
        clock: Clock::Untimed,
        when: When::AnyMoment,
        expiries: Arc::new(expiries),
        bounds: format!(
            "rounds of stabilization {}, answers overdue {}",
            often(rounds),
            often(overdue)
        ),
    }
}

/// A user asks one thing after the other; and members fail only where the fail guard lets them, if there is one.
fn consent(scope: &Scope) -> Consent<ChordNode> {
    let guarded = scope.guarded;
    // Only 2017 wants a base of principals.
    let base = match scope.variant {
        Variant::Zave2017 => scope.successors + 1,
        _ => 0,
    };
    let may_happen = move |nodes: &[Option<Shared<ChordNode>>], act: &Act<Request>| match act {
        Act::Ask(place, _) => {
            let node = nodes.get(usize::from(*place)).and_then(Option::as_ref);
            node.is_none_or(|node| !node.is_busy())
        }
        Act::Crash(place) => !guarded || may_fail(nodes, *place, base),
        Act::Join(..) | Act::Leave(..) => true,
    };
    Consent {
        assumes: if guarded {
            "nobody fails on whom a list or the base of principals depends, and a user asks one thing after the other"
        } else {
            "a user asks one thing after the other"
        },
        may_happen: Arc::new(may_happen),
    }
}

/// The fail guard of 2017, judged on what is left: every other member keeps a live entry in its list, and a
/// principal stays while there are no more than `base` of them.
fn may_fail(nodes: &[Option<Shared<ChordNode>>], place: Place, base: usize) -> bool {
    let members = nodes.iter().flatten().filter(|node| node.is_member());
    let mut ring = RingView {
        members: members.map(|node| (node.id(), told(node))).collect(),
        ..RingView::default()
    };
    let Some(node) = nodes.get(usize::from(place)).and_then(Option::as_ref) else {
        return true;
    };
    let id = node.id();
    if is_principal(&ring, id) && principals(&ring).count() <= base {
        return false;
    }
    ring.members.remove(&id);
    ring.members()
        .all(|member| ring.best_successor(member).is_some())
}

/// An answer is overdue only when it cannot come any more: of a node that lives, when nothing at all is under way,
/// or, where nobody asks others before it answers, when neither question nor answer is under way between the two.
fn accurate(between_two: bool) -> Patience<ChordNode> {
    let may_expire = move |nodes: &[Option<Shared<ChordNode>>],
                           traffic: &Traffic<Message>,
                           place: Place,
                           timer: &Timer| {
        let Some(node) = nodes.get(usize::from(place)).and_then(Option::as_ref) else {
            return true;
        };
        let Some(waited) = node.waits_for(timer) else {
            return true;
        };
        let is_awaited = |other: &Option<Shared<ChordNode>>| {
            other.as_ref().is_some_and(|other| other.id() == waited)
        };
        let mut others = (0..).zip(nodes);
        let awaited: Option<Place> = others
            .find(|(_, other)| is_awaited(other))
            .map(|(at, _)| at);
        match awaited {
            // Whoever is there may wait for others before it answers.
            Some(_) if !between_two => traffic.is_quiet(),
            Some(awaited) => {
                !is_under_way(
                    traffic,
                    |from, to| (from, to) == (place, awaited),
                    Message::is_query,
                ) && !is_under_way(
                    traffic,
                    |from, to| (from, to) == (awaited, place),
                    Message::is_answer,
                )
            }
            None => !is_under_way(traffic, |_, to| to == place, Message::is_answer),
        }
    };
    Patience {
        assumes: if between_two {
            "an answer is overdue only when no answer is under way to the asker from whoever owes it, and that node is gone or the question is not under way either"
        } else {
            "an answer is overdue only when whoever owes it is gone and no answer to the asker is under way, or when nothing at all is under way"
        },
        may_expire: Arc::new(may_expire),
    }
}

/// Whether such a message is under way between such nodes.
fn is_under_way(
    traffic: &Traffic<Message>,
    between: impl Fn(Place, Place) -> bool,
    such: impl Fn(&Message) -> bool,
) -> bool {
    let queues = traffic.datagrams.iter();
    queues
        .filter(|((from, to), _)| between(*from, *to))
        .any(|(_, queue)| queue.iter().any(&such))
}

/// Of what a result about the scope is true.
pub fn terms(scope: &Scope, mutant: Option<Mutant>, model: &MessageRing) -> Terms {
    let mut assumptions = vec![model.timers.describe()];
    assumptions.extend(
        model
            .patience
            .as_ref()
            .map(|patience| patience.assumes.to_owned()),
    );
    assumptions.extend(
        model
            .consent
            .as_ref()
            .map(|consent| consent.assumes.to_owned()),
    );
    let list = |ids: &[u64]| {
        ids.iter()
            .map(u64::to_string)
            .collect::<Vec<_>>()
            .join(", ")
    };
    Terms {
        variant: match mutant {
            None => scope.variant.name().to_owned(),
            Some(mutant) => format!("{}, mutant {}", scope.variant.name(), mutant.name()),
        },
        scope: vec![
            ("name", scope.name.to_owned()),
            ("bits", scope.bits.to_string()),
            ("successors", scope.successors.to_string()),
            ("replicas", scope.replicas.to_string()),
            ("members", list(&scope.members)),
            ("joiners", list(&scope.joiners)),
            ("scripts", scope.scripts.len().to_string()),
            ("tags", scope.tags.to_string()),
            ("keeps_last", scope.keeps_last.to_string()),
            ("confirms_join", scope.confirms_join.to_string()),
            ("rejoins", scope.rejoins.to_string()),
            ("fingers", scope.fingers.to_string()),
        ],
        network: model.network.describe(),
        timing: assumptions.join("; "),
        fairness: "none for safety; a goal says what it assumes".to_owned(),
    }
}
