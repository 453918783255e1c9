//! The bencoded body of a tracker's reply.

use crate::bencode::{Decoder, Limits, Strictness, Tolerance, Value};
use crate::bittorrent::message::{
    AnnounceResponse, AnnounceSuccess, InfoHash, PeerId, Peers, RetryIn, ScrapeEntry,
    ScrapeResponse, TrackerFailure, TrackerPeer,
};
use crate::bittorrent::wire::extension::{address, address_bytes, present};
use crate::bittorrent::wire::fields::Fields;
use crate::bittorrent::wire::{ErrorClass, WireError, compact};

fn decode(body: &[u8], strictness: Strictness) -> Result<Fields<'_>, WireError> {
    Fields::decode(
        Decoder {
            limits: Limits::MESSAGE,
            strictness,
        },
        body,
    )
}

/// Decodes the body of a reply to an announce, in canonical form.
pub fn decode_announce_response(body: &[u8]) -> Result<AnnounceResponse, WireError> {
    read_announce(&decode(body, Strictness::Strict)?)
}

/// Decodes the body of a reply to an announce, and notes departures from the canonical form.
pub fn decode_announce_response_tolerant(
    body: &[u8],
) -> Result<(AnnounceResponse, Vec<Tolerance>), WireError> {
    let fields = decode(body, Strictness::Tolerant)?;
    Ok((read_announce(&fields)?, fields.into_tolerances()))
}

fn read_announce(fields: &Fields<'_>) -> Result<AnnounceResponse, WireError> {
    if let Some(failure) = read_failure(fields)? {
        return Ok(AnnounceResponse::Failure(failure));
    }
    let success = AnnounceSuccess {
        interval: fields
            .number("interval")?
            .ok_or_else(|| fields.missing("interval"))?,
        min_interval: fields.number("min interval")?,
        tracker_id: fields.owned_bytes("tracker id")?,
        complete: fields.number("complete")?,
        incomplete: fields.number("incomplete")?,
        downloaded: fields.number("downloaded")?,
        external_ip: fields.parsed("external ip", address)?,
        warning: fields.owned_bytes("warning message")?,
        peers: read_peers(fields)?,
        peers6: read_peers6(fields)?,
    };
    if success.peers.is_none() && success.peers6.is_none() {
        return Err(fields.missing("peers"));
    }
    Ok(AnnounceResponse::Success(success))
}

fn read_failure(fields: &Fields<'_>) -> Result<Option<TrackerFailure>, WireError> {
    let Some(reason) = fields.owned_bytes("failure reason")? else {
        return Ok(None);
    };
    let retry_in = match fields.value("retry in") {
        None => None,
        Some(Value::Bytes(word)) if word == b"never" => Some(RetryIn::Never),
        Some(Value::Integer(_)) => fields.number("retry in")?.map(RetryIn::Minutes),
        // BEP 31 says "number of minutes" without a type, and some trackers write the digits as a string.
        Some(_) => fields
            .parsed("retry in", |text| str::from_utf8(text).ok()?.parse().ok())?
            .map(RetryIn::Minutes),
    };
    Ok(Some(TrackerFailure { reason, retry_in }))
}

fn read_peers(fields: &Fields<'_>) -> Result<Option<Peers>, WireError> {
    match fields.value("peers") {
        None => Ok(None),
        Some(Value::Bytes(bytes)) => {
            let peers = compact::decode_v4(bytes, "peers")
                .map_err(|error| fields.fault(error.class, "peers"))?;
            Ok(Some(Peers::Compact(peers)))
        }
        Some(_) => {
            let entries = fields.list("peers")?.unwrap_or_default();
            let peers = entries
                .iter()
                .map(|entry| read_peer(entry).map_err(|class| fields.fault(class, "peers")));
            Ok(Some(Peers::Dictionaries(peers.collect::<Result<_, _>>()?)))
        }
    }
}

fn read_peer(entry: &Value) -> Result<TrackerPeer, ErrorClass> {
    entry.as_dict().ok_or(ErrorClass::WrongType("peers"))?;
    let ip = entry.get("ip").ok_or(ErrorClass::MissingKey("ip"))?;
    let port = entry.get("port").ok_or(ErrorClass::MissingKey("port"))?;
    let port = port.as_integer().ok_or(ErrorClass::WrongType("port"))?;
    let peer_id = match entry.get("peer id") {
        None => None,
        Some(Value::Bytes(bytes)) => {
            let id = bytes
                .as_slice()
                .try_into()
                .map_err(|_| ErrorClass::OutOfRange("peer id"))?;
            Some(PeerId(id))
        }
        Some(_) => return Err(ErrorClass::WrongType("peer id")),
    };
    Ok(TrackerPeer {
        peer_id,
        ip: ip.as_bytes().ok_or(ErrorClass::WrongType("ip"))?.to_vec(),
        port: u16::try_from(port).map_err(|_| ErrorClass::OutOfRange("port"))?,
    })
}

fn read_peers6(fields: &Fields<'_>) -> Result<Option<Vec<std::net::SocketAddrV6>>, WireError> {
    let Some(bytes) = fields.bytes("peers6")? else {
        return Ok(None);
    };
    compact::decode_v6(bytes, "peers6")
        .map(Some)
        .map_err(|error| fields.fault(error.class, "peers6"))
}

