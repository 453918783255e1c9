//! What a ring is when nothing is left to repair, and what it must never be.

use std::fmt::Display;

use crate::chord::view::Ring;

/// Whether every member has exactly the members that follow it in its list, in order, and the one before it as
/// predecessor. A list of r entries goes round again where there are fewer members.
pub fn is_ideal<R: Ring>(ring: &R, successors: usize) -> bool {
    let mut members = ring.members();
    members.all(|member| {
        let mut expected = member;
        let mut list = ring.successors(member);
        let entries = (0..successors).all(|_| {
            expected = ring.next(expected).unwrap_or(expected);
            list.next() == Some(expected)
        });
        entries && list.next().is_none() && ring.predecessor(member) == ring.previous(member)
    })
}

/// What is wrong with the neighbours of a member, if anything is: the first successor is the next member, and the
/// predecessor, where predecessors are told, the one before. A lonely member needs no neighbours.
pub fn first_wrong_neighbour<R: Ring<Id: Display>>(ring: &R, predecessors: bool) -> Option<String> {
    let lonely = ring.size() == 1;
    ring.members().find_map(|member| {
        let (first, next) = (ring.successors(member).next(), ring.next(member));
        if first != next && !(lonely && first.is_none()) {
            return Some(format!(
                "the first successor of {member} is {}, not {}",
                named(first),
                named(next)
            ));
        }
        let (before, previous) = (ring.predecessor(member), ring.previous(member));
        let wrong = predecessors && before != previous && !(lonely && before.is_none());
        wrong.then(|| {
            format!(
                "the predecessor of {member} is {}, not {}",
                named(before),
                named(previous)
            )
        })
    })
}

/// What is wrong with the list of a member, if anything is: it begins with the members that follow, in order, as many
/// as a list has entries or as there are others. What comes after those, round the circle, nobody needs.
pub fn first_wrong_list<R: Ring<Id: Display>>(ring: &R, successors: usize) -> Option<String> {
    let needed = successors.min(ring.size().saturating_sub(1));
    ring.members().find_map(|member| {
        let mut expected = member;
        let mut list = ring.successors(member);
        (1..=needed).find_map(|place| {
            expected = ring.next(expected).unwrap_or(expected);
            let entry = list.next();
            (entry != Some(expected)).then(|| {
                format!(
                    "entry {place} of the successor list of {member} is {}, not {expected}",
                    named(entry)
                )
            })
        })
    })
}

fn named(node: Option<impl Display>) -> String {
    node.map_or_else(|| "nobody".to_owned(), |node| node.to_string())
}

/// Whether the cycle of best successors through `member` winds round the circle more than once;
/// `None` when it is on no cycle.
pub fn is_loopy<R: Ring>(ring: &R, member: R::Id) -> Option<bool> {
    let mut at = member;
    let mut turns = 0;
    for met in ring.walk(member) {
        turns += usize::from(met <= at);
        if met == member {
            return Some(turns > 1);
        }
        at = met;
    }
    None
}
