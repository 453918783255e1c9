//! A tracker asked by hand, with every fact about trackers asked of every answer.

use super::*;
use crate::bittorrent::message::{UdpAnnounce, UdpRequest};
use crate::bittorrent::properties;
use crate::bittorrent::tracker_view::{Answer, Exchange, Question, TrackerView, TrackerWatch};
use crate::choose::{Seeded, every_outcome};
use crate::node::rejects_without_trace;
use crate::property::Judgement;

const TORRENT: InfoHash = InfoHash([1; 20]);
const OTHER: InfoHash = InfoHash([2; 20]);

fn host(number: u8) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, number], 4000))
}

fn announce(number: u8, event: AnnounceEvent) -> AnnounceRequest {
    AnnounceRequest {
        info_hash: TORRENT,
        peer_id: PeerId([number; 20]),
        port: 6881,
        left: 5,
        event,
        ..AnnounceRequest::default()
    }
}

/// A tracker under observation.
struct Scene {
    tracker: Tracker,
    watch: TrackerWatch,
    choose: Seeded,
}

impl Scene {
    fn new(mutant: Option<Mutant>) -> Self {
        let config = TrackerConfig {
            mutant,
            ..TrackerConfig::new()
        };
        Self {
            tracker: Tracker::new(Arc::new(config)),
            watch: TrackerWatch::new(TrackerView::new(true), properties::of_trackers()),
            choose: Seeded::new(3),
        }
    }

    fn ask(&mut self, number: u8, message: Message) -> Option<Message> {
        let from = host(number);
        let mut out = Vec::new();
        let question = match &message {
            Message::Announce(request) => Question::Announce(request.clone()),
            Message::Scrape(request) => Question::Scrape(request.clone()),
            Message::Datagram(request) => Question::Datagram(request.clone()),
            _ => Question::MalformedAnnounce("it lacks the info hash"),
        };
        let input = Input::Receive { from, message };
        self.tracker
            .step(input, &mut self.choose, &mut out)
            .expect("a question");
        let said = out.into_iter().find_map(|output| match output {
            Output::Send { to, message } if to == from => Some(message),
            _ => None,
        });
        let answer = match said.clone() {
            Some(Message::Announced(response)) => Answer::Announced(response),
            Some(Message::Scraped(response)) => Answer::Scraped(response),
            Some(Message::Reply(reply)) => Answer::Reply(reply),
            _ => Answer::Nothing,
        };
        self.watch.observe(Exchange {
            from,
            question,
            answer,
            departure: None,
        });
        said
    }

    fn announce(&mut self, number: u8, event: AnnounceEvent) -> Vec<SocketAddr> {
        self.peers(number, announce(number, event))
    }

    fn peers(&mut self, number: u8, request: AnnounceRequest) -> Vec<SocketAddr> {
        match self.ask(number, Message::Announce(request)) {
            Some(Message::Announced(AnnounceResponse::Success(success))) => match success.peers {
                Some(Peers::Compact(peers)) => peers.into_iter().map(SocketAddr::V4).collect(),
                _ => Vec::new(),
            },
            _ => Vec::new(),
        }
    }

    fn connect(&mut self, number: u8) -> u64 {
        let request = UdpRequest::Connect { transaction_id: 77 };
        match self.ask(number, Message::Datagram(request)) {
            Some(Message::Reply(UdpResponse::Connect { connection_id, .. })) => connection_id,
            other => panic!("{other:?}"),
        }
    }

    fn announce_udp(&mut self, number: u8, connection_id: u64) -> Option<UdpResponse> {
        let request = UdpAnnounce {
            connection_id,
            transaction_id: 5,
            info_hash: TORRENT,
            peer_id: PeerId([number; 20]),
            downloaded: 0,
            left: 0,
            uploaded: 0,
            event: AnnounceEvent::Started,
            ip: std::net::Ipv4Addr::UNSPECIFIED,
            key: 0,
            num_want: -1,
            port: 6881,
            url_data: None,
        };
        match self.ask(number, Message::Datagram(UdpRequest::Announce(request))) {
            Some(Message::Reply(reply)) => Some(reply),
            None => None,
            other => panic!("{other:?}"),
        }
    }

    fn scrape(&mut self, info_hashes: Vec<InfoHash>) {
        self.ask(9, Message::Scrape(ScrapeRequest { info_hashes }));
    }

    /// A new secret, thirteen times: every id that was given out has ended.
    fn outlive_connection_ids(&mut self) {
        for _ in 0..13 {
            let input = Input::Expire(TrackerTimer::Secret);
            self.tracker
                .step(input, &mut self.choose, &mut Vec::new())
                .expect("it is set");
        }
        self.watch.elapse(130);
    }
}

