//! What one neighbour does wrong does not end the service of the others.

use peerproof_model::bittorrent::message::{PeerMessage, Reserved};
use peerproof_model::bittorrent::wire::peer::encode_handshake;

use super::bounds::overflowing;
use super::malformed::{CLOSED, MALFORMED};
use super::{Asked, alone, case};
use crate::case::Level::{Must, Should};
use crate::case::{Case, Stop};
use crate::suite::bittorrent::peer::{KitPeer, every_extension};
use crate::suite::bittorrent::seeder::SeederKit;

const SURVIVES: Asked = (&["deployed/serves-on"], "every_new_connection_is_answered");
const OTHERS: &str = "Another peer that connects afterwards is answered.";

pub(super) static CASES: &[Case<SeederKit>] = &[
    case(
        "bittorrent-seeder/connections/several",
        Must,
        SURVIVES,
        "Four peers of the kit connect, and stay connected.",
        "Each is answered.",
        several,
    ),
    case(
        "bittorrent-seeder/survives/half-handshake",
        Must,
        SURVIVES,
        "A peer of the kit says half a handshake and closes.",
        OTHERS,
        |kit| {
            half_a_handshake(kit)?.hang_up("the kit closes");
            kit.a_new_peer_is_answered()
        },
    ),
    case(
        "bittorrent-seeder/survives/stalled-handshake",
        Must,
        SURVIVES,
        "A peer of the kit says half a handshake and nothing more.",
        OTHERS,
        |kit| {
            let _stalled = half_a_handshake(kit)?;
            kit.a_new_peer_is_answered()
        },
    ),
    case(
        "bittorrent-seeder/survives/mute",
        Must,
        SURVIVES,
        "A peer of the kit connects and says nothing.",
        OTHERS,
        |kit| {
            let _mute = kit.connect()?;
            kit.a_new_peer_is_answered()
        },
    ),
    case(
        "bittorrent-seeder/survives/half-message",
        Must,
        SURVIVES,
        "A peer of the kit sends half a request and closes.",
        OTHERS,
        |kit| {
            let mut peer = kit.greeted(Reserved::NONE)?;
            peer.send_part(b"\0\0\0\x0d\x06\0\0\0", "half a request")?;
            peer.hang_up("the kit closes");
            kit.a_new_peer_is_answered()
        },
    ),
    case(
        "bittorrent-seeder/survives/noise",
        Must,
        SURVIVES,
        "A peer of the kit shakes hands and sends 64 KiB of noise.",
        OTHERS,
        |kit| {
            let mut peer = kit.greeted(Reserved::NONE)?;
            let mut noise = vec![0; 64 << 10];
            kit.random.fill(&mut noise);
            match peer.send_malformed(&noise, "noise") {
                Ok(()) | Err(Stop::Silent(_)) => kit.a_new_peer_is_answered(),
                Err(stop) => Err(stop),
            }
        },
    ),
    case(
        "bittorrent-seeder/survives/deep-bencoding",
        Must,
        SURVIVES,
        "A peer of the kit sends an extension handshake of 100000 nested lists.",
        OTHERS,
        |kit| {
            let mut peer = kit.greeted(Reserved::NONE.with_extension_protocol())?;
            let payload = [b"d1:m".as_slice(), &[b'l'; 100_000]].concat();
            peer.send(PeerMessage::Extended { id: 0, payload })?;
            kit.a_new_peer_is_answered()
        },
    ),
    case(
        "bittorrent-seeder/survives/reset",
        Must,
        SURVIVES,
        "A peer of the kit requests blocks, reads none of them, and resets the connection.",
        OTHERS,
        |kit| {
            let mut peer = kit.served()?;
            let piece = peer.open_piece()?;
            let blocks = peer.blocks(piece).take(8);
            let requests: Vec<_> = blocks.map(PeerMessage::Request).collect();
            peer.send_together(&requests)?;
            peer.reset();
            drop(peer);
            kit.a_new_peer_is_answered()
        },
    ),
    // The last ones send what is known to end deployed peers, so that nothing can follow.
    alone(case(
        "bittorrent-seeder/malformed/piece-too-short",
        Should,
        MALFORMED,
        "The kit sends a piece of five bytes, without an offset; then another peer of the kit connects.",
        CLOSED,
        short_piece,
    )),
    alone(case(
        "bittorrent-seeder/survives/piece-too-short",
        Must,
        SURVIVES,
        "A peer of the kit sends a piece of five bytes, without an offset.",
        OTHERS,
        short_piece,
    )),
    alone(case(
        "bittorrent-seeder/survives/overflowing-request",
        Must,
        SURVIVES,
        "A peer of the kit requests a block of piece 0 whose end is beyond 32 bits: 16384 bytes at 4294950912.",
        OTHERS,
        |kit| {
            let mut peer = kit.unchoked(every_extension())?;
            peer.send(PeerMessage::Request(overflowing(0)))?;
            peer.listen(|link| link.heard.closed || link.told.awaited().next().is_none())?;
            kit.a_new_peer_is_answered()
        },
    )),
    alone(case(
        "bittorrent-seeder/malformed/huge-length",
        Should,
        MALFORMED,
        "The kit sends a length prefix of 4294967295 and a few bytes; then another peer of the kit connects.",
        CLOSED,
        huge_length,
    )),
    alone(case(
        "bittorrent-seeder/survives/huge-length",
        Must,
        SURVIVES,
        "A peer of the kit sends a length prefix of 4294967295 and a few bytes.",
        OTHERS,
        huge_length,
    )),
];

/// The story of every case that looks at several connections at a time.
pub(super) fn several(kit: &mut SeederKit) -> Result<(), Stop> {
    let peers: Result<Vec<KitPeer>, Stop> = (0..4).map(|_| kit.greeted(Reserved::NONE)).collect();
    peers.map(|_| ())
}

/// The story of every case that looks at what a piece without an offset does.
fn short_piece(kit: &mut SeederKit) -> Result<(), Stop> {
    let mut peer = kit.probed()?;
    let what = "a piece without an offset";
    peer.send_malformed(b"\0\0\0\x05\x07\0\0\0\0", what)?;
    peer.settle_closed()?;
    kit.a_new_peer_is_answered()
}

/// The story of every case that looks at what a length prefix beyond every bound does.
fn huge_length(kit: &mut SeederKit) -> Result<(), Stop> {
    let mut peer = kit.probed()?;
    let what = "a length prefix of 4294967295";
    peer.send_malformed(b"\xff\xff\xff\xff\x07\0\0\0\0", what)?;
    peer.settle_closed()?;
    kit.a_new_peer_is_answered()
}

fn half_a_handshake(kit: &mut SeederKit) -> Result<KitPeer, Stop> {
    let mut peer = kit.connect()?;
    let bytes = encode_handshake(&peer.own_handshake(Reserved::NONE));
    peer.send_part(&bytes[..34], "half a handshake")?;
    Ok(peer)
}
