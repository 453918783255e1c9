//! What is scraped: one torrent, several, unknown ones, all.

use super::case;
use crate::case::Level::{May, Must};
use crate::case::{Case, Stop};
use crate::suite::bittorrent::tracker_client::Door::{Http, Udp};
use crate::suite::bittorrent::tracker_client::TrackerKit;

pub(super) static CASES: &[Case<TrackerKit>] = &[
    case(
        "bittorrent-tracker/http/scrape",
        Must,
        &["bep48/scrape"],
        "scrapes_are_answered",
        "A peer announces and scrapes the torrent.",
        "A dictionary files with complete, downloaded and incomplete.",
        |kit| one(kit.over(Http)?),
    ),
    case(
        "bittorrent-tracker/http/scrape-several",
        Must,
        &["bep48/scrape-several"],
        "scrapes_answer_what_was_asked",
        "Peers announce two torrents; one scrape asks for both, another for each.",
        "Each answer tells of the torrents asked for and of no other.",
        |kit| several(kit.over(Http)?),
    ),
    case(
        "bittorrent-tracker/http/scrape-unknown",
        Must,
        &["bep48/scrape-counts"],
        "scrapes_invent_nothing",
        "A scrape asks for a torrent that nobody announced.",
        "It is left out, or has no peers.",
        |kit| unknown(kit.over(Http)?),
    ),
    case(
        "bittorrent-tracker/http/scrape-all",
        May,
        &["bep48/scrape"],
        "answers_are_well_formed",
        "A scrape names no torrent.",
        "Every torrent, a failure reason, or an HTTP status: the text does not say.",
        |kit| {
            let peer = kit.over(Http)?.peer(0);
            kit.announce(&peer.started())?;
            kit.try_scrape(&peer, &[])
        },
    ),
    case(
        "bittorrent-tracker/udp/scrape-several",
        Must,
        &["bep15/scrape-reply"],
        "scrapes_answer_what_was_asked",
        "Peers announce two torrents; one scrape asks for both, another for each.",
        "One entry for each torrent asked for.",
        |kit| several(kit.over(Udp)?),
    ),
    case(
        "bittorrent-tracker/udp/scrape-order",
        Must,
        &["bep15/scrape-reply"],
        "scrapes_count_live_peers",
        "Two torrents with different numbers of peers are scraped in both orders.",
        "The entries are in the order of the request.",
        |kit| several(kit.over(Udp)?),
    ),
    case(
        "bittorrent-tracker/udp/scrape-seventy-four",
        Must,
        &["bep15/scrape-reply"],
        "scrapes_answer_what_was_asked",
        "A scrape asks for 74 torrents, of which one has a peer.",
        "74 entries.",
        |kit| {
            let peer = kit.over(Udp)?.peer(0);
            kit.announce(&peer.started())?;
            let mut torrents = vec![kit.torrent()];
            torrents.resize_with(74, || kit.unknown_torrent());
            kit.scrape(&peer, &torrents)
        },
    ),
    case(
        "bittorrent-tracker/udp/scrape-unknown",
        Must,
        &["bep15/scrape-reply"],
        "scrapes_invent_nothing",
        "A scrape asks for a torrent that nobody announced.",
        "An entry without peers.",
        |kit| unknown(kit.over(Udp)?),
    ),
];

fn one(kit: &mut TrackerKit) -> Result<(), Stop> {
    let (peer, torrent) = (kit.peer(0), kit.torrent());
    kit.announce(&peer.started())?;
    kit.scrape(&peer, &[torrent])
}

fn several(kit: &mut TrackerKit) -> Result<(), Stop> {
    let (seeder, leecher, torrent) = (kit.peer(0).seeding(), kit.peer(1), kit.torrent());
    let other = kit.second_torrent()?;
    kit.announce(&seeder.started())?;
    kit.announce(&leecher.started())?;
    kit.announce(&leecher.of(other).started())?;
    kit.scrape(&leecher, &[torrent, other])?;
    kit.scrape(&leecher, &[other, torrent])?;
    kit.scrape(&leecher, &[torrent])?;
    kit.scrape(&leecher, &[other])
}

fn unknown(kit: &mut TrackerKit) -> Result<(), Stop> {
    let (peer, torrent) = (kit.peer(0), kit.unknown_torrent());
    kit.scrape(&peer, &[torrent])
}
