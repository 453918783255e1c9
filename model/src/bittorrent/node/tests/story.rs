//! Stories that put every fact to the test: a sound peer keeps them all, and each mutant breaks its own.

use std::collections::BTreeMap;
use std::net::SocketAddrV4;
use std::sync::Arc;
use std::time::Duration;

use super::super::{Config, Message, Request, Timer};
use super::room::{Room, Solo, address, handshake, peer_id, small, torrent};
use super::witness::Judgements;
use crate::bittorrent::message::{
    AnnounceResponse, AnnounceSuccess, BlockRequest, ExtensionHandshake, Handshake, InfoHash,
    MetadataMessage, PeerMessage, Peers, Reserved, TrackerFailure,
};
use crate::bittorrent::metainfo::Metainfo;
use crate::bittorrent::mutant::{Mutant, Side};
use crate::bittorrent::properties;
use crate::bittorrent::view::{Frame, Torrent};
use crate::bittorrent::wire::extension::{encode_handshake, encode_metadata};
use crate::node::Input;
use crate::property::Judgement;

const PLAIN: Reserved = Reserved::NONE;
const SUBJECT: u8 = 9;
const TRACKER: u8 = 200;

/// Three pieces of 262144 bytes, the last one shorter: room for every wrong request.
fn large() -> Arc<Torrent> {
    let content: Vec<u8> = (0..3 * 262_144 - 100_000_u32)
        .map(|byte| (byte % 251) as u8)
        .collect();
    let metainfo = Metainfo::from_content(b"large", 262_144, &content, None).expect("small");
    Arc::new(Torrent {
        metainfo,
        content: Some(content.into()),
    })
}

fn request(index: u32, begin: u32, length: u32) -> PeerMessage {
    PeerMessage::Request(BlockRequest {
        index,
        begin,
        length,
    })
}

/// Judgements of several stories.
#[derive(Default)]
struct Verdicts(Judgements);

impl Verdicts {
    fn hear(&mut self, judgements: &Judgements) {
        for (fact, judgement) in judgements {
            let known = self.0.entry(fact).or_insert(Judgement::Unknown);
            let before = std::mem::replace(known, Judgement::Unknown);
            *known = before.and_then(judgement.clone());
        }
    }

    fn end(&mut self, mut solo: Solo) {
        solo.witness.quiet();
        self.hear(solo.witness.judgements());
    }
}

fn seeder(mutant: Option<Mutant>, reserved: Reserved) -> Solo {
    let config = Config {
        reserved,
        mutant,
        regular_slots: 1,
        ..Config::new(large(), peer_id(SUBJECT)).seeding()
    };
    Solo::new(config)
}

fn leecher(torrent: &Arc<Torrent>, mutant: Option<Mutant>) -> Config {
    Config {
        mutant,
        ..small(torrent, SUBJECT)
    }
}

/// The subject serves: right and wrong requests, each wrong one on a link of its own.
fn serving(mutant: Option<Mutant>, verdicts: &mut Verdicts) {
    for reserved in [PLAIN, PLAIN.with_fast()] {
        let wrong = [
            request(0, 262_140, 16),
            request(3, 0, 16),
            request(2, 262_144 - 100_000, 1),
            request(0, 0, 0),
            request(0, 0, 1 << 15),
            request(0, 0, (1 << 17) + 1),
        ];
        for wrong in wrong {
            let mut solo = seeder(mutant, reserved);
            solo.join(1, reserved);
            solo.witness.quiet();
            solo.tell(1, [request(1, 5, 7)]);
            solo.witness.quiet();
            solo.tell(1, [PeerMessage::Interested]);
            solo.witness.quiet();
            solo.tell(1, [request(0, 0, 1 << 14), request(2, 16384, 100)]);
            solo.tell(
                1,
                [
                    PeerMessage::Unknown {
                        id: 77,
                        payload: vec![1],
                    },
                    PeerMessage::KeepAlive,
                ],
            );
            solo.witness.quiet();
            solo.tell(1, [wrong]);
            verdicts.end(solo);
        }
    }
}

