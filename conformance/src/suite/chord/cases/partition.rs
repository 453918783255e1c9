//! A network that parts and comes together again.

use super::{case, lecture_then};
use crate::case::Case;
use crate::case::Level::{Must, Should};
use crate::suite::chord::kit::RingKit;
use crate::suite::chord::step::Step::{Heal, Part, Pause, RestOfTimeout, Resume, Settle};
use crate::suite::chord::step::Until;

pub(super) static CASES: &[Case<RingKit>] = &[
    case(
        "chord/partition/heals",
        Must,
        (
            &["zave/progress", "control/state", "control/lookup"],
            "ring_heals",
        ),
        "The lectures' ring is cut in two for three fifths of the time after which a silent node counts as dead.",
        "Nobody was to be taken for dead: the ring is in order. After a longer cut nothing promises that two rings become one.",
        |kit| {
            kit.follow(&lecture_then(&[
                Settle(Until::Lists),
                Part(vec![16, 45, 96]),
                RestOfTimeout(60),
                Heal,
                Settle(Until::Neighbours),
            ]))
        },
    ),
    case(
        "chord/partition/silent-member-returns",
        Should,
        (
            &[
                "zave/progress",
                "sigcomm2001/notify",
                "control/state",
                "control/lookup",
            ],
            "becomes_ideal",
        ),
        "A member of the lectures' ring is stopped for twice the time after which a silent node counts as dead, and goes on.",
        "It still knows its successors: it notifies them, and the ring takes it up again.",
        |kit| {
            kit.follow(&lecture_then(&[
                Settle(Until::Lists),
                Pause(45),
                RestOfTimeout(200),
                Resume(45),
                Settle(Until::Neighbours),
            ]))
        },
    ),
];
