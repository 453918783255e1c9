//! Whether the target says what it wants, and stops saying so.

use peerproof_model::bittorrent::message::PeerMessage::Have;

use super::{PIECES, scene, seed};
use crate::case::{Case, CaseInfo, Level};
use crate::suite::bittorrent::swarm::{Plan, Swarm, some};

/// The cases of this topic.
pub(super) const CASES: &[Case<Swarm>] = &[
    Case {
        info: CaseInfo {
            id: "bittorrent-leecher/interest/in-a-seed",
            story: "The target connects to a seed that chokes it.",
            expected: "It says that it is interested.",
            level: Level::Must,
            claims: &["bep3/interest-up-to-date"],
            property: "interest_is_said",
            slow: false,
            alone: false,
        },
        play: |kit| {
            kit.begin(scene([seed().choking()]))?;
            kit.await_neighbour(0)?;
            kit.or_due(kit.await_interested(0))
        },
    },
    Case {
        info: CaseInfo {
            id: "bittorrent-leecher/interest/not-in-an-empty-peer",
            story: "The target connects to a neighbour without pieces; later that neighbour announces one.",
            expected: "It says that it is interested after the have, and not before.",
            level: Level::Must,
            claims: &["bep3/interest-up-to-date"],
            property: "interested_only_when_something_is_lacking",
            slow: false,
            alone: false,
        },
        play: |kit| {
            kit.begin(scene([Plan::with(some(PIECES, [])).choking()]))?;
            kit.await_neighbour(0)?;
            kit.calm()?;
            kit.say(0, Have(3))?;
            kit.await_interested(0)
        },
    },
    Case {
        info: CaseInfo {
            id: "bittorrent-leecher/interest/after-have",
            story: "A neighbour without pieces announces one.",
            expected: "The target says that it is interested.",
            level: Level::Must,
            claims: &["bep3/interest-up-to-date"],
            property: "interest_is_said",
            slow: false,
            alone: false,
        },
        play: |kit| {
            kit.begin(scene([Plan::with(some(PIECES, [])).choking()]))?;
            kit.await_neighbour(0)?;
            kit.calm()?;
            kit.say(0, Have(3))?;
            kit.or_due(kit.await_interested(0))
        },
    },
    Case {
        info: CaseInfo {
            id: "bittorrent-leecher/interest/lost",
            story: "A neighbour has three pieces and gives all of them to the target.",
            expected: "The target says that it is not interested any more, or closes.",
            level: Level::Must,
            claims: &["bep3/interest-up-to-date"],
            property: "interest_ends_with_the_last_wanted_piece",
            slow: false,
            alone: false,
        },
        play: |kit| {
            kit.begin(scene([Plan::with(some(PIECES, [2, 5, 11]))]))?;
            kit.await_neighbour(0)?;
            kit.await_haves(0, [2, 5, 11])?;
            kit.or_due(kit.await_not_interested(0))?;
            kit.calm()
        },
    },
    Case {
        info: CaseInfo {
            id: "bittorrent-leecher/interest/again-after-have",
            story: "A neighbour gives the target all of its three pieces, and announces a fourth one later.",
            expected: "The target is interested again and fetches it.",
            level: Level::Must,
            claims: &[
                "bep3/interest-up-to-date",
                "bep3/request-what-was-announced",
            ],
            property: "requests_only_what_the_neighbour_has",
            slow: false,
            alone: false,
        },
        play: |kit| {
            kit.begin(scene([Plan::with(some(PIECES, [2, 5, 11]))]))?;
            kit.await_neighbour(0)?;
            kit.await_haves(0, [2, 5, 11])?;
            kit.say(0, Have(7))?;
            kit.await_have(0, 7)
        },
    },
];
