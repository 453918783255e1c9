//! Fetching: whole downloads, bad pieces, the order of pieces.

use super::super::{Config, Event};
use super::room::{Room, Solo, address, small, torrent};
use crate::bittorrent::message::{BlockRequest, PeerMessage, Reserved};
use crate::bittorrent::mutant::Mutant;
use crate::bittorrent::pieces::Pieces;

fn block(index: u32, begin: u32) -> BlockRequest {
    BlockRequest {
        index,
        begin,
        length: 1,
    }
}

fn piece(index: u32, begin: u32) -> PeerMessage {
    let data = vec![(index * 2 + begin) as u8];
    PeerMessage::Piece { index, begin, data }
}

fn bad(index: u32, begin: u32) -> PeerMessage {
    PeerMessage::Piece {
        index,
        begin,
        data: vec![0xee],
    }
}

#[test]
fn two_leechers_complete_from_one_seed() {
    for seed in 0..50 {
        let torrent = torrent(4);
        let mut room = Room::new(
            [
                small(&torrent, 1).seeding(),
                small(&torrent, 2),
                small(&torrent, 3),
            ],
            seed,
        );
        room.dial(address(2), address(1));
        room.dial(address(3), address(1));
        room.dial(address(2), address(3));
        room.run(20);
        assert!(room.is_complete(address(2)), "seed {seed}");
        assert!(room.is_complete(address(3)), "seed {seed}");
        let completed = room
            .events
            .iter()
            .filter(|(_, event)| *event == Event::Completed);
        assert_eq!(completed.count(), 2);
    }
}

#[test]
fn a_download_without_known_content_is_kept() {
    let whole = torrent(3);
    let blind = std::sync::Arc::new(crate::bittorrent::view::Torrent {
        metainfo: whole.metainfo.clone(),
        content: None,
    });
    let mut room = Room::new([small(&whole, 1).seeding(), small(&blind, 2)], 3);
    room.dial(address(2), address(1));
    room.run(3);
    let leecher = &room.peers[&address(2)];
    assert_eq!(leecher.piece(2), Some(&[4, 5][..]));
}

#[test]
fn a_bad_piece_is_fetched_again_from_somebody_else() {
    for seed in 0..20 {
        let torrent = torrent(3);
        let liar = Config {
            mutant: Some(Mutant::WrongData),
            ..small(&torrent, 1).seeding()
        };
        let mut room = Room::new(
            [liar, small(&torrent, 2).seeding(), small(&torrent, 3)],
            seed,
        );
        room.dial(address(3), address(1));
        room.dial(address(3), address(2));
        room.run(20);
        assert!(room.is_complete(address(3)), "seed {seed}");
    }
}

#[test]
fn the_only_sender_of_a_bad_piece_is_left() {
    let mut solo = Solo::new(Config {
        pipeline: 2,
        ..small(&torrent(1), 9)
    });
    solo.join(1, Reserved::NONE);
    solo.tell(1, [PeerMessage::Bitfield(vec![0x80]), PeerMessage::Unchoke]);
    solo.tell(1, [piece(0, 0), bad(0, 1)]);
    assert!(solo.has_closed(1));
    assert!(solo.peer.have().is_empty());
    assert!(!solo.heard(1).contains(&PeerMessage::Have(0)));
}

#[test]
fn a_bad_piece_of_several_senders_is_fetched_again_from_one() {
    let mut solo = Solo::new(small(&torrent(1), 9));
    for neighbour in [1, 2] {
        solo.join(neighbour, Reserved::NONE);
        solo.tell(
            neighbour,
            [PeerMessage::Bitfield(vec![0x80]), PeerMessage::Unchoke],
        );
    }
    solo.tell(1, [piece(0, 0)]);
    solo.tell(2, [bad(0, 1)]);
    assert!(!solo.has_closed(1) && !solo.has_closed(2));
    solo.out.clear();
    // Whoever is asked first now is asked for both blocks, the other for none.
    solo.tell(1, [piece(0, 0)]);
    assert_eq!(solo.heard(2), []);
    solo.tell(1, [piece(0, 1)]);
    assert!(solo.peer.have().is_complete());
}