/// The body of a reply to an announce.
pub fn encode_announce_response(response: &AnnounceResponse) -> Vec<u8> {
    let success = match response {
        AnnounceResponse::Failure(failure) => return failure_value(failure).encode(),
        AnnounceResponse::Success(success) => success,
    };
    let peers6 = success.peers6.as_ref().map(|peers| {
        let mut bytes = Vec::new();
        compact::encode_v6(peers.iter().copied(), &mut bytes);
        Value::Bytes(bytes)
    });
    present([
        ("interval", Some(Value::from(success.interval))),
        ("min interval", success.min_interval.map(Value::from)),
        ("tracker id", success.tracker_id.clone().map(Value::Bytes)),
        ("complete", success.complete.map(Value::from)),
        ("incomplete", success.incomplete.map(Value::from)),
        ("downloaded", success.downloaded.map(Value::from)),
        (
            "external ip",
            success
                .external_ip
                .map(|ip| Value::Bytes(address_bytes(ip))),
        ),
        ("warning message", success.warning.clone().map(Value::Bytes)),
        ("peers", success.peers.as_ref().map(peers_value)),
        ("peers6", peers6),
    ])
    .encode()
}

fn failure_value(failure: &TrackerFailure) -> Value {
    let retry_in = failure.retry_in.map(|retry_in| match retry_in {
        RetryIn::Minutes(minutes) => Value::from(minutes),
        RetryIn::Never => Value::from("never"),
    });
    present([
        ("failure reason", Some(Value::Bytes(failure.reason.clone()))),
        ("retry in", retry_in),
    ])
}

fn peers_value(peers: &Peers) -> Value {
    match peers {
        Peers::Compact(peers) => {
            let mut bytes = Vec::new();
            compact::encode_v4(peers.iter().copied(), &mut bytes);
            Value::Bytes(bytes)
        }
        Peers::Dictionaries(peers) => Value::List(peers.iter().map(peer_value).collect()),
    }
}

fn peer_value(peer: &TrackerPeer) -> Value {
    present([
        (
            "peer id",
            peer.peer_id.map(|id| Value::Bytes(id.0.to_vec())),
        ),
        ("ip", Some(Value::Bytes(peer.ip.clone()))),
        ("port", Some(Value::Integer(i64::from(peer.port)))),
    ])
}

/// Decodes the body of a reply to a scrape, in canonical form.
pub fn decode_scrape_response(body: &[u8]) -> Result<ScrapeResponse, WireError> {
    read_scrape(&decode(body, Strictness::Strict)?)
}

/// Decodes the body of a reply to a scrape, and notes departures from the canonical form.
pub fn decode_scrape_response_tolerant(
    body: &[u8],
) -> Result<(ScrapeResponse, Vec<Tolerance>), WireError> {
    let fields = decode(body, Strictness::Tolerant)?;
    Ok((read_scrape(&fields)?, fields.into_tolerances()))
}

fn read_scrape(fields: &Fields<'_>) -> Result<ScrapeResponse, WireError> {
    if let Some(failure) = read_failure(fields)? {
        return Ok(ScrapeResponse::Failure(failure));
    }
    let files = fields
        .dict("files")?
        .ok_or_else(|| fields.missing("files"))?;
    let entries = files.iter().map(|(key, entry)| {
        let info_hash = key
            .as_slice()
            .try_into()
            .map_err(|_| ErrorClass::OutOfRange("files"))?;
        Ok((InfoHash(info_hash), read_scrape_entry(entry)?))
    });
    let files = entries
        .collect::<Result<_, ErrorClass>>()
        .map_err(|class| fields.fault(class, "files"))?;
    Ok(ScrapeResponse::Files(files))
}

fn read_scrape_entry(entry: &Value) -> Result<ScrapeEntry, ErrorClass> {
    entry.as_dict().ok_or(ErrorClass::WrongType("files"))?;
    let count = |key: &'static str| {
        let value = entry.get(key).ok_or(ErrorClass::MissingKey(key))?;
        let integer = value.as_integer().ok_or(ErrorClass::WrongType(key))?;
        u32::try_from(integer).map_err(|_| ErrorClass::OutOfRange(key))
    };
    Ok(ScrapeEntry {
        complete: count("complete")?,
        downloaded: count("downloaded")?,
        incomplete: count("incomplete")?,
    })
}

/// The body of a reply to a scrape.
pub fn encode_scrape_response(response: &ScrapeResponse) -> Vec<u8> {
    let files = match response {
        ScrapeResponse::Failure(failure) => return failure_value(failure).encode(),
        ScrapeResponse::Files(files) => files,
    };
    let files = files.iter().map(|(info_hash, entry)| {
        let counts = [
            ("complete", entry.complete),
            ("downloaded", entry.downloaded),
            ("incomplete", entry.incomplete),
        ];
        (
            info_hash.0,
            Value::dict(counts.map(|(key, count)| (key, Value::from(count)))),
        )
    });
    Value::dict([("files", Value::dict(files))]).encode()
}
