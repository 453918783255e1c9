//! The books of a tracker's observer, and what may be concluded from them.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};

use super::message::{
    AnnounceEvent, AnnounceRequest, AnnounceResponse, AnnounceSuccess, InfoHash, Peers,
    ScrapeEntry, ScrapeRequest, ScrapeResponse, UdpAnnounce, UdpRequest, UdpResponse,
};
use super::properties::{of_trackers, tracker_property};
use super::tracker_view::{Answer, Exchange, Question, TrackerView, TrackerWatch};
use crate::property::Judgement::{self, Broken, Holds, Unknown};

const TORRENT: InfoHash = InfoHash([7; 20]);

fn host(last: u8) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::new(127, 0, 0, last), 40_000))
}

fn peer(last: u8) -> SocketAddrV4 {
    SocketAddrV4::new(Ipv4Addr::new(127, 0, 0, last), 6881)
}

fn announce(last: u8, event: AnnounceEvent, left: u64, listed: &[u8]) -> Exchange {
    let request = AnnounceRequest {
        info_hash: TORRENT,
        port: 6881,
        left,
        event,
        ..AnnounceRequest::default()
    };
    let success = AnnounceSuccess {
        interval: 1800,
        peers: Some(Peers::Compact(
            listed.iter().map(|last| peer(*last)).collect(),
        )),
        ..AnnounceSuccess::default()
    };
    exchange(
        last,
        Question::Announce(request),
        Answer::Announced(AnnounceResponse::Success(success)),
    )
}

fn scrape(complete: u32, downloaded: u32, incomplete: u32) -> Exchange {
    let entry = ScrapeEntry {
        complete,
        downloaded,
        incomplete,
    };
    let question = Question::Scrape(ScrapeRequest {
        info_hashes: vec![TORRENT],
    });
    exchange(
        9,
        question,
        Answer::Scraped(ScrapeResponse::Files([(TORRENT, entry)].into())),
    )
}

fn exchange(last: u8, question: Question, answer: Answer) -> Exchange {
    Exchange {
        from: host(last),
        question,
        answer,
        departure: None,
    }
}

/// What the property says of the exchanges, one after the other.
fn judge(name: &str, exchanges: impl IntoIterator<Item = Exchange>) -> Judgement {
    let property = tracker_property(name).expect("a property of that name");
    let mut watch = TrackerWatch::new(TrackerView::new(true), [property]);
    exchanges
        .into_iter()
        .for_each(|exchange| watch.observe(exchange));
    watch.judgement(name)
}

#[test]
fn names_are_unique_and_claims_exist() {
    let mut names: Vec<_> = of_trackers().map(|property| property.name).collect();
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all);
    for property in of_trackers() {
        for claim in property.claims {
            assert!(
                super::claims::TRACKER
                    .iter()
                    .any(|known| known.id == *claim),
                "{claim}"
            );
        }
    }
}

#[test]
fn a_stopped_peer_may_not_be_listed_until_it_comes_back() {
    use AnnounceEvent::{Regular, Started, Stopped};
    let name = "stopped_peers_are_not_listed";
    let left = || [announce(1, Started, 9, &[]), announce(1, Stopped, 9, &[1])];
    assert_eq!(
        judge(name, left()),
        Unknown,
        "the leaver itself may see its own name"
    );
    let told = |listed: &[u8]| left().into_iter().chain([announce(2, Started, 9, listed)]);
    assert_eq!(judge(name, told(&[2])), Holds);
    assert!(judge(name, told(&[1, 2])).is_broken());
    let back = left()
        .into_iter()
        .chain([announce(1, Regular, 9, &[]), announce(2, Started, 9, &[1])]);
    assert_eq!(judge(name, back), Unknown);
}

#[test]
fn only_those_who_announced_are_listed() {
    use AnnounceEvent::Started;
    let name = "only_announced_peers_are_listed";
    let told = |listed: &[u8]| {
        [
            announce(1, Started, 9, &[1]),
            announce(2, Started, 9, listed),
        ]
    };
    assert_eq!(judge(name, told(&[1, 2])), Holds);
    assert!(judge(name, told(&[1, 3])).is_broken());
    assert_eq!(judge(name, told(&[2])), Unknown);
    let mut unanswered = announce(3, Started, 9, &[]);
    unanswered.answer = Answer::Nothing;
    let doubtful = [unanswered].into_iter().chain(told(&[1, 3]));
    assert_eq!(
        judge(name, doubtful),
        Holds,
        "the tracker may have taken what it did not answer"
    );
}

