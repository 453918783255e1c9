//! The payloads of extended messages (BEP 10, 9, 11), behind the extended message id.
//!
//! Strict decoders demand canonical bencoding; the tolerant ones list what deployed software reads with a warning.

use super::fields::Fields;
use super::{ErrorClass, WireError, compact};
use crate::bencode::{self, Decoder, Limits, Strictness, Tolerance, Value};
use crate::bittorrent::message::{ExtensionHandshake, MetadataMessage, PexMessage, PexPeer};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Bytes of a block of metadata, except the last (BEP 9).
pub const METADATA_BLOCK: u32 = 1 << 14;

/// Added peers, and dropped peers, that a peer exchange message may have, except the first (BEP 11).
pub const PEX_LIMIT: usize = 50;

fn decoder(strictness: Strictness) -> Decoder {
    Decoder {
        limits: Limits::MESSAGE,
        strictness,
    }
}

/// Decodes an extension handshake in canonical form.
pub fn decode_handshake(payload: &[u8]) -> Result<ExtensionHandshake, WireError> {
    read_handshake(&Fields::decode(decoder(Strictness::Strict), payload)?)
}

/// Decodes an extension handshake and notes departures from the canonical form.
pub fn decode_handshake_tolerant(
    payload: &[u8],
) -> Result<(ExtensionHandshake, Vec<Tolerance>), WireError> {
    let fields = Fields::decode(decoder(Strictness::Tolerant), payload)?;
    Ok((read_handshake(&fields)?, fields.into_tolerances()))
}

fn read_handshake(fields: &Fields<'_>) -> Result<ExtensionHandshake, WireError> {
    let mut m = BTreeMap::new();
    for (name, id) in fields.dict("m")?.into_iter().flatten() {
        let id = id
            .as_integer()
            .ok_or_else(|| fields.fault(ErrorClass::WrongType("m"), "m"))?;
        let id = u8::try_from(id).map_err(|_| fields.fault(ErrorClass::OutOfRange("m"), "m"))?;
        m.insert(name.clone(), id);
    }
    Ok(ExtensionHandshake {
        m,
        p: fields.number("p")?,
        v: fields.owned_bytes("v")?,
        yourip: fields.parsed("yourip", address)?,
        ipv4: fields.parsed("ipv4", v4_address)?,
        ipv6: fields.parsed("ipv6", v6_address)?,
        reqq: fields.number("reqq")?,
        metadata_size: fields.number("metadata_size")?,
        upload_only: fields.number::<i64>("upload_only")?.map(|flag| flag != 0),
    })
}

fn v4_address(bytes: &[u8]) -> Option<Ipv4Addr> {
    <[u8; 4]>::try_from(bytes).ok().map(Ipv4Addr::from)
}

fn v6_address(bytes: &[u8]) -> Option<Ipv6Addr> {
    <[u8; 16]>::try_from(bytes).ok().map(Ipv6Addr::from)
}

/// An address of 4 or 16 bytes.
pub(crate) fn address(bytes: &[u8]) -> Option<IpAddr> {
    v4_address(bytes)
        .map(IpAddr::V4)
        .or_else(|| v6_address(bytes).map(IpAddr::V6))
}

