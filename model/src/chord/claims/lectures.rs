//! What the lectures say of Chord.

use super::claim;
use crate::claim::Claim;
use crate::claim::Strength::{May, Must, Should};

const RING: (&str, &str) = ("lectures 000 to 002", "Chord, ring of peers");
const FINGERS: (&str, &str) = ("lectures 000 to 002", "Chord, finger tables");
const FILES: (&str, &str) = ("lectures 000 to 002", "Chord, files");
const SEARCH: (&str, &str) = ("lectures 000 to 002", "Chord, search");
const FAILURES: (&str, &str) = ("lectures 000 to 002", "Chord, search under peer failures");
const CHURN: (&str, &str) = ("lectures 000 to 002", "Chord, new peers joining, churn");
const STABILIZATION: (&str, &str) = ("lectures 000 to 002", "Chord, stabilization protocol");
const JOINING: (&str, &str) = ("lecture 003", "Chord, node joining");
const LOOKUP: (&str, &str) = ("lecture 003", "Chord, item lookup");
const DYNAMIC: (&str, &str) = ("lecture 003", "Chord, stabilization and node failures");
const ASSESSMENT: (&str, &str) = ("lecture 003", "Chord, advantages and disadvantages");

/// Rules and figures of the lectures.
pub static LECTURES: &[Claim] = &[
    claim(
        "lecture/ids-by-sha1",
        Must,
        RING,
        "A node lives at SHA-1 of its address and port, truncated to m bits, a key at SHA-1 of its name.",
    ),
    claim(
        "lecture/ids-hardly-collide",
        May,
        RING,
        "Identifiers are not guaranteed to be unique, but conflicts are very unlikely.",
    ),
    claim(
        "lecture/successor-pointer",
        Must,
        RING,
        "Every node knows the next node clockwise.",
    ),
    claim(
        "lecture/finger-table",
        Must,
        FINGERS,
        "Finger i of node n is the first node at or clockwise of n + 2^i, modulo 2^m.",
    ),
    claim(
        "lecture/key-at-its-successor",
        Must,
        FILES,
        "A key is stored at the first node at or clockwise of it.",
    ),
    claim(
        "lecture/keys-are-spread",
        Should,
        FILES,
        "With K keys and N nodes, each node stores O(K / N) keys.",
    ),
    claim(
        "lecture/largest-not-beyond",
        Must,
        SEARCH,
        "A query goes to the largest successor or finger at or anticlockwise of the key, and failing that to the successor.",
    ),
    claim(
        "lecture/logarithmic-lookups",
        Should,
        SEARCH,
        "A lookup takes O(log N) hops with high probability, because every step at least halves the distance.",
    ),
    claim(
        "lecture/successors-only-are-slow",
        May,
        LOOKUP,
        "With successors alone a lookup takes O(N) hops.",
    ),
    claim(
        "lecture/local-or-successor-or-finger",
        Must,
        LOOKUP,
        "A node answers for its own keys, sends a key in (node, successor] to its successor, and others to the largest finger that does not exceed the key. Differs from the printed text, which has 'not in' for the second case.",
    ),
    claim(
        "lecture/long-lists-survive",
        Should,
        FAILURES,
        "Lists of 2 log N successors keep lookups correct with high probability when half of the nodes fail at once.",
    ),
    claim(
        "lecture/keys-are-replicated",
        Should,
        FAILURES,
        "Keys are kept on r neighbours of their owner. Differs: on successors and predecessors in one lecture, on the owner and the first d - 1 successors in another; here on the owner and its successors.",
    ),
    claim(
        "lecture/dead-successor-replaced",
        Must,
        DYNAMIC,
        "Who notices that its successor has failed puts the first live entry of its list in its place.",
    ),
    claim(
        "lecture/no-entry-is-skipped",
        Must,
        DYNAMIC,
        "A node whose successor is dead does not answer with just any live node it knows: N8 answers K19 with N21, not with N32.",
    ),
    claim(
        "lecture/joining-takes-keys",
        Must,
        CHURN,
        "A joining node takes over from its successor the keys between its predecessor and itself.",
    ),
    claim(
        "lecture/joining-affects-few",
        Should,
        CHURN,
        "A joining node affects O(log N) fingers of others on average, and costs O(log^2 N) messages.",
    ),
    claim(
        "lecture/churn-rates",
        May,
        CHURN,
        "A quarter to all of the nodes come and go within an hour.",
    ),
    claim(
        "lecture/three-step-join",
        May,
        JOINING,
        "A joining node looks its fingers up, tells the nodes in [predecessor - 2^i + 1, itself - 2^i] to update their finger i, and takes its keys from its successor.",
    ),
    claim(
        "lecture/lazy-join",
        May,
        JOINING,
        "A joining node may look up nothing but its successor, and leave the rest to stabilization.",
    ),
    claim(
        "lecture/stabilize-and-notify",
        Must,
        DYNAMIC,
        "A stabilizing node asks its successor for its predecessor, adopts that if it is nearer, and notifies the successor it has then, which takes it for its predecessor and hands over its keys.",
    ),
    claim(
        "lecture/stabilization-is-cheap",
        Should,
        STABILIZATION,
        "A round of stabilization costs a node a constant number of messages.",
    ),
    claim(
        "lecture/stabilization-prevents-loops",
        Must,
        STABILIZATION,
        "Stabilization ensures that pointers are not loopy. Disputed: true of strong stabilization, false of plain stabilization.",
    ),
    claim(
        "lecture/lookups-succeed-in-the-end",
        Must,
        STABILIZATION,
        "Stabilization ensures that lookups succeed in the end. Disputed: false of plain stabilization, which stays in a loopy or divided ring.",
    ),
    claim(
        "lecture/strong-stability-is-slow",
        May,
        STABILIZATION,
        "Strong stability takes O(N^2) rounds.",
    ),
    claim(
        "lecture/virtual-nodes",
        May,
        CHURN,
        "Virtual nodes reduce the variance of the load.",
    ),
    claim(
        "lecture/asymmetric-traffic",
        May,
        ASSESSMENT,
        "Incoming traffic does not help a node to keep its fingers fresh, and fingers are rigid.",
    ),
];
