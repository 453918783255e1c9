//! Slow, broken and hostile clients, which must not keep a tracker from serving others.

use super::case;
use crate::case::Level::{Must, Should};
use crate::case::{Case, Stop};
use crate::suite::bittorrent::tracker_client::Door::Http;
use crate::suite::bittorrent::tracker_client::TrackerKit;

const BAD: &[&str] = &["rfc9112/bad-requests", "bep3/tracker-answers-announces"];
const SERVED: &str = "Whatever the first client is told, the other one's announce is answered.";

pub(super) static CASES: &[Case<TrackerKit>] = &[
    case(
        "bittorrent-tracker/http/garbage",
        Must,
        BAD,
        "announces_are_answered",
        "A client sends the handshake of a peer; then another one announces.",
        SERVED,
        |kit| {
            after(
                kit,
                "sends what is no HTTP",
                b"\x13BitTorrent protocol\0\0\0\0\xff\r\n\r\n",
            )
        },
    ),
    case(
        "bittorrent-tracker/http/other-methods",
        Must,
        BAD,
        "announces_are_answered",
        "A client sends a HEAD and a POST request; then another one announces.",
        SERVED,
        |kit| {
            let disturber = kit.over(Http)?.peer(0);
            kit.disturb(
                &disturber,
                "asks for the head",
                b"HEAD /announce HTTP/1.1\r\nHost: x\r\n\r\n",
            )?;
            let post = b"POST /announce HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc";
            after(kit, "posts", post)
        },
    ),
    case(
        "bittorrent-tracker/http/other-paths",
        Must,
        BAD,
        "announces_are_answered",
        "A client asks for paths that are not the tracker's; then another one announces.",
        SERVED,
        |kit| {
            let disturber = kit.over(Http)?.peer(0);
            kit.disturb(
                &disturber,
                "asks for /../..",
                b"GET /../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n",
            )?;
            after(
                kit,
                "asks for /%00",
                b"GET /%00?%=%&== HTTP/1.1\r\nHost: x\r\n\r\n",
            )
        },
    ),
    case(
        "bittorrent-tracker/http/over-long",
        Must,
        BAD,
        "announces_are_answered",
        "A client sends a request of 100 KB; then another one announces.",
        SERVED,
        |kit| {
            let query = "info_hash=%41&".repeat(7500);
            let request = format!("GET /announce?{query} HTTP/1.1\r\nHost: x\r\n\r\n");
            after(kit, "asks at great length", request.as_bytes())
        },
    ),
    case(
        "bittorrent-tracker/http/hang-ups",
        Should,
        BAD,
        "announces_are_answered",
        "Ten clients connect, send half a line and hang up; then another one announces.",
        SERVED,
        |kit| {
            let disturber = kit.over(Http)?.peer(0);
            (0..10).try_for_each(|_| {
                kit.open(&disturber)
                    .map(|mut connection| connection.send(b"GET /ann", "half a line"))
            })?;
            let peer = kit.peer(1).started();
            kit.still_serves(&peer)
        },
    ),
    case(
        "bittorrent-tracker/http/half-sent",
        Should,
        BAD,
        "announces_are_answered",
        "A client sends half a request and keeps the connection open; meanwhile another one announces.",
        "The other one's announce is answered.",
        |kit| {
            let slow = kit.over(Http)?.peer(0);
            let mut connection = kit.open(&slow)?;
            connection.send(b"GET /announce?info_hash=", "half a request");
            let peer = kit.peer(1).started();
            kit.still_serves(&peer)
        },
    ),
    case(
        "bittorrent-tracker/http/in-segments",
        Must,
        &["rfc9112/message-framing"],
        "announces_are_answered",
        "A client sends its announce in three segments; between them another client announces.",
        "Every announce is answered.",
        |kit| {
            let (slow, other) = (kit.over(Http)?.peer(0).started(), kit.peer(1).started());
            let request = kit.request(&kit.path(&slow), "HTTP/1.1");
            let (first, rest) = request.split_at(25);
            let (second, third) = rest.split_at(rest.len() - 3);
            let mut connection = kit.open(&slow)?;
            connection.send(first.as_bytes(), "a first part");
            kit.announce(&other)?;
            connection.send(second.as_bytes(), "a second part");
            kit.announce(&other)?;
            connection.send(third.as_bytes(), "the rest");
            kit.finish(&slow, connection)
        },
    ),
];

/// One client sends `bytes`, then another one announces.
fn after(kit: &mut TrackerKit, what: &'static str, bytes: &[u8]) -> Result<(), Stop> {
    let (disturber, peer) = (kit.over(Http)?.peer(0), kit.peer(1).started());
    kit.disturb(&disturber, what, bytes)?;
    kit.still_serves(&peer)
}
