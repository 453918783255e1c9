//! What is stored, and where.

use super::{case, lecture_then};
use crate::case::Case;
use crate::case::Level::{May, Must};
use crate::suite::chord::kit::{RingKit, Shape};
use crate::suite::chord::step::Step::{self, Delete, GetFromAll, Join, Leave, Put, Settle, Watch};
use crate::suite::chord::step::Until;

/// Values all round the circle; 45 and 80 are points of members, 113 and 3 lie beyond the last.
pub(super) fn puts() -> Vec<Step> {
    vec![
        Put(80, 45, "apple"),
        Put(16, 80, "pear"),
        Put(112, 46, "plum"),
        Put(32, 113, "fig"),
        Put(96, 3, "grape"),
        Put(45, 97, "lime"),
    ]
}

pub(super) static CASES: &[Case<RingKit>] = &[
    case(
        "chord/keys/placement",
        Must,
        (
            &[
                "lecture/key-at-its-successor",
                "control/state",
                "control/keys",
                "control/put",
                "control/lookup",
            ],
            "keys_are_where_they_belong",
        ),
        "In the lectures' ring values are stored all round the circle, also under the points of members.",
        "Each is with the first member at or clockwise of its key.",
        |kit| {
            let mut steps = lecture_then(&[Settle(Until::Neighbours)]);
            steps.extend(puts());
            steps.push(Settle(Until::Keys));
            kit.follow(&steps)?;
            kit.demand("keys", |tells| tells.keys)
        },
    ),
    case(
        "chord/keys/overwrite",
        Must,
        (&["control/put", "control/get"], "the_last_write_wins"),
        "In the lectures' ring a value is stored, then another one under the same key by way of another member.",
        "Every member finds the later one.",
        |kit| {
            kit.follow(&lecture_then(&[
                Settle(Until::Neighbours),
                Put(80, 42, "apple"),
                Put(16, 42, "pear"),
                GetFromAll(42),
            ]))
        },
    ),
    case(
        "chord/keys/delete",
        Must,
        (
            &["control/delete", "control/put", "control/get"],
            "deleted_stays_deleted",
        ),
        "Where a key is kept three times, a value is stored and deleted; the key is read for thirty periods.",
        "Nothing is found, at once and later: no old copy brings the value back.",
        |kit| {
            kit.ring(Shape::with_replicas(3));
            kit.follow(&lecture_then(&[
                Settle(Until::Neighbours),
                Put(80, 42, "apple"),
                Settle(Until::Keys),
                Delete(16, 42),
                GetFromAll(42),
                Watch(42, 30),
            ]))
        },
    ),
    case(
        "chord/keys/transfer-on-join",
        Must,
        (
            &[
                "lecture/joining-takes-keys",
                "lecture/stabilize-and-notify",
                "control/state",
                "control/keys",
                "control/put",
            ],
            "keys_move_to_the_newcomer",
        ),
        "Where a key is kept once, values are stored all round the lectures' ring; then a node joins between the last and the first.",
        "The newcomer gets from its successor what it owns now, and its successor keeps it no more.",
        |kit| {
            let mut steps = lecture_then(&[Settle(Until::Neighbours)]);
            steps.extend(puts());
            steps.extend([
                Join(125, Some(16)),
                Join(88, Some(16)),
                Put(16, 85, "melon"),
                Settle(Until::Keys),
                GetFromAll(113),
            ]);
            kit.follow(&steps)?;
            kit.demand("keys", |tells| tells.keys)
        },
    ),
    case(
        "chord/keys/transfer-on-leave",
        May,
        (
            &[
                "ton2003/leave",
                "control/leave",
                "control/put",
                "control/get",
            ],
            "acknowledged_values_survive",
        ),
        "Where a key is kept once, values are stored all round the lectures' ring; then the owner of some of them leaves.",
        "It hands them to its successor: every value is found.",
        |kit| {
            let mut steps = lecture_then(&[Settle(Until::Neighbours)]);
            steps.extend(puts());
            steps.extend([
                Settle(Until::Keys),
                Leave(45),
                Settle(Until::Keys),
                GetFromAll(45),
                GetFromAll(46),
            ]);
            kit.follow(&steps)
        },
    ),
];
