//! The handshake, each message between peers, and the allowed-fast set.

use super::json::{Object, Parts};
use super::{Codec, Decoded, Fault, Strictness, strict};
use crate::file::Context;
use peerproof_model::bittorrent::message::{
    BlockRequest, Handshake, InfoHash, PeerId, PeerMessage, Reserved,
};
use peerproof_model::bittorrent::metainfo::PieceLayout;
use peerproof_model::bittorrent::wire::peer::{self, BLOCK_LENGTH, FrameDecoder, HandshakeDecoder};
use peerproof_model::bittorrent::wire::{ErrorClass, WireError, fast, torrent_bounds};
use serde_json::Value;
use std::net::Ipv4Addr;

/// The wire format of messages with an id. A file is about one of them, and its valid cases are of that type.
const fn message(message: &'static str) -> Codec {
    Codec {
        protocol: "bittorrent",
        message,
        decode: decode_message,
        encode: Some(encode_message),
    }
}

pub(super) const CODECS: &[Codec] = &[
    Codec {
        protocol: "bittorrent",
        message: "handshake",
        decode: decode_handshake,
        encode: Some(encode_handshake),
    },
    Codec {
        protocol: "bittorrent",
        message: "allowed-fast-set",
        decode: allowed_fast_set,
        encode: None,
    },
    message("keep-alive"),
    message("choke"),
    message("unchoke"),
    message("interested"),
    message("not-interested"),
    message("have"),
    message("bitfield"),
    message("request"),
    message("piece"),
    message("cancel"),
    message("port"),
    message("suggest-piece"),
    message("have-all"),
    message("have-none"),
    message("reject-request"),
    message("allowed-fast"),
    message("extended"),
    message("unknown"),
];

fn decode_handshake(bytes: &[u8], context: &Context, _: Strictness) -> Result<Decoded, Fault> {
    if let Some(served) = &context.info_hash {
        let served = hex::decode(served)
            .ok()
            .and_then(|bytes| bytes.try_into().ok())
            .map(InfoHash);
        HandshakeDecoder::expecting(served.unwrap_or_default()).push(bytes)?;
    }
    let handshake = peer::decode_handshake(bytes)?;
    let reserved = handshake.reserved;
    let value = Object::new()
        .bytes("reserved", &reserved.0)
        .put("extension_protocol", reserved.extension_protocol())
        .put("fast", reserved.fast())
        .put("dht", reserved.dht())
        .bytes("info_hash", &handshake.info_hash.0)
        .bytes("peer_id", &handshake.peer_id.0);
    Ok(strict(value.build()))
}

fn encode_handshake(json: &Value) -> Result<Vec<u8>, String> {
    let parts = Parts::of(json)?;
    let handshake = Handshake {
        reserved: Reserved(parts.array("reserved")?),
        info_hash: InfoHash(parts.array("info_hash")?),
        peer_id: PeerId(parts.array("peer_id")?),
    };
    Ok(peer::encode_handshake(&handshake).to_vec())
}

/// Computes the set from its input: an IPv4 address of 4 bytes and an info hash of 20.
fn allowed_fast_set(bytes: &[u8], context: &Context, _: Strictness) -> Result<Decoded, Fault> {
    let truncated = || Fault {
        class: "truncated",
        offset: bytes.len(),
        subject: None,
    };
    let (ip, info_hash) = bytes.split_first_chunk::<4>().ok_or_else(truncated)?;
    let info_hash = InfoHash(info_hash.try_into().map_err(|_| truncated())?);
    let (pieces, k) = (context.pieces.unwrap_or(0), context.k.unwrap_or(0));
    let set = fast::allowed_fast_set(Ipv4Addr::from(*ip), &info_hash, pieces, k);
    Ok(strict(Object::new().put("set", set).build()))
}

/// Decodes one message from a stream that arrives whole and from one that arrives byte by byte; both must agree.
fn decode_message(bytes: &[u8], context: &Context, _: Strictness) -> Result<Decoded, Fault> {
    let whole = from_stream(bytes, bytes.len().max(1), context);
    let piecemeal = from_stream(bytes, 1, context);
    if whole != piecemeal {
        return Err(Fault {
            class: "chunking-changes-the-result",
            offset: 0,
            subject: None,
        });
    }
    let message = whole?;
    check_against_torrent(&message, context)?;
    Ok(strict(to_json(&message)))
}

fn from_stream(bytes: &[u8], chunk: usize, context: &Context) -> Result<PeerMessage, WireError> {
    let mut decoder = FrameDecoder::new(peer::frame_bound(context.pieces.unwrap_or(0)));
    let mut first = None;
    for part in bytes.chunks(chunk) {
        decoder.push(part);
        if first.is_none() {
            first = decoder.next_message()?;
        }
    }
    match first {
        None => Err(WireError {
            class: ErrorClass::Truncated,
            offset: bytes.len(),
        }),
        Some(_) if decoder.pending() > 0 => Err(WireError {
            class: ErrorClass::TrailingBytes,
            offset: bytes.len() - decoder.pending(),
        }),
        Some(message) => Ok(message),
    }
}

