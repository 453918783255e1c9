//! What successor lists may skip, repeat and lose. An extended list is the node itself, then its list.

use crate::chord::view::Ring;
use crate::property::Judgement::{self, Broken, Holds, Unknown};
use crate::space::circle::between;

/// Neighbouring entries of the extended list of a member.
fn pairs<R: Ring>(ring: &R, member: R::Id) -> impl Iterator<Item = (R::Id, R::Id)> {
    let extended = std::iter::once(member).chain(ring.successors(member));
    extended.zip(ring.successors(member))
}

/// A live member that no neighbouring pair of any extended list skips.
pub fn is_principal<R: Ring>(ring: &R, member: R::Id) -> bool {
    ring.members()
        .all(|one| pairs(ring, one).all(|(a, b)| !between(a, member, b)))
}

/// Every principal.
pub fn principals<R: Ring>(ring: &R) -> impl Iterator<Item = R::Id> {
    ring.members().filter(|member| is_principal(ring, *member))
}

/// What an extended list skips is not in the list of a node that has the skipping one as first successor.
pub(super) fn valid_successor_lists<R: Ring>(ring: &R) -> Judgement {
    let mut judgement = Unknown;
    for member in ring.members() {
        let skipped = ring.members().filter(|live| {
            *live != member && pairs(ring, member).any(|(a, b)| between(a, *live, b))
        });
        for live in skipped {
            for before in ring
                .members()
                .filter(|one| ring.successors(*one).next() == Some(member))
            {
                judgement = Holds;
                if ring.successors(before).skip(1).any(|entry| entry == live) {
                    return Broken(format!(
                        "{member:?} skips {live:?}, which is in the list of {before:?} before it"
                    ));
                }
            }
        }
    }
    judgement
}

/// No extended list names anybody twice.
pub(super) fn no_duplicates<R: Ring>(ring: &R) -> Judgement {
    for member in ring.members() {
        let extended = || std::iter::once(member).chain(ring.successors(member));
        for (at, entry) in extended().enumerate() {
            if extended().skip(at + 1).any(|later| later == entry) {
                return Broken(format!(
                    "the extended list of {member:?} names {entry:?} twice"
                ));
            }
        }
    }
    Holds
}

/// Every extended list is in the order of the circle, and shorter than one turn.
pub(super) fn ordered_successor_lists<R: Ring>(ring: &R) -> Judgement {
    for member in ring.members() {
        // Each entry lies beyond its predecessor when seen from the member itself.
        let list = ring.successors(member);
        let pairs = list.clone().zip(list.skip(1));
        for (a, b) in pairs {
            if !between(member, a, b) {
                return Broken(format!(
                    "the list of {member:?} goes from {a:?} back to {b:?}"
                ));
            }
        }
    }
    Holds
}

/// Every member has a live entry in its list.
pub(super) fn everyone_has_a_live_successor<R: Ring>(ring: &R) -> Judgement {
    match ring
        .members()
        .find(|member| ring.best_successor(*member).is_none())
    {
        Some(lost) => Broken(format!("every entry of the list of {lost:?} is dead")),
        None => Holds,
    }
}

/// Whoever is skipped by nobody is on a ring.
pub(super) fn principals_are_on_the_ring<R: Ring>(ring: &R) -> Judgement {
    let mut judgement = Unknown;
    for principal in principals(ring) {
        if !ring.is_on_a_ring(principal) {
            return Broken(format!("the principal {principal:?} is on no ring"));
        }
        judgement = Holds;
    }
    judgement
}

/// There is one principal more than a list has entries.
pub(super) fn enough_principals<R: Ring>(ring: &R) -> Judgement {
    let lengths = ring.members().map(|member| ring.successors(member).count());
    let Some(longest) = lengths.max() else {
        return Unknown;
    };
    let there = principals(ring).count();
    Judgement::check(there > longest, || {
        format!("{there} principals, with lists of {longest} entries")
    })
}
