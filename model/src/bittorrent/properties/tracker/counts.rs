//! What a tracker says of the numbers of seeders, leechers and completed downloads.

use std::net::SocketAddr;

use super::{accepted, always};
use crate::bittorrent::message::{InfoHash, ScrapeEntry, ScrapeResponse, UdpRequest, UdpResponse};
use crate::bittorrent::tracker_view::{Answer, Question, Swarm, TrackerMoment};
use crate::property::{Judgement, Property};

pub(super) static PROPERTIES: &[Property<TrackerMoment>] = &[
    always(
        "announces_count_live_peers",
        &["bep15/announce-counts"],
        announces_count_live_peers,
    ),
    always(
        "scrapes_count_live_peers",
        &["bep48/scrape-counts"],
        scrapes_count_live_peers,
    ),
    always(
        "completions_are_counted",
        &["bep48/downloaded"],
        completions_are_counted,
    ),
    always(
        "completions_are_counted_once",
        &["bep48/downloaded"],
        completions_are_counted_once,
    ),
    always(
        "scrapes_answer_what_was_asked",
        &["bep48/scrape-several"],
        scrapes_answer_the_asked,
    ),
    always(
        "scrapes_invent_nothing",
        &["bep48/scrape-counts"],
        scrapes_invent_nothing,
    ),
];

/// One torrent of a scrape that was answered: what was said, if anything, and the books.
struct Scraped<'a> {
    info_hash: InfoHash,
    said: Option<ScrapeEntry>,
    swarm: Option<&'a Swarm>,
}

/// The torrents that are asked for now, with what is said of each.
fn scraped(moment: &TrackerMoment) -> Vec<Scraped<'_>> {
    let swarm = |info_hash: &InfoHash| moment.view.swarms.get(info_hash);
    match (&moment.now.question, &moment.now.answer) {
        (Question::Scrape(request), Answer::Scraped(ScrapeResponse::Files(files))) => {
            let asked = request.info_hashes.iter();
            let scraped = asked.map(|info_hash| Scraped {
                info_hash: *info_hash,
                said: files.get(info_hash).copied(),
                swarm: swarm(info_hash),
            });
            scraped.collect()
        }
        (
            Question::Datagram(UdpRequest::Scrape { info_hashes, .. }),
            Answer::Reply(UdpResponse::Scrape { entries, .. }),
        ) => {
            let asked = info_hashes.iter().enumerate();
            let scraped = asked.map(|(place, info_hash)| Scraped {
                info_hash: *info_hash,
                said: entries.get(place).map(|entry| ScrapeEntry {
                    complete: entry.seeders,
                    downloaded: entry.completed,
                    incomplete: entry.leechers,
                }),
                swarm: swarm(info_hash),
            });
            scraped.collect()
        }
        _ => Vec::new(),
    }
}

