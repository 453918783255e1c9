//! Announces over HTTP that lack something or garble it.

use super::case;
use crate::case::Level::Should;
use crate::case::{Case, Stop};
use crate::suite::bittorrent::tracker_client::Door::Http;
use crate::suite::bittorrent::tracker_client::TrackerKit;

const CLAIMS: &[&str] = &["bep3/failure-reason"];
const PROPERTY: &str = "malformed_announces_are_refused";
const REFUSED: &str = "A failure reason, or an HTTP status of 400 and above.";

macro_rules! refused {
    ($id:literal, $flaw:literal, $name:literal => $value:expr) => {
        case(
            concat!("bittorrent-tracker/http/", $id),
            Should,
            CLAIMS,
            PROPERTY,
            concat!("A peer announces with ", $flaw, "."),
            REFUSED,
            |kit| garbled(kit, $flaw, $name, $value),
        )
    };
}

pub(super) static CASES: &[Case<TrackerKit>] = &[
    refused!("info-hash-missing", "no info_hash", "info_hash" => None),
    refused!("info-hash-short", "an info_hash of 19 bytes", "info_hash" => Some("abcdefghijklmnopqrs")),
    refused!("info-hash-long", "an info_hash of 21 bytes", "info_hash" => Some("abcdefghijklmnopqrstu")),
    refused!("info-hash-in-hexadecimal", "an info_hash of 40 digits", "info_hash" => Some("0123456789abcdef0123456789abcdef01234567")),
    refused!("info-hash-broken-escape", "an info_hash with % before no digits", "info_hash" => Some("%zzbcdefghijklmnopqrst")),
    refused!("peer-id-missing", "no peer_id", "peer_id" => None),
    refused!("peer-id-short", "a peer_id of 19 bytes", "peer_id" => Some("-PP0100-abcdefghijk")),
    refused!("peer-id-long", "a peer_id of 21 bytes", "peer_id" => Some("-PP0100-abcdefghijklm")),
    refused!("port-missing", "no port", "port" => None),
    refused!("port-too-large", "the port 65536", "port" => Some("65536")),
    refused!("port-not-a-number", "a port in letters", "port" => Some("http")),
];

/// An announce whose parameter `name` is replaced, or left out.
fn garbled(
    kit: &mut TrackerKit,
    flaw: &'static str,
    name: &str,
    value: Option<&str>,
) -> Result<(), Stop> {
    let peer = kit.over(Http)?.peer(0).started();
    let path = kit.path(&peer);
    let (base, query) = path.split_once('?').unwrap_or((&path, ""));
    let of_name = |parameter: &str| parameter.split('=').next() == Some(name);
    let parameters = query.split('&').filter_map(|parameter| match value {
        _ if !of_name(parameter) => Some(parameter.to_owned()),
        Some(value) => Some(format!("{name}={value}")),
        None => None,
    });
    let query: Vec<String> = parameters.collect();
    kit.malformed(&peer, flaw, &format!("{base}?{}", query.join("&")))
}
