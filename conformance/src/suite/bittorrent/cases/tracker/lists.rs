//! Which peers are listed.

use super::case;
use crate::case::Level::{May, Must, Should};
use crate::case::{Case, Stop};
use crate::suite::bittorrent::tracker_client::Door::{Http, Udp};
use crate::suite::bittorrent::tracker_client::TrackerKit;

const FIND: &str = "A seeder and then a leecher announce.";
const FOUND: &str = "The leecher is told of the seeder.";
const WHOLE: &str = "A seeder and three leechers announce.";
const LEAVE: &str = "Three peers announce, one stops, the others announce again.";
const COME_BACK: &str = "A peer stops and starts again; another announces.";
const STRANGERS: &str = "Three peers announce one torrent and a fourth one announces alone.";

pub(super) static CASES: &[Case<TrackerKit>] = &[
    case(
        "bittorrent-tracker/http/peers-find-each-other",
        Must,
        &["bep3/tracker-peers"],
        "peers_find_each_other",
        FIND,
        FOUND,
        |kit| find_each_other(kit.over(Http)?),
    ),
    case(
        "bittorrent-tracker/http/small-swarm-whole",
        Should,
        &["bep3/tracker-peers"],
        "small_swarms_are_listed_whole",
        WHOLE,
        "The last one is told of all the others.",
        |kit| four_peers(kit.over(Http)?),
    ),
    case(
        "bittorrent-tracker/http/only-announced-peers",
        Must,
        &["bep3/tracker-peers"],
        "only_announced_peers_are_listed",
        STRANGERS,
        "Every address in a list is one that announced the torrent, with the port it announced.",
        |kit| two_swarms(kit.over(Http)?),
    ),
    case(
        "bittorrent-tracker/http/peers6-holds-ipv6",
        Must,
        &["bep7/peers6-holds-ipv6"],
        "ipv6_lists_hold_ipv6_peers",
        "Four IPv4 peers announce.",
        "peers6 is missing or empty.",
        |kit| four_peers(kit.over(Http)?),
    ),
    case(
        "bittorrent-tracker/http/nobody-twice",
        Should,
        &["bep3/tracker-peers"],
        "nobody_is_listed_twice",
        "Two peers announce again and again.",
        "No address is twice in a list.",
        |kit| again_and_again(kit.over(Http)?),
    ),
    case(
        "bittorrent-tracker/http/reannounce-keeps-the-peer",
        Must,
        &["bep3/tracker-peers"],
        "peers_find_each_other",
        "A peer announces with started, then without an event; another announces.",
        "The other one is told of it.",
        |kit| kept(kit.over(Http)?),
    ),
    case(
        "bittorrent-tracker/http/stopped-peer-is-forgotten",
        Must,
        &["bep3/tracker-stopped"],
        "stopped_peers_are_not_listed",
        LEAVE,
        "Nobody is told of the one that stopped.",
        |kit| forgotten(kit.over(Http)?),
    ),
    case(
        "bittorrent-tracker/http/stopped-peer-comes-back",
        Must,
        &["bep3/tracker-peers"],
        "peers_find_each_other",
        COME_BACK,
        "The other one is told of it.",
        |kit| comes_back(kit.over(Http)?),
    ),
    case(
        "bittorrent-tracker/http/numwant-zero",
        Should,
        &["bep15/num-want"],
        "lists_are_no_longer_than_wanted",
        "Four peers announce, and one wants no peers.",
        "Its list is empty.",
        |kit| wanting(kit.over(Http)?, 0),
    ),
    case(
        "bittorrent-tracker/http/numwant-one",
        Should,
        &["bep15/num-want"],
        "lists_are_no_longer_than_wanted",
        "Four peers announce, and one wants one peer.",
        "Its list has at most one.",
        |kit| wanting(kit.over(Http)?, 1),
    ),
    case(
        "bittorrent-tracker/http/numwant-huge",
        Should,
        &["bep15/num-want"],
        "announces_are_answered",
        "Four peers announce, and one wants four thousand million.",
        "Its announce is answered.",
        |kit| wanting(kit.over(Http)?, u32::MAX),
    ),
    case(
        "bittorrent-tracker/udp/peers-find-each-other",
        Must,
        &["bep15/announce-reply"],
        "peers_find_each_other",
        FIND,
        FOUND,
        |kit| find_each_other(kit.over(Udp)?),
    ),
    case(
        "bittorrent-tracker/udp/small-swarm-whole",
        Should,
        &["bep3/tracker-peers"],
        "small_swarms_are_listed_whole",
        WHOLE,
        "The last one is told of all the others.",
        |kit| four_peers(kit.over(Udp)?),
    ),
    case(
        "bittorrent-tracker/udp/only-announced-peers",
        Must,
        &["bep3/tracker-peers", "bep15/source-address"],
        "only_announced_peers_are_listed",
        STRANGERS,
        "Every listed address is the source of an announce with the field 0, with the port it announced.",
        |kit| two_swarms(kit.over(Udp)?),
    ),
    case(
        "bittorrent-tracker/udp/source-address",
        Must,
        &["bep15/source-address", "bep15/address-family"],
        "addresses_fit_the_datagram",
        "Four peers announce with the address 0.",
        "IPv4 addresses of six bytes with the port, none of them 0.0.0.0.",
        |kit| four_peers(kit.over(Udp)?),
    ),
    case(
        "bittorrent-tracker/udp/stopped-peer-is-forgotten",
        Must,
        &["bep3/tracker-stopped"],
        "stopped_peers_are_not_listed",
        LEAVE,
        "Nobody is told of the one that stopped.",
        |kit| forgotten(kit.over(Udp)?),
    ),
    case(
        "bittorrent-tracker/udp/stopped-peer-comes-back",
        Must,
        &["bep3/tracker-peers"],
        "peers_find_each_other",
        COME_BACK,
        "The other one is told of it.",
        |kit| comes_back(kit.over(Udp)?),
    ),
    case(
        "bittorrent-tracker/udp/num-want-zero",
        Should,
        &["bep15/num-want"],
        "lists_are_no_longer_than_wanted",
        "Four peers announce, and one wants no peers.",
        "Its list is empty.",
        |kit| wanting(kit.over(Udp)?, 0),
    ),
    case(
        "bittorrent-tracker/udp/num-want-one",
        Should,
        &["bep15/num-want"],
        "lists_are_no_longer_than_wanted",
        "Four peers announce, and one wants one peer.",
        "Its list has at most one.",
        |kit| wanting(kit.over(Udp)?, 1),
    ),
    case(
        "bittorrent-tracker/both/one-swarm",
        May,
        &["bep3/tracker-peers"],
        "peers_find_each_other",
        "A seeder announces over UDP and a leecher over HTTP.",
        "The leecher is told of the seeder. No text demands that both doors lead to one swarm.",
        |kit| {
            let (seeder, leecher) = (kit.peer(0).seeding(), kit.peer(1));
            kit.over(Udp)?.announce(&seeder.started())?;
            kit.over(Http)?.announce(&leecher.started())
        },
    ),
];

