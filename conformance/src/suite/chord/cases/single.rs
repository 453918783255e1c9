//! One node alone: what a program can do first.

use super::case;
use crate::case::Case;
use crate::case::Level::Must;
use crate::suite::chord::kit::RingKit;
use crate::suite::chord::step::Step::{GetFromAll, Join, Look, LookupsFromAll, Put};

pub(super) static CASES: &[Case<RingKit>] = &[
    case(
        "chord/single/state",
        Must,
        (&["control/join", "control/state"], "members_say_so"),
        "A node makes a ring of its own, and is asked for its state.",
        "It says that it is a member, at its own point.",
        |kit| kit.follow(&[Join(45, None), Look]),
    ),
    case(
        "chord/single/owns-everything",
        Must,
        (
            &[
                "wire/lonely-node-owns-all",
                "wire/intervals",
                "control/lookup",
                "control/join",
            ],
            "owns_everything_alone",
        ),
        "A node makes a ring of its own, and looks up its own point, those beside it, and the ends of the circle.",
        "It owns them all.",
        |kit| {
            kit.follow(&[
                Join(45, None),
                LookupsFromAll(vec![45, 46, 44, 0, 127, 100]),
            ])
        },
    ),
    case(
        "chord/single/stores",
        Must,
        (
            &["control/put", "control/get", "control/join"],
            "stored_values_are_found",
        ),
        "A node alone stores a value, and is asked for it and for a key under which nothing was stored.",
        "It finds the value, and says that there is nothing under the other key (error 20).",
        |kit| {
            kit.follow(&[
                Join(45, None),
                Put(45, 42, "apple"),
                GetFromAll(42),
                GetFromAll(43),
            ])
        },
    ),
];
