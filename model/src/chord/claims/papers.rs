//! What the papers before 2017 say.

use super::claim;
use crate::claim::Claim;
use crate::claim::Strength::{May, Must, Should};

const STABILIZE: (&str, &str) = ("Stoica et al., SIGCOMM 2001", "stabilization");
const LISTS: (&str, &str) = ("Stoica et al., ToN 2003", "failure and replication");
const LEAVES: (&str, &str) = ("Stoica et al., ToN 2003", "voluntary departures");
const STRONG: (&str, &str) = ("Liben-Nowell et al., PODC 2002", "strong stabilization");
const LOAD: (&str, &str) = ("Stoica et al., ToN 2003", "load balance");
const PATHS: (&str, &str) = (
    "Stoica et al., ToN 2003",
    "path length, simultaneous failures",
);

/// Rules and figures of SIGCOMM 2001, PODC 2002 and ToN 2003.
pub static PAPERS: &[Claim] = &[
    claim(
        "sigcomm2001/stabilize",
        Must,
        STABILIZE,
        "A node adopts its successor's predecessor when that lies between the two, and notifies its successor.",
    ),
    claim(
        "sigcomm2001/notify",
        Must,
        STABILIZE,
        "A notified node adopts the notifying one when it has no predecessor, or one farther away.",
    ),
    claim(
        "ton2003/successor-lists",
        Must,
        LISTS,
        "A node copies its successor's list behind its successor, and drops dead entries.",
    ),
    claim(
        "ton2003/check-predecessor",
        Must,
        LISTS,
        "A node forgets its predecessor when that does not answer.",
    ),
    claim(
        "ton2003/leave",
        May,
        LEAVES,
        "A leaving node hands its keys to its successor, and tells its two neighbours of each other.",
    ),
    claim(
        "podc2002/strong-stabilization",
        Should,
        STRONG,
        "Nodes that look themselves up from their successor find out that the ring is loopy, and repair it.",
    ),
    claim(
        "ton2003/load",
        May,
        LOAD,
        "The 99th percentile of keys for each node is about 4.6 to 4.8 times the mean without virtual nodes, and 1.6 times with 20 of them.",
    ),
    claim(
        "ton2003/path-length",
        Should,
        PATHS,
        "The mean lookup visits about half of log2 N nodes.",
    ),
    claim(
        "ton2003/half-may-fail",
        Should,
        PATHS,
        "With lists of 20 among 1000 nodes no lookup fails when up to half of the nodes fail at once; mean paths grow from 3.84 to 5.09, and mean timeouts from 0 to 5.10.",
    ),
];