/// Blocks go out one by one, and some requests are taken back before their turn.
fn cancelling(mutant: Option<Mutant>, verdicts: &mut Verdicts) {
    for reserved in [PLAIN, PLAIN.with_fast()] {
        let mut solo = Solo::new(Config {
            reserved,
            mutant,
            upload_pause: Some(Duration::from_millis(1)),
            ..Config::new(large(), peer_id(SUBJECT)).seeding()
        });
        solo.join(1, reserved);
        solo.tell(1, [PeerMessage::Interested]);
        solo.tell(1, (0..4).map(|block| request(0, block << 14, 1 << 14)));
        let cancel = |block: u32| {
            PeerMessage::Cancel(BlockRequest {
                index: 0,
                begin: block << 14,
                length: 1 << 14,
            })
        };
        solo.tell(1, [cancel(2), cancel(3)]);
        for _ in 0..4 {
            solo.expire(Timer::Upload);
        }
        verdicts.end(solo);
    }
}

/// More neighbours are interested than there are slots; then one leaves, and the optimistic slot moves.
fn crowding(mutant: Option<Mutant>, verdicts: &mut Verdicts) {
    let mut solo = seeder(mutant, PLAIN);
    for neighbour in 1..=4 {
        solo.join(neighbour, PLAIN);
        solo.tell(neighbour, [PeerMessage::Interested]);
        solo.witness.quiet();
    }
    solo.input(Input::Closed(address(1)));
    solo.witness.quiet();
    solo.expire(Timer::Rechoke);
    solo.expire(Timer::Optimistic);
    verdicts.end(solo);
}

/// Neighbours break the protocol, each in another way.
fn offending(mutant: Option<Mutant>, verdicts: &mut Verdicts) {
    let torrent = large();
    let good = handshake(&torrent, 1, PLAIN);
    let foreign = Handshake {
        info_hash: InfoHash([7; 20]),
        ..good
    };
    let own = handshake(&torrent, SUBJECT, PLAIN);
    let first = [
        Frame::Handshake(foreign),
        Frame::Handshake(own),
        Frame::Malformed("noise".to_owned()),
    ];
    for frame in first {
        let mut solo = seeder(mutant, PLAIN);
        // Another neighbour has learnt the subject's peer id.
        solo.join(2, PLAIN);
        solo.input(Input::Opened(address(1)));
        solo.frame(1, frame);
        verdicts.end(solo);
    }
    let block = PeerMessage::Piece {
        index: 0,
        begin: 0,
        data: vec![0; 16],
    };
    let reject = PeerMessage::RejectRequest(BlockRequest {
        index: 0,
        begin: 0,
        length: 16,
    });
    let later = [
        (
            PLAIN,
            vec![PeerMessage::Interested, PeerMessage::Bitfield(vec![0x40])],
        ),
        (PLAIN, vec![PeerMessage::Bitfield(vec![0x41])]),
        (PLAIN, vec![PeerMessage::Bitfield(vec![0x40, 0])]),
        (PLAIN, vec![PeerMessage::Have(3)]),
        (PLAIN, vec![PeerMessage::AllowedFast(0)]),
        (PLAIN.with_fast(), vec![PeerMessage::HaveNone, block]),
        (PLAIN.with_fast(), vec![PeerMessage::HaveNone, reject]),
    ];
    for (reserved, messages) in later {
        let mut solo = seeder(mutant, reserved);
        solo.join(1, reserved);
        solo.tell(1, messages);
        verdicts.end(solo);
    }
}

/// What is offered is fetched while choked, and so is what is not.
fn offering(mutant: Option<Mutant>, verdicts: &mut Verdicts) {
    let reserved = PLAIN.with_fast();
    let mut solo = Solo::new(Config {
        reserved,
        mutant,
        allowed_fast: 2,
        ..small(&torrent(20), SUBJECT).seeding()
    });
    solo.join(1, reserved);
    solo.witness.quiet();
    solo.tell(1, (0..20).map(|piece| request(piece, 0, 1)));
    verdicts.end(solo);
}

