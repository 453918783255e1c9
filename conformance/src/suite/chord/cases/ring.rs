//! The ring once it is quiet.

use super::{case, lecture_then};
use crate::case::Case;
use crate::case::Level::{Must, Should};
use crate::suite::chord::kit::RingKit;
use crate::suite::chord::step::Step::{GetFromAll, Join, JoinAtOnce, LookupsFromAll, Put, Settle};
use crate::suite::chord::step::Until;

pub(super) static CASES: &[Case<RingKit>] = &[
    case(
        "chord/ring/ideal-within-periods",
        Must,
        (
            &[
                "wire/stable-ring-is-ordered",
                "zave/progress",
                "control/join",
                "control/state",
                "control/lookup",
            ],
            "becomes_ideal",
        ),
        "Eight nodes, one of them at each end of the circle, join in two groups.",
        "After four periods for each node and each entry of a list, and the time to find the dead, each has its neighbours, and lookups confirm it.",
        |kit| {
            kit.follow(&[
                Join(60, None),
                JoinAtOnce(vec![127, 0, 20], 60),
                JoinAtOnce(vec![90, 3, 77, 125], 60),
                Settle(Until::Neighbours),
            ])
        },
    ),
    case(
        "chord/ring/successor-lists",
        Should,
        (
            &[
                "wire/successor-list",
                "ton2003/successor-lists",
                "control/state",
            ],
            "successor_lists_become_full",
        ),
        "In the lectures' ring, with lists of three, every member tells its successors.",
        "Each list begins with the three members that follow.",
        |kit| kit.follow(&lecture_then(&[Settle(Until::Lists)])),
    ),
    case(
        "chord/ring/says-what-is-so",
        Must,
        (
            &[
                "control/states-are-confirmed",
                "control/state",
                "control/lookup",
                "control/put",
                "control/get",
            ],
            "states_are_confirmed",
        ),
        "Five nodes join at once; when they say that the ring is in order, lookups of every boundary and gets put it to the test.",
        "What lies between a node and the first successor that it names is owned by that successor, and the keys that it says it keeps are found.",
        |kit| {
            kit.follow(&[
                Join(45, None),
                JoinAtOnce(vec![16, 112, 80, 32, 96], 45),
                Put(45, 42, "apple"),
                Settle(Until::Neighbours),
                LookupsFromAll(vec![17, 32, 46, 81, 97, 113]),
                GetFromAll(42),
            ])
        },
    ),
];
