//! Who may use which connection id, and for how long.

use peerproof_model::bittorrent::message::UdpRequest;
use peerproof_model::bittorrent::tracker_view::Question;
use peerproof_model::bittorrent::wire::tracker_udp::encode_request;

use super::{case, slow};
use crate::case::Level::{May, Must, Should};
use crate::case::{Case, Stop};
use crate::suite::bittorrent::tracker_client::Door::Udp;
use crate::suite::bittorrent::tracker_client::TrackerKit;

const CHECKED: &[&str] = &["bep15/connection-id-checked"];
const FOREIGN: &str = "foreign_connection_ids_are_refused";
const HONOURED: &str = "connection_ids_are_honoured";
const UNSERVED: &str = "Silence, or an error packet.";

pub(super) static CASES: &[Case<TrackerKit>] = &[
    case(
        "bittorrent-tracker/udp/invented-id",
        Must,
        CHECKED,
        FOREIGN,
        "A peer announces with a connection id that it made up.",
        UNSERVED,
        |kit| {
            let made_up =
                u64::from(kit.over(Udp)?.transaction()) << 32 | u64::from(kit.transaction());
            announce_with(kit, 0, made_up)
        },
    ),
    case(
        "bittorrent-tracker/udp/protocol-id-as-id",
        Must,
        CHECKED,
        FOREIGN,
        "A peer announces with the number of connect requests as its connection id, without connecting.",
        UNSERVED,
        |kit| announce_with(kit.over(Udp)?, 0, 0x417_2710_1980),
    ),
    case(
        "bittorrent-tracker/udp/id-of-another-host",
        Must,
        CHECKED,
        FOREIGN,
        "A peer announces with the connection id that a peer at another address got.",
        UNSERVED,
        |kit| {
            let other = kit.over(Udp)?.peer(1).host;
            let id = kit.connect(other)?;
            announce_with(kit, 0, id)
        },
    ),
    case(
        "bittorrent-tracker/udp/id-for-several-requests",
        Must,
        &["bep15/connection-id-use"],
        HONOURED,
        "A peer announces twice and scrapes with one connection id.",
        "Every request is served.",
        |kit| {
            let (peer, torrent) = (kit.over(Udp)?.peer(0), kit.torrent());
            kit.announce(&peer.started())?;
            kit.announce(&peer)?;
            kit.scrape(&peer, &[torrent])
        },
    ),
    case(
        "bittorrent-tracker/udp/ids-cannot-be-guessed",
        Should,
        &["bep15/connection-id-unguessable"],
        "connection_ids_cannot_be_guessed",
        "Peers at four addresses connect.",
        "No id is next to another one's.",
        |kit| {
            kit.over(Udp)?;
            (0..4).try_for_each(|number| {
                let host = kit.peer(number).host;
                kit.connect(host).map(|_| ())
            })
        },
    ),
    slow(case(
        "bittorrent-tracker/udp/id-after-a-minute",
        Must,
        &["bep15/connection-id-use"],
        HONOURED,
        "A peer announces with a connection id that it got 55 seconds ago.",
        "The announce is served.",
        |kit| after(kit, 55),
    )),
    slow(case(
        "bittorrent-tracker/udp/id-before-two-minutes",
        Should,
        &["bep15/connection-id-lifetime"],
        HONOURED,
        "A peer announces with a connection id that it got 110 seconds ago.",
        "The announce is served.",
        |kit| after(kit, 110),
    )),
    slow(case(
        "bittorrent-tracker/udp/id-expires",
        May,
        &["bep15/connection-id-expires"],
        "connection_ids_expire",
        "A peer announces with a connection id that it got five minutes ago.",
        "The announce is not served.",
        |kit| {
            let host = kit.over(Udp)?.peer(0).host;
            let id = kit.connect(host)?;
            kit.wait(300);
            announce_with(kit, 0, id)
        },
    )),
];

/// The peer of that number announces with the connection id, and gets an answer or none.
fn announce_with(kit: &mut TrackerKit, number: u8, id: u64) -> Result<(), Stop> {
    let peer = kit.peer(number).started();
    let request = UdpRequest::Announce(kit.udp_announce(&peer, id));
    let bytes = encode_request(&request);
    kit.provoke(peer.host, Question::Datagram(request), &bytes)
}

fn after(kit: &mut TrackerKit, seconds: u32) -> Result<(), Stop> {
    let peer = kit.over(Udp)?.peer(0).started();
    kit.connect(peer.host)?;
    kit.wait(seconds);
    kit.announce(&peer)
}
