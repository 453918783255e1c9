//! Serving, and what ends a link.

use std::time::Duration;

use super::super::{Config, Timer};
use super::room::{Solo, handshake, small, torrent};
use crate::bittorrent::message::{BlockRequest, InfoHash, PeerMessage, Reserved};
use crate::bittorrent::view::Frame;

fn request(index: u32, begin: u32, length: u32) -> PeerMessage {
    PeerMessage::Request(BlockRequest {
        index,
        begin,
        length,
    })
}

/// A seeder with one interested neighbour.
fn serving(reserved: Reserved) -> Solo {
    let mut solo = Solo::new(Config {
        reserved,
        ..small(&torrent(2), 9).seeding()
    });
    solo.join(1, reserved);
    solo.tell(1, [PeerMessage::Interested]);
    solo
}

#[test]
fn the_bitfield_comes_first_and_a_request_gets_its_block() {
    let mut solo = serving(Reserved::NONE);
    solo.tell(1, [request(1, 0, 2)]);
    let block = PeerMessage::Piece {
        index: 1,
        begin: 0,
        data: vec![2, 3],
    };
    assert_eq!(
        solo.heard(1),
        [
            PeerMessage::Bitfield(vec![0xc0]),
            PeerMessage::Unchoke,
            block
        ]
    );
}

#[test]
fn a_choked_request_gets_nothing() {
    let mut solo = Solo::new(small(&torrent(2), 9).seeding());
    solo.join(1, Reserved::NONE);
    solo.heard(1);
    solo.tell(1, [request(0, 0, 1)]);
    assert_eq!(solo.heard(1), []);
    assert!(!solo.has_closed(1));
}

#[test]
fn requests_out_of_bounds_end_the_link() {
    for bad in [
        request(2, 0, 1),
        request(0, 1, 2),
        request(0, 0, 0),
        request(0, u32::MAX, 2),
        request(0, 0, 16385),
    ] {
        let mut solo = serving(Reserved::NONE);
        solo.tell(1, [bad.clone()]);
        assert!(solo.has_closed(1), "{bad:?}");
    }
}

#[test]
fn with_the_fast_extension_they_are_rejected() {
    for bad in [request(2, 0, 1), request(0, 1, 2), request(0, 0, 0)] {
        let mut solo = serving(Reserved::NONE.with_fast());
        solo.heard(1);
        solo.tell(1, [bad.clone()]);
        let PeerMessage::Request(block) = bad else {
            continue;
        };
        assert_eq!(solo.heard(1), [PeerMessage::RejectRequest(block)]);
        assert!(!solo.has_closed(1));
    }
}

#[test]
fn a_cancelled_request_is_not_served_when_its_turn_comes() {
    let pause = Some(Duration::from_millis(1));
    let mut solo = Solo::new(Config {
        upload_pause: pause,
        ..small(&torrent(2), 9).seeding()
    });
    solo.join(1, Reserved::NONE);
    solo.tell(
        1,
        [
            PeerMessage::Interested,
            request(0, 0, 1),
            request(0, 1, 1),
            request(1, 0, 1),
        ],
    );
    solo.heard(1);
    solo.tell(
        1,
        [PeerMessage::Cancel(BlockRequest {
            index: 0,
            begin: 1,
            length: 1,
        })],
    );
    for _ in 0..3 {
        solo.expire(Timer::Upload);
    }
    let served: Vec<_> = solo.heard(1);
    let block = |index, data| PeerMessage::Piece {
        index,
        begin: 0,
        data: vec![data],
    };
    assert_eq!(served, [block(0, 0), block(1, 2)]);
}

#[test]
fn offences_end_the_link() {
    let offences = [
        PeerMessage::Have(2),
        PeerMessage::Bitfield(vec![0xe0]),
        PeerMessage::Bitfield(vec![0xc0, 0]),
        PeerMessage::HaveAll,
        PeerMessage::AllowedFast(0),
    ];
    for offence in offences {
        let mut solo = Solo::new(small(&torrent(2), 9));
        solo.join(1, Reserved::NONE.with_fast());
        solo.tell(1, [offence.clone()]);
        assert!(solo.has_closed(1), "{offence:?}");
    }
}

#[test]
fn a_late_bitfield_ends_the_link() {
    let mut solo = Solo::new(small(&torrent(2), 9));
    solo.join(1, Reserved::NONE);
    solo.tell(
        1,
        [PeerMessage::KeepAlive, PeerMessage::Bitfield(vec![0x80])],
    );
    assert!(!solo.has_closed(1));
    solo.tell(1, [PeerMessage::Bitfield(vec![0x80])]);
    assert!(solo.has_closed(1));
}

#[test]
fn unknown_messages_are_skipped() {
    let mut solo = serving(Reserved::NONE);
    solo.heard(1);
    solo.tell(
        1,
        [
            PeerMessage::Unknown {
                id: 99,
                payload: vec![1, 2],
            },
            request(0, 0, 1),
        ],
    );
    assert_eq!(solo.heard(1).len(), 1);
    assert!(!solo.has_closed(1));
}

#[test]
fn foreign_torrents_and_itself_are_not_kept() {
    let torrent = torrent(2);
    let good = handshake(&torrent, 1, Reserved::NONE);
    let foreign = crate::bittorrent::message::Handshake {
        info_hash: InfoHash([7; 20]),
        ..good
    };
    let own = handshake(&torrent, 9, Reserved::NONE);
    for bad in [
        Frame::Handshake(foreign),
        Frame::Handshake(own),
        Frame::Malformed("noise".into()),
    ] {
        let mut solo = Solo::new(small(&torrent, 9));
        solo.input(crate::node::Input::Opened(super::room::address(1)));
        solo.frame(1, bad.clone());
        assert!(solo.has_closed(1), "{bad:?}");
    }
}
