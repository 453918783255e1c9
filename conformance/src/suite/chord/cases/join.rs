//! Becoming a member.

use super::{case, ring_of};
use crate::case::Case;
use crate::case::Level::{Must, Should};
use crate::suite::chord::kit::{Pace, RingKit, Shape};
use crate::suite::chord::step::Step::{
    Duplicate, FirstWords, Join, JoinAtOnce, JoinUnheard, Settle,
};
use crate::suite::chord::step::Until;

pub(super) static CASES: &[Case<RingKit>] = &[
    case(
        "chord/join/one-by-one",
        Must,
        (
            &[
                "wire/stable-ring-is-ordered",
                "sigcomm2001/stabilize",
                "control/join",
                "control/state",
                "control/lookup",
            ],
            "becomes_ideal",
        ),
        "Four nodes join one after the other, all through the first.",
        "Within the stated number of periods each has the next one as first successor and the one before as predecessor, and lookups confirm it.",
        |kit| {
            let mut steps = ring_of(&[45, 16, 112, 80]);
            steps.push(Settle(Until::Neighbours));
            kit.follow(&steps)
        },
    ),
    case(
        "chord/join/at-once",
        Must,
        (
            &[
                "wire/stable-ring-is-ordered",
                "wire/stabilize-adopts-between",
                "control/join",
                "control/state",
                "control/lookup",
            ],
            "becomes_ideal",
        ),
        "Five nodes join at the same time, all through the same one.",
        "Within the stated number of periods each has the next one as first successor and the one before as predecessor, and lookups confirm it.",
        |kit| {
            kit.follow(&[
                Join(45, None),
                JoinAtOnce(vec![16, 112, 80, 32, 96], 45),
                Settle(Until::Neighbours),
            ])
        },
    ),
    case(
        "chord/join/told-nothing-else",
        Must,
        (
            &["control/told-nothing-else", "control/join", "control/state"],
            "joins_know_no_more_than_told",
        ),
        "A node is to join a ring of four while no message reaches anybody, and is asked for its state.",
        "It names nobody but itself and its introducer, since nobody can have told it more.",
        |kit| {
            let mut steps = ring_of(&[45, 16, 112, 80]);
            steps.extend([Settle(Until::Neighbours), JoinUnheard(96, 45)]);
            kit.follow(&steps)
        },
    ),
    case(
        "chord/join/no-invented-predecessor",
        Must,
        (
            &[
                "wire/join-obtains-a-successor",
                "control/join",
                "control/state",
                "control/predecessor",
            ],
            "newcomers_invent_no_predecessor",
        ),
        "With a period so long that nothing is stabilized, a node joins another one, and is asked for its state at once.",
        "It knows no predecessor yet; the corrected protocol takes the member before it, which is non-strict; anybody else is an invention.",
        |kit| {
            kit.ring(Shape::at(Pace::Still));
            kit.follow(&[Join(16, None), Join(80, Some(16)), FirstWords(80, 16)])
        },
    ),
    case(
        "chord/join/duplicate-id",
        Should,
        (
            &[
                "lecture/ids-hardly-collide",
                "wire/stable-ring-is-ordered",
                "control/join",
                "control/state",
                "control/lookup",
            ],
            "becomes_ideal",
        ),
        "A second process with the point of a member wants to join a ring of four.",
        "It may be refused or not; the ring goes on with its members in order.",
        |kit| {
            let mut steps = ring_of(&[45, 16, 112, 80]);
            steps.extend([
                Settle(Until::Neighbours),
                Duplicate(80, 45),
                Settle(Until::Neighbours),
            ]);
            kit.follow(&steps)
        },
    ),
];
