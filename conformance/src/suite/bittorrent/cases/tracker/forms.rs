//! One announce, written in every form that means the same.

use super::case;
use crate::case::Level::{May, Must, Should};
use crate::case::{Case, Stop};
use crate::suite::bittorrent::tracker_client::Door::Http;
use crate::suite::bittorrent::tracker_client::{Peer, TrackerKit};
use peerproof_model::bittorrent::message::AnnounceEvent;

const ESCAPING: &[&str] = &["bep3/tracker-escaping"];
const SAME: &str = "It is the same torrent: the second peer is told of the first.";

pub(super) static CASES: &[Case<TrackerKit>] = &[
    case(
        "bittorrent-tracker/http/escaping-lower-case",
        Must,
        ESCAPING,
        "every_form_of_an_announce_is_understood",
        "A peer announces; another writes every byte of info_hash and peer_id as % and two lower-case digits.",
        SAME,
        |kit| found_by(kit, |byte, out| *out += &format!("%{byte:02x}")),
    ),
    case(
        "bittorrent-tracker/http/escaping-upper-case",
        Must,
        ESCAPING,
        "every_form_of_an_announce_is_understood",
        "A peer announces; another writes every byte of info_hash and peer_id as % and two upper-case digits.",
        SAME,
        |kit| found_by(kit, |byte, out| *out += &format!("%{byte:02X}")),
    ),
    case(
        "bittorrent-tracker/http/escaping-mixed",
        Must,
        ESCAPING,
        "every_form_of_an_announce_is_understood",
        "A peer announces; another leaves unreserved bytes plain and mixes the case of the digits.",
        SAME,
        |kit| {
            found_by(kit, |byte, out| match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                    out.push(char::from(byte));
                }
                _ if byte & 1 == 0 => *out += &format!("%{byte:02x}"),
                _ => *out += &format!("%{byte:02X}"),
            })
        },
    ),
    case(
        "bittorrent-tracker/http/order-of-parameters",
        Must,
        &["bep3/tracker-answers-announces"],
        "announces_are_answered",
        "A peer announces with its parameters in reverse order.",
        "The announce is answered.",
        |kit| {
            let peer = kit.over(Http)?.peer(0).started();
            let path = kit.path(&peer);
            let (base, query) = path.split_once('?').unwrap_or((&path, ""));
            let reverse: Vec<&str> = query.rsplit('&').collect();
            kit.announce_as(&peer, &format!("{base}?{}", reverse.join("&")))
        },
    ),
    case(
        "bittorrent-tracker/http/empty-event",
        Must,
        &["bep3/tracker-answers-announces"],
        "announces_are_answered",
        "A peer announces with an empty event, which is the same as none.",
        "The announce is answered.",
        |kit| appended(kit, "&event="),
    ),
    case(
        "bittorrent-tracker/http/unknown-parameters",
        Should,
        &["bep3/tracker-extensions"],
        "announces_are_answered",
        "A peer announces with the parameters supportcrypto, redundant and one that nobody knows.",
        "The announce is answered.",
        |kit| appended(kit, "&supportcrypto=1&redundant=0&x-unheard-of=%00%ff"),
    ),
    case(
        "bittorrent-tracker/http/unknown-event",
        May,
        &["bep3/tracker-extensions"],
        "answers_are_well_formed",
        "A peer announces with the event paused (BEP 21).",
        "It is taken or refused, with a whole answer.",
        |kit| {
            let peer = kit.over(Http)?.peer(0);
            kit.try_announce(&peer.saying(AnnounceEvent::Paused))
        },
    ),
    case(
        "bittorrent-tracker/http/repeated-parameters",
        May,
        &["bep3/tracker-answers-announces"],
        "answers_are_well_formed",
        "A peer announces with port and left given twice, alike.",
        "It is taken or refused, with a whole answer.",
        |kit| {
            let port = kit.peer(0).request.port;
            appended(kit, &format!("&port={port}&left=1048576"))
        },
    ),
    case(
        "bittorrent-tracker/http/empty-parameters",
        May,
        &["bep3/tracker-answers-announces"],
        "answers_are_well_formed",
        "A peer announces with ampersands that separate nothing.",
        "It is taken or refused, with a whole answer.",
        |kit| appended(kit, "&&&"),
    ),
    case(
        "bittorrent-tracker/http/version-1.0",
        Must,
        &["rfc9112/message-framing"],
        "announces_are_answered",
        "A peer announces by a request of HTTP/1.0 without a Host line.",
        "The announce is answered.",
        |kit| {
            let peer = kit.over(Http)?.peer(0).started();
            let request = format!("GET {} HTTP/1.0\r\n\r\n", kit.path(&peer));
            kit.announce_bytes(&peer, &[request.as_bytes()])
        },
    ),
    case(
        "bittorrent-tracker/http/many-header-lines",
        Should,
        &["rfc9112/message-framing"],
        "announces_are_answered",
        "A peer announces by a request with twenty header lines.",
        "The announce is answered.",
        |kit| {
            let peer = kit.over(Http)?.peer(0).started();
            let request = kit.request(&kit.path(&peer), "HTTP/1.1");
            let lines = "X-Line: of no meaning\r\n".repeat(17);
            let request = request.replacen("\r\n", &format!("\r\n{lines}"), 1);
            kit.announce_bytes(&peer, &[request.as_bytes()])
        },
    ),
    case(
        "bittorrent-tracker/http/no-wish-to-close",
        Must,
        &["rfc9112/message-framing"],
        "announces_are_answered",
        "A peer announces by a request of HTTP/1.1 without a Connection line.",
        "The answer tells where it ends, by its length, its chunks or the end of the connection.",
        |kit| {
            let peer = kit.over(Http)?.peer(0).started();
            let request = kit.request(&kit.path(&peer), "HTTP/1.1");
            let request = request.replace("Connection: close\r\n", "");
            kit.announce_bytes(&peer, &[request.as_bytes()])
        },
    ),
];

/// A second peer, whose info hash and peer id are written by `escape`, announces after a first one.
fn found_by(kit: &mut TrackerKit, escape: fn(u8, &mut String)) -> Result<(), Stop> {
    let (first, second) = (kit.over(Http)?.peer(0).started(), kit.peer(1).started());
    kit.announce(&first)?;
    let path = escaped(kit, &second, escape);
    kit.announce_as(&second, &path)
}

fn escaped(kit: &TrackerKit, peer: &Peer, escape: fn(u8, &mut String)) -> String {
    let mut query = String::new();
    for (name, bytes) in [
        ("info_hash", peer.request.info_hash.0),
        ("peer_id", peer.request.peer_id.0),
    ] {
        query += name;
        query.push('=');
        bytes.iter().for_each(|byte| escape(*byte, &mut query));
        query.push('&');
    }
    let path = kit.path(peer);
    let (base, _) = path.split_once('?').unwrap_or((&path, ""));
    let at = path.find("port=").unwrap_or(path.len());
    format!("{base}?{query}{}", &path[at..])
}

/// A peer announces with `more` at the end of its query.
fn appended(kit: &mut TrackerKit, more: &str) -> Result<(), Stop> {
    let peer = kit.over(Http)?.peer(0);
    let path = kit.path(&peer) + more;
    kit.announce_as(&peer, &path)
}
