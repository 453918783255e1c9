//! Past the end of the circle.

use super::{case, lecture_then};
use crate::case::Case;
use crate::case::Level::Must;
use crate::suite::chord::kit::RingKit;
use crate::suite::chord::step::Step::{LookupsFromAll, Settle};
use crate::suite::chord::step::Until;

pub(super) static CASES: &[Case<RingKit>] = &[case(
    "chord/wrap/keys-beyond-the-last",
    Must,
    (
        &[
            "wire/lookup-returns-the-successor",
            "wire/intervals",
            "control/lookup",
        ],
        "lookups_end_at_a_possible_owner",
    ),
    "In the lectures' ring every member looks up keys beyond the last node, N112, and before the first, N16.",
    "The first node owns them all.",
    |kit| {
        kit.follow(&lecture_then(&[
            Settle(Until::Neighbours),
            LookupsFromAll(vec![113, 120, 127, 0, 1, 15, 16]),
        ]))
    },
)];
