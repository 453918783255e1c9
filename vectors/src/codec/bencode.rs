//! `bencode`: any bencoded value.

use super::json::{self, Object, Parts};
use super::{Codec, Decoded, Fault, Strictness, tolerant};
use crate::file::Context;
use peerproof_model::bencode::{DecodeError, Decoder, Limits, Value};
use serde_json::Value as Json;

pub(super) const CODECS: &[Codec] = &[Codec {
    protocol: "bittorrent",
    message: "bencode",
    decode,
    encode: Some(encode),
}];

impl From<DecodeError> for Fault {
    fn from(error: DecodeError) -> Self {
        Self {
            class: error.class.name(),
            offset: error.offset,
            subject: None,
        }
    }
}

fn decode(bytes: &[u8], _: &Context, strictness: Strictness) -> Result<Decoded, Fault> {
    let decoded = Decoder {
        limits: Limits::FILE,
        strictness,
    }
    .decode(bytes)?;
    Ok(tolerant(to_json(&decoded.value), decoded.tolerances))
}

fn encode(json: &Json) -> Result<Vec<u8>, String> {
    Ok(from_json(json)?.encode())
}

/// Recursion is as deep as the decoder's limit at most.
fn to_json(value: &Value) -> Json {
    match value {
        Value::Integer(integer) => Object::new().text("integer", integer),
        Value::Bytes(bytes) => Object::new().bytes("bytes", bytes),
        Value::List(list) => {
            Object::new().put("list", list.iter().map(to_json).collect::<Vec<_>>())
        }
        Value::Dict(dict) => {
            let entry = |(key, value): (&Vec<u8>, &Value)| {
                Object::new()
                    .bytes("key", key)
                    .put("value", to_json(value))
                    .build()
            };
            Object::new().put("dict", dict.iter().map(entry).collect::<Vec<_>>())
        }
    }
    .build()
}

fn from_json(json: &Json) -> Result<Value, String> {
    let parts = Parts::of(json)?;
    if parts.get("integer").is_some() {
        return Ok(Value::Integer(parts.text("integer")?));
    }
    if let Some(bytes) = parts.bytes_some("bytes")? {
        return Ok(Value::Bytes(bytes));
    }
    if parts.get("list").is_some() {
        return Ok(Value::List(
            parts
                .list("list")?
                .iter()
                .map(from_json)
                .collect::<Result<_, _>>()?,
        ));
    }
    let entry = |entry: &Json| {
        let entry = Parts::of(entry)?;
        Ok((
            json::bytes(entry.required("key")?)?,
            from_json(entry.required("value")?)?,
        ))
    };
    Ok(Value::Dict(
        parts
            .list("dict")?
            .iter()
            .map(entry)
            .collect::<Result<_, String>>()?,
    ))
}
