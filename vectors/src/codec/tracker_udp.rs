//! Datagrams to and from a tracker.

use super::json::{self, Object, Parts};
use super::{Codec, Decoded, Fault, Strictness, strict};
use crate::file::{Context, Family};
use peerproof_model::bittorrent::message::{
    AnnounceEvent, InfoHash, PeerId, UdpAnnounce, UdpRequest, UdpResponse, UdpScrapeEntry,
};
use peerproof_model::bittorrent::wire::tracker_udp;
use serde_json::Value;

pub(super) const CODECS: &[Codec] = &[
    Codec {
        protocol: "bittorrent",
        message: "udp-tracker-request",
        decode: decode_request,
        encode: Some(encode_request),
    },
    Codec {
        protocol: "bittorrent",
        message: "udp-tracker-response",
        decode: decode_response,
        encode: Some(encode_response),
    },
];

/// 64-bit ids are written in hexadecimal digits, as they look in the bytes.
fn id_from_json(parts: Parts<'_>, key: &str) -> Result<u64, String> {
    parts.array(key).map(u64::from_be_bytes)
}

fn decode_request(bytes: &[u8], _: &Context, _: Strictness) -> Result<Decoded, Fault> {
    let (request, _) = tracker_udp::decode_request(bytes)?;
    let value = match request {
        UdpRequest::Connect { transaction_id } => {
            Object::of_type("connect").put("transaction_id", transaction_id)
        }
        UdpRequest::Announce(announce) => announce_to_json(&announce),
        UdpRequest::Scrape {
            connection_id,
            transaction_id,
            info_hashes,
        } => {
            let info_hashes: Vec<_> = info_hashes
                .iter()
                .map(|info_hash| hex::encode(info_hash.0))
                .collect();
            Object::of_type("scrape")
                .bytes("connection_id", &connection_id.to_be_bytes())
                .put("transaction_id", transaction_id)
                .put("info_hashes", info_hashes)
        }
    };
    Ok(strict(value.build()))
}

fn announce_to_json(announce: &UdpAnnounce) -> Object {
    let event = match announce.event {
        AnnounceEvent::Completed => "completed",
        AnnounceEvent::Started => "started",
        AnnounceEvent::Stopped => "stopped",
        _ => "none",
    };
    Object::of_type("announce")
        .bytes("connection_id", &announce.connection_id.to_be_bytes())
        .put("transaction_id", announce.transaction_id)
        .bytes("info_hash", &announce.info_hash.0)
        .bytes("peer_id", &announce.peer_id.0)
        .text("downloaded", announce.downloaded)
        .text("left", announce.left)
        .text("uploaded", announce.uploaded)
        .put("event", event)
        .text("ip", announce.ip)
        .put("key", announce.key)
        .put("num_want", announce.num_want)
        .put("port", announce.port)
        .bytes_some("url_data", announce.url_data.as_deref())
}

fn encode_request(json: &Value) -> Result<Vec<u8>, String> {
    let parts = Parts::of(json)?;
    let request = match parts.type_name()? {
        "connect" => UdpRequest::Connect {
            transaction_id: parts.number("transaction_id")?,
        },
        "announce" => UdpRequest::Announce(announce_from_json(parts)?),
        "scrape" => UdpRequest::Scrape {
            connection_id: id_from_json(parts, "connection_id")?,
            transaction_id: parts.number("transaction_id")?,
            info_hashes: parts
                .list("info_hashes")?
                .iter()
                .map(|value| json::array(value).map(InfoHash))
                .collect::<Result<_, _>>()?,
        },
        other => return Err(format!("there is no request `{other}`")),
    };
    Ok(tracker_udp::encode_request(&request))
}

fn announce_from_json(parts: Parts<'_>) -> Result<UdpAnnounce, String> {
    Ok(UdpAnnounce {
        connection_id: id_from_json(parts, "connection_id")?,
        transaction_id: parts.number("transaction_id")?,
        info_hash: InfoHash(parts.array("info_hash")?),
        peer_id: PeerId(parts.array("peer_id")?),
        downloaded: parts.text("downloaded")?,
        left: parts.text("left")?,
        uploaded: parts.text("uploaded")?,
        event: match parts.string("event")? {
            "none" => AnnounceEvent::Regular,
            "completed" => AnnounceEvent::Completed,
            "started" => AnnounceEvent::Started,
            "stopped" => AnnounceEvent::Stopped,
            other => return Err(format!("there is no event `{other}`")),
        },
        ip: parts.text("ip")?,
        key: parts.number("key")?,
        num_want: parts.number("num_want")?,
        port: parts.number("port")?,
        url_data: parts.bytes_some("url_data")?,
    })
}

fn decode_response(bytes: &[u8], context: &Context, _: Strictness) -> Result<Decoded, Fault> {
    let family = match context.family {
        Some(Family::Ipv6) => tracker_udp::Family::V6,
        Some(Family::Ipv4) | None => tracker_udp::Family::V4,
    };
    let (response, _) = tracker_udp::decode_response(bytes, family)?;
    let value = match response {
        UdpResponse::Connect {
            transaction_id,
            connection_id,
        } => Object::of_type("connect")
            .put("transaction_id", transaction_id)
            .bytes("connection_id", &connection_id.to_be_bytes()),
        UdpResponse::Announce {
            transaction_id,
            interval,
            leechers,
            seeders,
            peers,
        } => Object::of_type("announce")
            .put("transaction_id", transaction_id)
            .put("interval", interval)
            .put("leechers", leechers)
            .put("seeders", seeders)
            .texts("peers", &peers),
        UdpResponse::Scrape {
            transaction_id,
            entries,
        } => {
            let entry = |entry: &UdpScrapeEntry| {
                Object::new()
                    .put("seeders", entry.seeders)
                    .put("completed", entry.completed)
                    .put("leechers", entry.leechers)
                    .build()
            };
            Object::of_type("scrape")
                .put("transaction_id", transaction_id)
                .put("entries", entries.iter().map(entry).collect::<Vec<_>>())
        }
        UdpResponse::Error {
            transaction_id,
            message,
        } => Object::of_type("error")
            .put("transaction_id", transaction_id)
            .bytes("message", &message),
    };
    Ok(strict(value.build()))
}

fn encode_response(json: &Value) -> Result<Vec<u8>, String> {
    let parts = Parts::of(json)?;
    let transaction_id = parts.number("transaction_id")?;
    let response = match parts.type_name()? {
        "connect" => UdpResponse::Connect {
            transaction_id,
            connection_id: id_from_json(parts, "connection_id")?,
        },
        "announce" => UdpResponse::Announce {
            transaction_id,
            interval: parts.number("interval")?,
            leechers: parts.number("leechers")?,
            seeders: parts.number("seeders")?,
            peers: parts.texts("peers")?,
        },
        "scrape" => {
            let entry = |entry: &Value| {
                let entry = Parts::of(entry)?;
                Ok(UdpScrapeEntry {
                    seeders: entry.number("seeders")?,
                    completed: entry.number("completed")?,
                    leechers: entry.number("leechers")?,
                })
            };
            let entries = parts
                .list("entries")?
                .iter()
                .map(entry)
                .collect::<Result<_, String>>()?;
            UdpResponse::Scrape {
                transaction_id,
                entries,
            }
        }
        "error" => UdpResponse::Error {
            transaction_id,
            message: parts.bytes("message")?,
        },
        other => return Err(format!("there is no response `{other}`")),
    };
    Ok(tracker_udp::encode_response(&response))
}
