//! Fingers and lookups. A lookup is routed here by the very rule that nodes route by.

use std::fmt::{Debug, Display};

use crate::chord::rules::{Hop, Rules};
use crate::chord::view::{Equipped, Ring, RingView};
use crate::property::Judgement::{self, Broken, Holds, Unknown};
use crate::space::circle::between_or_last;

/// The nodes that a lookup of `key` from `from` visits, the answer last: each forwards to the nearest live node it
/// knows before the key, or answers with its best successor. `None` when it gets stuck, or visits more nodes than
/// there are.
pub fn lookup_path<R: Equipped>(
    view: &R,
    rules: Rules,
    from: R::Id,
    key: R::Id,
) -> Option<Vec<R::Id>> {
    let mut path = vec![from];
    while path.len() <= view.size() + 1 {
        let at = *path.last()?;
        match hop(view, rules, at, key)? {
            Hop::Here => return Some(path),
            Hop::Owner(owner) => {
                if owner != at {
                    path.push(owner);
                }
                return Some(path);
            }
            Hop::Forward(next) => path.push(next),
        }
    }
    None
}

fn hop<R: Equipped>(view: &R, rules: Rules, at: R::Id, key: R::Id) -> Option<Hop<R::Id>> {
    let successor = view.best_successor(at)?;
    let fingers = view.fingers(at).filter_map(|finger| finger.node);
    let known = fingers.chain(view.successors(at));
    let live = known.filter(|node| view.is_member(*node));
    Some(rules.hop(at, successor, live, key))
}

/// Whether every best successor is the next member: lookups are judged only then.
fn is_in_order<R: Ring>(ring: &R) -> bool {
    let mut members = ring.members();
    members.all(|member| ring.best_successor(member) == ring.next(member))
}

/// Where a lookup can be asked about: the members, where fingers begin, and the keys.
fn keys<R: Equipped>(view: &R) -> impl Iterator<Item = R::Id> {
    let starts = view.members().flat_map(|member| view.fingers(member));
    let starts = starts.map(|finger| finger.start);
    view.members().chain(starts).chain(view.stored())
}

/// Once successors are right: every finger is the first member at or clockwise of where it begins.
pub fn fingers_are_right<R: Equipped<Id: Display>>(view: &R) -> Judgement {
    let mut judgement = Unknown;
    for member in view.members() {
        for finger in view.fingers(member) {
            let Some(node) = finger.node else {
                continue;
            };
            if view.owner(finger.start) != Some(node) {
                return Broken(format!(
                    "the finger of {member} from {} on is {node}",
                    finger.start
                ));
            }
            judgement = Holds;
        }
    }
    judgement
}

/// Following the best finger towards a key always comes nearer to it, and so never returns.
pub(super) fn fingers_never_loop<I: Copy + Ord + Debug + Display>(view: &RingView<I>) -> Judgement {
    never_loops(view, view.rules)
}

/// Whether every forwarding comes nearer to the key, for nodes that follow these rules.
pub fn never_loops<R: Equipped<Id: Display>>(view: &R, rules: Rules) -> Judgement {
    let mut judgement = Unknown;
    for from in view.members() {
        for key in keys(view) {
            let Some(Hop::Forward(next)) = hop(view, rules, from, key) else {
                continue;
            };
            // Nearer means: in the arc that is left.
            if next == from || !between_or_last(from, next, key) {
                return Broken(format!(
                    "{from} forwards a lookup of {key} to {next}, which is no nearer"
                ));
            }
            judgement = Holds;
        }
    }
    judgement
}

/// Once successors are right: every lookup from every member ends at the owner.
pub(super) fn lookups_end_at_the_owner<I: Copy + Ord + Debug + Display>(
    view: &RingView<I>,
) -> Judgement {
    ends_at_the_owner(view, view.rules)
}

/// Whether every lookup in a ring that is in order ends at the owner, for nodes that follow these rules.
pub fn ends_at_the_owner<R: Equipped<Id: Display>>(view: &R, rules: Rules) -> Judgement {
    if !is_in_order(view) {
        return Unknown;
    }
    let mut judgement = Unknown;
    for from in view.members() {
        for key in keys(view) {
            let found = lookup_path(view, rules, from, key);
            let found = found.and_then(|path| path.last().copied());
            if found != view.owner(key) {
                return Broken(format!("a lookup of {key} from {from} ends at {found:?}"));
            }
            judgement = Holds;
        }
    }
    judgement
}
