//! Seeders, leechers and completed downloads.

use super::case;
use crate::case::Level::{Must, Should};
use crate::case::{Case, Stop};
use crate::suite::bittorrent::tracker_client::Door::{Http, Udp};
use crate::suite::bittorrent::tracker_client::TrackerKit;

const COUNTS: &[&str] = &["bep48/scrape-counts"];
const DOWNLOADED: &[&str] = &["bep48/downloaded"];
const EVENTS: &str = "A seeder and two leechers announce; one leecher completes, the other stops.";
const COMPLETES: &str = "A scrape, a leecher that starts and completes, another scrape.";
const GROWN: &str = "downloaded has grown by one.";
const TWICE: &str = "A leecher completes, announces completed again and then regularly.";
const SEEDS: &str = "A peer starts with nothing left, and never announces completed.";

pub(super) static CASES: &[Case<TrackerKit>] = &[
    case(
        "bittorrent-tracker/http/announce-counts",
        Should,
        &["bep48/scrape-counts"],
        "announces_count_live_peers",
        EVENTS,
        "complete and incomplete, where an announce is told them, are the live seeders and leechers, the asker counted or not.",
        |kit| {
            events(kit.over(Http)?)?;
            kit.seen_or_unimplemented("the tracker tells no counts in its answers to announces")
        },
    ),
    case(
        "bittorrent-tracker/http/left-zero-is-a-seeder",
        Must,
        COUNTS,
        "scrapes_count_live_peers",
        "A peer starts with nothing left, another with something; then a scrape.",
        "One complete, one incomplete.",
        |kit| one_of_each(kit.over(Http)?),
    ),
    case(
        "bittorrent-tracker/http/counts-after-events",
        Must,
        COUNTS,
        "scrapes_count_live_peers",
        EVENTS,
        "Scrapes after each event count who is live, each by what it has left.",
        |kit| scraped_events(kit.over(Http)?),
    ),
    case(
        "bittorrent-tracker/http/reannounce-counts-once",
        Must,
        COUNTS,
        "scrapes_count_live_peers",
        "A peer announces three times without having stopped; then a scrape.",
        "It is counted once.",
        |kit| counted_once(kit.over(Http)?),
    ),
    case(
        "bittorrent-tracker/http/completed-is-counted",
        Must,
        DOWNLOADED,
        "completions_are_counted",
        COMPLETES,
        GROWN,
        |kit| completes(kit.over(Http)?),
    ),
    case(
        "bittorrent-tracker/http/completed-counts-once",
        Should,
        DOWNLOADED,
        "completions_are_counted_once",
        TWICE,
        GROWN,
        |kit| completes_twice(kit.over(Http)?),
    ),
    case(
        "bittorrent-tracker/http/a-seeder-has-not-completed",
        Should,
        DOWNLOADED,
        "completions_are_counted_once",
        SEEDS,
        "downloaded does not grow.",
        |kit| seeds_from_the_start(kit.over(Http)?),
    ),
    case(
        "bittorrent-tracker/udp/announce-counts",
        Must,
        &["bep15/announce-counts"],
        "announces_count_live_peers",
        EVENTS,
        "leechers and seeders, in this order, are the live ones, the asker counted or not.",
        |kit| events(kit.over(Udp)?),
    ),
    case(
        "bittorrent-tracker/udp/left-zero-is-a-seeder",
        Must,
        &["bep15/scrape-reply"],
        "scrapes_count_live_peers",
        "A peer starts with nothing left, two others with something; then a scrape.",
        "One seeder, two leechers, in this order.",
        |kit| {
            one_of_each(kit.over(Udp)?)?;
            let (third, torrent) = (kit.peer(2), kit.torrent());
            kit.announce(&third.started())?;
            kit.scrape(&third, &[torrent])
        },
    ),
    case(
        "bittorrent-tracker/udp/counts-after-events",
        Must,
        &["bep15/scrape-reply"],
        "scrapes_count_live_peers",
        EVENTS,
        "Scrapes after each event count who is live, each by what it has left.",
        |kit| scraped_events(kit.over(Udp)?),
    ),
    case(
        "bittorrent-tracker/udp/reannounce-counts-once",
        Must,
        &["bep15/scrape-reply"],
        "scrapes_count_live_peers",
        "A peer announces three times without having stopped; then a scrape.",
        "It is counted once.",
        |kit| counted_once(kit.over(Udp)?),
    ),
    case(
        "bittorrent-tracker/udp/completed-is-counted",
        Must,
        &["bep15/scrape-reply"],
        "completions_are_counted",
        COMPLETES,
        "completed has grown by one.",
        |kit| completes(kit.over(Udp)?),
    ),
    case(
        "bittorrent-tracker/udp/completed-counts-once",
        Should,
        DOWNLOADED,
        "completions_are_counted_once",
        TWICE,
        "completed has grown by one.",
        |kit| completes_twice(kit.over(Udp)?),
    ),
    case(
        "bittorrent-tracker/udp/a-seeder-has-not-completed",
        Should,
        DOWNLOADED,
        "completions_are_counted_once",
        SEEDS,
        "completed does not grow.",
        |kit| seeds_from_the_start(kit.over(Udp)?),
    ),
];

