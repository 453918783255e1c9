//! Nodes that are gone, and nobody was told.

use super::{LECTURE, case, lecture_then};
use crate::case::Case;
use crate::case::Level::Must;
use crate::suite::chord::kit::RingKit;
use crate::suite::chord::step::Step::{Crash, LookupsFromAll, Settle};
use crate::suite::chord::step::Until;

fn boundaries() -> Vec<u64> {
    LECTURE.iter().flat_map(|node| [*node, node + 1]).collect()
}

pub(super) static CASES: &[Case<RingKit>] = &[
    case(
        "chord/crash/successor",
        Must,
        (
            &[
                "lecture/dead-successor-replaced",
                "wire/successor-list",
                "lecture/no-entry-is-skipped",
                "control/state",
                "control/lookup",
            ],
            "dead_successors_are_replaced",
        ),
        "In the lectures' ring N16 crashes, the successor of N112 and the introducer of all.",
        "Within the stated number of periods N112 puts the next live entry of its list in its place, and lookups go on as before.",
        |kit| {
            kit.follow(&lecture_then(&[
                Settle(Until::Lists),
                Crash(vec![16]),
                Settle(Until::Neighbours),
                LookupsFromAll(boundaries()),
            ]))
        },
    ),
    case(
        "chord/crash/predecessor",
        Must,
        (
            &[
                "wire/check-predecessor",
                "ton2003/check-predecessor",
                "control/state",
                "control/predecessor",
            ],
            "dead_predecessors_are_replaced",
        ),
        "In the lectures' ring N45 crashes, the predecessor of N80.",
        "Within the stated number of periods N80 has forgotten it, and takes N32 for its predecessor.",
        |kit| {
            kit.follow(&lecture_then(&[
                Settle(Until::Lists),
                Crash(vec![45]),
                Settle(Until::Neighbours),
            ]))?;
            kit.demand("predecessor", |tells| tells.predecessors)
        },
    ),
    case(
        "chord/crash/two-neighbours",
        Must,
        (
            &[
                "ton2003/successor-lists",
                "wire/successor-list",
                "control/state",
                "control/lookup",
            ],
            "becomes_ideal",
        ),
        "In the lectures' ring, with lists of three, two neighbours crash at the same moment.",
        "Within the stated number of periods the ring closes over them, and lookups confirm it.",
        |kit| {
            kit.follow(&lecture_then(&[
                Settle(Until::Lists),
                Crash(vec![45, 80]),
                Settle(Until::Neighbours),
            ]))
        },
    ),
    case(
        "chord/crash/unannounced-is-noticed",
        Must,
        (
            &[
                "control/states-are-confirmed",
                "lecture/dead-successor-replaced",
                "control/state",
                "control/lookup",
            ],
            "becomes_ideal",
        ),
        "In the lectures' ring N96 crashes; whoever computes the ring instead of watching it does not notice.",
        "Within the stated number of periods nobody names it any more, and lookups of its keys end at N112.",
        |kit| {
            kit.follow(&lecture_then(&[
                Settle(Until::Lists),
                Crash(vec![96]),
                Settle(Until::Neighbours),
                LookupsFromAll(vec![81, 90, 96]),
            ]))
        },
    ),
];