fn each(moment: &TrackerMoment, judge: impl Fn(&Scraped<'_>) -> Judgement) -> Judgement {
    let all = scraped(moment);
    all.iter()
        .map(judge)
        .fold(Judgement::Unknown, Judgement::and_then)
}

/// The books before, after, and after without the asker: a tracker may count before it enters the announce,
/// and may leave out the one that asks.
fn announces_count_live_peers(moment: &TrackerMoment) -> Judgement {
    let Some((accepted, before)) = accepted(moment) else {
        return Judgement::Unknown;
    };
    let (Some(seeders), Some(leechers)) = (accepted.seeders, accepted.leechers) else {
        return Judgement::Unknown;
    };
    let mut view = moment.view.clone();
    view.apply(&moment.now);
    let info_hash = accepted.request.info_hash;
    let after = view.swarms.remove(&info_hash).unwrap_or_default();
    if !moment.view.secluded || !after.doubtful.is_empty() || !before.doubtful.is_empty() {
        return Judgement::Unknown;
    }
    let mut others = after.clone();
    others
        .members
        .remove(&SocketAddr::new(accepted.from.ip(), accepted.request.port));
    let said = (seeders, leechers);
    let right = [&before, &after, &others]
        .iter()
        .any(|swarm| swarm.counts() == said);
    Judgement::check(right, || {
        let (live, lacking) = after.counts();
        format!(
            "{seeders} seeders and {leechers} leechers are told where {live} and {lacking} announced"
        )
    })
}

fn scrapes_count_live_peers(moment: &TrackerMoment) -> Judgement {
    each(moment, |scraped| {
        let (Some(said), Some(swarm)) = (scraped.said, scraped.swarm) else {
            return Judgement::Unknown;
        };
        if !moment.view.secluded || !swarm.doubtful.is_empty() {
            return Judgement::Unknown;
        }
        let (seeders, leechers) = swarm.counts();
        Judgement::check(
            (said.complete, said.incomplete) == (seeders, leechers),
            || {
                format!(
                    "{} complete and {} incomplete are told of {} where {seeders} and {leechers} announced",
                    said.complete, said.incomplete, scraped.info_hash
                )
            },
        )
    })
}

/// How much `downloaded` grew, and how many peers announced `completed` meanwhile.
fn completions(moment: &TrackerMoment, scraped: &Scraped<'_>) -> Option<(u32, u32)> {
    let swarm = scraped.swarm?;
    let grown = scraped
        .said?
        .downloaded
        .checked_sub(swarm.downloaded_before?)?;
    let certain = moment.view.secluded && swarm.doubtful.is_empty();
    certain.then_some((grown, swarm.completed.len() as u32))
}

fn completions_are_counted(moment: &TrackerMoment) -> Judgement {
    each(moment, |scraped| match completions(moment, scraped) {
        None | Some((0, 0)) => Judgement::Unknown,
        Some((grown, completed)) => {
            Judgement::check(grown >= completed && (completed > 0 || grown == 0), || {
                format!("downloaded grew by {grown} while {completed} peers completed")
            })
        }
    })
}

fn completions_are_counted_once(moment: &TrackerMoment) -> Judgement {
    each(moment, |scraped| match completions(moment, scraped) {
        None => Judgement::Unknown,
        Some((grown, completed)) => Judgement::check(grown == completed, || {
            format!("downloaded grew by {grown} while {completed} peers completed")
        }),
    })
}

fn scrapes_answer_the_asked(moment: &TrackerMoment) -> Judgement {
    let asked = match (&moment.now.question, &moment.now.answer) {
        (Question::Scrape(request), Answer::Scraped(ScrapeResponse::Files(files))) => {
            let asked = &request.info_hashes;
            let strange = files.keys().find(|info_hash| !asked.contains(info_hash));
            match strange {
                Some(strange) if !asked.is_empty() => {
                    return Judgement::Broken(format!(
                        "{strange} is told of, which was not asked for"
                    ));
                }
                _ => asked,
            }
        }
        (
            Question::Datagram(UdpRequest::Scrape { info_hashes, .. }),
            Answer::Reply(UdpResponse::Scrape { entries, .. }),
        ) if info_hashes.len() != entries.len() => {
            let (asked, told) = (info_hashes.len(), entries.len());
            return Judgement::Broken(format!(
                "{told} torrents are told of where {asked} were asked for"
            ));
        }
        (
            Question::Datagram(UdpRequest::Scrape { info_hashes, .. }),
            Answer::Reply(UdpResponse::Scrape { .. }),
        ) => info_hashes,
        _ => return Judgement::Unknown,
    };
    let live =
        |scraped: &&Scraped<'_>| scraped.swarm.is_some_and(|swarm| !swarm.members.is_empty());
    let told = scraped(moment);
    match told
        .iter()
        .filter(live)
        .find(|scraped| scraped.said.is_none())
    {
        Some(missing) => Judgement::Broken(format!(
            "nothing is told of {}, which has peers",
            missing.info_hash
        )),
        None if asked.is_empty() => Judgement::Unknown,
        None => Judgement::Holds,
    }
}

fn scrapes_invent_nothing(moment: &TrackerMoment) -> Judgement {
    each(moment, |scraped| {
        if scraped.swarm.is_some() {
            return Judgement::Unknown;
        }
        let said = scraped.said.unwrap_or_default();
        Judgement::check((said.complete, said.incomplete) == (0, 0), || {
            format!(
                "{} has peers in the answer, but nobody announced it",
                scraped.info_hash
            )
        })
    })
}