/// The rules that need the torrent, as far as the context has it. Offsets count from the length prefix.
fn check_against_torrent(message: &PeerMessage, context: &Context) -> Result<(), WireError> {
    let layout = context.piece_length.zip(context.total_length);
    let layout = layout.and_then(|(piece_length, total)| PieceLayout::new(piece_length, total));
    let pieces = context.pieces.or(layout.map(|layout| layout.pieces()));
    match (message, pieces, layout) {
        (PeerMessage::Bitfield(bits), Some(pieces), _) => {
            torrent_bounds::check_bitfield(bits, pieces).map_err(|error| WireError {
                class: error.class,
                offset: error.offset + 5,
            })
        }
        (
            PeerMessage::Have(index)
            | PeerMessage::SuggestPiece(index)
            | PeerMessage::AllowedFast(index),
            Some(pieces),
            _,
        ) => torrent_bounds::check_piece_index(*index, pieces),
        (PeerMessage::Request(block), _, Some(layout)) => {
            torrent_bounds::check_request(*block, &layout, BLOCK_LENGTH)
        }
        _ => Ok(()),
    }
}

fn to_json(message: &PeerMessage) -> Value {
    let object = Object::of_type(type_name(message));
    match message {
        PeerMessage::Have(piece)
        | PeerMessage::SuggestPiece(piece)
        | PeerMessage::AllowedFast(piece) => object.put("piece", *piece),
        PeerMessage::Bitfield(bits) => object.bytes("bits", bits),
        PeerMessage::Request(block)
        | PeerMessage::Cancel(block)
        | PeerMessage::RejectRequest(block) => object
            .put("index", block.index)
            .put("begin", block.begin)
            .put("length", block.length),
        PeerMessage::Piece { index, begin, data } => object
            .put("index", *index)
            .put("begin", *begin)
            .bytes("data", data),
        PeerMessage::Port(port) => object.put("port", *port),
        PeerMessage::Extended { id, payload } | PeerMessage::Unknown { id, payload } => {
            object.put("id", *id).bytes("payload", payload)
        }
        _ => object,
    }
    .build()
}

fn type_name(message: &PeerMessage) -> &'static str {
    match message {
        PeerMessage::KeepAlive => "keep-alive",
        PeerMessage::Choke => "choke",
        PeerMessage::Unchoke => "unchoke",
        PeerMessage::Interested => "interested",
        PeerMessage::NotInterested => "not-interested",
        PeerMessage::Have(_) => "have",
        PeerMessage::Bitfield(_) => "bitfield",
        PeerMessage::Request(_) => "request",
        PeerMessage::Piece { .. } => "piece",
        PeerMessage::Cancel(_) => "cancel",
        PeerMessage::Port(_) => "port",
        PeerMessage::SuggestPiece(_) => "suggest-piece",
        PeerMessage::HaveAll => "have-all",
        PeerMessage::HaveNone => "have-none",
        PeerMessage::RejectRequest(_) => "reject-request",
        PeerMessage::AllowedFast(_) => "allowed-fast",
        PeerMessage::Extended { .. } => "extended",
        PeerMessage::Unknown { .. } => "unknown",
    }
}

fn encode_message(json: &Value) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    peer::encode_message(&from_json(Parts::of(json)?)?, &mut out);
    Ok(out)
}

fn from_json(parts: Parts<'_>) -> Result<PeerMessage, String> {
    let block = || {
        Ok::<_, String>(BlockRequest {
            index: parts.number("index")?,
            begin: parts.number("begin")?,
            length: parts.number("length")?,
        })
    };
    Ok(match parts.type_name()? {
        "keep-alive" => PeerMessage::KeepAlive,
        "choke" => PeerMessage::Choke,
        "unchoke" => PeerMessage::Unchoke,
        "interested" => PeerMessage::Interested,
        "not-interested" => PeerMessage::NotInterested,
        "have" => PeerMessage::Have(parts.number("piece")?),
        "bitfield" => PeerMessage::Bitfield(parts.bytes("bits")?),
        "request" => PeerMessage::Request(block()?),
        "piece" => PeerMessage::Piece {
            index: parts.number("index")?,
            begin: parts.number("begin")?,
            data: parts.bytes("data")?,
        },
        "cancel" => PeerMessage::Cancel(block()?),
        "port" => PeerMessage::Port(parts.number("port")?),
        "suggest-piece" => PeerMessage::SuggestPiece(parts.number("piece")?),
        "have-all" => PeerMessage::HaveAll,
        "have-none" => PeerMessage::HaveNone,
        "reject-request" => PeerMessage::RejectRequest(block()?),
        "allowed-fast" => PeerMessage::AllowedFast(parts.number("piece")?),
        "extended" => PeerMessage::Extended {
            id: parts.number("id")?,
            payload: parts.bytes("payload")?,
        },
        "unknown" => PeerMessage::Unknown {
            id: parts.number("id")?,
            payload: parts.bytes("payload")?,
        },
        other => return Err(format!("there is no message `{other}`")),
    })
}