/// The extension handshake, metadata that exists, metadata that does not, a message under an unknown id.
fn extending(mutant: Option<Mutant>, verdicts: &mut Verdicts) {
    let reserved = PLAIN.with_extension_protocol();
    let mut solo = seeder(mutant, reserved);
    solo.join(1, reserved);
    let m = [(b"ut_metadata".to_vec(), 5)].into();
    let payload = encode_handshake(&ExtensionHandshake {
        m,
        ..ExtensionHandshake::default()
    });
    solo.tell(1, [PeerMessage::Extended { id: 0, payload }]);
    for piece in [0, 1, u32::MAX] {
        let payload = encode_metadata(&MetadataMessage::Request { piece });
        solo.tell(1, [PeerMessage::Extended { id: 1, payload }]);
        solo.witness.quiet();
    }
    solo.tell(
        1,
        [PeerMessage::Extended {
            id: 255,
            payload: vec![0],
        }],
    );
    verdicts.end(solo);
}

/// Answers what the subject requests of the neighbours, rightly, until it requests nothing more.
fn oblige(solo: &mut Solo, neighbours: &[u8], content: &[u8], piece_length: u32) {
    for _ in 0..200 {
        let mut answered = false;
        for neighbour in neighbours {
            for message in solo.heard(*neighbour) {
                let PeerMessage::Request(block) = message else {
                    continue;
                };
                let start = (block.index * piece_length + block.begin) as usize;
                let Some(data) = content.get(start..start + block.length as usize) else {
                    continue;
                };
                let (index, begin, data) = (block.index, block.begin, data.to_vec());
                if !solo.has_closed(*neighbour) {
                    solo.tell(*neighbour, [PeerMessage::Piece { index, begin, data }]);
                    answered = true;
                }
            }
        }
        if !answered {
            return;
        }
    }
}

/// Neighbours with different pieces, one of which never unchokes; then everything is fetched.
fn fetching(mutant: Option<Mutant>, verdicts: &mut Verdicts) {
    for seed in 0..8 {
        let torrent = torrent(8);
        let content: Vec<u8> = (0..16).collect();
        let mut config = leecher(&torrent, mutant);
        config.tracker = Some(address(TRACKER));
        config.count_bytes = true;
        config.pipeline = 2 + usize::from(seed % 2 == 1);
        let mut solo = Solo::new(config);
        solo.choose = crate::choose::Seeded::new(seed);
        for (neighbour, has) in [(1, 0xff), (2, 0xf0), (3, 0x3c), (4, 0x81)] {
            solo.join(neighbour, PLAIN);
            solo.tell(neighbour, [PeerMessage::Bitfield(vec![has])]);
        }
        solo.witness.quiet();
        solo.tell(1, [PeerMessage::Unchoke]);
        solo.tell(2, [PeerMessage::Unchoke]);
        // The second neighbour chokes and unchokes, the first one leaves and comes back.
        solo.tell(2, [PeerMessage::Choke, PeerMessage::Unchoke]);
        solo.input(Input::Closed(address(1)));
        solo.witness.quiet();
        solo.join(1, PLAIN);
        solo.tell(1, [PeerMessage::Bitfield(vec![0xff]), PeerMessage::Unchoke]);
        oblige(&mut solo, &[1, 2], &content, 2);
        solo.witness.calm();
        solo.input(Input::Ask(Request::Stop));
        verdicts.end(solo);
    }
}

/// Two neighbours have the last piece; one of them answers.
fn finishing(mutant: Option<Mutant>, verdicts: &mut Verdicts) {
    let torrent = torrent(2);
    let mut solo = Solo::new(Config {
        pipeline: 2,
        ..leecher(&torrent, mutant)
    });
    for neighbour in [1, 2] {
        solo.join(neighbour, PLAIN);
        solo.tell(
            neighbour,
            [PeerMessage::Bitfield(vec![0xc0]), PeerMessage::Unchoke],
        );
    }
    solo.witness.quiet();
    // Only the second one answers; whatever it was not asked for, it does not send.
    for _ in 0..4 {
        for message in solo.heard(2) {
            if let PeerMessage::Request(block) = message {
                let (index, begin) = (block.index, block.begin);
                let data = vec![(index * 2 + begin) as u8];
                solo.tell(2, [PeerMessage::Piece { index, begin, data }]);
            }
        }
        solo.witness.quiet();
    }
    verdicts.end(solo);
}

