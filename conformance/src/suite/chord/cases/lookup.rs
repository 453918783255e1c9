//! Where lookups end, and how they get there.

use super::{LECTURE, case, lecture_then};
use crate::case::Case;
use crate::case::Level::Must;
use crate::suite::chord::kit::RingKit;
use crate::suite::chord::step::Step::{LookupsFromAll, Settle};
use crate::suite::chord::step::Until;

pub(super) static CASES: &[Case<RingKit>] = &[
    case(
        "chord/lookup/every-boundary",
        Must,
        (
            &[
                "wire/lookup-returns-the-successor",
                "lecture/key-at-its-successor",
                "wire/intervals",
                "control/lookup",
            ],
            "lookups_end_at_a_possible_owner",
        ),
        "In the lectures' ring every member looks up every member's point, the one before and the one after, all at the same time.",
        "Each lookup ends at the first member at or clockwise of the key, and is the answer to its own question.",
        |kit| {
            let keys = LECTURE.iter().flat_map(|node| [node - 1, *node, node + 1]);
            let keys = keys.collect();
            kit.follow(&lecture_then(&[
                Settle(Until::Neighbours),
                LookupsFromAll(keys),
            ]))
        },
    ),
    case(
        "chord/lookup/path",
        Must,
        (
            &[
                "wire/lookup-never-loops",
                "lecture/largest-not-beyond",
                "control/lookup",
                "control/path",
            ],
            "paths_make_progress",
        ),
        "In the lectures' ring every member looks up keys all round the circle, and tells the path.",
        "A path begins with the node that was asked and ends with the owner; every node on the way is nearer to the key than the one before; there are as many hops as steps.",
        |kit| {
            let keys = (0..128).step_by(9).collect();
            kit.follow(&lecture_then(&[
                Settle(Until::Neighbours),
                LookupsFromAll(keys),
            ]))?;
            kit.demand_of_lookups("path", |found| found.path.is_some())
        },
    ),
];
