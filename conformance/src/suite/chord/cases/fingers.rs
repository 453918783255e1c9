//! Fingers, and what they are good for.

use super::{case, ring_of};
use crate::case::Case;
use crate::case::Level::{Must, Should};
use crate::suite::chord::kit::{RingKit, Shape};
use crate::suite::chord::step::Step::{LookupsFromAll, Settle};
use crate::suite::chord::step::Until;

/// Ten members as evenly as the circle of 128 points allows.
const EVEN: [u64; 10] = [0, 13, 26, 38, 51, 64, 77, 90, 102, 115];

pub(super) static CASES: &[Case<RingKit>] = &[
    case(
        "chord/fingers/right",
        Must,
        (
            &["lecture/finger-table", "control/state", "control/fingers"],
            "fingers_become_right",
        ),
        "Five nodes at uneven distances join, one of them at the beginning of the circle.",
        "After fourteen more periods for each bit every finger is the first member at or clockwise of where it begins.",
        |kit| {
            let mut steps = ring_of(&[3, 0, 60, 64, 127]);
            steps.push(Settle(Until::Fingers));
            kit.follow(&steps)?;
            kit.demand("fingers", |tells| tells.fingers)
        },
    ),
    case(
        "chord/fingers/hops-logarithmic",
        Should,
        (
            &[
                "lecture/logarithmic-lookups",
                "control/lookup",
                "control/hops",
            ],
            "lookups_are_short",
        ),
        "Ten nodes at even distances, with lists of two, look up keys all round the circle, and tell the hops.",
        "No lookup takes more than five hops: each at least halves the distance to the last node before the key, which is at most nine gaps, and one more leads to the owner.",
        |kit| {
            kit.ring(Shape {
                successors: 2,
                ..Shape::default()
            });
            let mut steps = ring_of(&EVEN);
            let keys = EVEN.iter().map(|node| node + 1).collect();
            steps.extend([Settle(Until::Fingers), LookupsFromAll(keys)]);
            kit.follow(&steps)?;
            kit.demand_of_lookups("hops", |found| found.hops.is_some() || found.path.is_some())
        },
    ),
];
