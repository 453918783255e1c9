//! Bodies of replies.

use crate::codec::json::{Object, Parts};
use crate::codec::{Decoded, Fault, Strictness, strict, tolerant};
use crate::file::Context;
use peerproof_model::bittorrent::message::{
    AnnounceResponse, AnnounceSuccess, InfoHash, PeerId, Peers, RetryIn, ScrapeEntry,
    ScrapeResponse, TrackerFailure, TrackerPeer,
};
use peerproof_model::bittorrent::wire::tracker_http;
use serde_json::{Value, json};

pub(super) fn decode_announce(
    bytes: &[u8],
    _: &Context,
    strictness: Strictness,
) -> Result<Decoded, Fault> {
    match strictness {
        Strictness::Strict => Ok(strict(announce_to_json(
            &tracker_http::decode_announce_response(bytes)?,
        ))),
        Strictness::Tolerant => {
            let (response, tolerances) = tracker_http::decode_announce_response_tolerant(bytes)?;
            Ok(tolerant(announce_to_json(&response), tolerances))
        }
    }
}

fn announce_to_json(response: &AnnounceResponse) -> Value {
    let success = match response {
        AnnounceResponse::Failure(failure) => return failure_to_json(failure),
        AnnounceResponse::Success(success) => success,
    };
    let peers = success.peers.as_ref().map(peers_to_json);
    let peers6 = success
        .peers6
        .as_ref()
        .map(|peers| peers.iter().map(ToString::to_string).collect::<Vec<_>>());
    Object::of_type("success")
        .put("interval", success.interval)
        .put_some("min_interval", success.min_interval)
        .bytes_some("tracker_id", success.tracker_id.as_deref())
        .put_some("complete", success.complete)
        .put_some("incomplete", success.incomplete)
        .put_some("downloaded", success.downloaded)
        .text_some("external_ip", success.external_ip)
        .bytes_some("warning", success.warning.as_deref())
        .put_some("peers", peers)
        .put_some("peers6", peers6)
        .build()
}

fn failure_to_json(failure: &TrackerFailure) -> Value {
    let retry_in = failure.retry_in.map(|retry_in| match retry_in {
        RetryIn::Minutes(minutes) => json!(minutes),
        RetryIn::Never => json!("never"),
    });
    Object::of_type("failure")
        .bytes("reason", &failure.reason)
        .put_some("retry_in", retry_in)
        .build()
}

/// Compact peers are a list of addresses, peers in dictionary form a list of objects.
fn peers_to_json(peers: &Peers) -> Value {
    let peer = |peer: &TrackerPeer| {
        Object::new()
            .put_some("peer_id", peer.peer_id.map(|id| hex::encode(id.0)))
            .bytes("ip", &peer.ip)
            .put("port", peer.port)
            .build()
    };
    match peers {
        Peers::Compact(peers) => {
            json!({ "compact": peers.iter().map(ToString::to_string).collect::<Vec<_>>() })
        }
        Peers::Dictionaries(peers) => {
            json!({ "dictionaries": peers.iter().map(peer).collect::<Vec<_>>() })
        }
    }
}

pub(super) fn encode_announce(json: &Value) -> Result<Vec<u8>, String> {
    let parts = Parts::of(json)?;
    let response = match parts.type_name()? {
        "failure" => AnnounceResponse::Failure(failure_from_json(parts)?),
        "success" => AnnounceResponse::Success(AnnounceSuccess {
            interval: parts.number("interval")?,
            min_interval: parts.number_some("min_interval")?,
            tracker_id: parts.bytes_some("tracker_id")?,
            complete: parts.number_some("complete")?,
            incomplete: parts.number_some("incomplete")?,
            downloaded: parts.number_some("downloaded")?,
            external_ip: parts.text_some("external_ip")?,
            warning: parts.bytes_some("warning")?,
            peers: parts.get("peers").map(peers_from_json).transpose()?,
            peers6: parts
                .get("peers6")
                .map(|_| parts.texts("peers6"))
                .transpose()?,
        }),
        other => return Err(format!("there is no reply `{other}`")),
    };
    Ok(tracker_http::encode_announce_response(&response))
}

fn failure_from_json(parts: Parts<'_>) -> Result<TrackerFailure, String> {
    let retry_in = match parts.get("retry_in") {
        None => None,
        Some(word) if word == "never" => Some(RetryIn::Never),
        Some(_) => Some(RetryIn::Minutes(parts.number("retry_in")?)),
    };
    Ok(TrackerFailure {
        reason: parts.bytes("reason")?,
        retry_in,
    })
}

fn peers_from_json(json: &Value) -> Result<Peers, String> {
    let parts = Parts::of(json)?;
    if parts.get("compact").is_some() {
        return Ok(Peers::Compact(parts.texts("compact")?));
    }
    let peer = |peer: &Value| {
        let peer = Parts::of(peer)?;
        let peer_id = peer
            .get("peer_id")
            .map(|_| peer.array("peer_id"))
            .transpose()?;
        Ok(TrackerPeer {
            peer_id: peer_id.map(PeerId),
            ip: peer.bytes("ip")?,
            port: peer.number("port")?,
        })
    };
    Ok(Peers::Dictionaries(
        parts
            .list("dictionaries")?
            .iter()
            .map(peer)
            .collect::<Result<_, String>>()?,
    ))
}

pub(super) fn decode_scrape(
    bytes: &[u8],
    _: &Context,
    strictness: Strictness,
) -> Result<Decoded, Fault> {
    match strictness {
        Strictness::Strict => Ok(strict(scrape_to_json(
            &tracker_http::decode_scrape_response(bytes)?,
        ))),
        Strictness::Tolerant => {
            let (response, tolerances) = tracker_http::decode_scrape_response_tolerant(bytes)?;
            Ok(tolerant(scrape_to_json(&response), tolerances))
        }
    }
}

fn scrape_to_json(response: &ScrapeResponse) -> Value {
    let files = match response {
        ScrapeResponse::Failure(failure) => return failure_to_json(failure),
        ScrapeResponse::Files(files) => files,
    };
    let file = |(info_hash, entry): (&InfoHash, &ScrapeEntry)| {
        Object::new()
            .bytes("info_hash", &info_hash.0)
            .put("complete", entry.complete)
            .put("downloaded", entry.downloaded)
            .put("incomplete", entry.incomplete)
            .build()
    };
    Object::of_type("files")
        .put("files", files.iter().map(file).collect::<Vec<_>>())
        .build()
}

pub(super) fn encode_scrape(json: &Value) -> Result<Vec<u8>, String> {
    let parts = Parts::of(json)?;
    let file = |file: &Value| {
        let file = Parts::of(file)?;
        let entry = ScrapeEntry {
            complete: file.number("complete")?,
            downloaded: file.number("downloaded")?,
            incomplete: file.number("incomplete")?,
        };
        Ok((InfoHash(file.array("info_hash")?), entry))
    };
    let response = match parts.type_name()? {
        "failure" => ScrapeResponse::Failure(failure_from_json(parts)?),
        "files" => ScrapeResponse::Files(
            parts
                .list("files")?
                .iter()
                .map(file)
                .collect::<Result<_, String>>()?,
        ),
        other => return Err(format!("there is no reply `{other}`")),
    };
    Ok(tracker_http::encode_scrape_response(&response))
}
