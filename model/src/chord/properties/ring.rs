//! One ring, ordered, that everybody reaches. "Ring" is by best successors: the first live entry of each list.

use crate::chord::view::Ring;
use crate::property::Judgement::{self, Broken, Holds, Unknown};
use crate::space::circle::between;

use super::ideal::is_loopy;

/// Some member reaches itself.
pub(super) fn at_least_one_ring<R: Ring>(ring: &R) -> Judgement {
    let mut members = ring.members();
    Judgement::check(members.any(|member| ring.is_on_a_ring(member)), || {
        "no member reaches itself by best successors".to_owned()
    })
}

/// Any two members of rings reach each other.
pub(super) fn at_most_one_ring<R: Ring>(ring: &R) -> Judgement {
    let mut on_rings = ring.members().filter(|member| ring.is_on_a_ring(*member));
    let Some(first) = on_rings.next() else {
        return Unknown;
    };
    match on_rings.find(|other| !ring.walk(first).any(|met| met == *other)) {
        Some(other) => Broken(format!("{first:?} and {other:?} are on two separate rings")),
        None => Holds,
    }
}

/// No member of a ring lies between another member of a ring and its best successor.
pub(super) fn ordered_ring<R: Ring>(ring: &R) -> Judgement {
    let mut judgement = Unknown;
    for member in ring.members().filter(|member| ring.is_on_a_ring(*member)) {
        let Some(best) = ring.best_successor(member) else {
            continue;
        };
        judgement = Holds;
        let skipped = |other: &R::Id| {
            *other != member
                && *other != best
                && between(member, *other, best)
                && ring.is_on_a_ring(*other)
        };
        if let Some(skipped) = ring.members().find(skipped) {
            return Broken(format!(
                "{member:?} is followed by {best:?}, which skips {skipped:?}"
            ));
        }
    }
    judgement
}

/// No cycle of best successors winds round the circle more than once.
pub(super) fn no_loopy_ring<R: Ring>(ring: &R) -> Judgement {
    let mut judgement = Unknown;
    for member in ring.members() {
        match is_loopy(ring, member) {
            Some(true) => {
                return Broken(format!("the ring of {member:?} winds round more than once"));
            }
            Some(false) => judgement = Holds,
            None => {}
        }
    }
    judgement
}

/// Every member that is on no ring reaches one.
pub(super) fn connected_appendages<R: Ring>(ring: &R) -> Judgement {
    let mut judgement = Unknown;
    for member in ring.members() {
        if ring.is_on_a_ring(member) {
            continue;
        }
        if !ring.walk(member).any(|met| ring.is_on_a_ring(met)) {
            return Broken(format!("{member:?} reaches no ring"));
        }
        judgement = Holds;
    }
    judgement
}

/// Whether a member reaches itself by first successors, dead or alive.
fn is_on_a_first_ring<R: Ring>(ring: &R, member: R::Id) -> bool {
    let mut at = member;
    for _ in 0..ring.size() {
        match ring.successors(at).next() {
            Some(first) if first == member => return true,
            Some(first) => at = first,
            None => return false,
        }
    }
    false
}

/// An appendage that shares its best successor with a member of the ring lies between the two.
pub(super) fn ordered_merges<R: Ring>(ring: &R) -> Judgement {
    let mut judgement = Unknown;
    for one in ring.members().filter(|one| is_on_a_first_ring(ring, *one)) {
        let Some(shared) = ring.best_successor(one) else {
            continue;
        };
        if shared == one || !is_on_a_first_ring(ring, shared) {
            continue;
        }
        for other in ring.members() {
            let merges = other != one
                && other != shared
                && ring.best_successor(other) == Some(shared)
                && !is_on_a_first_ring(ring, other);
            if !merges {
                continue;
            }
            if !between(one, other, shared) {
                return Broken(format!(
                    "{other:?} joins the ring at {shared:?}, and does not lie between it and {one:?}"
                ));
            }
            judgement = Holds;
        }
    }
    judgement
}

/// On its way to the ring, no appendage skips a member of its own tree.
pub(super) fn ordered_appendages<R: Ring>(ring: &R) -> Judgement {
    let appendages = || ring.members().filter(|member| !ring.is_on_a_ring(*member));
    let mut judgement = Unknown;
    for one in appendages() {
        let Some(next) = ring.best_successor(one) else {
            continue;
        };
        let Some(root) = root(ring, one) else {
            continue;
        };
        for other in appendages().chain(std::iter::once(root)) {
            if other == one || other == next {
                continue;
            }
            let before = other != root && passes(ring, other, one);
            let after = next != root && passes(ring, next, other);
            if !before && !after {
                continue;
            }
            if between(one, other, next) {
                return Broken(format!(
                    "the appendage {one:?} goes on to {next:?} and skips {other:?}"
                ));
            }
            judgement = Holds;
        }
    }
    judgement
}

/// The member of a ring where the appendage merges.
fn root<R: Ring>(ring: &R, appendage: R::Id) -> Option<R::Id> {
    ring.walk(appendage).find(|met| ring.is_on_a_ring(*met))
}

/// Whether the way of the appendage `from` to the ring passes `to`, the merging member included.
fn passes<R: Ring>(ring: &R, from: R::Id, to: R::Id) -> bool {
    for met in ring.walk(from) {
        if met == to {
            return true;
        }
        if ring.is_on_a_ring(met) {
            return false;
        }
    }
    false
}
