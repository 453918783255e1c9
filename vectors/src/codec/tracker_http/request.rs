//! Paths with query of GET requests; the path itself is `/announce` and `/scrape`.

use crate::codec::json::{self, Object, Parts};
use crate::codec::{Decoded, Fault, Strictness, strict};
use crate::file::Context;
use peerproof_model::bittorrent::message::{
    AnnounceEvent, AnnounceRequest, InfoHash, PeerId, ScrapeRequest,
};
use peerproof_model::bittorrent::wire::tracker_http;
use serde_json::Value;

pub(super) fn decode_announce(bytes: &[u8], _: &Context, _: Strictness) -> Result<Decoded, Fault> {
    let request = tracker_http::decode_announce(bytes)?;
    let event: Option<&[u8]> = match &request.event {
        AnnounceEvent::Regular => None,
        AnnounceEvent::Started => Some(b"started"),
        AnnounceEvent::Completed => Some(b"completed"),
        AnnounceEvent::Stopped => Some(b"stopped"),
        AnnounceEvent::Paused => Some(b"paused"),
        AnnounceEvent::Other(other) => Some(other),
    };
    let parameter = |(name, value): &(Vec<u8>, Vec<u8>)| {
        Object::new()
            .bytes("name", name)
            .bytes("value", value)
            .build()
    };
    let value = Object::new()
        .bytes("info_hash", &request.info_hash.0)
        .bytes("peer_id", &request.peer_id.0)
        .put("port", request.port)
        .text("uploaded", request.uploaded)
        .text("downloaded", request.downloaded)
        .text("left", request.left)
        .bytes_some("event", event)
        .bytes_some("ip", request.ip.as_deref())
        .put_some("numwant", request.numwant)
        .bytes_some("key", request.key.as_deref())
        .put_some("compact", request.compact)
        .put_some("no_peer_id", request.no_peer_id)
        .bytes_some("trackerid", request.trackerid.as_deref())
        .put(
            "other",
            request.other.iter().map(parameter).collect::<Vec<_>>(),
        );
    Ok(strict(value.build()))
}

pub(super) fn encode_announce(json: &Value) -> Result<Vec<u8>, String> {
    let parts = Parts::of(json)?;
    let parameter = |parameter: &Value| {
        let parameter = Parts::of(parameter)?;
        Ok((parameter.bytes("name")?, parameter.bytes("value")?))
    };
    let request = AnnounceRequest {
        info_hash: InfoHash(parts.array("info_hash")?),
        peer_id: PeerId(parts.array("peer_id")?),
        port: parts.number("port")?,
        uploaded: parts.text("uploaded")?,
        downloaded: parts.text("downloaded")?,
        left: parts.text("left")?,
        event: event(parts.bytes_some("event")?.as_deref()),
        ip: parts.bytes_some("ip")?,
        numwant: parts.number_some("numwant")?,
        key: parts.bytes_some("key")?,
        compact: parts.flag_some("compact")?,
        no_peer_id: parts.flag_some("no_peer_id")?,
        trackerid: parts.bytes_some("trackerid")?,
        other: parts
            .list("other")?
            .iter()
            .map(parameter)
            .collect::<Result<_, String>>()?,
    };
    Ok(tracker_http::encode_announce("/announce", &request).into_bytes())
}

fn event(word: Option<&[u8]>) -> AnnounceEvent {
    match word {
        None => AnnounceEvent::Regular,
        Some(b"started") => AnnounceEvent::Started,
        Some(b"completed") => AnnounceEvent::Completed,
        Some(b"stopped") => AnnounceEvent::Stopped,
        Some(b"paused") => AnnounceEvent::Paused,
        Some(other) => AnnounceEvent::Other(other.to_vec()),
    }
}

pub(super) fn decode_scrape(bytes: &[u8], _: &Context, _: Strictness) -> Result<Decoded, Fault> {
    let request = tracker_http::decode_scrape(bytes)?;
    let info_hashes: Vec<_> = request
        .info_hashes
        .iter()
        .map(|info_hash| hex::encode(info_hash.0))
        .collect();
    Ok(strict(
        Object::new().put("info_hashes", info_hashes).build(),
    ))
}

pub(super) fn encode_scrape(json: &Value) -> Result<Vec<u8>, String> {
    let info_hash = |value: &Value| json::array(value).map(InfoHash);
    let info_hashes = Parts::of(json)?
        .list("info_hashes")?
        .iter()
        .map(info_hash)
        .collect::<Result<_, _>>()?;
    Ok(tracker_http::encode_scrape("/scrape", &ScrapeRequest { info_hashes }).into_bytes())
}
