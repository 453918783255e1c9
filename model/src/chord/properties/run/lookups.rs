//! Where lookups end, how long they are, and whether they bear out what members say.

use std::collections::BTreeSet;

use super::always;
use crate::chord::run_view::{Asked, Found, Moment, RunView, Sight};
use crate::chord::view::{Ring, RingView};
use crate::property::Judgement::{self, Broken, Holds, Unknown};
use crate::property::Property;
use crate::space::circle::{Id, between_or_last};

pub(super) fn properties() -> Vec<Property<RunView>> {
    vec![
        always(
            "owns_everything_alone",
            &["wire/lonely-node-owns-all", "wire/intervals"],
            owns_everything_alone,
        ),
        always(
            "lookups_end_at_a_possible_owner",
            &[
                "wire/lookup-returns-the-successor",
                "lecture/key-at-its-successor",
            ],
            lookups_end_at_a_possible_owner,
        ),
        always(
            "lookups_are_short",
            &["lecture/logarithmic-lookups"],
            lookups_are_short,
        ),
        always(
            "paths_make_progress",
            &["wire/lookup-never-loops", "lecture/largest-not-beyond"],
            paths_make_progress,
        ),
        always(
            "states_are_confirmed",
            &["control/states-are-confirmed"],
            states_are_confirmed,
        ),
    ]
}

/// Every lookup of a node that has been alone all the time is answered with the node itself.
fn owns_everything_alone(view: &RunView) -> Judgement {
    let [alone] = view.stays.as_slice() else {
        return Unknown;
    };
    let mut judgement = Unknown;
    for lookup in &view.lookups {
        if let Some((_, found)) = lookup.answer() {
            if found.owner != alone.node {
                return Broken(format!(
                    "{} is alone, and says that {} owns {}",
                    alone.node, found.owner, lookup.key
                ));
            }
            judgement = Holds;
        } else if let Some(unanswered) = lookup.unanswered() {
            return Broken(format!("a lookup of {} {unanswered}", lookup.key));
        }
    }
    judgement
}

/// Every lookup that is answered is answered with a node that owned the key while it was open; and where the ring is
/// in order and loses no messages, every lookup is answered.
pub(super) fn lookups_end_at_a_possible_owner(view: &RunView) -> Judgement {
    let mut judgement = Unknown;
    for lookup in &view.lookups {
        let (node, key) = (lookup.node, lookup.key);
        if let Some((at, found)) = lookup.answer() {
            if !view.can_own(found.owner, key, lookup.at, at) {
                if view.lossy {
                    continue;
                }
                let owner = found.owner;
                return Broken(format!("a lookup of {key} from {node} ends at {owner}"));
            }
            judgement = Holds;
        } else if let Some(unanswered) = lookup.unanswered()
            && !view.lossy
            && lookup
                .over()
                .is_some_and(|at| view.is_settled(lookup.at, at))
        {
            return Broken(format!("a lookup of {key} from {node} {unanswered}"));
        }
    }
    judgement
}

/// Lookups in a ring with right fingers, by what their nodes say of the way.
fn settled_ways(
    view: &RunView,
    fingers: bool,
) -> impl Iterator<Item = (&Asked<Found>, &Found, BTreeSet<Id>)> {
    view.lookups.iter().filter_map(move |lookup| {
        let (at, found) = lookup.answer()?;
        let settled = if fingers {
            view.is_settled_with_fingers(lookup.at, at)
        } else {
            view.is_settled(lookup.at, at)
        };
        settled.then(|| (lookup, found, view.members_at(at)))
    })
}

/// Every hop at least halves the distance to the last member before the key, which is less than the smallest gap
/// between members once it is nothing; one more hop leads to the owner.
///
/// That is the argument for lookups of O(log N) hops, without "with high probability": it counts the gaps that
/// there are.
fn most_hops(view: &RunView, members: &BTreeSet<Id>, from: Id, key: Id) -> u32 {
    let before = members.range(..key).next_back().or(members.last());
    let gaps = members.iter().filter_map(|member| {
        let next = members.range(*member..).nth(1).or(members.first())?;
        Some(view.circle.distance(*member, *next))
    });
    let (Some(before), Some(gap)) = (before, gaps.min()) else {
        return 0;
    };
    let distance = view.circle.distance(from, *before);
    let mut halvings = u32::from(distance >= gap);
    let mut reach = gap;
    for times in 1..view.circle.bits() {
        reach = double(view, reach);
        // Once the circle is exceeded, what is left is small again.
        if reach < gap || reach >= distance {
            break;
        }
        halvings = times + 1;
    }
    halvings + 1
}

/// Twice the number, modulo the size of the circle.
fn double(view: &RunView, number: Id) -> Id {
    let negated = view.circle.distance(number, view.circle.point(0));
    view.circle.distance(negated, number)
}

