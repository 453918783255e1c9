//! `metainfo`: a torrent file.

use super::json::{self, Object, Parts};
use super::{Codec, Decoded, Fault, Strictness, strict, tolerant};
use crate::file::Context;
use peerproof_model::bittorrent::metainfo::{
    Content, FileEntry, Metainfo, MetainfoError, MetainfoErrorClass,
};
use serde_json::Value;

pub(super) const CODECS: &[Codec] = &[Codec {
    protocol: "bittorrent",
    message: "metainfo",
    decode,
    encode: Some(encode),
}];

impl From<MetainfoError> for Fault {
    fn from(error: MetainfoError) -> Self {
        let subject = match error.class {
            MetainfoErrorClass::Field(class) => class.subject(),
            _ => None,
        };
        Self {
            class: error.class.name(),
            offset: error.offset,
            subject,
        }
    }
}

fn decode(bytes: &[u8], _: &Context, strictness: Strictness) -> Result<Decoded, Fault> {
    match strictness {
        Strictness::Strict => Ok(strict(to_json(&Metainfo::parse(bytes)?))),
        Strictness::Tolerant => {
            let (metainfo, tolerances) = Metainfo::parse_tolerant(bytes)?;
            Ok(tolerant(to_json(&metainfo), tolerances))
        }
    }
}

fn to_json(metainfo: &Metainfo) -> Value {
    let info = metainfo.info();
    let mut object = Object::new().put_some("announce", metainfo.announce.clone());
    if !metainfo.announce_list.is_empty() {
        object = object.put("announce_list", metainfo.announce_list.clone());
    }
    object = object
        .bytes("info_hash", &metainfo.info_hash().0)
        .bytes("name", &info.name)
        .put("piece_length", info.layout.piece_length())
        .put(
            "pieces",
            info.pieces.iter().map(hex::encode).collect::<Vec<_>>(),
        );
    object = match &info.content {
        Content::Single(length) => object.text("length", length),
        Content::Multi(files) => object.put("files", files.iter().map(file).collect::<Vec<_>>()),
    };
    object
        .put("private", info.private)
        .bytes("raw_info", metainfo.raw_info())
        .build()
}

fn file(file: &FileEntry) -> Value {
    let path: Vec<_> = file.path.iter().map(hex::encode).collect();
    Object::new()
        .text("length", file.length)
        .put("path", path)
        .build()
}

/// The raw `info` value is part of the JSON, since it cannot be made from the rest.
fn encode(json: &Value) -> Result<Vec<u8>, String> {
    let parts = Parts::of(json)?;
    let raw_info = parts.bytes("raw_info")?;
    let mut metainfo =
        Metainfo::from_raw_info_tolerant(&raw_info).map_err(|error| error.to_string())?;
    metainfo.announce = parts.text_some("announce")?;
    if parts.get("announce_list").is_some() {
        let tier = |tier: &Value| -> Result<Vec<String>, String> {
            let urls = tier.as_array().ok_or("a tier is not a list")?;
            urls.iter().map(json::text).collect()
        };
        metainfo.announce_list = parts
            .list("announce_list")?
            .iter()
            .map(tier)
            .collect::<Result<_, _>>()?;
    }
    Ok(metainfo.encode())
}
