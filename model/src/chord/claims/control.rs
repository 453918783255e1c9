//! What the control plane asks of a node of a ring. A node may lack any of its operations, and says so.

use crate::claim::Strength::Must;
use crate::claim::{Claim, Source};

/// A claim of docs/control-plane.md; `optional` where a node may lack what it is about.
const fn control(
    id: &'static str,
    section: &'static str,
    optional: bool,
    wording: &'static str,
) -> Claim {
    Claim {
        id,
        source: Source {
            document: "the control plane",
            section,
        },
        wording,
        strength: Must,
        optional,
    }
}

/// What a node owes the kit.
pub static CONTROL: &[Claim] = &[
    control(
        "control/form",
        "the envelope",
        false,
        "A node lives until it is ended, and every line that it writes has the form that is agreed.",
    ),
    control(
        "control/told-nothing-else",
        "init",
        false,
        "A node is told of itself and of one introducer; what else it knows of the ring it has heard from its members.",
    ),
    control(
        "control/states-are-confirmed",
        "state",
        false,
        "What a node says of itself goes with what lookups, gets and unannounced crashes show.",
    ),
    control(
        "control/join",
        "join",
        true,
        "A node that is asked to join says so once it is a member of its introducer's ring, or of a new one.",
    ),
    control(
        "control/leave",
        "leave",
        true,
        "A node that is asked to leave hands its keys over, and takes no part any more.",
    ),
    control(
        "control/state",
        "state",
        true,
        "A node tells whether it is a member, its point, and its successors, nearest first.",
    ),
    control(
        "control/predecessor",
        "state",
        true,
        "A node may tell its predecessor.",
    ),
    control(
        "control/fingers",
        "state",
        true,
        "A node may tell its fingers.",
    ),
    control(
        "control/keys",
        "state",
        true,
        "A node may tell the keys that it keeps, as owner or as replica.",
    ),
    control(
        "control/lookup",
        "lookup",
        true,
        "A node answers a lookup with the first member at or clockwise of the key.",
    ),
    control(
        "control/hops",
        "lookup",
        true,
        "A node may tell how often a lookup was passed on.",
    ),
    control(
        "control/path",
        "lookup",
        true,
        "A node may tell whom a lookup visited, the asked node first and the owner last.",
    ),
    control(
        "control/put",
        "put, get, delete",
        true,
        "An acknowledged value is on as many nodes as it is to be kept on, and is found until it is overwritten or deleted.",
    ),
    control(
        "control/get",
        "put, get, delete",
        true,
        "A get finds what was stored last under the key, or says that there is nothing.",
    ),
    control(
        "control/delete",
        "put, get, delete",
        true,
        "What was deleted is not found any more; deleting what is not there succeeds.",
    ),
];