#[test]
fn the_rarest_piece_follows_the_random_first_one() {
    let config = small(&torrent(3), 9);
    let mut solo = Solo::new(Config {
        random_first: false,
        ..config
    });
    for (neighbour, has) in [(1, 0b1110_0000), (2, 0b1010_0000), (3, 0b1000_0000)] {
        solo.join(neighbour, Reserved::NONE);
        solo.tell(neighbour, [PeerMessage::Bitfield(vec![has])]);
    }
    solo.tell(1, [PeerMessage::Unchoke]);
    assert_eq!(
        solo.heard(1).last(),
        Some(&PeerMessage::Request(block(1, 0)))
    );
}

#[test]
fn a_started_piece_is_finished_before_another_begins() {
    let mut solo = Solo::new(Config {
        pipeline: 1,
        ..small(&torrent(8), 9)
    });
    solo.join(1, Reserved::NONE);
    solo.tell(1, [PeerMessage::Bitfield(vec![0xff]), PeerMessage::Unchoke]);
    let Some(PeerMessage::Request(first)) = solo.heard(1).pop() else {
        panic!("a request follows the unchoke");
    };
    solo.tell(1, [piece(first.index, 0)]);
    assert_eq!(solo.heard(1), [PeerMessage::Request(block(first.index, 1))]);
}

#[test]
fn the_endgame_asks_everyone_and_cancels() {
    let mut solo = Solo::new(Config {
        pipeline: 2,
        ..small(&torrent(1), 9)
    });
    for neighbour in [1, 2] {
        solo.join(neighbour, Reserved::NONE);
        solo.tell(
            neighbour,
            [PeerMessage::Bitfield(vec![0x80]), PeerMessage::Unchoke],
        );
    }
    let both = [
        PeerMessage::Request(block(0, 0)),
        PeerMessage::Request(block(0, 1)),
    ];
    assert!(solo.heard(1).ends_with(&both));
    assert!(solo.heard(2).ends_with(&both));
    solo.tell(2, [piece(0, 0)]);
    assert_eq!(solo.heard(1), [PeerMessage::Cancel(block(0, 0))]);
}

#[test]
fn without_endgame_nothing_is_asked_twice() {
    let mut solo = Solo::new(Config {
        pipeline: 2,
        endgame: false,
        ..small(&torrent(1), 9)
    });
    for neighbour in [1, 2] {
        solo.join(neighbour, Reserved::NONE);
        solo.tell(
            neighbour,
            [PeerMessage::Bitfield(vec![0x80]), PeerMessage::Unchoke],
        );
    }
    assert_eq!(solo.heard(2), [PeerMessage::Interested]);
}

#[test]
fn a_choke_frees_the_requests_for_others() {
    let mut solo = Solo::new(Config {
        pipeline: 2,
        endgame: false,
        ..small(&torrent(1), 9)
    });
    for neighbour in [1, 2] {
        solo.join(neighbour, Reserved::NONE);
        solo.tell(
            neighbour,
            [PeerMessage::Bitfield(vec![0x80]), PeerMessage::Unchoke],
        );
    }
    solo.heard(2);
    solo.tell(1, [PeerMessage::Choke]);
    assert_eq!(solo.heard(2).len(), 2);
}

#[test]
fn interest_ends_with_the_last_wanted_piece() {
    let mut solo = Solo::new(Config {
        initial: Pieces::none(2),
        pipeline: 2,
        ..small(&torrent(2), 9)
    });
    solo.join(1, Reserved::NONE);
    solo.tell(1, [PeerMessage::Have(1), PeerMessage::Unchoke]);
    solo.tell(1, [piece(1, 0), piece(1, 1)]);
    let heard = solo.heard(1);
    assert!(
        heard.ends_with(&[PeerMessage::Have(1), PeerMessage::NotInterested]),
        "{heard:?}"
    );
}
