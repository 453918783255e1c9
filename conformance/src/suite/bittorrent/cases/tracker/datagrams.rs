//! What BEP 15 says of datagrams: fields, lengths, and what no tracker may serve.

use peerproof_model::bittorrent::message::UdpRequest;
use peerproof_model::bittorrent::tracker_view::Question::MalformedDatagram;
use peerproof_model::bittorrent::wire::tracker_udp::encode_request;

use super::case;
use crate::case::Level::{Must, Should};
use crate::case::{Case, Stop};
use crate::suite::bittorrent::tracker_client::Door::Udp;
use crate::suite::bittorrent::tracker_client::TrackerKit;

const LAYOUT: &[&str] = &["bep15/request-layout"];
const IGNORED: &str = "malformed_datagrams_are_not_served";
const SILENCE: &str = "Silence, or an error packet.";

pub(super) static CASES: &[Case<TrackerKit>] = &[
    case(
        "bittorrent-tracker/udp/connect",
        Must,
        &["bep15/connect"],
        "connects_are_answered",
        "A client connects twice.",
        "Each time a connect reply of 16 bytes or more.",
        |kit| {
            let host = kit.over(Udp)?.peer(0).host;
            kit.connect(host)?;
            kit.connect(host).map(|_| ())
        },
    ),
    case(
        "bittorrent-tracker/udp/transaction-ids",
        Must,
        &["bep15/transaction-id"],
        "transaction_ids_are_echoed",
        "A client connects, announces and scrapes, also with the transaction ids 0 and ffffffff.",
        "Every reply carries the id of its request.",
        |kit| {
            everything(kit.over(Udp)?)?;
            let host = kit.peer(0).host;
            kit.ask(host, UdpRequest::Connect { transaction_id: 0 })?;
            kit.ask(
                host,
                UdpRequest::Connect {
                    transaction_id: u32::MAX,
                },
            )
            .map(|_| ())
        },
    ),
    case(
        "bittorrent-tracker/udp/actions",
        Must,
        &["bep15/actions"],
        "actions_answer_the_request",
        "A client connects, announces and scrapes.",
        "Every reply carries the action of its request, or 3.",
        |kit| everything(kit.over(Udp)?),
    ),
    case(
        "bittorrent-tracker/udp/whole-replies",
        Must,
        &["bep15/announce-reply", "bep15/scrape-reply"],
        "datagrams_are_whole",
        "A client connects, announces and scrapes.",
        "Every reply has all of its fields.",
        |kit| everything(kit.over(Udp)?),
    ),
    case(
        "bittorrent-tracker/udp/long-announce",
        Must,
        &["bep15/longer-packets"],
        "announces_are_answered",
        "A peer announces in a packet with 30 bytes of zero at its end.",
        "The announce is answered.",
        |kit| announce_with(kit, &[0; 30]),
    ),
    case(
        "bittorrent-tracker/udp/long-connect",
        Must,
        &["bep15/longer-packets"],
        "connects_are_answered",
        "A client connects by a packet with 30 bytes of zero at its end.",
        "A connect reply.",
        |kit| {
            let host = kit.over(Udp)?.peer(0).host;
            let request = UdpRequest::Connect {
                transaction_id: kit.transaction(),
            };
            let bytes = [encode_request(&request), vec![0; 30]].concat();
            kit.ask_with(host, request, &bytes).map(|_| ())
        },
    ),
    case(
        "bittorrent-tracker/udp/options",
        Must,
        &["bep41/options-follow", "bep15/longer-packets"],
        "announces_are_answered",
        "A peer announces with options behind it: a path, nothing, and the end.",
        "The announce is answered.",
        |kit| announce_with(kit, b"\x02\x09/announce\x01\x01\x00"),
    ),
    case(
        "bittorrent-tracker/udp/short-connect",
        Must,
        LAYOUT,
        IGNORED,
        "A client sends the first 12 bytes of a connect request.",
        SILENCE,
        |kit| {
            let bytes = kit.over(Udp)?.connect_bytes(None);
            provoke(kit, "a connect request of 12 bytes", &bytes[..12])
        },
    ),
    case(
        "bittorrent-tracker/udp/short-announce",
        Must,
        LAYOUT,
        IGNORED,
        "A client sends the first 97 bytes of an announce.",
        SILENCE,
        |kit| {
            let bytes = announce_bytes(kit.over(Udp)?)?;
            provoke(kit, "an announce of 97 bytes", &bytes[..97])
        },
    ),
    case(
        "bittorrent-tracker/udp/empty",
        Must,
        LAYOUT,
        IGNORED,
        "A client sends an empty datagram.",
        SILENCE,
        |kit| provoke(kit.over(Udp)?, "an empty datagram", &[]),
    ),
    case(
        "bittorrent-tracker/udp/wrong-protocol-id",
        Should,
        LAYOUT,
        IGNORED,
        "A client connects with 0x41727101981.",
        SILENCE,
        |kit| {
            let bytes = kit.over(Udp)?.connect_bytes(Some(0x417_2710_1981));
            provoke(kit, "a connect request with another protocol id", &bytes)
        },
    ),
    case(
        "bittorrent-tracker/udp/unknown-action",
        Should,
        LAYOUT,
        IGNORED,
        "A client sends an announce with the action 77.",
        SILENCE,
        |kit| {
            let mut bytes = announce_bytes(kit.over(Udp)?)?;
            bytes[11] = 77;
            provoke(kit, "the action 77", &bytes)
        },
    ),
];

fn everything(kit: &mut TrackerKit) -> Result<(), Stop> {
    let (peer, other, torrent) = (kit.peer(0), kit.peer(1), kit.torrent());
    kit.announce(&peer.started())?;
    kit.announce(&other.started())?;
    kit.scrape(&peer, &[torrent])?;
    kit.announce(&peer.stopped())
}

/// A peer announces with `more` behind the 98 bytes.
fn announce_with(kit: &mut TrackerKit, more: &[u8]) -> Result<(), Stop> {
    let peer = kit.over(Udp)?.peer(0).started();
    let id = kit.connection_id(peer.host)?;
    let request = UdpRequest::Announce(kit.udp_announce(&peer, id));
    let bytes = [&encode_request(&request), more].concat();
    kit.ask_with(peer.host, request, &bytes).map(|_| ())
}

/// The bytes of an announce with a good connection id.
fn announce_bytes(kit: &mut TrackerKit) -> Result<Vec<u8>, Stop> {
    let peer = kit.peer(0).started();
    let id = kit.connection_id(peer.host)?;
    Ok(encode_request(&UdpRequest::Announce(
        kit.udp_announce(&peer, id),
    )))
}

fn provoke(kit: &mut TrackerKit, flaw: &'static str, bytes: &[u8]) -> Result<(), Stop> {
    let host = kit.peer(0).host;
    kit.provoke(host, MalformedDatagram(flaw), bytes)
}
