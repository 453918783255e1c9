//! Neighbours, lists and fingers: what members say once a change is over.

use super::always;
use super::lookups::bear_out;
use crate::chord::properties::first_wrong_list;
use crate::chord::run_view::{Gone, RunView, Sight, Stay};
use crate::chord::view::Ring;
use crate::property::Judgement::{self, Broken, Holds, Unknown};
use crate::property::Property;

pub(super) fn properties() -> Vec<Property<RunView>> {
    vec![
        always(
            "nodes_live_and_keep_the_form",
            &["control/form"],
            nodes_live_and_keep_the_form,
        ),
        always("members_say_so", &["control/state"], members_say_so),
        always(
            "becomes_ideal",
            &["wire/stable-ring-is-ordered", "zave/progress"],
            becomes_ideal,
        ),
        always(
            "successor_lists_become_full",
            &["wire/successor-list", "ton2003/successor-lists"],
            successor_lists_become_full,
        ),
        always(
            "fingers_become_right",
            &["lecture/finger-table"],
            fingers_become_right,
        ),
        always("ring_heals", &["zave/progress"], ring_heals),
    ]
}

/// No node ends by itself, floods, or says what has no meaning. It is asked of every run besides what that is about.
fn nodes_live_and_keep_the_form(view: &RunView) -> Judgement {
    match view.faults.first() {
        Some((node, _, fault)) => Broken(format!("{node}: {fault}")),
        None if view.stays.is_empty() => Unknown,
        None => Holds,
    }
}

/// Whoever was asked to join a ring that nothing disturbed, and was not let in.
fn not_let_in(view: &RunView) -> Judgement {
    let refused = |stay: &&Stay| matches!(stay.gone, Some((_, Gone::Refused)));
    let Some(stay) = view.stays.iter().find(refused) else {
        return Unknown;
    };
    let what = if view.stays.len() == 1 {
        "was to make a ring of its own, and did not say that it is a member"
    } else {
        "was asked to join, and did not become a member"
    };
    let last = stay.refusal.as_ref();
    let last = last.map_or_else(String::new, |said| format!(": {said}"));
    Broken(format!("{} {what}{last}", stay.node))
}

/// Whoever has joined says that it is a member, at its own point, and nobody else does.
fn members_say_so(view: &RunView) -> Judgement {
    let begin = not_let_in(view);
    view.sights.iter().fold(begin, |so_far, sight| {
        let members = view.members_at(sight.at);
        let quiet = view.is_quiet(sight.at, sight.at);
        let now = sight.judge(|ring| {
            if !quiet || members.is_empty() {
                return Unknown;
            }
            let silent = members.iter().find(|member| !ring.is_member(**member));
            let stranger = ring.members().find(|member| !members.contains(member));
            match (silent, stranger) {
                (Some(silent), _) => Broken(format!("{silent} has joined, and does not say so")),
                (None, Some(stranger)) => {
                    Broken(format!("{stranger} says that it is a member, and is none"))
                }
                (None, None) => Holds,
            }
        });
        so_far.and_then(now)
    })
}

/// What a sight says about a fact that takes time: broken only when the time was over, held whenever it is true.
fn in_time(
    view: &RunView,
    bound: std::time::Duration,
    judge: impl Fn(&Sight) -> Judgement,
) -> Judgement {
    view.sights.iter().fold(Unknown, |so_far, sight| {
        let now = match judge(sight) {
            Broken(_) if view.quiet_at(sight.at) < bound => Unknown,
            now => now,
        };
        so_far.and_then(now)
    })
}

/// Every member has the next member as first successor, and the one before as predecessor; and what members say is
/// borne out by at least one lookup. A lookup that says otherwise needs no waiting: where first successors are right,
/// lookups are.
fn becomes_ideal(view: &RunView) -> Judgement {
    view.sights.iter().fold(not_let_in(view), |so_far, sight| {
        let due = view.quiet_at(sight.at) >= view.bounds.settle;
        let now = match view.is_in_order(sight) {
            Holds => bear_out(view, sight),
            Broken(_) if !due => Unknown,
            other => other,
        };
        so_far.and_then(now)
    })
}

/// Every successor list begins with the members that follow.
fn successor_lists_become_full(view: &RunView) -> Judgement {
    in_time(view, view.bounds.settle, |sight| {
        match view.is_in_order(sight) {
            Holds => {
                sight.judge(|ring| first_wrong_list(ring, view.successors).map_or(Holds, Broken))
            }
            other => other,
        }
    })
}

/// Every member has a finger for each bit of the circle, and each is the first member at or clockwise of where it
/// begins.
fn fingers_become_right(view: &RunView) -> Judgement {
    in_time(view, view.bounds.fingers, |sight| {
        if sight.tells.fingers {
            view.has_right_fingers(sight)
        } else {
            Unknown
        }
    })
}

/// After a partition that was shorter than the time after which a silent node counts as dead, the ring is one and in
/// order. After a longer one nothing promises that separate rings find each other; they are in order, each for itself.
fn ring_heals(view: &RunView) -> Judgement {
    let Some(partition) = view.partitions.last() else {
        return Unknown;
    };
    let Some(until) = partition.until else {
        return Unknown;
    };
    let short = until.saturating_sub(partition.from) < view.bounds.failure;
    in_time(view, view.bounds.settle, |sight| {
        if sight.at < until {
            return Unknown;
        }
        let whole = view.is_in_order(sight);
        if short || whole == Holds {
            return whole;
        }
        sight.judge(|ring| {
            let mut sides = partition.sides.iter().map(|side| {
                let mut part = ring.clone();
                part.members.retain(|member, _| side.contains(member));
                crate::chord::properties::first_wrong_neighbour(&part, sight.tells.predecessors)
            });
            match sides.find_map(|wrong| wrong) {
                Some(_) => Unknown,
                None => Holds,
            }
        })
    })
}