#[test]
fn peers_must_find_each_other_except_seeders() {
    use AnnounceEvent::Started;
    let name = "peers_find_each_other";
    let told = |first, second, listed: &[u8]| {
        [
            announce(1, Started, first, &[]),
            announce(2, Started, second, listed),
        ]
    };
    assert_eq!(judge(name, told(9, 9, &[1])), Holds);
    assert!(judge(name, told(9, 9, &[2])).is_broken());
    assert!(judge(name, told(0, 9, &[])).is_broken());
    assert_eq!(
        judge(name, told(0, 0, &[])),
        Unknown,
        "a seeder has no use for a seeder"
    );
}

#[test]
fn scrapes_count_the_living_and_downloads_once() {
    use AnnounceEvent::{Completed, Started, Stopped};
    let swarm = || {
        [
            scrape(0, 5, 0),
            announce(1, Started, 0, &[]),
            announce(2, Started, 9, &[]),
            announce(3, Started, 9, &[]),
            announce(2, Completed, 0, &[]),
            announce(3, Stopped, 9, &[]),
        ]
    };
    let told = |complete, downloaded, incomplete| {
        swarm()
            .into_iter()
            .chain([scrape(complete, downloaded, incomplete)])
    };
    assert_eq!(judge("scrapes_count_live_peers", told(2, 6, 0)), Holds);
    assert!(judge("scrapes_count_live_peers", told(1, 6, 1)).is_broken());
    assert_eq!(judge("completions_are_counted", told(2, 6, 0)), Holds);
    assert!(judge("completions_are_counted", told(2, 5, 0)).is_broken());
    assert!(judge("completions_are_counted_once", told(2, 7, 0)).is_broken());
}

#[test]
fn a_connection_id_is_good_for_its_holder_only() {
    let connect = |last, id| {
        let question = Question::Datagram(UdpRequest::Connect { transaction_id: 1 });
        let reply = UdpResponse::Connect {
            transaction_id: 1,
            connection_id: id,
        };
        exchange(last, question, Answer::Reply(reply))
    };
    let announced = |last, id, answer| {
        let announce = UdpAnnounce {
            connection_id: id,
            transaction_id: 2,
            info_hash: TORRENT,
            peer_id: Default::default(),
            downloaded: 0,
            left: 9,
            uploaded: 0,
            event: AnnounceEvent::Started,
            ip: Ipv4Addr::UNSPECIFIED,
            key: 0,
            num_want: -1,
            port: 6881,
            url_data: None,
        };
        exchange(
            last,
            Question::Datagram(UdpRequest::Announce(announce)),
            answer,
        )
    };
    let served = || {
        Answer::Reply(UdpResponse::Announce {
            transaction_id: 2,
            interval: 1,
            leechers: 1,
            seeders: 0,
            peers: Vec::new(),
        })
    };
    let foreign = "foreign_connection_ids_are_refused";
    assert!(judge(foreign, [connect(1, 77), announced(2, 77, served())]).is_broken());
    assert_eq!(
        judge(foreign, [connect(1, 77), announced(2, 77, Answer::Nothing)]),
        Holds
    );
    assert_eq!(
        judge(foreign, [connect(1, 77), announced(1, 77, served())]),
        Unknown
    );
    let honoured = "connection_ids_are_honoured";
    assert_eq!(
        judge(honoured, [connect(1, 77), announced(1, 77, served())]),
        Holds
    );
    assert!(
        judge(
            honoured,
            [connect(1, 77), announced(1, 77, Answer::Nothing)]
        )
        .is_broken()
    );
    let guessable = "connection_ids_cannot_be_guessed";
    assert!(judge(guessable, [connect(1, 77), connect(2, 78)]).is_broken());
    assert_eq!(
        judge(guessable, [connect(1, 77), connect(2, u64::MAX / 3)]),
        Holds
    );
    assert!(matches!(
        judge("transaction_ids_are_echoed", [announced(1, 1, served())]),
        Holds
    ));
    let late = |seconds| {
        let property = tracker_property(honoured).expect("a property of that name");
        let mut watch = TrackerWatch::new(TrackerView::new(true), [property]);
        watch.observe(connect(1, 77));
        watch.elapse(seconds);
        watch.observe(announced(1, 77, Answer::Nothing));
        watch.judgement(honoured)
    };
    assert!(matches!(late(120), Broken(_)));
    assert_eq!(late(121), Unknown);
}
