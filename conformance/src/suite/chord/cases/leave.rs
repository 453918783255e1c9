//! Leaving with a word.

use super::{case, lecture_then};
use crate::case::Case;
use crate::case::Level::May;
use crate::suite::chord::kit::{Pace, RingKit, Shape};
use crate::suite::chord::step::Step::{Leave, Settle};
use crate::suite::chord::step::Until;

pub(super) static CASES: &[Case<RingKit>] = &[case(
    "chord/leave/is-announced",
    May,
    (
        &[
            "ton2003/leave",
            "control/leave",
            "control/state",
            "control/join",
        ],
        "leaves_are_announced",
    ),
    "With a timeout of ten minutes, a member of the lectures' ring leaves.",
    "Its neighbours know within the stated number of periods, long before they could have found it silent.",
    |kit| {
        kit.ring(Shape::at(Pace::NobodyDies));
        kit.follow(&lecture_then(&[
            Settle(Until::Neighbours),
            Leave(45),
            Settle(Until::Neighbours),
        ]))
    },
)];
