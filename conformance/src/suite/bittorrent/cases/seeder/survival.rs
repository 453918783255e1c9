//! What one neighbour does wrong does not end the service of the others.

use peerproof_model::bittorrent::message::{PeerMessage, Reserved};
use peerproof_model::bittorrent::wire::peer::encode_handshake;

use super::{Asked, case};
use crate::case::Level::Must;
use crate::case::{Case, Stop};
use crate::suite::bittorrent::peer::KitPeer;
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
        "bittorrent-seeder/survives/huge-length",
        Must,
        SURVIVES,
        "A peer of the kit sends a length prefix of 4294967295.",
        OTHERS,
        |kit| {
            let mut peer = kit.greeted(Reserved::NONE)?;
            let bytes = b"\xff\xff\xff\xff\x07\0\0\0\0";
            peer.send_malformed(bytes, "a length prefix of 4294967295")?;
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
            let blocks = peer.blocks(peer.open_piece()?).take(8);
            let requests: Vec<_> = blocks.map(PeerMessage::Request).collect();
            peer.send_together(&requests)?;
            peer.reset();
            drop(peer);
            kit.a_new_peer_is_answered()
        },
    ),
];

/// The story of every case that looks at several connections at a time.
pub(super) fn several(kit: &mut SeederKit) -> Result<(), Stop> {
    let peers: Result<Vec<KitPeer>, Stop> = (0..4).map(|_| kit.greeted(Reserved::NONE)).collect();
    peers.map(|_| ())
}

fn half_a_handshake(kit: &mut SeederKit) -> Result<KitPeer, Stop> {
    let mut peer = kit.connect()?;
    let bytes = encode_handshake(&peer.own_handshake(Reserved::NONE));
    peer.send_part(&bytes[..34], "half a handshake")?;
    Ok(peer)
}
