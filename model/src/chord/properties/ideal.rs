//! What a ring is when nothing is left to repair, and what it must never be.

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
