//! The payloads of extended messages.

use super::json::{self, Object, Parts};
use super::{Codec, Decoded, Fault, Strictness, strict, tolerant};
use crate::file::Context;
use peerproof_model::bittorrent::message::{
    ExtensionHandshake, MetadataMessage, PexMessage, PexPeer,
};
use peerproof_model::bittorrent::wire::extension;
use serde_json::Value;
use std::fmt::Display;
use std::str::FromStr;

pub(super) const CODECS: &[Codec] = &[
    Codec {
        protocol: "bittorrent",
        message: "extension-handshake",
        decode: decode_handshake,
        encode: Some(encode_handshake),
    },
    Codec {
        protocol: "bittorrent",
        message: "ut-metadata",
        decode: decode_metadata,
        encode: Some(encode_metadata),
    },
    Codec {
        protocol: "bittorrent",
        message: "ut-pex",
        decode: decode_pex,
        encode: Some(encode_pex),
    },
];

fn decode_handshake(bytes: &[u8], _: &Context, strictness: Strictness) -> Result<Decoded, Fault> {
    match strictness {
        Strictness::Strict => Ok(strict(handshake_to_json(&extension::decode_handshake(
            bytes,
        )?))),
        Strictness::Tolerant => {
            let (handshake, tolerances) = extension::decode_handshake_tolerant(bytes)?;
            Ok(tolerant(handshake_to_json(&handshake), tolerances))
        }
    }
}

fn handshake_to_json(handshake: &ExtensionHandshake) -> Value {
    let name =
        |(name, id): (&Vec<u8>, &u8)| Object::new().bytes("name", name).put("id", *id).build();
    Object::new()
        .put("m", handshake.m.iter().map(name).collect::<Vec<_>>())
        .put_some("p", handshake.p)
        .bytes_some("v", handshake.v.as_deref())
        .text_some("yourip", handshake.yourip)
        .text_some("ipv4", handshake.ipv4)
        .text_some("ipv6", handshake.ipv6)
        .put_some("reqq", handshake.reqq)
        .put_some("metadata_size", handshake.metadata_size)
        .put_some("upload_only", handshake.upload_only)
        .build()
}

fn encode_handshake(json: &Value) -> Result<Vec<u8>, String> {
    let parts = Parts::of(json)?;
    let name = |entry: &Value| {
        let entry = Parts::of(entry)?;
        Ok((entry.bytes("name")?, entry.number("id")?))
    };
    let handshake = ExtensionHandshake {
        m: parts
            .list("m")?
            .iter()
            .map(name)
            .collect::<Result<_, String>>()?,
        p: parts.number_some("p")?,
        v: parts.bytes_some("v")?,
        yourip: parts.text_some("yourip")?,
        ipv4: parts.text_some("ipv4")?,
        ipv6: parts.text_some("ipv6")?,
        reqq: parts.number_some("reqq")?,
        metadata_size: parts.number_some("metadata_size")?,
        upload_only: parts.flag_some("upload_only")?,
    };
    Ok(extension::encode_handshake(&handshake))
}

fn decode_metadata(bytes: &[u8], _: &Context, strictness: Strictness) -> Result<Decoded, Fault> {
    match strictness {
        Strictness::Strict => Ok(strict(metadata_to_json(&extension::decode_metadata(
            bytes,
        )?))),
        Strictness::Tolerant => {
            let (message, tolerances) = extension::decode_metadata_tolerant(bytes)?;
            Ok(tolerant(metadata_to_json(&message), tolerances))
        }
    }
}

fn metadata_to_json(message: &MetadataMessage) -> Value {
    match message {
        MetadataMessage::Request { piece } => Object::of_type("request").put("piece", *piece),
        MetadataMessage::Data {
            piece,
            total_size,
            data,
        } => Object::of_type("data")
            .put("piece", *piece)
            .put("total_size", *total_size)
            .bytes("data", data),
        MetadataMessage::Reject { piece } => Object::of_type("reject").put("piece", *piece),
        MetadataMessage::Unknown { msg_type } => {
            Object::of_type("unknown").text("msg_type", msg_type)
        }
    }
    .build()
}

fn encode_metadata(json: &Value) -> Result<Vec<u8>, String> {
    let parts = Parts::of(json)?;
    let message = match parts.type_name()? {
        "request" => MetadataMessage::Request {
            piece: parts.number("piece")?,
        },
        "data" => MetadataMessage::Data {
            piece: parts.number("piece")?,
            total_size: parts.number("total_size")?,
            data: parts.bytes("data")?,
        },
        "reject" => MetadataMessage::Reject {
            piece: parts.number("piece")?,
        },
        "unknown" => MetadataMessage::Unknown {
            msg_type: parts.text("msg_type")?,
        },
        other => return Err(format!("there is no message `{other}`")),
    };
    Ok(extension::encode_metadata(&message))
}

fn decode_pex(bytes: &[u8], _: &Context, strictness: Strictness) -> Result<Decoded, Fault> {
    match strictness {
        Strictness::Strict => Ok(strict(pex_to_json(&extension::decode_pex(bytes)?))),
        Strictness::Tolerant => {
            let (message, tolerances) = extension::decode_pex_tolerant(bytes)?;
            Ok(tolerant(pex_to_json(&message), tolerances))
        }
    }
}

fn pex_to_json(message: &PexMessage) -> Value {
    Object::new()
        .put("added", added_to_json(&message.added))
        .put("added6", added_to_json(&message.added6))
        .texts("dropped", &message.dropped)
        .texts("dropped6", &message.dropped6)
        .build()
}

fn added_to_json<A: Display>(peers: &[PexPeer<A>]) -> Vec<Value> {
    let peer = |peer: &PexPeer<A>| {
        Object::new()
            .text("address", &peer.address)
            .put("flags", peer.flags)
            .build()
    };
    peers.iter().map(peer).collect()
}

fn encode_pex(json: &Value) -> Result<Vec<u8>, String> {
    let parts = Parts::of(json)?;
    let message = PexMessage {
        added: added_from_json(parts.list("added")?)?,
        added6: added_from_json(parts.list("added6")?)?,
        dropped: parts
            .list("dropped")?
            .iter()
            .map(json::text)
            .collect::<Result<_, _>>()?,
        dropped6: parts
            .list("dropped6")?
            .iter()
            .map(json::text)
            .collect::<Result<_, _>>()?,
    };
    Ok(extension::encode_pex(&message))
}

fn added_from_json<A: FromStr>(peers: &[Value]) -> Result<Vec<PexPeer<A>>, String> {
    let peer = |peer: &Value| {
        let peer = Parts::of(peer)?;
        Ok(PexPeer {
            address: peer.text("address")?,
            flags: peer.number("flags")?,
        })
    };
    peers.iter().map(peer).collect()
}
