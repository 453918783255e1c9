//! The worked examples of the lectures: the ring of 16, 32, 45, 80, 96 and 112 on a circle of 128 points.

use super::{case, lecture_then};
use crate::case::Case;
use crate::case::Level::Must;
use crate::suite::chord::kit::RingKit;
use crate::suite::chord::step::Step::{GetFromAll, Join, LookupsFromAll, Put, Settle};
use crate::suite::chord::step::Until;

pub(super) static CASES: &[Case<RingKit>] = &[
    case(
        "chord/lecture/owner-of-42",
        Must,
        (
            &[
                "lecture/key-at-its-successor",
                "lecture/local-or-successor-or-finger",
                "control/lookup",
            ],
            "lookups_end_at_a_possible_owner",
        ),
        "In the lectures' ring every member looks up the key 42.",
        "N45 owns it, whoever is asked.",
        |kit| {
            kit.follow(&lecture_then(&[
                Settle(Until::Neighbours),
                LookupsFromAll(vec![42]),
            ]))
        },
    ),
    case(
        "chord/lecture/fingers-of-80",
        Must,
        (
            &["lecture/finger-table", "control/state", "control/fingers"],
            "fingers_become_right",
        ),
        "In the lectures' ring every member tells its fingers.",
        "Within the stated number of periods they are right; those of N80 are 96, 96, 96, 96, 96, 112 and 16.",
        |kit| {
            kit.follow(&lecture_then(&[Settle(Until::Fingers)]))?;
            kit.demand("fingers", |tells| tells.fingers)
        },
    ),
    case(
        "chord/lecture/join-of-40-moves-keys",
        Must,
        (
            &[
                "lecture/joining-takes-keys",
                "control/state",
                "control/keys",
                "control/put",
                "control/get",
            ],
            "keys_move_to_the_newcomer",
        ),
        "In the lectures' ring, where a key is kept once, values are stored under 34, 38 and 42; then N40 joins.",
        "Keys 34 and 38 move from N45 to N40, and 42 stays; each is on one node only, and is found.",
        |kit| {
            kit.follow(&lecture_then(&[
                Settle(Until::Neighbours),
                Put(80, 34, "apple"),
                Put(16, 38, "pear"),
                Put(112, 42, "plum"),
                Join(40, Some(16)),
                Settle(Until::Keys),
                GetFromAll(34),
                GetFromAll(38),
            ]))?;
            kit.demand("keys", |tells| tells.keys)
        },
    ),
];
