//! Copies, and what they are good for.

use super::{case, keys, lecture_then};
use crate::case::Case;
use crate::case::Level::Must;
use crate::suite::chord::kit::{RingKit, Shape};
use crate::suite::chord::step::Step::{Crash, GetFromAll, Heal, Part, Put, PutInVain, Settle};
use crate::suite::chord::step::Until;

pub(super) static CASES: &[Case<RingKit>] = &[
    case(
        "chord/replicas/placement",
        Must,
        (
            &[
                "lecture/keys-are-replicated",
                "control/state",
                "control/keys",
                "control/put",
            ],
            "values_are_replicated",
        ),
        "Where a key is kept three times, values are stored all round the lectures' ring.",
        "Each is with its owner and the two members after it.",
        |kit| {
            kit.ring(Shape::with_replicas(3));
            let mut steps = lecture_then(&[Settle(Until::Lists)]);
            steps.extend(keys::puts());
            steps.push(Settle(Until::Keys));
            kit.follow(&steps)?;
            kit.demand("keys", |tells| tells.keys)
        },
    ),
    case(
        "chord/replicas/no-key-lost-after-crashes",
        Must,
        (
            &["lecture/keys-are-replicated", "control/put", "control/get"],
            "acknowledged_values_survive",
        ),
        "Where a key is kept three times, values are stored all round the lectures' ring; then an owner and its successor crash at the same moment.",
        "Every value is found once the ring has repaired itself.",
        |kit| {
            kit.ring(Shape::with_replicas(3));
            let mut steps = lecture_then(&[Settle(Until::Lists)]);
            steps.extend(keys::puts());
            steps.extend([
                Settle(Until::Keys),
                Crash(vec![45, 80]),
                Settle(Until::Neighbours),
                GetFromAll(45),
                GetFromAll(80),
                GetFromAll(46),
                GetFromAll(3),
            ]);
            kit.follow(&steps)
        },
    ),
    case(
        "chord/replicas/acknowledged-is-durable",
        Must,
        (
            &["control/put", "lecture/keys-are-replicated", "control/get"],
            "acknowledged_values_survive",
        ),
        "Where a key is kept three times, the owner of a stored value is cut off with the member before it, asked by way of that to store another one, and crashes.",
        "It must not acknowledge what it cannot give to the others: what was acknowledged last is found.",
        |kit| {
            kit.ring(Shape::with_replicas(3));
            let mut steps = lecture_then(&[
                Settle(Until::Lists),
                Put(80, 42, "apple"),
                Settle(Until::Keys),
            ]);
            if kit.carries_messages() {
                steps.extend([
                    Part(vec![32, 45]),
                    PutInVain(32, 42, "pear"),
                    Crash(vec![45]),
                    Heal,
                ]);
            } else {
                steps.extend([Put(45, 42, "pear"), Crash(vec![45])]);
            }
            steps.extend([Settle(Until::Neighbours), GetFromAll(42)]);
            kit.follow(&steps)
        },
    ),
];