/// Lookups take at most as many hops as halving the distance takes.
fn lookups_are_short(view: &RunView) -> Judgement {
    let mut judgement = Unknown;
    for (lookup, found, members) in settled_ways(view, true) {
        let visited = found.path.as_ref().map(|path| path.len().saturating_sub(1));
        let visited = visited.and_then(|hops| u32::try_from(hops).ok());
        let Some(hops) = found.hops.max(visited) else {
            continue;
        };
        let most = most_hops(view, &members, lookup.node, lookup.key);
        if hops > most {
            return Broken(format!(
                "a lookup of {} from {} takes {hops} hops among {} members, and halving the distance takes {most}",
                lookup.key,
                lookup.node,
                members.len()
            ));
        }
        judgement = Holds;
    }
    judgement
}

/// A path begins with the node that was asked and ends with the owner; in between every node is nearer to the key
/// than the one before, and a member. The number of hops is the number of steps.
fn paths_make_progress(view: &RunView) -> Judgement {
    let mut judgement = Unknown;
    for (lookup, found, members) in settled_ways(view, false) {
        let Some(path) = &found.path else { continue };
        let told = || {
            let path: Vec<String> = path.iter().map(ToString::to_string).collect();
            format!(
                "a lookup of {} from {} went {}",
                lookup.key,
                lookup.node,
                path.join(", ")
            )
        };
        if path.first() != Some(&lookup.node) {
            return Broken(format!("{}: it does not begin where it was asked", told()));
        }
        if path.last() != Some(&found.owner) {
            return Broken(format!("{}: it does not end at {}", told(), found.owner));
        }
        let steps = path.len() - 1;
        if found
            .hops
            .is_some_and(|hops| usize::try_from(hops).ok() != Some(steps))
        {
            return Broken(format!(
                "{}: that are not {:?} hops",
                told(),
                found.hops.unwrap_or(0)
            ));
        }
        if let Some(stranger) = path.iter().find(|node| !members.contains(node)) {
            return Broken(format!("{}: {stranger} is no member", told()));
        }
        // The last step leads to the owner, at or beyond the key.
        let on_the_way = path.get(..steps).unwrap_or_default();
        let back = on_the_way
            .windows(2)
            .find(|pair| pair[1] == pair[0] || !between_or_last(pair[0], pair[1], lookup.key));
        if let Some(back) = back {
            return Broken(format!(
                "{}: {} is no nearer than {}",
                told(),
                back[1],
                back[0]
            ));
        }
        if steps > 0 && path[steps - 1] == path[steps] {
            return Broken(format!("{}: it names its end twice", told()));
        }
        judgement = Holds;
    }
    judgement
}

/// The lookups that were asked and answered after a sight and before the next change.
fn after(view: &RunView, sight: Moment) -> impl Iterator<Item = (&Asked<Found>, &Found)> {
    view.lookups.iter().filter_map(move |lookup| {
        let (at, found) = lookup.answer()?;
        (lookup.at >= sight && view.is_quiet(sight, at)).then_some((lookup, found))
    })
}

/// Whether lookups bear out what members said of their neighbours: what lies in (member, first successor] is owned by
/// that successor.
pub(super) fn bear_out(view: &RunView, sight: &Sight) -> Judgement {
    let mut judgement = Unknown;
    for (lookup, found) in after(view, sight.at) {
        let key = lookup.key;
        judgement = judgement.and_then(sight.judge(|ring| {
            match contradicted(ring, key, found.owner) {
                Some(_) if view.lossy => Unknown,
                Some((member, said)) => Broken(format!(
                    "{member} says that {said} follows it, and a lookup of {key} from {} ends at {}",
                    lookup.node, found.owner
                )),
                None => Holds,
            }
        }));
    }
    judgement
}

/// The member whose word about its successor does not go with the owner of the key, and its word.
fn contradicted(ring: &RingView<Id>, key: Id, owner: Id) -> Option<(Id, Id)> {
    ring.members().find_map(|member| {
        let said = ring.successors(member).next()?;
        (between_or_last(member, key, said) && owner != said).then_some((member, said))
    })
}

/// What members said of their neighbours and keys goes with what lookups and gets find afterwards.
fn states_are_confirmed(view: &RunView) -> Judgement {
    let mut judgement = Unknown;
    for sight in &view.sights {
        let due = view.quiet_at(sight.at) >= view.bounds.settle;
        if due || view.is_in_order(sight) == Holds {
            judgement = judgement.and_then(bear_out(view, sight));
        }
        if !sight.tells.keys {
            continue;
        }
        for read in &view.reads {
            let Some((at, None)) = read.answer() else {
                continue;
            };
            // A deletion that came in between is a reason to find nothing.
            let gone = view.possible_values(read.key, sight.at, at).contains(&None);
            if read.at < sight.at || !view.is_quiet(sight.at, at) || gone {
                continue;
            }
            judgement = judgement.and_then(sight.judge(|ring| {
                let keeps = ring.owner(read.key).filter(|owner| {
                    ring.members
                        .get(owner)
                        .is_some_and(|said| said.keys.contains(&read.key))
                });
                match keeps {
                    Some(owner) => Broken(format!(
                        "{owner} says that it keeps {}, and a get from {} finds nothing",
                        read.key, read.node
                    )),
                    None => Unknown,
                }
            }));
        }
    }
    judgement
}
