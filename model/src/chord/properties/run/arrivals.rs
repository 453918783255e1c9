//! What newcomers may know, and what becomes of leavers and the dead.

use super::always;
use super::lookups::lookups_end_at_a_possible_owner;
use crate::chord::run_view::{FirstWords, Gone, RunView, Stay};
use crate::chord::view::Ring;
use crate::property::Judgement::{self, Broken, Holds, Unknown};
use crate::property::Property;
use crate::space::circle::Id;

pub(super) fn properties() -> Vec<Property<RunView>> {
    vec![
        always(
            "joins_know_no_more_than_told",
            &["control/told-nothing-else"],
            joins_know_no_more_than_told,
        ),
        always(
            "newcomers_invent_no_predecessor",
            &["wire/join-obtains-a-successor"],
            newcomers_invent_no_predecessor,
        ),
        always(
            "dead_successors_are_replaced",
            &["lecture/dead-successor-replaced", "wire/successor-list"],
            |view| the_dead_are_replaced(view, true),
        ),
        always(
            "dead_predecessors_are_replaced",
            &["wire/check-predecessor", "ton2003/check-predecessor"],
            |view| the_dead_are_replaced(view, false),
        ),
        always(
            "leaves_are_announced",
            &["ton2003/leave"],
            leaves_are_announced,
        ),
    ]
}

fn over_first_words(view: &RunView, judge: impl Fn(&FirstWords) -> Judgement) -> Judgement {
    let judgements = view.first_words.iter().map(judge);
    judgements.fold(Unknown, Judgement::and_then)
}

/// Whom nobody can have told anything names nobody but itself and its introducer.
fn joins_know_no_more_than_told(view: &RunView) -> Judgement {
    over_first_words(view, |words| {
        if words.heard {
            return Unknown;
        }
        let mut named = words.named.iter();
        let told = |node: &Id| *node == words.node || Some(*node) == words.introducer;
        match named.find(|node| !told(node)) {
            Some(knows) => Broken(format!(
                "{} names {knows} before anybody has told it anything",
                words.node
            )),
            None => Holds,
        }
    })
}

/// A newcomer has no predecessor yet, or a member: never itself, and not its successor where there are others.
fn newcomers_invent_no_predecessor(view: &RunView) -> Judgement {
    over_first_words(view, |words| {
        let others = |stay: &&Stay| {
            stay.node != words.node
                && stay.asked <= words.at
                && stay.gone.is_none_or(|(at, _)| at > words.at)
        };
        let others = || view.stays.iter().filter(others);
        let Some(told) = words.predecessor.filter(|_| words.heard && words.member) else {
            return Unknown;
        };
        if others().next().is_none() {
            return Unknown;
        }
        let Some(predecessor) = told else {
            return Holds;
        };
        if predecessor == words.node {
            return Broken(format!(
                "{predecessor} joins others, and takes itself for its predecessor"
            ));
        }
        if !view.stays.iter().any(|stay| stay.node == predecessor) {
            return Broken(format!(
                "{} joins with the predecessor {predecessor}, which nobody is",
                words.node
            ));
        }
        let both = Some(predecessor) == words.successor;
        let settled = others().filter(|stay| stay.joined.is_some_and(|at| at < words.at));
        if both && settled.count() >= 2 {
            return Broken(format!(
                "{} joins with {predecessor} on both sides of it, among more members than that",
                words.node
            ));
        }
        Holds
    })
}

/// Once there was time to notice, nobody who crashed is the first successor, or the predecessor, of a member; and the
/// ring answers lookups as before.
fn the_dead_are_replaced(view: &RunView, successors: bool) -> Judgement {
    let goes_on = match lookups_end_at_a_possible_owner(view) {
        broken @ Broken(_) if view.crashes().next().is_some() => broken,
        _ => Unknown,
    };
    view.sights.iter().fold(goes_on, |so_far, sight| {
        let members = view.members_at(sight.at);
        let is_dead = |node: &_| {
            let died = view.crashes().any(|(at, id)| at <= sight.at && id == *node);
            died && !members.contains(node)
        };
        let any_died = view
            .crashes()
            .any(|(at, id)| at <= sight.at && is_dead(&id));
        if !any_died || (!successors && !sight.tells.predecessors) {
            return so_far;
        }
        let now = sight.judge(|ring| {
            let dead = ring.members().find_map(|member| {
                let neighbour = if successors {
                    ring.successors(member).next()
                } else {
                    ring.predecessor(member)
                };
                neighbour.filter(is_dead).map(|dead| (member, dead))
            });
            let what = if successors {
                "first successor"
            } else {
                "predecessor"
            };
            match dead {
                Some((member, dead)) => Broken(format!(
                    "the {what} of {member} is {dead}, which has crashed"
                )),
                None => Holds,
            }
        });
        let due = view.quiet_at(sight.at) >= view.bounds.settle;
        so_far.and_then(if now.is_broken() && !due {
            Unknown
        } else {
            now
        })
    })
}

/// Neighbours of a node that has left know it before they could have noticed that it is silent.
fn leaves_are_announced(view: &RunView) -> Judgement {
    let leavers = view.stays.iter().filter_map(|stay| match stay.gone {
        Some((at, Gone::Left)) => Some((stay.node, at)),
        _ => None,
    });
    let mut judgement = Unknown;
    for (leaver, left) in leavers {
        let silent = left.saturating_add(view.bounds.failure);
        let sights = view
            .sights
            .iter()
            .filter(|sight| sight.at >= left && sight.at < silent);
        for sight in sights {
            if view.members_at(sight.at).contains(&leaver) {
                continue;
            }
            let now = sight.judge(|ring| {
                let knows = |member: &_| {
                    ring.successors(*member).next() != Some(leaver)
                        && ring.predecessor(*member) != Some(leaver)
                };
                match ring.members().find(|member| !knows(member)) {
                    Some(member) => Broken(format!(
                        "{member} still takes {leaver} for its neighbour, which has left and said so"
                    )),
                    None => Holds,
                }
            });
            let due = view.quiet_at(sight.at) >= view.bounds.settle;
            judgement = judgement.and_then(if now.is_broken() && !due {
                Unknown
            } else {
                now
            });
        }
    }
    judgement
}
