//! How the target begins a connection, and which ones it does not keep.

use peerproof_model::bittorrent::message::PeerMessage::Unchoke;
use peerproof_model::bittorrent::message::{InfoHash, PeerId};

use super::{PIECES, scene, seed};
use crate::case::{Case, CaseInfo, Level};
use crate::suite::bittorrent::swarm::{Form, Plan, Script, Serves, Swarm, some};

/// The cases of this topic.
pub(super) const CASES: &[Case<Swarm>] = &[
    Case {
        info: CaseInfo {
            id: "bittorrent-leecher/handshake/names-the-torrent",
            story: "A seed that the tracker returned waits for the target's connection.",
            expected: "The first 68 bytes are a handshake with the info hash of the torrent.",
            level: Level::Must,
            claims: &["bep3/handshake"],
            property: "the_handshake_names_the_torrent",
            slow: false,
            alone: false,
        },
        play: |kit| {
            kit.begin(scene([seed()]))?;
            kit.await_neighbour(0)
        },
    },
    Case {
        info: CaseInfo {
            id: "bittorrent-leecher/handshake/announced-peer-id",
            story: "A seed compares the peer id of the target's handshake with that of its announce.",
            expected: "They are the same.",
            level: Level::Must,
            claims: &["bep3/peer-id-in-handshake"],
            property: "the_announced_peer_id_is_used",
            slow: false,
            alone: false,
        },
        play: |kit| {
            kit.begin(scene([seed()]))?;
            kit.await_neighbour(0)
        },
    },
    Case {
        info: CaseInfo {
            id: "bittorrent-leecher/handshake/foreign-torrent",
            story: "A neighbour that the target dialled answers with the info hash of another torrent, and chokes.",
            expected: "The target closes the connection.",
            level: Level::Must,
            claims: &["bep3/foreign-torrent-closed"],
            property: "a_handshake_for_another_torrent_is_closed",
            slow: false,
            alone: false,
        },
        play: |kit| {
            let names = Some(InfoHash(*b"some other torrent.."));
            kit.begin(scene([Plan {
                names,
                ..seed().choking()
            }]))?;
            kit.await_neighbour(0)?;
            kit.or_due(kit.await_closed(0))
        },
    },
    Case {
        info: CaseInfo {
            id: "bittorrent-leecher/handshake/stranger",
            story: "The tracker returns a neighbour with its peer id; at that address another peer answers, and chokes.",
            expected: "The target closes the connection.",
            level: Level::Should,
            claims: &["bep3/unexpected-peer-id-closed"],
            property: "a_stranger_behind_a_dialled_address_is_closed",
            slow: false,
            alone: false,
        },
        play: |kit| {
            let is_called = Some(PeerId(*b"-PP0100-not-this-one"));
            let form = Form::Dictionaries;
            let tracker = Script {
                form,
                ..Script::default()
            };
            kit.begin(
                scene([Plan {
                    is_called,
                    ..seed().choking()
                }])
                .tracked(tracker),
            )?;
            kit.await_neighbour(0)?;
            kit.calm()
        },
    },
    Case {
        info: CaseInfo {
            id: "bittorrent-leecher/handshake/says-what-it-has",
            story: "The target, which has nothing yet, connects to a seed.",
            expected: "It announces no piece, by bitfield or have, before it was given it.",
            level: Level::Must,
            claims: &["bep3/have-after-verification"],
            property: "only_verified_pieces_are_announced",
            slow: false,
            alone: false,
        },
        play: |kit| {
            kit.begin(scene([seed()]))?;
            kit.await_neighbour(0)?;
            kit.await_given()?;
            kit.calm()
        },
    },
    Case {
        info: CaseInfo {
            id: "bittorrent-leecher/handshake/bitfield-only-first",
            story: "A seed gives the target one piece after the other; a neighbour without pieces listens too.",
            expected: "A bitfield comes first of all messages, or never: completed pieces are announced by have.",
            level: Level::Must,
            claims: &["bep3/bitfield-only-at-the-start"],
            property: "bitfields_come_first",
            slow: false,
            alone: false,
        },
        play: |kit| {
            let listener = Plan::with(some(PIECES, []));
            kit.begin(scene([listener, seed().choking().serving(Serves::OnCue)]))?;
            kit.await_neighbour(0)?;
            kit.await_neighbour(1)?;
            kit.await_interested(1)?;
            kit.say(1, Unchoke)?;
            kit.serve_some(1, 1)?;
            kit.calm()?;
            kit.serve(1, Serves::AtOnce)?;
            kit.await_given()?;
            kit.calm()
        },
    },
];
