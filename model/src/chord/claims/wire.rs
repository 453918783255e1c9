//! What a node owes others in messages, and the XDR format of MIT's implementation.

use super::claim;
use crate::claim::Claim;
use crate::claim::Strength::Must;

const LOOKUPS: (&str, &str) = ("MIT Chord and the papers", "lookups");
const UPKEEP: (&str, &str) = ("MIT Chord and the papers", "maintenance");
const INTERVALS: (&str, &str) = ("MIT Chord, id_utils", "intervals");
const XDR: (&str, &str) = ("MIT Chord", "XDR format");
const PROGRAMS: (&str, &str) = ("MIT Chord", "programs and procedures");

/// Requirements of nodes and of the XDR format.
pub static WIRE: &[Claim] = &[
    claim(
        "wire/lookup-returns-the-successor",
        Must,
        LOOKUPS,
        "A lookup of a key returns the first node at or clockwise of it, a node itself included.",
    ),
    claim(
        "wire/lonely-node-owns-all",
        Must,
        LOOKUPS,
        "In a ring of one node that node owns every key.",
    ),
    claim(
        "wire/notify-nearer-only",
        Must,
        UPKEEP,
        "A notified node replaces its predecessor only when the notifying one lies between the two, or the predecessor is unset or dead.",
    ),
    claim(
        "wire/stable-ring-is-ordered",
        Must,
        UPKEEP,
        "After all nodes are stable and none fails, every successor is the next identifier clockwise.",
    ),
    claim(
        "wire/stabilize-adopts-between",
        Must,
        UPKEEP,
        "A stabilizing node adopts its successor's predecessor when that lies between the two.",
    ),
    claim(
        "wire/successor-list",
        Must,
        UPKEEP,
        "A node keeps at least r entries in its successor list, and drops a failed first one in favour of the next.",
    ),
    claim(
        "wire/intervals",
        Must,
        INTERVALS,
        "(a, a) is everything but a, and (a, a] is the whole circle.",
    ),
    claim(
        "wire/stale-fingers-are-harmless",
        Must,
        LOOKUPS,
        "A finger is the first node at or clockwise of n + 2^(i-1), or unset; a stale one costs speed, never a right answer.",
    ),
    claim(
        "wire/lookup-never-loops",
        Must,
        LOOKUPS,
        "A lookup does not loop, and in a static ring ends within m steps.",
    ),
    claim(
        "wire/check-predecessor",
        Must,
        UPKEEP,
        "A predecessor that does not answer is cleared.",
    ),
    claim(
        "wire/join-obtains-a-successor",
        Must,
        UPKEEP,
        "A joining node obtains its successor from an existing node, and does not invent a predecessor. Disputed: the corrected protocol takes the member it joins through for its predecessor.",
    ),
    claim(
        "wire/own-arc-answered",
        Must,
        LOOKUPS,
        "Keys in (predecessor, node] are answered by the node itself after their transfer.",
    ),
    claim(
        "wire/xdr-integers",
        Must,
        XDR,
        "Integers are written big-endian, and opaque data is padded with zeros to 4 bytes.",
    ),
    claim(
        "wire/xdr-bigint",
        Must,
        XDR,
        "An identifier is written as its minimal magnitude with a sign byte, padded to a multiple of 4 bytes; 0 is an empty opaque.",
    ),
    claim(
        "wire/node-is-36-bytes",
        Must,
        XDR,
        "A node on the wire is exactly 36 bytes.",
    ),
    claim(
        "wire/testrange",
        Must,
        PROGRAMS,
        "TESTRANGE_FINDCLOSESTPRED answers in range exactly when the key lies in (own identifier, successor].",
    ),
    claim(
        "wire/findroute-order",
        Must,
        PROGRAMS,
        "FINDROUTE that is to return successors lists them before the route.",
    ),
    claim(
        "wire/dorpc-echo",
        Must,
        PROGRAMS,
        "A reply to DORPC echoes the send time of the request and the dispatcher's status; an unknown program gives 3.",
    ),
    claim(
        "wire/identifier-hashes",
        Must,
        XDR,
        "A node identifier whose virtual node is out of bounds, or that does not hash from the claimed address, is rejected.",
    ),
    claim(
        "wire/failed-nodes-avoided",
        Must,
        PROGRAMS,
        "A reply does not name as next hop a node that the query names as failed.",
    ),
];
