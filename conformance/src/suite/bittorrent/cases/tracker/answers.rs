//! Whether and how announces are answered.

use super::case;
use crate::case::Level::{May, Must, Should};
use crate::case::{Case, Stop};
use crate::suite::bittorrent::tracker_client::Door::{Http, Udp};
use crate::suite::bittorrent::tracker_client::TrackerKit;

pub(super) static CASES: &[Case<TrackerKit>] = &[
    case(
        "bittorrent-tracker/http/announce",
        Must,
        &["bep3/tracker-answers-announces"],
        "announces_are_answered",
        "A peer announces with started, regularly and with stopped.",
        "Each time a bencoded dictionary with interval and peers.",
        |kit| start_and_stop(kit.over(Http)?),
    ),
    case(
        "bittorrent-tracker/http/canonical-bencoding",
        Must,
        &["bep3/tracker-reply-is-canonical"],
        "answers_are_canonical",
        "Two peers announce, and one scrapes.",
        "Every answer has sorted keys and no leading zeros.",
        |kit| {
            let (first, second) = (kit.peer(0), kit.peer(1));
            kit.over(Http)?.announce(&first.started())?;
            kit.announce(&second.started())?;
            let torrent = kit.torrent();
            kit.scrape(&first, &[torrent])
        },
    ),
    case(
        "bittorrent-tracker/http/interval",
        Should,
        &["bep3/tracker-interval"],
        "intervals_are_positive",
        "A peer announces.",
        "The interval is at least one second.",
        |kit| start_and_stop(kit.over(Http)?),
    ),
    case(
        "bittorrent-tracker/http/compact-entries",
        Must,
        &["bep23/entries-of-six-bytes"],
        "compact_lists_are_whole",
        "Three peers announce with compact=1.",
        "A compact list has six bytes for each peer; a list of dictionaries is as good.",
        |kit| {
            kit.over(Http)?;
            swarm(kit, Some(true))
        },
    ),
    case(
        "bittorrent-tracker/http/compact-by-default",
        Should,
        &["bep23/compact-by-default"],
        "lists_are_compact_by_default",
        "Three peers announce without the parameter compact.",
        "The list is compact.",
        |kit| {
            kit.over(Http)?;
            swarm(kit, None)
        },
    ),
    case(
        "bittorrent-tracker/http/compact-is-advice",
        Must,
        &["bep23/compact-is-advice"],
        "announces_are_answered",
        "Three peers announce with compact=0.",
        "Interval and peers, in either form.",
        |kit| {
            kit.over(Http)?;
            swarm(kit, Some(false))
        },
    ),
    case(
        "bittorrent-tracker/http/names-in-dictionaries",
        Must,
        &["bep3/tracker-peers"],
        "listed_names_are_the_announced_ones",
        "Three peers announce with compact=0.",
        "In the form of dictionaries, every peer has the id that it announced.",
        |kit| {
            kit.over(Http)?;
            let end = swarm(kit, Some(false));
            kit.seen_or_unimplemented(
                "the tracker has the compact form only, or leaves out peer ids",
            )?;
            end
        },
    ),
    case(
        "bittorrent-tracker/http/unknown-torrent",
        Must,
        &["bep3/tracker-answers-announces", "bep3/failure-reason"],
        "answers_are_well_formed",
        "A peer announces a torrent that nobody announced before.",
        "It is taken, or refused with a failure reason or an HTTP status; the answer is whole.",
        |kit| unknown_torrent(kit.over(Http)?),
    ),
    case(
        "bittorrent-tracker/http/own-address",
        May,
        &["bep3/tracker-ip-parameter"],
        "announces_are_answered",
        "A peer gives an address for itself in the parameter ip.",
        "The announce is accepted; whether the address is believed is free.",
        |kit| {
            let mut peer = kit.over(Http)?.peer(0);
            peer.request.ip = Some(peer.host.to_string().into_bytes());
            kit.try_announce(&peer.started())
        },
    ),
    case(
        "bittorrent-tracker/udp/announce",
        Must,
        &["bep15/announce-reply"],
        "announces_are_answered",
        "A peer announces with started, regularly and with stopped.",
        "Each time an announce reply.",
        |kit| start_and_stop(kit.over(Udp)?),
    ),
    case(
        "bittorrent-tracker/udp/interval",
        Should,
        &["bep3/tracker-interval"],
        "intervals_are_positive",
        "A peer announces.",
        "The interval is at least one second.",
        |kit| start_and_stop(kit.over(Udp)?),
    ),
    case(
        "bittorrent-tracker/udp/unknown-torrent",
        Must,
        &["bep15/announce-reply", "bep15/error"],
        "datagrams_are_whole",
        "A peer announces a torrent that nobody announced before.",
        "It is taken, refused with an error packet, or ignored; a reply has all of its fields.",
        |kit| unknown_torrent(kit.over(Udp)?),
    ),
];

fn start_and_stop(kit: &mut TrackerKit) -> Result<(), Stop> {
    let peer = kit.peer(0);
    kit.announce(&peer.started())?;
    kit.announce(&peer)?;
    kit.announce(&peer.stopped())
}

fn swarm(kit: &mut TrackerKit, compact: Option<bool>) -> Result<(), Stop> {
    let (seeder, first, second) = (kit.peer(0).seeding(), kit.peer(1), kit.peer(2));
    kit.announce(&seeder.compact(compact).started())?;
    kit.announce(&first.compact(compact).started())?;
    kit.announce(&second.compact(compact).started())
}

fn unknown_torrent(kit: &mut TrackerKit) -> Result<(), Stop> {
    let torrent = kit.unknown_torrent();
    let peer = kit.peer(0).of(torrent);
    kit.try_announce(&peer.started())
}