fn find_each_other(kit: &mut TrackerKit) -> Result<(), Stop> {
    let (seeder, leecher) = (kit.peer(0).seeding(), kit.peer(1));
    kit.announce(&seeder.started())?;
    kit.announce(&leecher.started())
}

fn four_peers(kit: &mut TrackerKit) -> Result<(), Stop> {
    let (seeder, last) = (kit.peer(0).seeding(), kit.peer(3));
    let (first, second) = (kit.peer(1), kit.peer(2));
    kit.announce(&seeder.started())?;
    kit.announce(&first.started())?;
    kit.announce(&second.started())?;
    kit.announce(&last.started())
}

fn two_swarms(kit: &mut TrackerKit) -> Result<(), Stop> {
    let stranger = kit.peer(4);
    // Where the tracker takes a single torrent, there is no second swarm to mistake for the first.
    if let Ok(other) = kit.second_torrent() {
        kit.announce(&stranger.of(other).started())?;
    }
    four_peers(kit)
}

fn again_and_again(kit: &mut TrackerKit) -> Result<(), Stop> {
    let (first, second) = (kit.peer(0), kit.peer(1));
    kit.announce(&first.started())?;
    kit.announce(&second.started())?;
    kit.announce(&first)?;
    kit.announce(&second)?;
    kit.announce(&first.started())?;
    kit.announce(&second)
}

fn kept(kit: &mut TrackerKit) -> Result<(), Stop> {
    let (first, second) = (kit.peer(0), kit.peer(1));
    kit.announce(&first.started())?;
    kit.announce(&first)?;
    kit.announce(&second.started())
}

fn forgotten(kit: &mut TrackerKit) -> Result<(), Stop> {
    let (leaver, second, third) = (kit.peer(0), kit.peer(1), kit.peer(2));
    kit.announce(&leaver.started())?;
    kit.announce(&second.started())?;
    kit.announce(&third.started())?;
    kit.announce(&leaver.stopped())?;
    kit.announce(&second)?;
    kit.announce(&third)
}

fn comes_back(kit: &mut TrackerKit) -> Result<(), Stop> {
    let (leaver, other) = (kit.peer(0), kit.peer(1));
    kit.announce(&leaver.started())?;
    kit.announce(&leaver.stopped())?;
    kit.announce(&leaver.started())?;
    kit.announce(&other.started())
}

fn wanting(kit: &mut TrackerKit, peers: u32) -> Result<(), Stop> {
    four_peers(kit)?;
    let asker = kit.peer(3);
    kit.announce(&asker.wanting(peers))
}
