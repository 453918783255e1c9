//! The metadata exchange (BEP 9).

use peerproof_model::bencode::Value;
use peerproof_model::bittorrent::message::PeerMessage;
use peerproof_model::bittorrent::wire::extension::METADATA_BLOCK;

use super::case;
use crate::case::Level::{Must, Should};
use crate::case::{Case, Stop};
use crate::suite::bittorrent::peer::KitPeer;
use crate::suite::bittorrent::seeder::SeederKit;

pub(super) static CASES: &[Case<SeederKit>] = &[
    case(
        "bittorrent-seeder/metadata/size",
        Must,
        (
            &["bep9/metadata-size"],
            "the_metadata_size_is_that_of_the_info",
        ),
        "The kit exchanges extension handshakes, and requests every block of the metadata.",
        "metadata_size is the number of bytes of the info value.",
        whole_metadata,
    ),
    case(
        "bittorrent-seeder/metadata/answered",
        Must,
        (&["bep9/data"], "metadata_requests_are_answered"),
        "The kit requests every block of the metadata.",
        "The target sends them under the id that the kit announced.",
        whole_metadata,
    ),
    case(
        "bittorrent-seeder/metadata/content",
        Must,
        (&["bep9/data"], "metadata_blocks_are_those_of_the_info"),
        "The kit requests every block of the metadata.",
        "The blocks are those of the info value.",
        whole_metadata,
    ),
    case(
        "bittorrent-seeder/metadata/beyond-the-end",
        Should,
        (
            &["bep9/reject"],
            "metadata_requests_beyond_the_end_are_rejected",
        ),
        "The kit requests a block of the metadata that does not exist.",
        "The target rejects the request.",
        |kit| {
            let mut peer = kit.metadata()?;
            requests(&mut peer, 10_000)?;
            if peer.is_open() {
                return Ok(());
            }
            let why = "the target closes the connection instead";
            Err(Stop::NonStrict(why.to_owned()))
        },
    ),
    case(
        "bittorrent-seeder/metadata/unknown-type",
        Must,
        (
            &["bep9/unknown-type-ignored"],
            "an_innocent_neighbour_is_kept",
        ),
        "The kit sends a metadata message of type 9.",
        "The target ignores it and keeps the connection.",
        |kit| {
            let mut peer = kit.metadata()?;
            let id = peer.view()?.heard.metadata_id;
            let message = Value::dict([("msg_type", 9_i64.into()), ("piece", 0_i64.into())]);
            let payload = message.encode();
            peer.send(PeerMessage::Extended { id, payload })?;
            kit.probe(&mut peer)
        },
    ),
];

/// The story of every case that looks at the metadata.
fn whole_metadata(kit: &mut SeederKit) -> Result<(), Stop> {
    let size = kit.torrent().metainfo.raw_info().len();
    let blocks = size.div_ceil(METADATA_BLOCK as usize).min(64);
    let mut peer = kit.metadata()?;
    (0..u32::try_from(blocks).unwrap_or(1)).try_for_each(|block| requests(&mut peer, block))
}

fn requests(peer: &mut KitPeer, piece: u32) -> Result<(), Stop> {
    if let Some(request) = peer.metadata_request(piece)? {
        peer.send(request)?;
    }
    peer.settle(|link| !link.told.metadata_requests.contains(&piece))?;
    Ok(())
}
