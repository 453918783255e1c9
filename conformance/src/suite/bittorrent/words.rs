//! Messages in words, for the lines of diagrams and captures.

use peerproof_model::bittorrent::message::{Handshake, MetadataMessage, PeerMessage};
use peerproof_model::bittorrent::wire::extension;

/// What a handshake says.
pub(crate) fn handshake(handshake: &Handshake) -> String {
    format!(
        "handshake for {} from {}, reserved {:?}",
        handshake.info_hash, handshake.peer_id, handshake.reserved
    )
}

/// What a message says.
pub(crate) fn message(message: &PeerMessage) -> String {
    match message {
        PeerMessage::KeepAlive => "keep-alive".to_owned(),
        PeerMessage::Choke => "choke".to_owned(),
        PeerMessage::Unchoke => "unchoke".to_owned(),
        PeerMessage::Interested => "interested".to_owned(),
        PeerMessage::NotInterested => "not interested".to_owned(),
        PeerMessage::Have(piece) => format!("have piece {piece}"),
        PeerMessage::Bitfield(bits) => {
            let set: u32 = bits.iter().map(|byte| byte.count_ones()).sum();
            format!("bitfield, {} bytes, {set} pieces", bits.len())
        }
        PeerMessage::Request(block) => format!("request {block}"),
        PeerMessage::Piece { index, begin, data } => {
            format!("piece {index} at {begin}, {} bytes", data.len())
        }
        PeerMessage::Cancel(block) => format!("cancel {block}"),
        PeerMessage::Port(port) => format!("DHT port {port}"),
        PeerMessage::SuggestPiece(piece) => format!("suggest piece {piece}"),
        PeerMessage::HaveAll => "have all".to_owned(),
        PeerMessage::HaveNone => "have none".to_owned(),
        PeerMessage::RejectRequest(block) => format!("reject {block}"),
        PeerMessage::AllowedFast(piece) => format!("allowed fast: piece {piece}"),
        PeerMessage::Extended { id: 0, .. } => "extension handshake".to_owned(),
        PeerMessage::Extended { id, payload } => extended(*id, payload),
        PeerMessage::Unknown { id, payload } => {
            format!("unknown message {id}, {} bytes", payload.len())
        }
    }
}

fn extended(id: u8, payload: &[u8]) -> String {
    match extension::decode_metadata(payload) {
        Ok(MetadataMessage::Request { piece }) => format!("metadata request {piece}"),
        Ok(MetadataMessage::Reject { piece }) => format!("metadata reject {piece}"),
        Ok(MetadataMessage::Data { piece, data, .. }) => {
            format!("metadata block {piece}, {} bytes", data.len())
        }
        _ => format!("extended message {id}, {} bytes", payload.len()),
    }
}