fn events(kit: &mut TrackerKit) -> Result<(), Stop> {
    let (seeder, first, second) = (kit.peer(0).seeding(), kit.peer(1), kit.peer(2));
    kit.announce(&seeder.started())?;
    kit.announce(&first.started())?;
    kit.announce(&second.started())?;
    kit.announce(&first.completed())?;
    kit.announce(&second)?;
    kit.announce(&second.stopped())?;
    kit.announce(&seeder)
}

fn one_of_each(kit: &mut TrackerKit) -> Result<(), Stop> {
    let (seeder, leecher, torrent) = (kit.peer(0).seeding(), kit.peer(1), kit.torrent());
    kit.announce(&seeder.started())?;
    kit.announce(&leecher.started())?;
    kit.scrape(&leecher, &[torrent])
}

fn scraped_events(kit: &mut TrackerKit) -> Result<(), Stop> {
    let (first, second, torrent) = (kit.peer(1), kit.peer(2), kit.torrent());
    one_of_each(kit)?;
    kit.announce(&second.started())?;
    kit.scrape(&first, &[torrent])?;
    kit.announce(&first.completed())?;
    kit.scrape(&first, &[torrent])?;
    kit.announce(&second.stopped())?;
    kit.scrape(&first, &[torrent])
}

fn counted_once(kit: &mut TrackerKit) -> Result<(), Stop> {
    let (peer, torrent) = (kit.peer(0), kit.torrent());
    kit.announce(&peer.started())?;
    kit.announce(&peer)?;
    kit.announce(&peer.started())?;
    kit.scrape(&peer, &[torrent])
}

fn completes(kit: &mut TrackerKit) -> Result<(), Stop> {
    let (peer, torrent) = (kit.peer(0), kit.torrent());
    kit.announce(&peer.started())?;
    kit.scrape(&peer, &[torrent])?;
    kit.announce(&peer.completed())?;
    kit.scrape(&peer, &[torrent])
}

fn completes_twice(kit: &mut TrackerKit) -> Result<(), Stop> {
    completes(kit)?;
    let (peer, torrent) = (kit.peer(0), kit.torrent());
    kit.announce(&peer.completed())?;
    kit.announce(&peer.seeding())?;
    kit.scrape(&peer, &[torrent])
}

fn seeds_from_the_start(kit: &mut TrackerKit) -> Result<(), Stop> {
    let (leecher, seeder, torrent) = (kit.peer(0), kit.peer(1).seeding(), kit.torrent());
    kit.announce(&leecher.started())?;
    kit.scrape(&leecher, &[torrent])?;
    kit.announce(&seeder.started())?;
    kit.announce(&seeder)?;
    kit.scrape(&leecher, &[torrent])
}