/// The bytes of an address, 4 or 16.
pub(crate) fn address_bytes(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

/// The bytes of an extension handshake.
pub fn encode_handshake(handshake: &ExtensionHandshake) -> Vec<u8> {
    let m = handshake
        .m
        .iter()
        .map(|(name, id)| (name.clone(), Value::Integer(i64::from(*id))));
    let entries = [
        ("m", Some(Value::Dict(m.collect()))),
        ("p", handshake.p.map(|port| Value::Integer(i64::from(port)))),
        ("v", handshake.v.clone().map(Value::Bytes)),
        (
            "yourip",
            handshake.yourip.map(|ip| Value::Bytes(address_bytes(ip))),
        ),
        (
            "ipv4",
            handshake.ipv4.map(|ip| Value::Bytes(ip.octets().to_vec())),
        ),
        (
            "ipv6",
            handshake.ipv6.map(|ip| Value::Bytes(ip.octets().to_vec())),
        ),
        ("reqq", handshake.reqq.map(Value::from)),
        ("metadata_size", handshake.metadata_size.map(Value::from)),
        (
            "upload_only",
            handshake
                .upload_only
                .map(|flag| Value::Integer(i64::from(flag))),
        ),
    ];
    present(entries).encode()
}

/// A dictionary of the entries that have a value.
pub(crate) fn present<const N: usize>(entries: [(&str, Option<Value>); N]) -> Value {
    Value::dict(
        entries
            .into_iter()
            .filter_map(|(key, value)| Some((key, value?))),
    )
}

/// Decodes a metadata message in canonical form.
pub fn decode_metadata(payload: &[u8]) -> Result<MetadataMessage, WireError> {
    let fields = Fields::decode_prefix(decoder(Strictness::Strict), payload)?;
    read_metadata(&fields, payload)
}

/// Decodes a metadata message and notes departures from the canonical form.
pub fn decode_metadata_tolerant(
    payload: &[u8],
) -> Result<(MetadataMessage, Vec<Tolerance>), WireError> {
    let fields = Fields::decode_prefix(decoder(Strictness::Tolerant), payload)?;
    Ok((read_metadata(&fields, payload)?, fields.into_tolerances()))
}

fn read_metadata(fields: &Fields<'_>, payload: &[u8]) -> Result<MetadataMessage, WireError> {
    let data = payload.get(fields.length()..).unwrap_or_default();
    let msg_type: i64 = fields
        .number("msg_type")?
        .ok_or_else(|| fields.missing("msg_type"))?;
    if !matches!(msg_type, 0..=2) {
        return Ok(MetadataMessage::Unknown { msg_type });
    }
    let piece: u32 = fields
        .number("piece")?
        .ok_or_else(|| fields.missing("piece"))?;
    if msg_type == 1 {
        let total_size: u32 = fields
            .number("total_size")?
            .ok_or_else(|| fields.missing("total_size"))?;
        let expected = metadata_block_len(piece, total_size)
            .ok_or_else(|| fields.fault(ErrorClass::OutOfRange("piece"), "piece"))?;
        if data.len() != expected as usize {
            let offset = fields.length() + data.len().min(expected as usize);
            return Err(WireError::new(ErrorClass::MetadataLength, offset));
        }
        return Ok(MetadataMessage::Data {
            piece,
            total_size,
            data: data.to_vec(),
        });
    }
    if !data.is_empty() {
        return Err(WireError::new(ErrorClass::TrailingBytes, fields.length()));
    }
    Ok(if msg_type == 0 {
        MetadataMessage::Request { piece }
    } else {
        MetadataMessage::Reject { piece }
    })
}

/// The length of a block of metadata, if metadata of `total_size` bytes has that block.
pub fn metadata_block_len(piece: u32, total_size: u32) -> Option<u32> {
    let begin = piece.checked_mul(METADATA_BLOCK)?;
    let rest = total_size.checked_sub(begin).filter(|rest| *rest > 0)?;
    Some(rest.min(METADATA_BLOCK))
}

/// The bytes of a metadata message.
pub fn encode_metadata(message: &MetadataMessage) -> Vec<u8> {
    let (msg_type, piece, total_size, data) = match message {
        MetadataMessage::Request { piece } => (0, Some(*piece), None, &[][..]),
        MetadataMessage::Data {
            piece,
            total_size,
            data,
        } => (1, Some(*piece), Some(*total_size), &data[..]),
        MetadataMessage::Reject { piece } => (2, Some(*piece), None, &[][..]),
        MetadataMessage::Unknown { msg_type } => (*msg_type, None, None, &[][..]),
    };
    let dict = present([
        ("msg_type", Some(Value::Integer(msg_type))),
        ("piece", piece.map(Value::from)),
        ("total_size", total_size.map(Value::from)),
    ]);
    let mut out = Vec::with_capacity(64 + data.len());
    bencode::encode_into(&dict, &mut out);
    out.extend_from_slice(data);
    out
}

/// Decodes a peer exchange message in canonical form.
pub fn decode_pex(payload: &[u8]) -> Result<PexMessage, WireError> {
    read_pex(&Fields::decode(decoder(Strictness::Strict), payload)?)
}

/// Decodes a peer exchange message and notes departures from the canonical form.
pub fn decode_pex_tolerant(payload: &[u8]) -> Result<(PexMessage, Vec<Tolerance>), WireError> {
    let fields = Fields::decode(decoder(Strictness::Tolerant), payload)?;
    Ok((read_pex(&fields)?, fields.into_tolerances()))
}

fn read_pex(fields: &Fields<'_>) -> Result<PexMessage, WireError> {
    let contacts = ["added", "added6", "dropped", "dropped6"];
    if contacts.iter().all(|key| fields.value(key).is_none()) {
        return Err(fields.missing("added"));
    }
    let added = compact_field(fields, "added", compact::decode_v4)?;
    let added6 = compact_field(fields, "added6", compact::decode_v6)?;
    Ok(PexMessage {
        added: with_flags(fields, added, "added.f")?,
        added6: with_flags(fields, added6, "added6.f")?,
        dropped: compact_field(fields, "dropped", compact::decode_v4)?,
        dropped6: compact_field(fields, "dropped6", compact::decode_v6)?,
    })
}

/// Compact peers under `key`; an absent key stands for none.
fn compact_field<A>(
    fields: &Fields<'_>,
    key: &'static str,
    decode: impl FnOnce(&[u8], &'static str) -> Result<Vec<A>, WireError>,
) -> Result<Vec<A>, WireError> {
    let Some(bytes) = fields.bytes(key)? else {
        return Ok(Vec::new());
    };
    decode(bytes, key).map_err(|error| fields.fault(error.class, key))
}

/// Absent flags stand for zeros.
fn with_flags<A>(
    fields: &Fields<'_>,
    addresses: Vec<A>,
    key: &'static str,
) -> Result<Vec<PexPeer<A>>, WireError> {
    let flags = match fields.bytes(key)? {
        Some(flags) if flags.len() != addresses.len() => {
            return Err(fields.fault(ErrorClass::FlagCount(key), key));
        }
        Some(flags) => flags.to_vec(),
        None => vec![0; addresses.len()],
    };
    Ok(addresses
        .into_iter()
        .zip(flags)
        .map(|(address, flags)| PexPeer { address, flags })
        .collect())
}

/// The bytes of a peer exchange message; all six keys are written.
pub fn encode_pex(message: &PexMessage) -> Vec<u8> {
    let mut strings: [Vec<u8>; 4] = Default::default();
    let [added, added6, dropped, dropped6] = &mut strings;
    compact::encode_v4(message.added.iter().map(|peer| peer.address), added);
    compact::encode_v6(message.added6.iter().map(|peer| peer.address), added6);
    compact::encode_v4(message.dropped.iter().copied(), dropped);
    compact::encode_v6(message.dropped6.iter().copied(), dropped6);
    let [added, added6, dropped, dropped6] = strings;
    Value::dict(
        [
            ("added", added),
            (
                "added.f",
                message.added.iter().map(|peer| peer.flags).collect(),
            ),
            ("added6", added6),
            (
                "added6.f",
                message.added6.iter().map(|peer| peer.flags).collect(),
            ),
            ("dropped", dropped),
            ("dropped6", dropped6),
        ]
        .map(|(key, bytes)| (key, Value::Bytes(bytes))),
    )
    .encode()
}

/// What a peer exchange message does that BEP 11 forbids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PexFault {
    /// More than [`PEX_LIMIT`] added peers, and this is not the first message.
    TooManyAdded,
    /// More than [`PEX_LIMIT`] dropped peers, and this is not the first message.
    TooManyDropped,
    /// An address occurs twice among the added or among the dropped ones.
    Duplicate,
    /// An address is both added and dropped.
    AddedAndDropped,
}

/// The faults of a peer exchange message, each once. `first` is whether it is the first of its connection.
pub fn pex_faults(message: &PexMessage, first: bool) -> Vec<PexFault> {
    let v4 = message.added.iter().map(|peer| peer.address.into());
    let v6 = message.added6.iter().map(|peer| peer.address.into());
    let added: Vec<std::net::SocketAddr> = v4.chain(v6).collect();
    let v4 = message.dropped.iter().map(|address| (*address).into());
    let v6 = message.dropped6.iter().map(|address| (*address).into());
    let dropped: Vec<std::net::SocketAddr> = v4.chain(v6).collect();
    let distinct_added: BTreeSet<_> = added.iter().collect();
    let distinct_dropped: BTreeSet<_> = dropped.iter().collect();
    let duplicate = distinct_added.len() < added.len() || distinct_dropped.len() < dropped.len();
    let faults = [
        (!first && added.len() > PEX_LIMIT, PexFault::TooManyAdded),
        (
            !first && dropped.len() > PEX_LIMIT,
            PexFault::TooManyDropped,
        ),
        (duplicate, PexFault::Duplicate),
        (
            !distinct_added.is_disjoint(&distinct_dropped),
            PexFault::AddedAndDropped,
        ),
    ];
    faults
        .into_iter()
        .filter_map(|(present, fault)| present.then_some(fault))
        .collect()
}
