//! What the target requests, from whom, and how much at a time.

use peerproof_model::bittorrent::message::PeerMessage::{Choke, Have, Unchoke};
use peerproof_model::bittorrent::message::Reserved;

use super::{PIECES, scene, seed};
use crate::case::{Case, CaseInfo, Level};
use crate::suite::bittorrent::swarm::{Plan, Scene, Serves, Swarm, all, some};

/// The cases of this topic.
pub(super) const CASES: &[Case<Swarm>] = &[
    Case {
        info: CaseInfo {
            id: "bittorrent-leecher/request/not-while-choked",
            story: "A neighbour lets the target request, chokes it, announces another piece meanwhile, and unchokes it.",
            expected: "The target requests only while it is not choked.",
            level: Level::Must,
            claims: &["bep3/choked-requests-are-not-answered"],
            property: "requests_only_while_unchoked",
            slow: false,
            alone: false,
        },
        play: |kit| {
            let has = some(PIECES, 0..PIECES - 1);
            kit.begin(scene([Plan::with(has).choking().serving(Serves::OnCue)]))?;
            kit.await_neighbour(0)?;
            kit.await_interested(0)?;
            kit.calm()?;
            kit.say(0, Unchoke)?;
            kit.await_requests(0, 1)?;
            kit.say(0, Choke)?;
            kit.calm()?;
            kit.say(0, Have(PIECES - 1))?;
            kit.calm()?;
            kit.say(0, Unchoke)?;
            kit.await_requests(0, 1).map(drop)
        },
    },
    Case {
        info: CaseInfo {
            id: "bittorrent-leecher/request/not-what-the-neighbour-lacks",
            story: "Two neighbours have different halves of the torrent and serve what is requested.",
            expected: "The target requests of each only the pieces that it announced, and completes.",
            level: Level::Must,
            claims: &["bep3/request-what-was-announced"],
            property: "requests_only_what_the_neighbour_has",
            slow: false,
            alone: false,
        },
        play: |kit| {
            let even = Plan::with(some(PIECES, (0..PIECES).step_by(2)));
            let odd = Plan::with(some(PIECES, (1..PIECES).step_by(2)));
            kit.begin(scene([even, odd]))?;
            kit.await_neighbour(0)?;
            kit.await_neighbour(1)?;
            kit.await_given()
        },
    },
    Case {
        info: CaseInfo {
            id: "bittorrent-leecher/request/not-what-it-has",
            story: "A seed serves what is requested, one block after the other, until the download is complete.",
            expected: "The target requests no block of a piece that it has announced.",
            level: Level::Must,
            claims: &["bep3/interest-up-to-date"],
            property: "requests_only_what_is_missing",
            slow: false,
            alone: false,
        },
        play: |kit| {
            kit.begin(scene([seed().serving(Serves::AfterHave)]))?;
            kit.await_neighbour(0)?;
            kit.await_given()?;
            kit.calm()
        },
    },
    Case {
        info: CaseInfo {
            id: "bittorrent-leecher/request/inside-the-piece",
            story: "The target fetches a torrent of pieces of three blocks, whose last piece is short and ends inside a block.",
            expected: "Every request lies inside its piece.",
            level: Level::Must,
            claims: &["bep3/request-bounds"],
            property: "requests_lie_inside_their_piece",
            slow: false,
            alone: false,
        },
        play: |kit| {
            kit.begin(Scene {
                cut: 20_000,
                ..scene([seed()]).of_blocks(3)
            })?;
            kit.await_neighbour(0)?;
            kit.await_given()
        },
    },
    Case {
        info: CaseInfo {
            id: "bittorrent-leecher/request/at-most-16-kib",
            story: "The target fetches a torrent of pieces of 256 KiB.",
            expected: "No request asks for more than 16384 bytes.",
            level: Level::Must,
            claims: &["bep3/request-length"],
            property: "requests_are_at_most_16_kib",
            slow: false,
            alone: false,
        },
        play: |kit| {
            kit.begin(Scene::of(4, vec![Plan::with(all(4))]).of_blocks(16))?;
            kit.await_neighbour(0)?;
            kit.await_given()
        },
    },
    Case {
        info: CaseInfo {
            id: "bittorrent-leecher/request/pipelined",
            story: "A seed lets the target request and does not answer yet.",
            expected: "The target has more than one request under way.",
            level: Level::Should,
            claims: &["bep3/requests-pipelined"],
            property: "requests_are_pipelined",
            slow: false,
            alone: false,
        },
        play: |kit| {
            kit.begin(scene([seed().serving(Serves::OnCue)]))?;
            kit.await_neighbour(0)?;
            kit.await_requests(0, 1)?;
            kit.calm()?;
            kit.serve(0, Serves::AtOnce)?;
            kit.await_given()
        },
    },
    Case {
        info: CaseInfo {
            id: "bittorrent-leecher/request/reqq",
            story: "A seed says in its extension handshake that it keeps four requests; it answers on cue.",
            expected: "The target never has more than four requests under way to it.",
            level: Level::Should,
            claims: &["bep10/reqq"],
            property: "no_more_requests_than_the_neighbour_keeps",
            slow: false,
            alone: false,
        },
        play: |kit| {
            let extended = Reserved::NONE.with_extension_protocol();
            let keeps = Plan {
                reserved: extended,
                reqq: Some(4),
                ..seed()
            };
            kit.begin(scene([keeps.choking().serving(Serves::OnCue)]))?;
            kit.await_neighbour(0)?;
            kit.await_interested(0)?;
            kit.calm()?;
            kit.say(0, Unchoke)?;
            kit.await_requests(0, 1)?;
            kit.calm()?;
            kit.serve(0, Serves::AtOnce)?;
            kit.await_given()
        },
    },
    Case {
        info: CaseInfo {
            id: "bittorrent-leecher/request/again-after-choke",
            story: "The only seed chokes the target while requests are under way, does not answer them, and unchokes it again.",
            expected: "The target requests the dropped blocks again.",
            level: Level::Must,
            claims: &["bep3/request-again-after-choke"],
            property: "requests_dropped_by_a_choke_are_repeated",
            slow: false,
            alone: false,
        },
        play: |kit| {
            kit.begin(scene([seed().serving(Serves::OnCue)]))?;
            kit.await_neighbour(0)?;
            kit.await_requests(0, 1)?;
            kit.calm()?;
            kit.say(0, Choke)?;
            kit.calm()?;
            kit.serve(0, Serves::AtOnce)?;
            kit.say(0, Unchoke)?;
            kit.or_due(kit.await_given())
        },
    },
    Case {
        info: CaseInfo {
            id: "bittorrent-leecher/request/again-elsewhere",
            story: "A seed leaves with requests unanswered; another one unchokes after that.",
            expected: "The target requests the lost blocks of the other one.",
            level: Level::Must,
            claims: &["bep3/request-again-elsewhere"],
            property: "requests_lost_with_a_link_are_repeated",
            slow: false,
            alone: false,
        },
        play: |kit| {
            kit.begin(scene([seed().serving(Serves::OnCue), seed().choking()]))?;
            kit.await_neighbour(0)?;
            kit.await_neighbour(1)?;
            kit.await_interested(1)?;
            kit.await_requests(0, 1)?;
            kit.leave(0)?;
            kit.say(1, Unchoke)?;
            kit.or_due(kit.await_given())
        },
    },
];
