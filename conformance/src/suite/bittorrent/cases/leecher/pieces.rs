//! What the target does with what it is given.

use peerproof_model::bittorrent::message::PeerMessage::{Piece, Unchoke};

use super::{PIECES, scene, seed};
use crate::case::{Case, CaseInfo, Level};
use crate::suite::bittorrent::swarm::{BLOCK, Plan, Serves, Swarm, some};

/// The cases of this topic.
pub(super) const CASES: &[Case<Swarm>] = &[
    Case {
        info: CaseInfo {
            id: "bittorrent-leecher/piece/bad-is-not-announced",
            story: "One neighbour has a piece of two blocks and sends it with wrong bytes; another has another piece.",
            expected: "The target announces the right piece, and not the wrong one.",
            level: Level::Must,
            claims: &["bep3/have-after-verification"],
            property: "only_verified_pieces_are_announced",
            slow: false,
            alone: false,
        },
        play: |kit| {
            let liar = Plan::with(some(PIECES, [9])).serving(Serves::Wrongly(9));
            kit.begin(scene([liar, Plan::with(some(PIECES, [3]))]).of_blocks(2))?;
            kit.await_neighbour(0)?;
            kit.await_neighbour(1)?;
            kit.await_block_given(9)?;
            kit.await_have(1, 3)?;
            kit.calm()
        },
    },
    Case {
        info: CaseInfo {
            id: "bittorrent-leecher/piece/bad-is-fetched-again",
            story: "One neighbour has a single piece and sends it with wrong bytes; then a seed unchokes the target.",
            expected: "The target fetches that piece again.",
            level: Level::Must,
            claims: &["bep3/bad-piece-refetched"],
            property: "spoiled_pieces_are_fetched_again",
            slow: false,
            alone: false,
        },
        play: |kit| {
            let liar = Plan::with(some(PIECES, [9])).serving(Serves::Wrongly(9));
            kit.begin(scene([liar, seed().choking()]))?;
            kit.await_neighbour(0)?;
            kit.await_neighbour(1)?;
            kit.await_block_given(9)?;
            kit.await_interested(1)?;
            kit.calm()?;
            kit.say(1, Unchoke)?;
            kit.or_due(kit.await_given())
        },
    },
    Case {
        info: CaseInfo {
            id: "bittorrent-leecher/piece/have-only-after-the-last-block",
            story: "A neighbour has one piece of four blocks and sends all but the last; after a while it sends that too.",
            expected: "The target announces the piece when it has every block, and not before.",
            level: Level::Must,
            claims: &["bep3/have-after-verification"],
            property: "only_verified_pieces_are_announced",
            slow: false,
            alone: false,
        },
        play: |kit| {
            let one = Plan::with(some(PIECES, [6])).serving(Serves::OnCue);
            kit.begin(scene([one]).of_blocks(4))?;
            kit.await_neighbour(0)?;
            kit.serve_some(0, 3)?;
            kit.calm()?;
            kit.serve(0, Serves::AtOnce)?;
            kit.await_have(0, 6)
        },
    },
    Case {
        info: CaseInfo {
            id: "bittorrent-leecher/piece/completed-is-announced",
            story: "A neighbour gives the target three pieces, one at a time; another one, which has a fourth and chokes, listens.",
            expected: "The target announces each completed piece to that neighbour.",
            level: Level::Must,
            claims: &["bep3/have-after-verification"],
            property: "every_piece_is_announced",
            slow: false,
            alone: false,
        },
        play: |kit| {
            let three = Plan::with(some(PIECES, [1, 4, 8])).choking();
            let listener = Plan::with(some(PIECES, [12])).choking();
            kit.begin(scene([three, listener]))?;
            // Who is not greeted yet is told later, by a bitfield.
            kit.await_interested(1)?;
            kit.await_interested(0)?;
            kit.say(0, Unchoke)?;
            kit.or_due(kit.await_haves(1, [1, 4, 8]))?;
            kit.calm()
        },
    },
    Case {
        info: CaseInfo {
            id: "bittorrent-leecher/piece/unsolicited",
            story: "A choking neighbour sends a piece with wrong bytes that nobody requested; a seed serves the rest.",
            expected: "The target does not announce that piece before it was given it rightly.",
            level: Level::Must,
            claims: &["bep3/have-after-verification"],
            property: "only_verified_pieces_are_announced",
            slow: false,
            alone: false,
        },
        play: |kit| {
            let liar = Plan::with(some(PIECES, [9])).choking();
            kit.begin(scene([liar, seed().choking()]))?;
            kit.await_neighbour(0)?;
            kit.await_neighbour(1)?;
            kit.await_interested(1)?;
            let data = vec![0; BLOCK as usize];
            kit.say(
                0,
                Piece {
                    index: 9,
                    begin: 0,
                    data,
                },
            )?;
            kit.calm()?;
            kit.say(1, Unchoke)?;
            kit.await_given()?;
            kit.calm()
        },
    },
    Case {
        info: CaseInfo {
            id: "bittorrent-leecher/piece/wrong-length",
            story: "A neighbour answers the first request with a block that lacks its last byte; a seed serves everything.",
            expected: "The target completes the download.",
            level: Level::Must,
            claims: &["bep3/download-completes"],
            property: "completes_from_sound_neighbours",
            slow: false,
            alone: false,
        },
        play: |kit| {
            let short = Plan::with(some(PIECES, [5])).serving(Serves::TooShort);
            kit.begin(scene([short, seed().choking()]))?;
            kit.await_neighbour(0)?;
            kit.await_neighbour(1)?;
            kit.await_block_given(5)?;
            kit.leave(0)?;
            kit.say(1, Unchoke)?;
            kit.or_due(kit.await_given())?;
            kit.calm()
        },
    },
];
