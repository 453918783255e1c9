//! Names for what is often wrong, found by what a run shows.

use std::collections::BTreeSet;

use peerproof_model::chord::run_view::{RunView, Sight, Stay};
use peerproof_model::chord::view::{Equipped as _, Ring as _, RingView};
use peerproof_model::space::circle::Id;

/// A pattern: whether a run with this observation shows it.
type Pattern = fn(&RunView, &str) -> bool;

/// The patterns, the most telling first.
const PATTERNS: &[(&str, Pattern)] = &[
    (
        "ring computed offline: it knows what nobody has told it",
        |_, observed| observed.contains("before anybody has told it anything"),
    ),
    (
        "its old address is still taken after a crash: listen with SO_REUSEADDR",
        |view, observed| {
            observed.contains("ddress already in use") && somebody_came_twice(view, |_| true)
        },
    ),
    ("keeps keys after a join", |_, observed| {
        observed.contains("owns since it has joined")
    }),
    ("no keys are handed over to a newcomer", |_, observed| {
        observed.contains("has joined and owns")
    }),
    (
        "fingers off by one: finger i begins at n + 2^i, from i = 0 on",
        |view, _| {
            last_rings(view)
                .any(|ring| fingers_are_shifted(view, ring) || starts_are_shifted(view, ring))
        },
    ),
    ("replicas only on the owner", |view, observed| {
        observed.contains("is to keep the key") && kept_once(view)
    }),
    (
        "dead successor kept: nobody notices the crash, stabilization has ended, or the ring is computed and not watched",
        |view, _| names_the_dead(view, true),
    ),
    ("dead predecessor kept", |view, _| {
        names_the_dead(view, false)
    }),
    ("lookups follow successors only", |_, observed| {
        observed.contains("halving the distance takes")
    }),
    (
        "the circle has an end: keys beyond the last node belong to the first",
        |view, observed| observed.contains("a lookup of") && ends_at_the_last(view),
    ),
    (
        "an old copy brings a deleted value back",
        |view, observed| {
            observed.contains("and nothing was stored")
                && view.writes.iter().any(|write| write.value.is_none())
        },
    ),
    (
        "what a crashed node had acknowledged is gone: acknowledged before there were copies, or no copies",
        |view, observed| {
            observed.contains("was stored")
                && view.crashes().next().is_some()
                && !somebody_came_twice(view, has_joined)
        },
    ),
    (
        "what a node kept comes back with it: who joins again begins empty, and gets its keys from its neighbours",
        |view, observed| {
            observed.contains("finds \"")
                && observed.contains("was stored")
                && somebody_came_twice(view, has_joined)
        },
    ),
    (
        "what a leaving node kept is gone: keys are handed over before leaving",
        |view, observed| {
            observed.contains("finds nothing")
                && view.stays.iter().any(|stay| stay.leaves.is_some())
        },
    ),
    ("its state is not what it acts on", |_, observed| {
        observed.contains("says that") && observed.contains("follows it")
    }),
    (
        "the arc from a node to itself is the whole circle, not empty",
        |view, observed| view.stays.len() == 1 && observed.contains("a lookup of"),
    ),
    (
        "nobody is told of a newcomer: stabilize ends with a notification",
        |view, observed| {
            observed.contains("the predecessor of")
                && observed.contains("is nobody")
                && view.crashes().next().is_none()
                && last_rings(view).all(nobody_has_a_predecessor)
        },
    ),
];

/// The name of what is wrong, where the pattern is known.
pub(super) fn of(view: &RunView, observed: &str) -> Option<&'static str> {
    let mut patterns = PATTERNS.iter();
    let found = patterns.find(|(_, shows)| shows(view, observed));
    found.map(|(name, _)| *name)
}

fn last_sight(view: &RunView) -> Option<&Sight> {
    view.sights.last()
}

fn last_rings(view: &RunView) -> impl Iterator<Item = &RingView<Id>> {
    last_sight(view).into_iter().flat_map(|sight| &sight.polls)
}

/// Whether no member has another one for its predecessor.
fn nobody_has_a_predecessor(ring: &RingView<Id>) -> bool {
    let mut members = ring.members();
    members.all(|member| ring.predecessor(member).is_none_or(|it| it == member))
}

/// Whether a node was asked to join, was gone, and was asked again: among the stays of which `counts` holds.
fn somebody_came_twice(view: &RunView, counts: fn(&Stay) -> bool) -> bool {
    let mut before = BTreeSet::new();
    let mut stays = view.stays.iter().filter(|stay| counts(stay));
    stays.any(|stay| !before.insert(stay.node))
}

fn has_joined(stay: &Stay) -> bool {
    stay.joined.is_some()
}

/// Whether there are wrong fingers, and each is what the next one should be.
fn fingers_are_shifted(view: &RunView, ring: &RingView<Id>) -> bool {
    let mut wrong = false;
    for member in ring.members() {
        for finger in ring.fingers(member) {
            let Some(node) = finger.node else { continue };
            if ring.owner(finger.start) == Some(node) {
                continue;
            }
            let twice = view.circle.distance(member, finger.start);
            // From n + 2^i on, another 2^i is n + 2^(i + 1).
            let back = view.circle.distance(twice, view.circle.point(0));
            let next = view.circle.distance(back, finger.start);
            if ring.owner(next) != Some(node) {
                return false;
            }
            wrong = true;
        }
    }
    wrong
}

/// Whether the fingers of every member begin where the next one should, the first one missing.
fn starts_are_shifted(view: &RunView, ring: &RingView<Id>) -> bool {
    let mut members = ring.members().peekable();
    let begins = |member: Id, exponent: u32| {
        let start = view.circle.add_power(member, exponent);
        let mut fingers = ring.fingers(member);
        fingers.any(|finger| finger.start == start && finger.node.is_some())
    };
    members.peek().is_some() && members.all(|it| !begins(it, 0) && begins(it, 1))
}

/// Whether every key is on one node.
fn kept_once(view: &RunView) -> bool {
    let keys: BTreeSet<Id> = view.writes.iter().map(|write| write.asked.key).collect();
    last_rings(view).all(|ring| {
        let count = |key: &Id| {
            ring.members()
                .filter(|node| ring.keeps(*node, *key))
                .count()
        };
        keys.iter().all(|key| count(key) <= 1)
    })
}

/// Whether a member that had time enough names a node that has crashed.
fn names_the_dead(view: &RunView, as_successor: bool) -> bool {
    let Some(sight) = last_sight(view) else {
        return false;
    };
    if view.quiet_at(sight.at) < view.bounds.settle {
        return false;
    }
    let members = view.members_at(sight.at);
    let dead = |node: Id| view.crashes().any(|(_, id)| id == node) && !members.contains(&node);
    sight.polls.iter().any(|ring| {
        ring.members().any(|member| {
            let named = if as_successor {
                ring.successors(member).next()
            } else {
                ring.predecessor(member)
            };
            named.is_some_and(dead)
        })
    })
}

/// Whether lookups that end at a wrong node are those of keys beyond the last member, and end there.
fn ends_at_the_last(view: &RunView) -> bool {
    let wrong = view.lookups.iter().filter_map(|lookup| {
        let (at, found) = lookup.answer()?;
        let is_last = view.members_at(at).last() == Some(&found.owner) && lookup.key > found.owner;
        (!view.can_own(found.owner, lookup.key, lookup.at, at)).then_some(is_last)
    });
    let wrong: Vec<bool> = wrong.collect();
    !wrong.is_empty() && wrong.into_iter().all(|is_last| is_last)
}