/// Everything that a suite may ask, in one story.
fn story(mutant: Option<Mutant>) -> TrackerWatch {
    let mut scene = Scene::new(mutant);
    scene.scrape(vec![TORRENT, OTHER]);
    for peer in [1, 2, 3] {
        scene.announce(peer, AnnounceEvent::Started);
    }
    scene.scrape(vec![TORRENT]);
    let elsewhere = AnnounceRequest {
        info_hash: OTHER,
        left: 0,
        ..announce(4, AnnounceEvent::Started)
    };
    scene.peers(4, elsewhere);
    scene.announce(1, AnnounceEvent::Regular);
    scene.peers(
        2,
        AnnounceRequest {
            numwant: Some(1),
            ..announce(2, AnnounceEvent::Regular)
        },
    );
    scene.peers(
        2,
        AnnounceRequest {
            compact: Some(false),
            ..announce(2, AnnounceEvent::Regular)
        },
    );
    for _ in 0..2 {
        scene.peers(
            3,
            AnnounceRequest {
                left: 0,
                ..announce(3, AnnounceEvent::Completed)
            },
        );
    }
    scene.scrape(vec![TORRENT, OTHER]);
    scene.announce(1, AnnounceEvent::Stopped);
    scene.announce(2, AnnounceEvent::Regular);
    scene.ask(7, Message::Malformed("the info hash is missing".to_owned()));
    udp_story(&mut scene);
    scene.watch
}

fn udp_story(scene: &mut Scene) {
    let id = scene.connect(5);
    scene.announce_udp(5, id);
    scene.announce_udp(6, id);
    scene.announce_udp(6, 0x1234);
    scene.outlive_connection_ids();
    scene.announce_udp(5, id);
}

#[test]
fn a_sound_tracker_breaks_nothing() {
    let watch = story(None);
    for property in properties::of_trackers() {
        let judgement = watch.judgement(property.name);
        assert!(!judgement.is_broken(), "{}: {judgement:?}", property.name);
    }
}

#[test]
fn every_mutant_breaks_the_fact_declared_for_it() {
    for mutant in Mutant::of(crate::bittorrent::mutant::Side::Tracker) {
        let fact = mutant.breaks();
        assert!(
            properties::tracker_property(fact).is_some(),
            "{fact} is no fact about trackers"
        );
        assert_eq!(
            story(None).judgement(fact),
            Judgement::Holds,
            "{fact} is put to the test"
        );
        let judgement = story(Some(mutant)).judgement(fact);
        assert!(judgement.is_broken(), "{mutant:?}, {fact}: {judgement:?}");
    }
}

#[test]
fn wanted_peers_are_drawn_at_random() {
    let mut scene = Scene::new(None);
    for peer in [1, 2, 3, 4] {
        scene.announce(peer, AnnounceEvent::Started);
    }
    let request = AnnounceRequest {
        numwant: Some(2),
        ..announce(4, AnnounceEvent::Regular)
    };
    let answers = every_outcome(|choose| {
        let mut tracker = scene.tracker.clone();
        let mut out = Vec::new();
        let message = Message::Announce(request.clone());
        let input = Input::Receive {
            from: host(4),
            message,
        };
        tracker.step(input, choose, &mut out).expect("a question");
        out
    });
    let distinct: BTreeSet<_> = answers.into_iter().map(|(_, out)| out).collect();
    assert_eq!(distinct.len(), 6, "ordered pairs of three others");
}

#[test]
fn silent_peers_expire() {
    let mut scene = Scene::new(None);
    scene.announce(1, AnnounceEvent::Started);
    let peer = SocketAddr::new(host(1).ip(), 6881);
    let input = Input::Expire(TrackerTimer::Expiry(TORRENT, peer));
    scene
        .tracker
        .step(input.clone(), &mut scene.choose, &mut Vec::new())
        .expect("it is set");
    assert_eq!(scene.tracker.members().count(), 0);
    assert_eq!(
        rejects_without_trace(&scene.tracker, input, &mut scene.choose),
        Some(true)
    );
}

#[test]
fn what_is_not_for_a_tracker_leaves_no_trace() {
    let mut scene = Scene::new(None);
    let message = Message::Announced(failure("no"));
    let input = Input::Receive {
        from: host(1),
        message,
    };
    assert_eq!(
        rejects_without_trace(&scene.tracker, input, &mut scene.choose),
        Some(true)
    );
}
