//! Nodes that come and go.

use peerproof_model::choose::{Choose as _, Seeded};

use super::{case, lecture_then};
use crate::case::Case;
use crate::case::Level::Must;
use crate::suite::chord::kit::RingKit;
use crate::suite::chord::step::Step::{self, Crash, Glance, Join, Rest, Settle};
use crate::suite::chord::step::Until;

/// Nodes that may come and go; the first of the lectures' ring stays.
const GUESTS: [u64; 6] = [5, 40, 60, 88, 104, 121];

/// A schedule by seed: guests join, and never is more than one gone that the ring has not yet noticed.
fn churn(seed: u64, rounds: usize) -> Vec<Step> {
    let mut chance = Seeded::new(seed);
    let mut there: Vec<u64> = vec![32, 45, 80, 96, 112];
    let mut away: Vec<u64> = GUESTS.to_vec();
    let mut steps = Vec::new();
    for _ in 0..rounds {
        for _ in 0..2 {
            let guest = away.remove(chance.choose(away.len()));
            steps.extend([Join(guest, Some(16)), Rest(4)]);
            there.push(guest);
        }
        let victim = there.remove(chance.choose(there.len()));
        steps.extend([Settle(Until::Lists), Crash(vec![victim]), Rest(4)]);
        away.push(victim);
        let victim = there.remove(chance.choose(there.len()));
        steps.extend([Settle(Until::Lists), Crash(vec![victim])]);
        away.push(victim);
    }
    steps
}

pub(super) static CASES: &[Case<RingKit>] = &[
    case(
        "chord/churn/lookups-during-churn",
        Must,
        (
            &[
                "wire/lookup-returns-the-successor",
                "wire/stale-fingers-are-harmless",
                "control/lookup",
            ],
            "lookups_end_at_a_possible_owner",
        ),
        "Nodes join and crash while the first member looks keys up.",
        "A lookup ends at an owner under some membership that was in force while it was open, or says that it failed: a newcomer counts from when it is asked to join, the dead until the ring had the time to notice.",
        |kit| {
            let keys = || vec![5, 17, 40, 42, 46, 81, 90, 121];
            kit.follow(&lecture_then(&[
                Settle(Until::Lists),
                Glance(16, keys()),
                Join(40, Some(16)),
                Glance(16, keys()),
                Rest(2),
                Glance(16, keys()),
                Crash(vec![80]),
                Glance(16, keys()),
                Rest(3),
                Join(88, Some(16)),
                Glance(16, keys()),
                Settle(Until::Neighbours),
                Glance(16, keys()),
            ]))
        },
    ),
    case(
        "chord/churn/long",
        Must,
        (
            &[
                "zave/progress",
                "wire/stable-ring-is-ordered",
                "control/join",
                "control/state",
                "control/lookup",
            ],
            "becomes_ideal",
        ),
        "By a schedule of the seed nodes join and crash, one crash at a time; then it stops.",
        "Within the stated number of periods the ring is in order, and lookups confirm it.",
        |kit| {
            let mut steps = lecture_then(&[Settle(Until::Neighbours)]);
            steps.extend(churn(kit.seed(), 2));
            steps.push(Settle(Until::Neighbours));
            kit.follow(&steps)
        },
    ),
];
