//! How a connection begins.

use std::time::Duration;

use peerproof_model::bittorrent::message::{InfoHash, Reserved};
use peerproof_model::bittorrent::view::Frame;
use peerproof_model::bittorrent::wire::peer::encode_handshake;

use super::bitfield::greeted_plainly;
use super::survival::several;
use super::{Asked, case};
use crate::case::Level::{May, Must, Should};
use crate::case::{Case, Stop};
use crate::suite::bittorrent::peer::every_extension;
use crate::suite::bittorrent::seeder::SeederKit;

const ANSWERED: Asked = (&["bep3/handshake"], "every_new_connection_is_answered");
const ANY_CUT: Asked = (
    &["bep3/byte-stream", "bep3/handshake"],
    "every_new_connection_is_answered",
);
const ANY_BITS: Asked = (&["bep3/reserved-bits"], "every_new_connection_is_answered");
const GETS_A_HANDSHAKE: &str = "The target answers with a handshake.";

pub(super) static CASES: &[Case<SeederKit>] = &[
    case(
        "bittorrent-seeder/handshake/answered",
        Must,
        ANSWERED,
        "The kit says a handshake without reserved bits.",
        GETS_A_HANDSHAKE,
        greeted_plainly,
    ),
    case(
        "bittorrent-seeder/handshake/with-extensions",
        Must,
        ANSWERED,
        "The kit says a handshake with the bits of the fast extension and the extension protocol.",
        GETS_A_HANDSHAKE,
        |kit| answered(kit, every_extension()),
    ),
    case(
        "bittorrent-seeder/handshake/unknown-bits",
        Should,
        ANY_BITS,
        "The kit says a handshake with reserved bits set that no BEP has assigned.",
        GETS_A_HANDSHAKE,
        |kit| answered(kit, Reserved([0, 0xff, 0, 0x7f, 0xff, 0, 0x42, 0])),
    ),
    case(
        "bittorrent-seeder/handshake/names-the-torrent",
        Must,
        (&["bep3/handshake"], "the_handshake_names_the_torrent"),
        "The kit says a handshake without reserved bits.",
        "The target's handshake has the info hash of the torrent.",
        greeted_plainly,
    ),
    case(
        "bittorrent-seeder/handshake/byte-by-byte",
        Must,
        ANY_CUT,
        "The kit says a handshake, one byte at a time.",
        GETS_A_HANDSHAKE,
        |kit| in_parts(kit, 1),
    ),
    case(
        "bittorrent-seeder/handshake/in-halves",
        Must,
        ANY_CUT,
        "The kit says a handshake in two parts, cut within the info hash.",
        GETS_A_HANDSHAKE,
        |kit| in_parts(kit, 40),
    ),
    case(
        "bittorrent-seeder/handshake/foreign-torrent",
        Must,
        (
            &["bep3/foreign-torrent-closed"],
            "a_handshake_for_another_torrent_is_closed",
        ),
        "The kit says a handshake with an info hash that nobody serves.",
        "The target closes the connection, whatever it has said before.",
        |kit| {
            let mut peer = kit.connect()?;
            let mut handshake = peer.own_handshake(Reserved::NONE);
            let InfoHash(hash) = &mut handshake.info_hash;
            kit.random.fill(hash);
            peer.say_this_handshake(handshake)?;
            peer.settle_turned_away()
        },
    ),
    case(
        "bittorrent-seeder/handshake/another-protocol",
        Should,
        (
            &["bep3/handshake", "bep3/malformed-closed"],
            "malformed_messages_are_closed",
        ),
        "The kit begins with byte 19 and the name of another protocol, and 4 KiB that are no encrypted handshake either.",
        "The target closes the connection.",
        |kit| {
            let mut peer = kit.connect()?;
            let mut bytes = encode_handshake(&peer.own_handshake(Reserved::NONE)).to_vec();
            bytes[1..20].copy_from_slice(b"BitTorrent protocoL");
            let mut noise = [0; 4096];
            kit.random.fill(&mut noise);
            bytes.extend_from_slice(&noise);
            peer.send_malformed(&bytes, "the name of another protocol")?;
            peer.settle_turned_away()
        },
    ),
    case(
        "bittorrent-seeder/handshake/same-peer-id",
        Should,
        (&["bep3/one-peer-id"], "the_peer_id_stays"),
        "Four peers of the kit connect, and stay connected.",
        "The target gives the same peer id each time.",
        several,
    ),
    case(
        "bittorrent-seeder/handshake/own-peer-id",
        May,
        (
            &["deployed/own-peer-id-closed"],
            "a_connection_with_itself_is_closed",
        ),
        "The kit learns the target's peer id, and says a handshake with the same one.",
        "The target closes the connection, as with itself.",
        |kit| {
            let id = kit.connect()?.handshake(Reserved::NONE)?.peer_id;
            let mut peer = kit.connect()?;
            let mut handshake = peer.own_handshake(Reserved::NONE);
            handshake.peer_id = id;
            peer.say_this_handshake(handshake)?;
            peer.settle_turned_away()
        },
    ),
];

fn answered(kit: &mut SeederKit, reserved: Reserved) -> Result<(), Stop> {
    let mut peer = kit.connect_or_blame()?;
    peer.handshake(reserved).map(|_| ())
}

fn in_parts(kit: &mut SeederKit, step: usize) -> Result<(), Stop> {
    let mut peer = kit.connect_or_blame()?;
    let handshake = peer.own_handshake(Reserved::NONE);
    let bytes = encode_handshake(&handshake);
    let pause = Duration::from_millis(2);
    let what = "part of a handshake";
    peer.send_slowly(&bytes, step, pause, what, Frame::Handshake(handshake))?;
    peer.await_handshake().map(|_| ())
}
