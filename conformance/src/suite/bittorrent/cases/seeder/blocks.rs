//! Requests and the blocks that answer them.

use std::time::Duration;

use peerproof_model::bittorrent::message::{BlockRequest, PeerMessage, Reserved};
use peerproof_model::bittorrent::view::Frame;
use peerproof_model::bittorrent::wire::peer::encode_message;

use super::{Asked, case};
use crate::case::Level::{May, Must};
use crate::case::{Case, Stop};
use crate::suite::bittorrent::seeder::SeederKit;

/// Requests that the kit keeps outstanding.
const PIPELINE: usize = 8;

const SERVED: Asked = (
    &["bep3/choked-requests-are-not-answered"],
    "requests_of_an_unchoked_neighbour_are_answered",
);
const ANY_CUT: Asked = (
    &["bep3/byte-stream"],
    "requests_of_an_unchoked_neighbour_are_answered",
);
const CONTENT: Asked = (&["bep3/piece-content"], "whole_pieces_have_their_hash");
const AS_ASKED: Asked = (
    &["bep3/piece-answers-request"],
    "blocks_are_what_was_asked_for",
);

pub(super) static CASES: &[Case<SeederKit>] = &[
    case(
        "bittorrent-seeder/block/last-piece",
        Must,
        CONTENT,
        "The kit requests every block of the last piece, which may be shorter than the others.",
        "The blocks together have the hash of the metainfo.",
        |kit| {
            let last = kit.torrent().pieces().saturating_sub(1);
            let mut peer = kit.unchoked(Reserved::NONE)?;
            peer.fetch(peer.blocks(last), PIPELINE)
        },
    ),
    case(
        "bittorrent-seeder/block/whole-piece",
        Must,
        CONTENT,
        "The kit requests every block of a piece.",
        "The blocks together have the hash of the metainfo.",
        whole_piece,
    ),
    case(
        "bittorrent-seeder/block/as-asked",
        Must,
        AS_ASKED,
        "The kit requests every block of a piece.",
        "Each block answers a request: the same piece, the same offset, the same length.",
        whole_piece,
    ),
    case(
        "bittorrent-seeder/request/inside-a-piece",
        Must,
        SERVED,
        "The kit requests 1000 bytes in the middle of a piece, at an odd offset.",
        "The target sends exactly these bytes.",
        |kit| part_of_a_piece(kit, 12_345, 1000),
    ),
    case(
        "bittorrent-seeder/request/one-byte",
        Must,
        SERVED,
        "The kit requests one byte.",
        "The target sends exactly this byte.",
        |kit| part_of_a_piece(kit, 77, 1),
    ),
    case(
        "bittorrent-seeder/request/across-blocks",
        Must,
        SERVED,
        "The kit requests 16384 bytes that begin in the middle of a block.",
        "The target sends exactly these bytes.",
        |kit| part_of_a_piece(kit, 8192, 1 << 14),
    ),
    case(
        "bittorrent-seeder/request/byte-by-byte",
        Must,
        ANY_CUT,
        "The kit requests a block, one byte of the message at a time.",
        "The target sends the block.",
        |kit| {
            let mut peer = kit.served()?;
            let piece = peer.open_piece()?;
            let block = peer.first_block(piece);
            let request = PeerMessage::Request(block);
            let mut bytes = Vec::new();
            encode_message(&request, &mut bytes);
            let (pause, what) = (Duration::from_millis(2), "part of a request");
            peer.send_slowly(&bytes, 1, pause, what, Frame::Message(request))?;
            peer.settle(|link| !link.told.requests.contains(&block))?;
            Ok(())
        },
    ),
    case(
        "bittorrent-seeder/request/pipelined",
        Must,
        (
            &["bep3/byte-stream", "bep3/choked-requests-are-not-answered"],
            "requests_of_an_unchoked_neighbour_are_answered",
        ),
        "The kit requests several blocks in one segment.",
        "The target sends every one of them.",
        |kit| {
            let mut peer = kit.served()?;
            let piece = peer.open_piece()?;
            let blocks: Vec<BlockRequest> = peer.blocks(piece).take(PIPELINE).collect();
            let requests: Vec<_> = blocks.iter().copied().map(PeerMessage::Request).collect();
            peer.send_together(&requests)?;
            peer.settle(move |link| {
                !blocks
                    .iter()
                    .any(|block| link.told.requests.contains(block))
            })?;
            Ok(())
        },
    ),
    case(
        "bittorrent-seeder/request/twice",
        Must,
        SERVED,
        "The kit requests one block twice without waiting.",
        "The target sends the block, once or twice.",
        |kit| {
            let mut peer = kit.served()?;
            let piece = peer.open_piece()?;
            let block = peer.first_block(piece);
            let request = PeerMessage::Request(block);
            peer.send_together(&[request.clone(), request])?;
            peer.settle(|link| !link.told.requests.contains(&block))?;
            Ok(())
        },
    ),
    case(
        "bittorrent-seeder/request/again",
        Must,
        SERVED,
        "The kit requests a block, and the same block again when it has come.",
        "The target sends the block each time.",
        |kit| {
            let mut peer = kit.served()?;
            kit.fetch_one(&mut peer)?;
            kit.fetch_one(&mut peer)
        },
    ),
    case(
        "bittorrent-seeder/connections/interleaved",
        Must,
        AS_ASKED,
        "Two peers of the kit request different blocks, in turns.",
        "Each gets what it asked for.",
        |kit| {
            let mut peers = kit.all_served(2)?;
            for turn in 0..4 {
                for (number, peer) in peers.iter_mut().enumerate() {
                    let piece = peer.open_piece()?;
                    let block = peer.blocks(piece).skip(number).nth(turn);
                    peer.fetch(block, 1)?;
                }
            }
            Ok(())
        },
    ),
    case(
        "bittorrent-seeder/cancel/unasked",
        Must,
        SERVED,
        "The kit cancels a request that it never made, then requests a block.",
        "The target sends the block.",
        |kit| {
            let mut peer = kit.served()?;
            let piece = peer.open_piece()?;
            let other = BlockRequest {
                begin: 1 << 14,
                ..peer.first_block(piece)
            };
            kit.then_fetch_one(&mut peer, PeerMessage::Cancel(other))
        },
    ),
    case(
        "bittorrent-seeder/cancel/dropped",
        May,
        (&["bep3/cancel"], "cancelled_requests_are_dropped"),
        "In one segment the kit requests several blocks, cancels the last of them and requests metadata.",
        "The target does not send the cancelled block.",
        |kit| {
            let mut peer = kit.served()?;
            let piece = peer.open_piece()?;
            let blocks: Vec<_> = peer.blocks(piece).take(6).collect();
            let mut said: Vec<_> = blocks.iter().copied().map(PeerMessage::Request).collect();
            said.extend(blocks.last().copied().map(PeerMessage::Cancel));
            // An answer to this that comes before the block shows that the cancel had been read.
            said.extend(peer.metadata_request(0)?);
            peer.send_together(&said)?;
            peer.settle(|link| link.told.awaited().next().is_none())?;
            Ok(())
        },
    ),
];

/// The story of every case that looks at the blocks of a piece, or at what the target says all the while.
pub(super) fn whole_piece(kit: &mut SeederKit) -> Result<(), Stop> {
    let mut peer = kit.served()?;
    let piece = peer.open_piece()?;
    peer.fetch(peer.blocks(piece), PIPELINE)
}

/// Requests a part of a piece, cut down to what the piece has.
fn part_of_a_piece(kit: &mut SeederKit, begin: u32, length: u32) -> Result<(), Stop> {
    let mut peer = kit.served()?;
    let index = peer.open_piece()?;
    let end = peer.piece_len(index);
    let begin = begin.min(end.saturating_sub(1));
    let length = length.min(end - begin);
    let block = BlockRequest {
        index,
        begin,
        length,
    };
    peer.fetch([block], 1)
}
