//! Bytes that are no message.

use super::{Asked, case};
use crate::case::Level::Should;
use crate::case::{Case, Stop};
use crate::suite::bittorrent::seeder::SeederKit;

pub(super) const MALFORMED: Asked = (&["bep3/malformed-closed"], "malformed_messages_are_closed");
pub(super) const CLOSED: &str = "The target closes the connection.";

pub(super) static CASES: &[Case<SeederKit>] = &[
    case(
        "bittorrent-seeder/malformed/choke-with-payload",
        Should,
        MALFORMED,
        "The kit sends a choke of two bytes.",
        CLOSED,
        |kit| sends(kit, b"\0\0\0\x02\x00\x00", "a choke with a payload"),
    ),
    case(
        "bittorrent-seeder/malformed/interested-with-payload",
        Should,
        MALFORMED,
        "The kit sends an interested of five bytes.",
        CLOSED,
        |kit| {
            sends(
                kit,
                b"\0\0\0\x05\x02\0\0\0\x01",
                "an interested with a payload",
            )
        },
    ),
    case(
        "bittorrent-seeder/malformed/have-without-piece",
        Should,
        MALFORMED,
        "The kit sends a have of one byte.",
        CLOSED,
        |kit| sends(kit, b"\0\0\0\x01\x04", "a have without a piece"),
    ),
    case(
        "bittorrent-seeder/malformed/have-too-long",
        Should,
        MALFORMED,
        "The kit sends a have of six bytes.",
        CLOSED,
        |kit| sends(kit, b"\0\0\0\x06\x04\0\0\0\0\0", "a have that is too long"),
    ),
    case(
        "bittorrent-seeder/malformed/request-too-short",
        Should,
        MALFORMED,
        "The kit sends a request of nine bytes, without a length.",
        CLOSED,
        |kit| {
            let bytes = b"\0\0\0\x09\x06\0\0\0\0\0\0\0\0";
            sends(kit, bytes, "a request without a length")
        },
    ),
    case(
        "bittorrent-seeder/malformed/request-too-long",
        Should,
        MALFORMED,
        "The kit sends a request of 14 bytes.",
        CLOSED,
        |kit| {
            let bytes = b"\0\0\0\x0e\x06\0\0\0\0\0\0\0\0\0\0\x40\0\0";
            sends(kit, bytes, "a request that is too long")
        },
    ),
    case(
        "bittorrent-seeder/malformed/cancel-too-short",
        Should,
        MALFORMED,
        "The kit sends a cancel of five bytes.",
        CLOSED,
        |kit| sends(kit, b"\0\0\0\x05\x08\0\0\0\0", "a cancel that is too short"),
    ),
];

fn sends(kit: &mut SeederKit, bytes: &[u8], what: &str) -> Result<(), Stop> {
    let mut peer = kit.probed()?;
    peer.send_malformed(bytes, what)?;
    peer.settle_closed()
}
