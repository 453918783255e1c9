//! What the target does once it has everything.

use peerproof_model::bittorrent::message::BlockRequest;
use peerproof_model::bittorrent::message::PeerMessage::{Interested, Request};

use super::{PIECES, scene, seed};
use crate::case::{Case, CaseInfo, Level};
use crate::suite::bittorrent::swarm::{BLOCK, Plan, Swarm, some};

/// The cases of this topic.
pub(super) const CASES: &[Case<Swarm>] = &[
    Case {
        info: CaseInfo {
            id: "bittorrent-leecher/seeding/serves",
            story: "The target completes the download; then a neighbour without pieces is interested and requests a block.",
            expected: "The target unchokes it and sends the right block.",
            level: Level::Should,
            claims: &["bep3/seed-serves"],
            property: "blocks_have_the_bytes_of_the_torrent",
            slow: false,
            alone: false,
        },
        play: |kit| {
            kit.begin(scene([seed(), Plan::with(some(PIECES, []))]))?;
            kit.await_neighbour(1)?;
            kit.await_neighbour(0)?;
            kit.await_given()?;
            kit.await_have(1, 2)?;
            kit.say(1, Interested)?;
            kit.await_unchoke(1)?;
            kit.say(
                1,
                Request(BlockRequest {
                    index: 2,
                    begin: 0,
                    length: BLOCK,
                }),
            )?;
            kit.await_blocks(1)
        },
    },
    Case {
        info: CaseInfo {
            id: "bittorrent-leecher/seeding/has-no-interest",
            story: "The target completes the download from one of two seeds.",
            expected: "It says to both that it is not interested any more, or closes.",
            level: Level::Must,
            claims: &["bep3/interest-up-to-date"],
            property: "interest_ends_with_the_last_wanted_piece",
            slow: false,
            alone: false,
        },
        play: |kit| {
            kit.begin(scene([seed(), seed().choking()]))?;
            kit.await_neighbour(1)?;
            kit.await_interested(1)?;
            kit.await_neighbour(0)?;
            kit.await_given()?;
            kit.or_due(kit.await_not_interested(1))?;
            kit.calm()
        },
    },
];