/// A neighbour sends wrong bytes; another would have the right ones.
fn verifying(mutant: Option<Mutant>, verdicts: &mut Verdicts) {
    let torrent = torrent(2);
    let liar = Config {
        mutant: Some(Mutant::WrongData),
        ..small(&torrent, 1).seeding()
    };
    for seed in 0..4 {
        let subject = Config {
            tracker: Some(address(TRACKER)),
            count_bytes: true,
            ..leecher(&torrent, mutant)
        };
        let mut room = Room::new([liar.clone(), small(&torrent, 2).seeding(), subject], seed);
        room.dial(address(SUBJECT), address(1));
        room.run(2);
        room.dial(address(SUBJECT), address(2));
        room.run(5);
        verdicts.hear(room.judgements(address(SUBJECT)));
    }
}

/// One neighbour gives, another one only takes, and there is one regular slot and no other.
fn reciprocating(mutant: Option<Mutant>, verdicts: &mut Verdicts) {
    let torrent = torrent(4);
    let mut solo = Solo::new(Config {
        optimistic_slot: false,
        regular_slots: 2,
        ..leecher(&torrent, mutant)
    });
    for neighbour in [1, 2, 3] {
        solo.join(neighbour, PLAIN);
        solo.tell(neighbour, [PeerMessage::Interested]);
    }
    solo.tell(3, [PeerMessage::Have(0), PeerMessage::Unchoke]);
    solo.tell(
        3,
        [PeerMessage::Piece {
            index: 0,
            begin: 0,
            data: vec![0],
        }],
    );
    solo.expire(Timer::Rechoke);
    solo.expire(Timer::Rechoke);
    verdicts.end(solo);
}

/// A neighbour that keeps two requests; blocks of 16384 bytes, the last of a piece shorter.
fn pipelining(mutant: Option<Mutant>, verdicts: &mut Verdicts) {
    let torrent = large();
    let content = torrent.content.clone().expect("it comes with its content");
    let reserved = PLAIN.with_extension_protocol();
    let mut solo = Solo::new(Config {
        mutant,
        reserved,
        ..Config::new(Arc::clone(&torrent), peer_id(SUBJECT))
    });
    solo.join(1, reserved);
    let keeps = ExtensionHandshake {
        reqq: Some(2),
        ..ExtensionHandshake::default()
    };
    let payload = encode_handshake(&keeps);
    solo.tell(
        1,
        [
            PeerMessage::Bitfield(vec![0xe0]),
            PeerMessage::Extended { id: 0, payload },
        ],
    );
    solo.tell(1, [PeerMessage::Unchoke]);
    oblige(&mut solo, &[1], &content, 262_144);
    verdicts.end(solo);
}

/// The subject dials: the right peer, and another one than the tracker named.
fn dialling(mutant: Option<Mutant>, verdicts: &mut Verdicts) {
    let torrent = torrent(2);
    for expected in [1, 5] {
        let mut solo = Solo::new(leecher(&torrent, mutant));
        let peer_id = Some(peer_id(expected));
        solo.input(Input::Ask(Request::Dial {
            address: address(1),
            peer_id,
        }));
        solo.join(1, PLAIN);
        verdicts.end(solo);
    }
}

fn answer(solo: &mut Solo, response: AnnounceResponse) {
    let from = address(TRACKER);
    let message = Message::Announced(response);
    solo.input(Input::Receive { from, message });
}

