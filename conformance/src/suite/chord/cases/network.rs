//! A network that loses, repeats and reorders.

use super::{LECTURE, case, ring_of};
use crate::case::Case;
use crate::case::Level::Must;
use crate::suite::chord::kit::RingKit;
use crate::suite::chord::step::Step::{self, GetFromAll, Put, Rest, Settle, Weather};
use crate::suite::chord::step::{Skies, Until};

fn under(skies: Skies) -> Vec<Step> {
    let mut steps = vec![Weather(skies)];
    steps.extend(ring_of(&LECTURE));
    steps.push(Settle(Until::Neighbours));
    steps
}

pub(super) static CASES: &[Case<RingKit>] = &[
    case(
        "chord/network/loss",
        Must,
        (
            &[
                "zave/progress",
                "control/join",
                "control/state",
                "control/lookup",
            ],
            "becomes_ideal",
        ),
        "The lectures' ring is made, and lives for ten periods, while the network loses messages, never two between the same nodes soon after one another; then every message arrives.",
        "Who waits for an answer asks again: every node becomes a member, and within the stated number of periods the ring is in order.",
        |kit| {
            let mut steps = vec![Weather(Skies::Loss)];
            steps.extend(ring_of(&LECTURE));
            // A node that asks only once may take another for dead: nothing is asked before the end.
            steps.extend([Rest(10), Weather(Skies::Clear), Settle(Until::Neighbours)]);
            kit.follow(&steps)
        },
    ),
    case(
        "chord/network/duplicates",
        Must,
        (
            &[
                "zave/progress",
                "control/join",
                "control/state",
                "control/lookup",
            ],
            "becomes_ideal",
        ),
        "The lectures' ring is made while every second message comes twice.",
        "Within the stated number of periods the ring is in order, and lookups confirm it.",
        |kit| kit.follow(&under(Skies::Duplicates)),
    ),
    case(
        "chord/network/reordering",
        Must,
        (
            &[
                "zave/progress",
                "control/join",
                "control/put",
                "control/get",
            ],
            "the_last_write_wins",
        ),
        "The lectures' ring is made while messages take up to a period and overtake each other; a value is stored and overwritten.",
        "Every member finds the later value.",
        |kit| {
            let mut steps = under(Skies::Disorder);
            steps.extend([Put(80, 42, "apple"), Put(16, 42, "pear"), GetFromAll(42)]);
            kit.follow(&steps)
        },
    ),
];
