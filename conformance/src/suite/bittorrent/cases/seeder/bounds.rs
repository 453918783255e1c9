//! Requests that nobody may make.

use peerproof_model::bittorrent::message::BlockRequest;

use super::{Asked, case};
use crate::case::Case;
use crate::case::Level::{May, Must, Should};
use crate::suite::bittorrent::seeder::SeederKit;

const BEYOND: Asked = (
    &["bep3/request-bounds"],
    "requests_beyond_the_piece_get_no_block",
);
const NO_BLOCK: &str =
    "The target rejects the request, ignores it or closes: it sends no block for it.";

pub(super) static CASES: &[Case<SeederKit>] = &[
    case(
        "bittorrent-seeder/bounds/beyond-the-piece",
        Must,
        BEYOND,
        "The kit requests a block that ends 100 bytes beyond its piece.",
        NO_BLOCK,
        |kit| {
            kit.try_request(|peer, index| BlockRequest {
                index,
                begin: peer.piece_len(index).saturating_sub(100),
                length: 200,
            })
        },
    ),
    case(
        "bittorrent-seeder/bounds/behind-the-piece",
        Must,
        BEYOND,
        "The kit requests a block that begins where its piece ends.",
        NO_BLOCK,
        |kit| {
            kit.try_request(|peer, index| BlockRequest {
                index,
                begin: peer.piece_len(index),
                length: 1 << 14,
            })
        },
    ),
    case(
        "bittorrent-seeder/bounds/beyond-the-last-piece",
        Must,
        BEYOND,
        "The kit requests a block of the last piece, behind its end but inside of a piece of full length.",
        NO_BLOCK,
        |kit| {
            let last = kit.torrent().pieces().saturating_sub(1);
            kit.try_request(move |peer, _| BlockRequest {
                index: last,
                begin: peer.piece_len(last),
                length: 1,
            })
        },
    ),
    case(
        "bittorrent-seeder/bounds/no-such-piece",
        Must,
        BEYOND,
        "The kit requests a block of the piece behind the last one.",
        NO_BLOCK,
        |kit| {
            let index = kit.torrent().pieces();
            kit.try_request(move |_, _| BlockRequest {
                index,
                begin: 0,
                length: 1 << 14,
            })
        },
    ),
    case(
        "bittorrent-seeder/bounds/largest-index",
        Must,
        BEYOND,
        "The kit requests a block of piece 4294967295.",
        NO_BLOCK,
        |kit| {
            kit.try_request(|_, _| BlockRequest {
                index: u32::MAX,
                begin: 0,
                length: 1 << 14,
            })
        },
    ),
    case(
        "bittorrent-seeder/bounds/overflow",
        Must,
        BEYOND,
        "The kit requests a block whose end is beyond 32 bits: 16384 bytes at 4294950912, of a piece that is not the first.",
        NO_BLOCK,
        |kit| kit.try_request_of(|piece| piece > 0, |_, index| overflowing(index)),
    ),
    case(
        "bittorrent-seeder/bounds/empty",
        May,
        (&["bep3/request-bounds"], "empty_requests_get_no_block"),
        "The kit requests no bytes.",
        NO_BLOCK,
        |kit| {
            kit.try_request(|_, index| BlockRequest {
                index,
                begin: 1000,
                length: 0,
            })
        },
    ),
    case(
        "bittorrent-seeder/bounds/over-16-kib",
        Should,
        (&["bep3/request-length"], "oversized_requests_get_no_block"),
        "The kit requests 16385 bytes, inside of a piece where it is long enough.",
        NO_BLOCK,
        |kit| {
            kit.try_request(|_, index| BlockRequest {
                index,
                begin: 16_384,
                length: (1 << 14) + 1,
            })
        },
    ),
    case(
        "bittorrent-seeder/bounds/over-128-kib",
        Should,
        (&["bep3/request-length"], "huge_requests_get_no_block"),
        "The kit requests 131073 bytes, inside of a piece where it is long enough.",
        NO_BLOCK,
        |kit| {
            kit.try_request(|_, index| BlockRequest {
                index,
                begin: 16_384,
                length: (1 << 17) + 1,
            })
        },
    ),
];

/// Sixteen KiB that end where 32 bits do: as signed numbers, the sixteen KiB in front of the piece.
pub(super) const fn overflowing(index: u32) -> BlockRequest {
    BlockRequest {
        index,
        begin: u32::MAX - (1 << 14) + 1,
        length: 1 << 14,
    }
}
