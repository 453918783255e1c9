//! The fast extension (BEP 6).

use peerproof_model::bittorrent::message::{BlockRequest, PeerMessage};

use super::bitfield::greeted_plainly;
use super::{Asked, case};
use crate::case::Level::{May, Must, Should};
use crate::case::{Case, Stop};
use crate::suite::bittorrent::seeder::SeederKit;

const UNINVITED: Asked = (
    &["bep6/closed-without-negotiation"],
    "uninvited_fast_messages_are_closed",
);
const CLOSED: &str = "The target, which has the extension, closes the connection.";

pub(super) static CASES: &[Case<SeederKit>] = &[
    case(
        "bittorrent-seeder/fast/only-negotiated",
        Must,
        (
            &["bep6/negotiated"],
            "fast_messages_only_when_both_have_the_bit",
        ),
        "The kit says a handshake without the bit of the fast extension.",
        "The target sends none of its messages.",
        greeted_plainly,
    ),
    case(
        "bittorrent-seeder/fast/declaration",
        Must,
        (&["bep6/declaration"], "with_fast_the_pieces_are_declared"),
        "Both have the bit of the fast extension, and the kit is interested.",
        "The target sends a bitfield, have-all or have-none.",
        greeted_fast,
    ),
    case(
        "bittorrent-seeder/fast/declaration-first",
        Must,
        (
            &["bep6/declaration"],
            "the_declaration_is_the_first_message",
        ),
        "Both have the bit of the fast extension, and the kit is interested.",
        "The target's bitfield, have-all or have-none is its first message.",
        greeted_fast,
    ),
    case(
        "bittorrent-seeder/fast/one-answer",
        Must,
        (
            &["bep6/one-answer"],
            "with_fast_every_request_is_answered_once",
        ),
        "The kit requests a block, and one of a piece that the torrent lacks.",
        "The target answers each once, by the block or a reject, or closes because of the second.",
        |kit| {
            let mut peer = kit.served()?;
            needs_fast(peer.view()?.fast())?;
            kit.fetch_one(&mut peer)?;
            let nowhere = BlockRequest {
                index: kit.torrent().pieces(),
                begin: 0,
                length: 1 << 14,
            };
            peer.fetch([nowhere], 1)
        },
    ),
    case(
        "bittorrent-seeder/fast/choked-rejected",
        Should,
        (&["bep6/choked-rejected"], "choked_requests_are_rejected"),
        "The kit requests a block that it is not offered, before it is interested or unchoked.",
        "The target rejects the request.",
        |kit| {
            let mut peer = kit.fast()?;
            peer.await_pieces()?;
            let offered = peer.view()?.heard.allowed_fast;
            let pieces = 0..kit.torrent().pieces();
            let piece = pieces.rev().find(|piece| !offered.contains(piece));
            let block = peer.first_block(piece.unwrap_or(0));
            peer.send(PeerMessage::Request(block))?;
            peer.settle(|link| !link.told.awaits(&block))?;
            kit.was_choked(&peer)
        },
    ),
    case(
        "bittorrent-seeder/fast/cancel-answered",
        Should,
        (
            &["bep6/one-answer"],
            "with_fast_every_request_is_answered_once",
        ),
        "In one segment the kit requests several blocks and cancels the last of them.",
        "The target answers each request once: by the block, or by a reject.",
        |kit| {
            let mut peer = kit.served()?;
            needs_fast(peer.view()?.fast())?;
            let piece = peer.open_piece()?;
            let blocks: Vec<_> = peer.blocks(piece).take(4).collect();
            let mut said: Vec<_> = blocks.iter().copied().map(PeerMessage::Request).collect();
            said.extend(blocks.last().copied().map(PeerMessage::Cancel));
            peer.send_together(&said)?;
            peer.settle(|link| link.told.awaited().next().is_none())?;
            Ok(())
        },
    ),
    case(
        "bittorrent-seeder/fast/allowed-set",
        Should,
        (
            &["bep6/allowed-fast-set"],
            "the_allowed_fast_set_is_the_generated_one",
        ),
        "Both have the bit of the fast extension, and the kit is interested.",
        "The pieces that the target offers while choking are those generated from the kit's address.",
        greeted_fast,
    ),
    case(
        "bittorrent-seeder/fast/allowed-served",
        May,
        (
            &["bep6/allowed-fast-served"],
            "allowed_fast_requests_are_served_while_choked",
        ),
        "Before it is interested or unchoked, the kit requests a block of a piece that the target offers.",
        "The target sends the block, or rejects the request.",
        |kit| {
            let mut peer = kit.fast()?;
            peer.listen(|link| !link.heard.allowed_fast.is_empty())?;
            offers(peer.view()?.heard.allowed_fast.len())?;
            kit.fetch_one(&mut peer)
        },
    ),
    case(
        "bittorrent-seeder/fast/uninvited-have-all",
        Must,
        UNINVITED,
        "The kit, without the bit of the fast extension, says have-all.",
        CLOSED,
        |kit| uninvited(kit, PeerMessage::HaveAll),
    ),
    case(
        "bittorrent-seeder/fast/uninvited-have-none",
        Must,
        UNINVITED,
        "The kit, without the bit of the fast extension, says have-none.",
        CLOSED,
        |kit| uninvited(kit, PeerMessage::HaveNone),
    ),
    case(
        "bittorrent-seeder/fast/uninvited-suggest",
        Must,
        UNINVITED,
        "The kit, without the bit of the fast extension, suggests a piece.",
        CLOSED,
        |kit| uninvited(kit, PeerMessage::SuggestPiece(0)),
    ),
    case(
        "bittorrent-seeder/fast/uninvited-allowed-fast",
        Must,
        UNINVITED,
        "The kit, without the bit of the fast extension, offers a piece while choking.",
        CLOSED,
        |kit| uninvited(kit, PeerMessage::AllowedFast(0)),
    ),
    case(
        "bittorrent-seeder/fast/uninvited-reject",
        Must,
        UNINVITED,
        "The kit, without the bit of the fast extension, rejects a request.",
        CLOSED,
        |kit| uninvited(kit, PeerMessage::RejectRequest(first_block())),
    ),
    case(
        "bittorrent-seeder/fast/unasked-block",
        Must,
        (&["bep6/unasked-block-closed"], "an_unasked_block_is_closed"),
        "With the fast extension, the kit sends a block that nobody requested.",
        "The target closes the connection.",
        |kit| {
            let mut peer = kit.fast()?;
            let mut data = vec![0; 1 << 14];
            kit.random.fill(&mut data);
            peer.send(PeerMessage::Piece {
                index: 0,
                begin: 0,
                data,
            })?;
            peer.settle_closed()
        },
    ),
    case(
        "bittorrent-seeder/fast/unasked-reject",
        Should,
        (
            &["bep6/unasked-reject-closed"],
            "an_unasked_rejection_is_closed",
        ),
        "With the fast extension, the kit rejects a request that nobody made.",
        "The target closes the connection.",
        |kit| {
            let mut peer = kit.fast()?;
            peer.send(PeerMessage::RejectRequest(first_block()))?;
            peer.settle_closed()
        },
    ),
];

/// The story of every case that looks at what the target says to an interested peer with the fast extension.
fn greeted_fast(kit: &mut SeederKit) -> Result<(), Stop> {
    let mut peer = kit.fast()?;
    peer.settle(|link| link.heard.declared)?;
    peer.send(PeerMessage::Interested)?;
    peer.listen(|link| link.heard.allowed_fast.len() >= 10)?;
    offers(peer.view()?.heard.allowed_fast.len())
}

const fn first_block() -> BlockRequest {
    BlockRequest {
        index: 0,
        begin: 0,
        length: 1 << 14,
    }
}

fn uninvited(kit: &mut SeederKit, message: PeerMessage) -> Result<(), Stop> {
    let mut peer = kit.without_fast()?;
    peer.send(message)?;
    peer.settle_closed()
}

fn needs_fast(fast: bool) -> Result<(), Stop> {
    if fast {
        return Ok(());
    }
    let why = "the target does not offer the fast extension";
    Err(Stop::Unimplemented(why.to_owned()))
}

fn offers(count: usize) -> Result<(), Stop> {
    if count > 0 {
        return Ok(());
    }
    let why = "the target offers no piece while choking";
    Err(Stop::Unimplemented(why.to_owned()))
}
