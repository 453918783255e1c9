//! The extension protocol (BEP 10).

use peerproof_model::bencode::Value;
use peerproof_model::bittorrent::message::PeerMessage;

use super::bitfield::greeted_plainly;
use super::{Asked, case};
use crate::case::Level::{Must, Should};
use crate::case::{Case, Stop};
use crate::suite::bittorrent::peer::{METADATA_ID, extension_handshake};
use crate::suite::bittorrent::seeder::SeederKit;

const IGNORED: Asked = (&["bep10/unknown-ignored"], "an_innocent_neighbour_is_kept");
const KEPT: &str = "The target keeps the connection.";

pub(super) static CASES: &[Case<SeederKit>] = &[
    case(
        "bittorrent-seeder/extension/only-negotiated",
        Must,
        (
            &["bep10/negotiated"],
            "extended_messages_only_when_both_have_the_bit",
        ),
        "The kit says a handshake without the bit of the extension protocol.",
        "The target sends no extended message.",
        greeted_plainly,
    ),
    case(
        "bittorrent-seeder/extension/handshake",
        Should,
        (&["bep10/handshake"], "the_extension_handshake_is_sent"),
        "Both have the bit of the extension protocol.",
        "The target sends an extension handshake.",
        handshake,
    ),
    case(
        "bittorrent-seeder/extension/well-formed",
        Must,
        (
            &["bep10/handshake"],
            "the_extension_handshake_is_well_formed",
        ),
        "Both have the bit of the extension protocol.",
        "The target's extension handshake is a bencoded dictionary with values of the right types.",
        handshake,
    ),
    case(
        "bittorrent-seeder/extension/unique-ids",
        Must,
        (&["bep10/unique-ids"], "extension_ids_are_unique"),
        "Both have the bit of the extension protocol.",
        "No two names in the target's extension handshake share an id.",
        handshake,
    ),
    case(
        "bittorrent-seeder/extension/unknown-id",
        Should,
        (
            &["bep10/unknown-ignored"],
            "unknown_extended_messages_are_skipped",
        ),
        "The kit sends an extended message under an id that the target has not announced.",
        KEPT,
        |kit| {
            let mut peer = kit.probed_extended()?;
            let payload = b"de".to_vec();
            peer.send(PeerMessage::Extended { id: 255, payload })?;
            kit.probe(&mut peer)
        },
    ),
    case(
        "bittorrent-seeder/extension/unknown-names",
        Should,
        IGNORED,
        "The kit's extension handshake has extensions and keys that nobody knows.",
        KEPT,
        |kit| {
            let names = Value::dict([
                ("pp_nobody", 7_i64.into()),
                ("pp_nothing", 8_i64.into()),
                ("ut_metadata", i64::from(METADATA_ID).into()),
            ]);
            let unheard = Value::dict([("x", Value::List(vec![1_i64.into(), "y".into()]))]);
            let handshake = Value::dict([("m", names), ("pp_unheard_of", unheard)]);
            says(kit, handshake.encode())
        },
    ),
    case(
        "bittorrent-seeder/extension/empty",
        Should,
        (&["bep10/handshake"], "an_innocent_neighbour_is_kept"),
        "The kit's extension handshake is an empty dictionary: every key is optional.",
        KEPT,
        |kit| says(kit, b"de".to_vec()),
    ),
    case(
        "bittorrent-seeder/extension/twice",
        Should,
        (&["bep10/handshake-again"], "an_innocent_neighbour_is_kept"),
        "The kit sends its extension handshake twice.",
        KEPT,
        |kit| {
            let mut peer = kit.probed_extended()?;
            peer.send(extension_handshake())?;
            kit.probe(&mut peer)
        },
    ),
];

fn handshake(kit: &mut SeederKit) -> Result<(), Stop> {
    let mut peer = kit.extended()?;
    peer.send(extension_handshake())?;
    peer.settle(|link| link.heard.extends)?;
    Ok(())
}

fn says(kit: &mut SeederKit, payload: Vec<u8>) -> Result<(), Stop> {
    let mut peer = kit.extended()?;
    peer.send(PeerMessage::Extended { id: 0, payload })?;
    peer.wait_for_extension_handshake()?;
    kit.probe(&mut peer)
}