/// The tracker is told of everything that it must be told of.
fn announcing(mutant: Option<Mutant>, verdicts: &mut Verdicts) {
    let mut solo = Solo::new(Config {
        mutant,
        tracker: Some(address(TRACKER)),
        count_bytes: true,
        pipeline: 2,
        ..small(&torrent(1), SUBJECT)
    });
    answer(
        &mut solo,
        AnnounceResponse::Failure(TrackerFailure {
            reason: b"busy".to_vec(),
            retry_in: None,
        }),
    );
    solo.witness.calm();
    let peer = SocketAddrV4::new([10, 0, 0, 1].into(), 6881);
    answer(
        &mut solo,
        AnnounceResponse::Success(AnnounceSuccess {
            interval: 100,
            tracker_id: Some(b"x".to_vec()),
            peers: Some(Peers::Compact(vec![peer])),
            ..AnnounceSuccess::default()
        }),
    );
    solo.join(1, PLAIN);
    solo.tell(1, [PeerMessage::Bitfield(vec![0x80]), PeerMessage::Unchoke]);
    oblige(&mut solo, &[1], &[0, 1], 2);
    solo.expire(Timer::KeepAlive(address(1)));
    solo.witness.calm();
    answer(
        &mut solo,
        AnnounceResponse::Success(AnnounceSuccess::default()),
    );
    solo.expire(Timer::Announce);
    solo.input(Input::Ask(Request::Stop));
    verdicts.end(solo);
}

fn every_story(mutant: Option<Mutant>) -> Judgements {
    let mut verdicts = Verdicts::default();
    let stories: [fn(Option<Mutant>, &mut Verdicts); 13] = [
        serving,
        cancelling,
        crowding,
        offending,
        offering,
        extending,
        fetching,
        finishing,
        verifying,
        reciprocating,
        pipelining,
        dialling,
        announcing,
    ];
    for story in stories {
        story(mutant, &mut verdicts);
    }
    verdicts.0
}

#[test]
fn a_sound_peer_breaks_nothing() {
    for (fact, judgement) in every_story(None) {
        assert!(!judgement.is_broken(), "{fact}: {judgement:?}");
    }
}

#[test]
fn sound_swarms_break_nothing() {
    for seed in 0..40 {
        let torrent = torrent(5);
        let fast = |config: Config| Config {
            reserved: PLAIN.with_fast(),
            pipeline: 3,
            ..config
        };
        let mut room = Room::new(
            [
                fast(small(&torrent, 1).seeding()),
                small(&torrent, 2),
                fast(small(&torrent, 3)),
                fast(small(&torrent, 4)),
            ],
            seed,
        );
        for (from, to) in [(2, 1), (3, 1), (4, 1), (2, 3), (4, 2), (3, 4)] {
            room.dial(address(from), address(to));
        }
        room.run(30);
        for peer in 1..=4 {
            assert!(
                room.is_complete(address(peer)),
                "peer {peer} of seed {seed}"
            );
            for (fact, judgement) in room.judgements(address(peer)) {
                assert!(
                    !judgement.is_broken(),
                    "seed {seed}, peer {peer}, {fact}: {judgement:?}"
                );
            }
        }
    }
}

#[test]
fn every_mutant_breaks_the_fact_declared_for_it() {
    let sound = every_story(None);
    let mut failures = BTreeMap::new();
    for mutant in Mutant::of(Side::Seeder).chain(Mutant::of(Side::Leecher)) {
        let fact = mutant.breaks();
        assert!(
            properties::peer_property(fact).is_some(),
            "{fact} is no fact about peers"
        );
        if sound[fact] != Judgement::Holds {
            failures.insert(
                mutant.name(),
                format!("{fact} is not put to the test: {:?}", sound[fact]),
            );
        }
        let judgement = every_story(Some(mutant))[fact].clone();
        if !judgement.is_broken() {
            failures.insert(mutant.name(), format!("{fact}: {judgement:?}"));
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
}

#[test]
fn every_fact_is_put_to_the_test() {
    let sound = every_story(None);
    let untested: Vec<_> = sound
        .iter()
        .filter(|(_, judgement)| **judgement == Judgement::Unknown)
        .collect();
    assert!(untested.is_empty(), "{untested:?}");
}

#[test]
fn a_peer_that_starts_again_keeps_what_it_verified() {
    let mut solo = Solo::new(Config {
        pipeline: 2,
        ..small(&torrent(1), SUBJECT)
    });
    solo.join(1, PLAIN);
    solo.tell(1, [PeerMessage::Bitfield(vec![0x80]), PeerMessage::Unchoke]);
    oblige(&mut solo, &[1], &[0, 1], 2);
    solo.input(Input::Ask(Request::Stop));
    solo.input(Input::Ask(Request::Start));
    assert!(solo.peer.have().is_complete());
}
