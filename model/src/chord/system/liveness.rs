//! What a ring with messages reaches in the end, once nothing is done to it any more.

use std::sync::Arc;

use super::{Detector, MessageRing, RingState, Scope};
use crate::chord::node::{ChordNode, Timer};
use crate::chord::properties::is_ideal;
use crate::explore::{ActionClass, Fairness, Goal};
use crate::system::{Action, Place};

/// The goal, as the atomic models call it.
pub const GOAL: &str = "the_ring_becomes_and_stays_ideal";

/// What is fair for each node alone, in the order of [`kind`].
const KINDS: [&str; 5] = [
    "rounds",
    "looks after the predecessor",
    "overdue answers of rounds",
    "overdue signs of life",
    "other timers",
];

/// That the ring becomes and stays ideal, where everybody who began to join has become a member.
///
/// What stops is everything that is done to the ring: acts, losses, second deliveries, and, where the detector may be
/// wrong, suspicions. Each of the rest is fair for each pair of nodes or each node alone: what one sends another
/// arrives, and timers expire where the scope lets them.
pub fn convergence(scope: &Scope, ring: &MessageRing, fairness: Fairness) -> Goal<MessageRing> {
    let successors = scope.successors;
    let wrong = matches!(scope.detector, Detector::Wrong(_));
    let names: Vec<&str> = ring
        .residents
        .iter()
        .map(|resident| resident.name.as_str())
        .collect();
    let mut classes = Vec::new();
    let mut pairs = Vec::new();
    for (from, sender) in (0..).zip(&names) {
        for (to, receiver) in (0..).zip(&names) {
            if from != to {
                pairs.push((from, to));
                classes.push(format!("{sender} to {receiver}"));
            }
        }
    }
    for name in &names {
        classes.extend(KINDS.iter().map(|kind| format!("{kind} of {name}")));
    }
    let classes = classes
        .into_iter()
        .map(|name| ActionClass { name, fairness });
    Goal {
        name: GOAL,
        holds: Arc::new(move |_, state| is_settled(state, successors)),
        churn: if wrong {
            "nobody joins or crashes, nothing is lost or delivered twice, and nobody is suspected any more"
        } else {
            "nobody joins or crashes, and nothing is lost or delivered twice any more"
        },
        classes: classes.collect(),
        class_of: Arc::new(move |_, action| class_of(&pairs, wrong, action)),
    }
}

/// Whether whoever is there is a member, and the ring of the members is ideal.
fn is_settled(state: &RingState, successors: usize) -> bool {
    let mut there = state.nodes.iter().flatten();
    there.all(|node| node.is_member()) && is_ideal(&state.memory.ring, successors)
}

fn class_of(pairs: &[(Place, Place)], wrong: bool, action: &Action<ChordNode>) -> Option<usize> {
    match action {
        Action::Deliver {
            from,
            to,
            again: false,
            ..
        } => {
            let pair = pairs.iter().position(|pair| pair == &(*from, *to));
            // A pair that is none would be an error, and the explorer says so.
            Some(pair.unwrap_or(usize::MAX))
        }
        Action::Expire { node, timer, .. } => {
            let kind = kind(timer);
            let suspects = wrong && waits_for_an_answer(timer);
            (!suspects).then(|| pairs.len() + usize::from(*node) * KINDS.len() + kind)
        }
        _ => None,
    }
}

fn kind(timer: &Timer) -> usize {
    match timer {
        Timer::Stabilize => 0,
        Timer::CheckPredecessor => 1,
        Timer::Round => 2,
        Timer::Check => 3,
        Timer::FixFingers | Timer::Repair | Timer::Errand(_) | Timer::Handover(_) => 4,
    }
}

/// Whether the expiry of that timer says that somebody was silent.
fn waits_for_an_answer(timer: &Timer) -> bool {
    matches!(
        timer,
        Timer::Round | Timer::Check | Timer::Errand(_) | Timer::Handover(_)
    )
}
