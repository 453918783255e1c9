//! Coming back.

use super::{case, lecture_then};
use crate::case::Case;
use crate::case::Level::Must;
use crate::suite::chord::kit::RingKit;
use crate::suite::chord::step::Step::{Crash, GetFromAll, Join, Leave, Put, Settle};
use crate::suite::chord::step::Until;

pub(super) static CASES: &[Case<RingKit>] = &[
    case(
        "chord/rejoin/same-id",
        Must,
        (
            &[
                "wire/stable-ring-is-ordered",
                "control/join",
                "control/state",
                "control/lookup",
            ],
            "becomes_ideal",
        ),
        "A member of the lectures' ring crashes, and a new process with the same point joins at once.",
        "Within the stated number of periods the ring is in order, with the newcomer in its place.",
        |kit| {
            kit.follow(&lecture_then(&[
                Settle(Until::Lists),
                Crash(vec![45]),
                Join(45, Some(16)),
                Settle(Until::Neighbours),
            ]))
        },
    ),
    case(
        "chord/rejoin/after-leave",
        Must,
        (
            &[
                "control/join",
                "control/leave",
                "control/put",
                "control/get",
            ],
            "the_last_write_wins",
        ),
        "A member of the lectures' ring leaves; a value that it owned is overwritten; then the same process joins again.",
        "Every member finds the later value: what the node kept when it left counts no more.",
        |kit| {
            kit.follow(&lecture_then(&[
                Settle(Until::Neighbours),
                Put(80, 42, "apple"),
                Leave(45),
                Settle(Until::Keys),
                Put(16, 42, "pear"),
                Join(45, Some(16)),
                Settle(Until::Keys),
                GetFromAll(42),
            ]))
        },
    ),
];
