//! What was claimed of rings, what was found false, and what holds.

use super::claim;
use crate::claim::Claim;
use crate::claim::Strength::{Must, Should};

const CLAIMED: (&str, &str) = ("Zave, TSE 2017", "claimed invariants");
const CORRECTED: (&str, &str) = ("Zave, TSE 2017", "corrected operations");
const INVARIANT: (&str, &str) = ("Zave, TSE 2017", "inductive invariant");
const PROGRESS: (&str, &str) = ("Zave, TSE 2017", "progress");

/// Invariants and rules of P. Zave's corrected Chord, and those that were claimed before.
pub static ZAVE: &[Claim] = &[
    claim(
        "zave/at-least-one-ring",
        Must,
        CLAIMED,
        "Some member reaches itself by best successors.",
    ),
    claim(
        "zave/at-most-one-ring",
        Must,
        CLAIMED,
        "Any two members of rings reach each other.",
    ),
    claim(
        "zave/ordered-ring",
        Must,
        CLAIMED,
        "No member of the ring lies between another one and its best successor.",
    ),
    claim(
        "zave/connected-appendages",
        Must,
        CLAIMED,
        "Every member that is not on the ring reaches it by best successors.",
    ),
    claim(
        "zave/ordered-merges",
        Should,
        CLAIMED,
        "An appendage merges into the ring between the two members that it lies between. Not kept by any variant; repaired.",
    ),
    claim(
        "zave/ordered-appendages",
        Should,
        CLAIMED,
        "Members of an appendage are in order. Not kept until 2003; repaired.",
    ),
    claim(
        "zave/valid-successor-lists",
        Should,
        CLAIMED,
        "What the list of a node skips is not in the list of a node before it. Not kept by any variant; repaired.",
    ),
    claim(
        "zave/live-successor",
        Must,
        INVARIANT,
        "Every member has a live entry in its successor list.",
    ),
    claim(
        "zave/base-of-principals",
        Must,
        INVARIANT,
        "There are at least r + 1 principals: live members that no neighbouring pair of any extended successor list skips.",
    ),
    claim(
        "zave/ordered-successor-lists",
        Must,
        INVARIANT,
        "Every extended successor list is in the order of the circle.",
    ),
    claim(
        "zave/no-duplicates",
        Must,
        INVARIANT,
        "No extended successor list names a node twice.",
    ),
    claim(
        "zave/principals-in-the-ring",
        Must,
        INVARIANT,
        "Principals are members of the ring.",
    ),
    claim(
        "zave/join",
        Must,
        CORRECTED,
        "A node joins between a member and its first successor, with the list of that member, and that member as predecessor.",
    ),
    claim(
        "zave/drop-dead-successor",
        Must,
        CORRECTED,
        "A dead first successor is dropped, the list filled up with the identifier after its last, and the new first successor notified.",
    ),
    claim(
        "zave/adopt-whole-lists",
        Must,
        CORRECTED,
        "Whoever adopts a successor adopts that one's list with it.",
    ),
    claim(
        "zave/ask-before-adopting",
        Must,
        CORRECTED,
        "The predecessor of the successor is adopted only after it has answered.",
    ),
    claim(
        "zave/rectify",
        Must,
        CORRECTED,
        "A notified node takes the notifying one for its predecessor when that is nearer, or its own is dead.",
    ),
    claim(
        "zave/start-with-a-base",
        Must,
        CORRECTED,
        "A ring starts with at least r + 1 members, and never has fewer principals.",
    ),
    claim(
        "zave/progress",
        Must,
        PROGRESS,
        "A ring that is not ideal enables a step that repairs it, an ideal one enables none; once churn stops it becomes and stays ideal.",
    ),
];
